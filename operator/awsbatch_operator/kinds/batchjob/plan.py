"""What to do about a BatchJob next: pure decisions over Desired, Removal and Observed.

The one thing that must never happen is a second SubmitJob for a run whose first one AWS accepted.
So a submission needs a recorded intent, and a repeat needs proof that the first did nothing: either
this process saw AWS refuse it, or AWS's listing, after settling, does not know it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, assert_never

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.names import job_name
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.kinds.batchjob.desired import Desired
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed
from awsbatch_operator.kinds.batchjob.request import job_tags, submit_request
from awsbatch_operator.kinds.batchjob.submission import Submission, sweep_due
from awsbatch_operator.kinds.contract import Removal

DAY = 86_400.0
# AWS keeps a finished job for at least seven days (user guide, "Job states"); a day of margin.
TRACEABLE_SECONDS = 6 * DAY
LOGS_LOOK_SECONDS = 1.0
STOP_LOOK_SECONDS = 5.0
QUIET_SECONDS = 60.0  # a state other than RUNNING is shown after a minute in it
FRESH_SECONDS = 60.0  # DescribeJobs may not know a job yet just after SubmitJob

DELETED_REASON = "The BatchJob was deleted in Kubernetes"
TWIN_REASON = "A second submission of the same run; the first one goes on"


@dataclass(frozen=True, slots=True)
class Submit:
    """SubmitJob, once on the wire. `submission` is the recorded intent that `request` is of."""

    key: ObjectKey
    submission: Submission
    request: Mapping[str, Any]
    operation: str = "SubmitJob"


@dataclass(frozen=True, slots=True)
class Terminate:
    """TerminateJob: cancels what has not started, stops what has."""

    job_id: str
    reason: str
    operation: str = "TerminateJob"


Action = Submit | Terminate


def plan_job(desired: Desired, observed: Observed | None, now: Instant) -> Plan[Action]:
    """The next step towards a job that ran once."""
    if observed is None:
        return _submit(desired, _first(desired, 1, now))
    plan = _next_step(desired, observed, now)
    if observed.lost and not plan.intent:
        return replace(plan, intent=observed.submission.annotation())
    return plan


def _next_step(desired: Desired, observed: Observed, now: Instant) -> Plan[Action]:
    submission = observed.submission
    match observed.knowledge:
        case Knowledge.REFUSED:
            # Nothing ran yet, so a definition that has been replaced meanwhile is no loss.
            kept = _leads_to(desired, submission) and submission.definition == desired.definition
            return _repeat(desired, submission, _renewed(submission, now) if kept else None, now)
        case Knowledge.SETTLING:
            return _settling(observed, now)
        case Knowledge.ABSENT:
            return _absent(desired, submission, now)
        case Knowledge.KNOWN | Knowledge.OVER:
            return _follow(observed, now)
        case Knowledge.FORGOTTEN:
            return _unseen(observed, now)
        case Knowledge.UNTRACEABLE:
            return Plan(findings=(_untraceable(submission),))
        case never:
            assert_never(never)


def plan_removal(removal: Removal, observed: Observed | None, now: Instant) -> Plan[Action]:
    """The next step towards an AWS that runs nothing of this object."""
    del removal  # the submission says it all
    if observed is None:
        return Plan(released=True)
    match observed.knowledge:
        case Knowledge.REFUSED | Knowledge.ABSENT | Knowledge.UNTRACEABLE:
            return Plan(released=True)
        case Knowledge.OVER:
            return Plan(actions=_stop_twins(observed), released=not observed.twins)
        case Knowledge.SETTLING:
            return _settling(observed, now)
        case Knowledge.FORGOTTEN:
            return _remove_unseen(observed, now)
        case Knowledge.KNOWN:
            return _stop(observed)
        case never:
            assert_never(never)


def _first(desired: Desired, run: int, now: Instant) -> Submission:
    """The intent of a run that has not been tried."""
    owner = desired.owner
    return Submission(
        uid=owner.uid,
        run=run,
        job_name=job_name(owner.key, owner.uid, run),
        queue=desired.queue,
        definition=desired.definition,
        account_id=desired.account_id,
        region=desired.region,
        request_hash=desired.request_hash,
        time=now,
    )


def _repeat(
    desired: Desired, submission: Submission, repeated: Submission | None, now: Instant
) -> Plan[Action]:
    """The recorded intent once more, or a new run if `repeated` is None."""
    if not (desired.queue and desired.definition):
        finding = Finding(
            catalogue.REFERENCE_NOT_FOUND,
            f"Run {submission.run} never reached AWS, and its queue or its definition does not "
            "exist any more, so it cannot be sent again.",
        )
        return Plan(findings=(finding,))
    return _submit(desired, repeated or _first(desired, submission.run + 1, now))


def _renewed(submission: Submission, now: Instant) -> Submission:
    """The same, with a new time once a day: a refused one must not grow too old to be traced."""
    return replace(submission, time=now) if now.since(submission.time) > DAY else submission


def _leads_to(desired: Desired, submission: Submission) -> bool:
    """Whether the spec still says what was recorded, apart from the definition's revision."""
    return (
        submission.request_hash == desired.request_hash
        and submission.queue == desired.queue
        and _without_revision(submission.definition) == _without_revision(desired.definition)
    )


def _without_revision(definition: str) -> str:
    """The ARN up to the name. ARNs of definitions end in `job-definition/NAME:REVISION`."""
    prefix, slash, name = definition.partition("/")
    return prefix + slash + name.partition(":")[0]


