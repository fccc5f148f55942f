"""The record of the submissions that an object carries: its annotation, or else its status.

The annotation counts. Annotations get lost, and copied from other objects; what the status shows
makes up for that as far as it can.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import takewhile

from awsbatch_operator.api.conditions import condition as condition_of
from awsbatch_operator.api.conditions import is_true
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import SUBMISSION, RecordError, Resource, Shape, kept
from awsbatch_operator.api.names import job_name
from awsbatch_operator.kinds.batchjob.observed import TERMINAL
from awsbatch_operator.kinds.batchjob.packing import Packing
from awsbatch_operator.kinds.batchjob.run_causes import Cause, Stop, stop_said
from awsbatch_operator.kinds.batchjob.submission import (
    EARLIER_KEPT,
    Submission,
)

_IN_STATUS = ("run", "jobName", "jobQueueArn", "jobDefinitionArn", "accountId", "region")
_PARSED = 4096  # texts whose reading is kept: a turn reads the same one several times


@lru_cache(maxsize=_PARSED)
def _parsed(text: str) -> Submission:
    return Submission.from_json(text)


@kept
def end_condition(resource: Resource) -> Shape | None:
    """The condition that says how the job ended, if it stands in the status.

    Not that of one which failed without being submitted: it may still run.
    """
    if failed_unsubmitted(resource):
        return None
    return told_end(resource)


def told_end(resource: Resource) -> Shape | None:
    """The condition that says how the job ended, also of one of which nothing was sent.

    For whoever counts: that one has ended as well, until the job that it depends on is mended.
    """
    for condition in resource.status.get("conditions", ()):
        ended: Shape = condition
        if ended.get("type") in {"Complete", "Failed"} and ended.get("status") == "True":
            return ended
    return None


def failed_unsubmitted(resource: Resource) -> bool:
    """Whether the status says that it failed because of a job it depends on, and none of it ran."""
    if "jobId" in resource.status:
        return False
    failed = condition_of(resource.status, "Failed") or {}
    return failed.get("status") == "True" and failed.get("reason") == "DependencyFailed"


@kept
def submission_of(resource: Resource) -> Submission | None:
    """The object's own submission, or None.

    An annotation with another object's uid came along with a copied or restored manifest and says
    nothing about this object. Annotations get lost, too: `kubectl replace` takes all of them away.
    So whatever became of it, a status that names the job makes up for it. RecordError if it is
    damaged and the status names none: guessing could submit twice.
    """
    text = resource.annotations.get(SUBMISSION)
    if text is None:
        return _in_status(resource)
    try:
        submission = _parsed(text)
    except RecordError:
        shown = _in_status(resource)
        if shown is None:
            raise
        return shown
    return submission if submission.uid == resource.uid else _in_status(resource, lost=False)


def is_lost(resource: Resource) -> bool:
    """Whether the annotation is to be written again: it was taken away, or cannot be read.

    One of another object is left alone: somebody's Git would put it back for ever.
    """
    text = resource.annotations.get(SUBMISSION)
    if text is None:
        return True
    try:
        _parsed(text)
    except RecordError:
        return True
    return False


def is_annotated(resource: Resource) -> bool:
    """Whether the annotation is the object's own record."""
    own = not is_lost(resource)
    return own and _parsed(resource.annotations[SUBMISSION]).uid == resource.uid


def _in_status(resource: Resource, *, lost: bool = True) -> Submission | None:
    """The newest run as the status shows it, once it names the job.

    How often it was sent, and which runs before it are still looked for, went with the record. So
    as long as the job has not ended, all of them are. Not so with another object's record in the
    place of ours (not `lost`): it is never written over, and they would be looked for for ever.
    """
    status = resource.status
    ended = end_condition(resource) is not None
    if any(name not in status for name in _IN_STATUS) or not ("jobId" in status or ended):
        return None
    held = is_true(status, "Suspended")
    definition = status.get("jobDefinition") or {}
    losses, in_fallback = _losses(resource)
    newest = Submission(
        uid=resource.uid,
        run=int(status["run"]),
        job_name=str(status["jobName"]),
        queue=str(status["jobQueueArn"]),
        definition=str(status["jobDefinitionArn"]),
        account_id=str(status["accountId"]),
        region=str(status["region"]),
        request_hash=str(status.get("requestHash", "")),
        time=resource.created,
        generation=int(status.get("runGeneration", 0)),
        # One that stands in the job shows its name in AWS, and no generation.
        definition_name=str(definition.get("name", "")) if "generation" in definition else "",
        definition_generation=int(definition.get("generation", 0)),
        cause=_cause(status.get("runCause")),
        # A deadline counts from the first submission; of a later run's, that is the nearest known.
        begun=Instant.read(status.get("submittedTime")),
        indexes=str(status.get("runIndexes", "")),
        losses=losses,
        in_fallback=in_fallback,
        packed=_packed(status.get("array") or {}),
        stop=Stop.SUSPENDED if held else _stop(status),
    )
    if not lost or ended or held:
        return newest
    runs = range(max(1, newest.run - EARLIER_KEPT), newest.run)
    names = {run: job_name(resource.key, resource.uid, run) for run in runs}
    earlier = (replace(newest, run=run, job_name=name) for run, name in names.items())
    return replace(newest, attempt=2, earlier=tuple(earlier))


def _stop(status: Shape) -> Stop | None:
    """Why its run was ended, of one that has ended and has no failure of its own.

    AWS keeps the reason that we gave. If there is none of ours, AWS has failed it because another
    job was stopped: of no other end does the status leave out the failure.
    """
    if status.get("awsStatus") != "FAILED" or "failure" in status:
        return None
    return stop_said(str(status.get("statusReason", ""))) or Stop.DEPENDENCY


def _losses(resource: Resource) -> tuple[int, bool]:
    """How many runs before this one were lost, and whether it is in the queue of `fallback`.

    The history has the ends of at least as many runs as may be lost before that queue is used.
    """
    fallback = resource.spec.get("fallback")
    if resource.status.get("runCause") != Cause.LOST or not isinstance(fallback, Mapping):
        return 0, False
    ends = [each.get("result") for each in resource.status.get("history", ())]
    when = fallback.get("when")
    counted = when if isinstance(when, list | tuple) else ()
    lost = takewhile(lambda end: end in counted, reversed(ends))
    losses = max(sum(1 for _ in lost), 1)
    after = fallback.get("afterFailures", 1)
    return losses, isinstance(after, int) and losses >= after


def _packed(array: Shape) -> str:
    each = array.get("tasksPerJob")
    return Packing(int(array["size"]), int(each)).recorded() if each else ""


def _cause(text: object) -> Cause | None:
    return Cause(str(text)) if text in set(Cause) else None


def recorded_job_id(resource: Resource, submission: Submission | None) -> str | None:
    """The job id in status, if it is that of the recorded run."""
    if submission is None or resource.status.get("run") != submission.run:
        return None
    job_id = resource.status.get("jobId")
    return str(job_id) if job_id else None


def is_concluded(resource: Resource, submission: Submission) -> bool:
    """Whether the end of this very run stands in the status.

    Complete or Failed says so; or AWS's word, where another run may follow.
    """
    status = resource.status
    if status.get("run") != submission.run:
        return False
    return end_condition(resource) is not None or status.get("awsStatus") in TERMINAL


def is_over(resource: Resource, submission: Submission) -> bool:
    """Whether its end stands in the status, and nothing is left to be looked for."""
    return is_concluded(resource, submission) and submission.looked_through
