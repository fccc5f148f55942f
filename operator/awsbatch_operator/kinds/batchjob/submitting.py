"""Whether and what to submit: the first run, the same run once more, or a new one (pure).

The one thing that must never happen is a second SubmitJob for a run whose first one AWS accepted.
So a submission needs a recorded intent, and a repeat needs proof that the first did nothing: either
this process saw AWS refuse it, or AWS's listing, after settling, does not know it.
"""

from dataclasses import replace

from awsbatch_operator.api import catalogue, job_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.names import job_name
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.kinds.batchjob.actions import SUBMIT_LANE, Action, Submit
from awsbatch_operator.kinds.batchjob.desired import Desired
from awsbatch_operator.kinds.batchjob.request import job_tags, submit_request
from awsbatch_operator.kinds.batchjob.submission import EARLIER_KEPT, Submission

DAY = 86_400.0
# AWS keeps a finished job for at least seven days (user guide, "Job states"); a day of margin.
TRACEABLE_SECONDS = 6 * DAY


def first_run(desired: Desired, now: Instant) -> Plan[Action]:
    """The first run, once the definition had the time to be changed along with the job.

    `kubectl apply -k` makes a BatchJob before it updates the JobDefinition of the same commit.
    """
    if desired.missing_revision:
        return Plan(findings=(_no_revision(desired),))
    left = desired.grace_left(now)
    if left > 0:
        return Plan(findings=(too_early(left),))
    first = _made_of(desired, 1, now)
    if desired.was_recorded:
        return _recorded_again(first)
    return _submit(desired, first)


def too_early(seconds: float) -> Finding:
    """The definition by name may still be changed by the `kubectl apply` that made the job."""
    return Finding(
        job_reasons.JOB_SUBMITTING,
        "The job is about to be submitted with the newest revision of its definition.",
        look_again_seconds=seconds,
    )


def _recorded_again(first: Submission) -> Plan[Action]:
    """Somebody has taken the record away before any status named a job (`kubectl replace`).

    A process that died after SubmitJob leaves nothing else behind. So the run is written down anew,
    as one whose outcome is unknown: it is looked for by its name, which is always the same, before
    anything is sent.
    """
    finding = Finding(
        job_reasons.SUBMISSION_SETTLING,
        "The record of a submission was taken away, so the job may exist. It is looked for in "
        "AWS's listing before anything is sent.",
        look_again_seconds=1.0,
    )
    return Plan(record=first.annotation(), findings=(finding,), look_again_seconds=1.0)


def _made_of(desired: Desired, run: int, now: Instant) -> Submission:
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
        generation=desired.generation,
        definition_name=desired.definition_name,
        definition_generation=desired.definition_generation,
    )


def _submit(desired: Desired, submission: Submission) -> Plan[Action]:
    """The one place where a submission begins."""
    if desired.multinode:
        return Plan(findings=(_multinode(submission),))
    owner = desired.owner
    request = submit_request(
        fields=desired.fields,
        job_name=submission.job_name,
        queue=submission.queue,
        definition=submission.definition,
        tags=job_tags(owner, submission.run, desired.tags),
    )
    step: Step[Action] = Step(
        Submit(owner.key, submission, request),
        record=submission.annotation(),
        lane=SUBMIT_LANE,
        note=Finding(job_reasons.JOB_SUBMITTED, _submitted_words(submission)),
    )
    return Plan(steps=(step,))


def _multinode(submission: Submission) -> Finding:
    which = submission.definition_name or submission.definition.rpartition("/")[2]
    return Finding(
        catalogue.NOT_SUPPORTED_YET,
        f"spec.jobDefinitionRef: {which} is of type multinode, and multi-node parallel jobs are "
        "not supported yet. Nothing was sent.",
        "Refer to a definition of type container.",
    )


def _submitted_words(submission: Submission) -> str:
    revision = submission.definition.rpartition("/")[2]
    origin = (
        f", from generation {submission.definition_generation} of "
        f"JobDefinition {submission.definition_name}"
        if submission.definition_name
        else ""
    )
    return f"Submitted as {submission.job_name} with {revision}{origin}."


