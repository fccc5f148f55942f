"""Ending a job for a reason of its spec: held, changed, or out of time (pure)."""

from collections.abc import Mapping
from dataclasses import replace

from awsbatch_operator.api import job_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.kinds.batchjob import runs
from awsbatch_operator.kinds.batchjob.actions import (
    Action,
    termination,
)
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed
from awsbatch_operator.kinds.batchjob.run_causes import STOP_REASONS, Stop
from awsbatch_operator.kinds.batchjob.submission import Submission
from awsbatch_operator.kinds.batchjob.submitting import too_old
from awsbatch_operator.kinds.batchjob.wishes import Wishes

LOOK_SECONDS = 300.0  # the feed tells at once; this only guards against a lost wake-up
_UNSENT = frozenset({Knowledge.REFUSED, Knowledge.ABSENT})
_WORDS: Mapping[Stop, str] = {
    Stop.SUSPENDED: "because spec.suspend holds it",
    Stop.CHANGED: "because its spec has changed; a new run follows",
    Stop.DEADLINE: "because it has had as long as spec.activeDeadlineSeconds allows",
    Stop.HELD: "because spec.suspend holds it",
    Stop.DEPENDENCY: "because a job that it depends on was stopped; a new run follows",
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
    if observed.knowledge is Knowledge.FOUND and record.stop is Stop.HELD:
        record = replace(record, stop=None)  # there is a job of it after all
    if observed.knowledge is Knowledge.FOUND and not observed.ended:
        stop = runs.wanted_stop(wishes, record, now, may_run=may_run)
        return record if stop is record.stop else replace(record, stop=stop)
    if observed.knowledge not in _UNSENT or record.stop not in {None, Stop.HELD}:
        return record
    stop = _closed_for(wishes, observed, now)
    if stop is None or stop is record.stop:
        return record
    never_sent = observed.knowledge is Knowledge.REFUSED and record.attempt == 1
    return replace(record, stop=stop) if never_sent else record.closed(stop)


def is_ended_for(observed: Observed, stop: Stop) -> bool:
    """Whether the job is at work still, and is being ended for that."""
    at_work = observed.knowledge is Knowledge.FOUND and not observed.ended
    return at_work and observed.submission.stop is stop


def _closed_for(wishes: Wishes, observed: Observed, now: Instant) -> Stop | None:
    """Why a run of which AWS has no job is not sent any more, or not for now; None: it is sent.

    What is held is looked for twice more, like any run that is closed, and then no more: it may be
    held for months.
    """
    if runs.is_closed(wishes, observed, now):
        return Stop.DEADLINE
    if not wishes.suspend or too_old(observed.submission, now) is not None:
        return None
    return Stop.HELD


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
