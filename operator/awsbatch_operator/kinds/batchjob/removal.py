"""What to do about a BatchJob that is being deleted: pure decisions over Observed."""

from typing import assert_never

from awsbatch_operator.api import job_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.kinds.batchjob.actions import DELETED_REASON, Action, termination
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed, is_not_shown_yet
from awsbatch_operator.kinds.batchjob.unknown import SOON_SECONDS, elsewhere, settling
from awsbatch_operator.kinds.contract import Removal


def plan_removal(removal: Removal, observed: Observed | None, now: Instant) -> Plan[Action]:
    """The next steps towards an AWS that runs nothing of this object, of no recorded run."""
    del removal  # the record of the submissions says it all
    if observed is None:
        return Plan(released=True)
    newest, others = _newest(observed, now), _others(observed)
    return Plan(
        steps=(*others.steps, *newest.steps),
        findings=(*newest.findings, *others.findings),
        released=newest.released and others.released,
        look_again_seconds=newest.look_again_seconds or others.look_again_seconds,
    )


def _others(observed: Observed) -> Plan[Action]:
    """Further jobs of the newest run, and those of the runs before it: each run is looked for."""
    looked_for = {sweep.run for sweep in observed.sweeps if sweep.complete}
    wanted = {run.run for run in observed.submission.earlier}
    wanted |= {sweep.run for sweep in observed.sweeps}
    steps = tuple(termination(job_id, DELETED_REASON) for job_id in observed.strays)
    if steps:
        return Plan(steps=steps, look_again_seconds=SOON_SECONDS)
    if wanted <= looked_for:
        return Plan(released=True)
    runs = ", ".join(str(run) for run in sorted(wanted - looked_for))
    finding = Finding(
        job_reasons.SUBMISSION_SETTLING,
        f"AWS may still have a job of run {runs} of this object; it is looked for again.",
        look_again_seconds=SOON_SECONDS,
    )
    return Plan(findings=(finding,))


def _newest(observed: Observed, now: Instant) -> Plan[Action]:
    match observed.knowledge:
        case Knowledge.SETTLING:
            return settling(observed, now)
        case Knowledge.FORGOTTEN:
            return _forgotten(observed, now)
        case Knowledge.FOUND:
            return _stop(observed)
        case Knowledge.REFUSED | Knowledge.ABSENT | Knowledge.UNTRACEABLE | Knowledge.CONCLUDED:
            return Plan(released=True)  # AWS has no job of it that is alive
        case Knowledge.ELSEWHERE:
            return Plan(findings=(elsewhere(observed.submission),))
        case never:
            assert_never(never)


def _forgotten(observed: Observed, now: Instant) -> Plan[Action]:
    """DescribeJobs does not know the job: long gone, or not visible yet."""
    if not is_not_shown_yet(observed, now):
        return Plan(released=True)
    return Plan(
        steps=(termination(observed.job_id, DELETED_REASON),),
        look_again_seconds=SOON_SECONDS,
    )


def _stop(observed: Observed) -> Plan[Action]:
    # AWS acts on a cancelled PENDING job only when its dependencies end: nothing is left to do.
    if observed.let_go:
        return Plan(released=True)
    steps: tuple[Step[Action], ...] = ()
    if not observed.stopping:
        steps = (termination(observed.job_id, DELETED_REASON),)
    finding = Finding(
        job_reasons.JOB_STOPPING,
        f"The job {observed.job_id} is {observed.state} and is being terminated.",
    )
    return Plan(steps=steps, findings=(finding,), look_again_seconds=SOON_SECONDS)