def after_refusal(desired: Desired, record: Submission, now: Instant) -> Plan[Action]:
    """AWS did nothing: the same run again. Its revision may have been deregistered meanwhile."""
    if not _leads_to(desired, record):
        return _new_run(desired, record, now, never_sent=record.attempt == 1)
    waits = _waits_for_targets(desired, record, newest=True)
    if waits is not None:
        return waits
    renewed = replace(
        record,
        # Once a day: what was refused must not become too old to be traced.
        time=now if now.since(record.time) > DAY else record.time,
        definition=desired.definition,
        definition_name=desired.definition_name,
        definition_generation=desired.definition_generation,
    )
    return _submit(desired, renewed)


def after_absence(desired: Desired, record: Submission, now: Instant) -> Plan[Action]:
    """AWS has no trace of the attempt: the same run once more, as recorded."""
    finding = too_old(record, now)
    if finding is not None:
        return when_unknown(desired, record, now, finding)
    if not _leads_to(desired, record):
        return _new_run(desired, record, now, never_sent=False)
    waits = _waits_for_targets(desired, record, newest=False)
    return waits or _submit(desired, record.repeated(now))


def too_old(record: Submission, now: Instant) -> Finding | None:
    """Whether AWS may have had the job of a run that it does not list, and forgotten it since."""
    if now.since(record.time) <= TRACEABLE_SECONDS:
        return None
    return Finding(
        job_reasons.SUBMISSION_UNKNOWN,
        f"Run {record.run} was about to be submitted at {record.time.rfc3339()}, and "
        "AWS forgets finished jobs after seven days, so nobody can tell whether it ran.",
    )


def when_unknown(
    desired: Desired, record: Submission, now: Instant, finding: Finding
) -> Plan[Action]:
    """Nobody can tell whether the run ran. Only another request begins another run."""
    if desired.request_hash == record.request_hash:
        return Plan(findings=(finding,))
    return _new_run(desired, record, now, never_sent=False)


def _new_run(
    desired: Desired, record: Submission, now: Instant, *, never_sent: bool
) -> Plan[Action]:
    """The absent attempt is closed; it stays in the record while AWS may still hold it."""
    waits = _waits_for_targets(desired, record, newest=True)
    if waits is not None:
        return waits
    if len(record.earlier) >= EARLIER_KEPT and not never_sent:
        finding = Finding(
            job_reasons.SUBMISSION_SETTLING,
            f"Jobs of {len(record.earlier)} earlier runs are still being looked for in AWS; the "
            "next run begins when one of those is known to be over.",
        )
        return Plan(findings=(finding,))
    made = _made_of(desired, record.run + 1, now)
    return _submit(desired, record.followed_by(made, never_sent=never_sent))


def _waits_for_targets(
    desired: Desired, record: Submission, *, newest: bool
) -> Plan[Action] | None:
    """What is sent again needs its targets, and the `newest` revision only when that is there."""
    if desired.missing_revision:
        finding = _no_revision(desired)
    elif not (desired.queue and desired.definition) and desired.unproven:
        finding = desired.unproven[0]
    elif not (desired.queue and desired.definition):
        finding = Finding(
            catalogue.REFERENCE_NOT_FOUND,
            f"Run {record.run} never reached AWS, and its queue or its definition does not exist "
            "any more, so it cannot be sent again.",
        )
    elif newest and not desired.definition_ready:
        finding = Finding(
            catalogue.REFERENCE_NOT_READY,
            f"JobDefinition {desired.definition_name} is not registered as its spec says now.",
        )
    elif newest and not desired.queue_ready:
        finding = Finding(
            catalogue.REFERENCE_NOT_READY, "The JobQueue is not in AWS as its spec says now."
        )
    else:
        return None
    return Plan(findings=(finding,))


def _no_revision(desired: Desired) -> Finding:
    return Finding(
        catalogue.REFERENCE_NOT_FOUND,
        f"spec.jobDefinitionRef: {desired.missing_revision}",
        "Name one of those, or remove revision for the newest; this object goes on at once.",
    )


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
