"""The record of the submissions that an object carries: its annotation, or else its status.

The annotation counts. Annotations get lost, and copied from other objects; what the status shows
makes up for that as far as it can.
"""

from dataclasses import replace
from functools import lru_cache

from awsbatch_operator.api.metadata import SUBMISSION, RecordError, Resource, Shape
from awsbatch_operator.api.names import job_name
from awsbatch_operator.kinds.batchjob.submission import EARLIER_KEPT, Submission

_IN_STATUS = ("run", "jobId", "jobName", "jobQueueArn", "jobDefinitionArn", "accountId", "region")
_PARSED = 4096  # texts whose reading is kept: a turn reads the same one several times


@lru_cache(maxsize=_PARSED)
def _parsed(text: str) -> Submission:
    return Submission.from_json(text)


def end_condition(resource: Resource) -> Shape | None:
    """The condition that says how the job ended, if it stands in the status."""
    for condition in resource.status.get("conditions", ()):
        ended: Shape = condition
        if ended.get("type") in {"Complete", "Failed"} and ended.get("status") == "True":
            return ended
    return None


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
    if any(name not in status for name in _IN_STATUS):
        return None
    definition = status.get("jobDefinition") or {}
    newest = Submission(
        uid=resource.uid,
        run=int(status["run"]),
        job_name=str(status["jobName"]),
        queue=str(status["jobQueueArn"]),
        definition=str(status["jobDefinitionArn"]),
        account_id=str(status["accountId"]),
        region=str(status["region"]),
        request_hash="",
        time=resource.created,
        generation=int(status.get("runGeneration", 0)),
        definition_name=str(definition.get("name", "")),
        definition_generation=int(definition.get("generation", 0)),
    )
    if not lost or end_condition(resource) is not None:
        return newest
    runs = range(max(1, newest.run - EARLIER_KEPT), newest.run)
    names = {run: job_name(resource.key, resource.uid, run) for run in runs}
    earlier = (replace(newest, run=run, job_name=name) for run, name in names.items())
    return replace(newest, attempt=2, earlier=tuple(earlier))


def recorded_job_id(resource: Resource, submission: Submission | None) -> str | None:
    """The job id in status, if it is that of the recorded run."""
    if submission is None or resource.status.get("run") != submission.run:
        return None
    job_id = resource.status.get("jobId")
    return str(job_id) if job_id else None