def _submit(desired: Desired, submission: Submission) -> Plan[Action]:
    owner: Owner = desired.owner
    request = submit_request(
        fields=desired.fields,
        job_name=submission.job_name,
        queue=submission.queue,
        definition=submission.definition,
        tags=job_tags(owner, submission.run, desired.tags),
    )
    action = Submit(owner.key, submission, request)
    note = Finding(catalogue.JOB_SUBMITTED, f"Submitted as {submission.job_name}.")
    return Plan(actions=(action,), findings=(note,), intent=submission.annotation())


def _settling(observed: Observed, now: Instant) -> Plan[Action]:
    wait = observed.settled_at.since(now) if observed.settled_at else STOP_LOOK_SECONDS
    finding = Finding(
        catalogue.SUBMISSION_SETTLING,
        "A SubmitJob call was about to be sent or its answer was lost, so the job may exist. "
        f"AWS's listing is looked through{_at(observed)}; until then nothing is sent.",
        look_again_seconds=max(wait, 0.0),
    )
    return Plan(findings=(finding,))


def _at(observed: Observed) -> str:
    return f" at {observed.settled_at.rfc3339()}" if observed.settled_at else " soon"


def _absent(desired: Desired, submission: Submission, now: Instant) -> Plan[Action]:
    if now.since(submission.time) > TRACEABLE_SECONDS:
        finding = Finding(
            catalogue.SUBMISSION_UNKNOWN,
            f"Run {submission.run} was about to be submitted at {submission.time.rfc3339()}, and "
            "AWS forgets finished jobs after seven days, so nobody can tell whether it ran.",
        )
        return Plan(findings=(finding,))
    kept = submission.repeated(now) if _leads_to(desired, submission) else None
    return _repeat(desired, submission, kept, now)


def _follow(observed: Observed, now: Instant) -> Plan[Action]:
    submission = observed.submission
    due = sweep_due(submission)
    looks = [] if due is None else [max(due.since(now), 1.0)]
    if observed.knowledge is Knowledge.OVER:
        pass
    elif not observed.ended:
        looks += _quiet_rest(observed, now)
    elif observed.log_lines is None:
        looks.append(_until_output(observed, now))
    return Plan(
        actions=_stop_twins(observed),
        findings=_without_logs(observed),
        intent=_swept(observed),
        look_again_seconds=min(looks, default=None),
    )


def _until_output(observed: Observed, now: Instant) -> float:
    """Until the lines of an ended job are to be read, or read again."""
    due = observed.log_due
    return LOGS_LOOK_SECONDS if due is None else max(due.since(now), 0.0)


def _swept(observed: Observed) -> Mapping[str, str]:
    """A sweep counts once it has found nothing to stop: else a crash could end it half done."""
    over = observed.swept and not observed.twins
    return observed.submission.after_sweep().annotation() if over else {}


def _without_logs(observed: Observed) -> tuple[Finding, ...]:
    """Whether the end is shown without output although there should be some."""
    if observed.log_lines is None or not observed.log_trouble:
        return ()
    message = f"The job's last log lines cannot be read: {observed.log_trouble}"
    return (Finding(catalogue.LOGS_UNREADABLE, message),)


def _quiet_rest(observed: Observed, now: Instant) -> list[float]:
    """Until the state has lasted long enough to be shown. Later the feed wakes the job."""
    if observed.state == "RUNNING" or observed.since is None:
        return []
    rest = QUIET_SECONDS - now.since(observed.since)
    return [rest] if rest > 0 else []


def _is_fresh(observed: Observed, now: Instant) -> bool:
    """Whether DescribeJobs may not know the job yet."""
    return now.since(observed.sent or observed.submission.time) < FRESH_SECONDS


def _unseen(observed: Observed, now: Instant) -> Plan[Action]:
    """DescribeJobs does not know the job: not yet, or not any more."""
    if _is_fresh(observed, now):
        return Plan(look_again_seconds=STOP_LOOK_SECONDS)
    submission = observed.submission
    finding = Finding(
        catalogue.JOB_NOT_FOUND,
        f"AWS does not know the job of run {submission.run} (name {submission.job_name}) any "
        "more, and its end was not seen. It is not submitted again.",
    )
    return Plan(findings=(finding,))


def _untraceable(submission: Submission) -> Finding:
    return Finding(
        catalogue.SUBMISSION_UNKNOWN,
        f"Run {submission.run} was about to be submitted at {submission.time.rfc3339()}, and its "
        f"queue {submission.queue} is gone from AWS with all of its jobs, so nobody can tell "
        "whether it ran.",
    )


def _remove_unseen(observed: Observed, now: Instant) -> Plan[Action]:
    """DescribeJobs does not know the job: long gone, or not visible yet."""
    if not _is_fresh(observed, now):
        return Plan(released=True)
    return Plan(
        actions=(Terminate(observed.job_id, DELETED_REASON),),
        look_again_seconds=STOP_LOOK_SECONDS,
    )


def _stop_twins(observed: Observed) -> tuple[Action, ...]:
    return tuple(Terminate(job_id, TWIN_REASON) for job_id in observed.twins)


def _stop(observed: Observed) -> Plan[Action]:
    actions = _stop_twins(observed)
    # AWS acts on a cancelled PENDING job only when its dependencies end: nothing is left to do.
    gone = observed.ended or (observed.stopping and observed.state == "PENDING")
    if gone:
        return Plan(actions=actions, released=not actions)
    if not observed.stopping:
        actions = (*actions, Terminate(observed.job_id, DELETED_REASON))
    finding = Finding(
        catalogue.JOB_STOPPING,
        f"The job {observed.job_id} is {observed.state} and is being terminated.",
    )
    return Plan(actions=actions, findings=(finding,), look_again_seconds=STOP_LOOK_SECONDS)
