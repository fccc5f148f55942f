"""What a submission needs of queue and definition, and whether the spec leads there (pure)."""

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.kinds.batchjob import runs
from awsbatch_operator.kinds.batchjob.actions import Action
from awsbatch_operator.kinds.batchjob.desired import Desired
from awsbatch_operator.kinds.batchjob.submission import Submission


def waits_for_targets(
    desired: Desired, record: Submission, *, newest: bool, following: runs.Next | None = None
) -> Plan[Action] | None:
    """What is sent again needs its targets, and the `newest` revision only when that is there.

    `following`: a new run is to follow one that has ended.
    """
    moves = record.in_fallback if following is None else following.in_fallback
    queue = desired.fallback_queue if moves else desired.queue
    if desired.missing_revision:
        finding = no_revision(desired)
    elif not (queue and desired.definition) and desired.unproven:
        finding = desired.unproven[0]
    elif not (queue and desired.definition):
        what = "queue of spec.fallback" if moves and not queue else "queue or its definition"
        finding = Finding(
            catalogue.REFERENCE_NOT_FOUND,
            f"Run {record.run} never reached AWS, and its {what} does not exist "
            "any more, so it cannot be sent again."
            if following is None
            else f"Run {record.run + 1} cannot be submitted: its {what} does not exist in AWS.",
        )
    elif newest and not desired.definition_ready:
        finding = Finding(
            catalogue.REFERENCE_NOT_READY,
            f"JobDefinition {desired.definition_name} is not registered as its spec says now.",
        )
    elif newest and not moves and not desired.queue_ready:
        finding = Finding(
            catalogue.REFERENCE_NOT_READY, "The JobQueue is not in AWS as its spec says now."
        )
    elif following is not None and queue in desired.closed:
        finding = _closed()
    elif following is not None and moves and not desired.fallback_ready:
        finding = Finding(
            catalogue.REFERENCE_NOT_READY,
            "The JobQueue of spec.fallback is not in AWS as its spec says now.",
        )
    else:
        return waits_for_jobs(desired)
    return Plan(findings=(finding,))


def waits_for_jobs(desired: Desired) -> Plan[Action] | None:
    """The plan of a job that other jobs hold back; that it has failed, the status says."""
    dependencies = desired.dependencies
    if dependencies.ready:
        return None
    return Plan(findings=() if dependencies.held is None else (dependencies.held,))


def _closed() -> Finding:
    return Finding(
        catalogue.REFERENCE_NOT_READY,
        "The JobQueue is DISABLED, and AWS takes no job into it.",
        "Set its state to ENABLED, or name another queue; this object then goes on by itself.",
    )


def no_revision(desired: Desired) -> Finding:
    """The revision that is named by its number is not there."""
    return Finding(
        catalogue.REFERENCE_NOT_FOUND,
        f"spec.jobDefinitionRef: {desired.missing_revision}",
        "Name one of those, or remove revision for the newest; this object goes on at once.",
    )


def leads_to(desired: Desired, submission: Submission) -> bool:
    """Whether the spec still says what was recorded, apart from the definition's revision.

    And of the same objects: one that was deleted and made anew is another job, for which another
    run of this one waits.
    """
    queue = desired.fallback_queue if submission.in_fallback else desired.queue
    return (
        submission.request_hash == desired.request_hash
        and submission.needs == desired.dependencies.needs
        and submission.queue == queue
        and is_of_definition(desired, submission)
    )


def is_of_definition(desired: Desired, submission: Submission) -> bool:
    """Whether it was recorded with the definition that the spec names.

    In whatever revision, unless the spec gives an ARN, which the account may allow alone.
    """
    if not desired.definition_name and desired.inline is None:
        return submission.definition == desired.definition
    return _without_revision(submission.definition) == _without_revision(desired.definition)


def _without_revision(definition: str) -> str:
    """The ARN up to the name. ARNs of definitions end in `job-definition/NAME:REVISION`."""
    prefix, slash, name = definition.partition("/")
    return prefix + slash + name.partition(":")[0]
