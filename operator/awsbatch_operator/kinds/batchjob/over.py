"""Whether anything can still happen to a BatchJob without an edit of it (pure)."""

from awsbatch_operator.api.conditions import condition, is_true
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import RecordError, Resource, Shape
from awsbatch_operator.kinds.batchjob import runs
from awsbatch_operator.kinds.batchjob.inline import used_by
from awsbatch_operator.kinds.batchjob.observed import MAY_BE_SENT, Knowledge, Observed
from awsbatch_operator.kinds.batchjob.record import (
    end_condition,
    is_over,
    recorded_job_id,
    submission_of,
)
from awsbatch_operator.kinds.batchjob.submission import Submission
from awsbatch_operator.kinds.batchjob.ttl import is_told
from awsbatch_operator.kinds.batchjob.wishes import ON_CHANGE, shown_of, wishes_of
from awsbatch_operator.kinds.scope_record import unreadable


def damaged_record(resource: Resource) -> tuple[Finding, ...]:
    """Whether the record of the submissions cannot be read, and nothing makes up for it."""
    try:
        submission_of(resource)
    except RecordError as error:
        return (unreadable(error),)
    return ()


def may_run_again(resource: Resource, submission: Submission) -> bool:
    """Whether the spec asks for another run after one whose result stands, or may stand (pure)."""
    spec = resource.spec
    if spec.get("rerunPolicy") != ON_CHANGE and not spec.get("retryFailedIndexes"):
        return False  # most
    end = runs.shown_end(submission, shown_of(resource))
    return runs.what_follows(wishes_of(resource), submission, end).fate is not runs.Fate.STANDS


def job_is_over(resource: Resource) -> bool:
    """Whether the newest run has ended, its result stands, and nothing is left to look for."""
    ended = end_condition(resource)
    if ended is None:
        return False
    if not resource.deleting and (
        # something was edited; the status has to say that it was seen
        resource.status.get("observedGeneration") != resource.generation
        # something stands in the way besides, and may pass without another edit
        or _is_stalled_besides(resource, ended)
        # it ended while it was paused, and is not any more
        or (is_true(resource.status, "Paused") and not resource.paused)
        # its labels say otherwise than its status whether it is deleted after its ttl
        or not is_told(resource)
        or _may_leave_its_definition(resource)
    ):
        return False
    try:
        submission = submission_of(resource)
    except RecordError:
        return True
    if submission is None:
        return True
    # The record may be of a run that the status does not show yet.
    over = is_over(resource, submission)
    return over and (resource.deleting or not may_run_again(resource, submission))


def job_is_held(resource: Resource) -> bool:
    """Whether AWS has nothing of it, and nothing is to be done before somebody edits it."""
    if resource.deleting or not is_true(resource.status, "Suspended", resource.generation):
        return False
    if is_true(resource.status, "Paused") or "activeDeadlineSeconds" in resource.spec:
        return False
    if _may_leave_its_definition(resource):
        return False
    try:
        submission = submission_of(resource)
    except RecordError:
        return False
    if submission is None or is_over(resource, submission):
        return True
    return submission.is_put_by and recorded_job_id(resource, submission) is None


def _may_leave_its_definition(resource: Resource) -> bool:
    """Whether its deletion would go unseen, and the definition in it would stay in AWS.

    `kubectl replace` takes our finalizer away. A turn writes it again.
    """
    return not resource.held and bool(used_by(resource))


def _is_stalled_besides(resource: Resource, ended: Shape) -> bool:
    """Whether the object is Stalled for another reason than that the job has failed."""
    stalled = condition(resource.status, "Stalled")
    return (
        stalled is not None and stalled["status"] == "True" and stalled["reason"] != ended["reason"]
    )


def run_may_be_sent(resource: Resource, observed: Observed | None) -> bool:
    """Whether a plan may have a submission after such a look, of whatever run.

    What it needs to know of AWS is looked at before, in this turn, and never awaited later.
    """
    if observed is None or observed.knowledge in MAY_BE_SENT or observed.submission.stop:
        return True
    if "fallback" in resource.spec and _has_ended(resource, observed):
        return True
    return may_run_again(resource, observed.submission)


def _has_ended(resource: Resource, observed: Observed) -> bool:
    """Whether the newest run has ended, and its end may not be the job's."""
    concluded = observed.knowledge is Knowledge.CONCLUDED
    return observed.ended or (concluded and end_condition(resource) is None)
