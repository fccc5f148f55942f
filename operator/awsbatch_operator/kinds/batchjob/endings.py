"""Ending a job for a reason of its spec: held, changed, or out of time (pure)."""

from collections.abc import Mapping
from dataclasses import replace

from awsbatch_operator.api import job_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.kinds.batchjob import runs
from awsbatch_operator.kinds.batchjob.actions import STOP_REASONS, Action, termination
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed
from awsbatch_operator.kinds.batchjob.submission import Stop, Submission
from awsbatch_operator.kinds.batchjob.wishes import Wishes

LOOK_SECONDS = 300.0  # the feed tells at once; this only guards against a lost wake-up
_UNSENT = frozenset({Knowledge.REFUSED, Knowledge.ABSENT})
_WORDS: Mapping[Stop, str] = {
    Stop.SUSPENDED: "because spec.suspend holds it",
    Stop.CHANGED: "because its spec has changed; a new run follows",
    Stop.DEADLINE: "because it has had as long as spec.activeDeadlineSeconds allows",
}


def with_stop(
    wishes: Wishes,
    observed: Observed,
    record: Submission,
    now: Instant,
    *,
    may_run: bool = True,
) -> Submission:
    """The record, with why the run is to be ended.

    It is written before the job is terminated. A process that died in between would otherwise
    leave a job that somebody has terminated, for a reason that nobody knows.
    """
    if observed.knowledge is Knowledge.FOUND and not observed.ended:
        stop = runs.wanted_stop(wishes, record, now, may_run=may_run)
        return record if stop is record.stop else replace(record, stop=stop)
    if observed.knowledge not in _UNSENT or record.stop is not None:
        return record
    if not runs.is_closed(wishes, observed, now):
        return record
    never_sent = observed.knowledge is Knowledge.REFUSED and record.attempt == 1
    return replace(record, stop=Stop.DEADLINE) if never_sent else record.closed(Stop.DEADLINE)


def ending(observed: Observed, record: Submission) -> Plan[Action]:
    """The job is terminated, once; then AWS is given the time that it takes."""
    assert record.stop is not None  # noqa: S101 - the caller has seen to it
    finding = Finding(
        job_reasons.JOB_STOPPING,
        f"The job {observed.job_id} of run {record.run} is being terminated, "
        f"{_WORDS[record.stop]}.",
        look_again_seconds=LOOK_SECONDS,
    )
    if observed.stopping:
        return Plan(findings=(finding,))
    reason = STOP_REASONS[record.stop]
    step = termination(observed.job_id, reason, record=record.annotation())
    return Plan(steps=(step,), findings=(finding,))
