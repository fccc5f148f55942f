"""The intent of a submission, as it stands in the annotation `awsbatch.dev/submission`.

AWS Batch has no client token on SubmitJob, so what we are about to do is written down first.
Looking a submission up, and repeating it, use these recorded values and never today's spec.
"""

import json
from dataclasses import dataclass, replace
from typing import Any, Self

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import SUBMISSION, Resource, Shape
from awsbatch_operator.kinds.recording import RecordError

SWEEP_SECONDS = 360.0
SWEEPS = 2
_SHOWN = ("run", "jobId", "jobName", "jobQueueArn", "jobDefinitionArn", "accountId", "region")
_COUNTABLE = 2**31 - 1
# All that reading something that somebody else has written may raise.
_DAMAGED = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
_REMEDY = (
    "Restore it. Remove it only when AWS has no job of this object: the operator then knows of "
    "none, and submits one, or lets the object go if it is being deleted."
)


@dataclass(frozen=True, slots=True)
class Submission:
    """One run's SubmitJob, before its outcome is known.

    `attempt` counts the calls that may have reached AWS: it rises when a look-up found nothing and
    the job is submitted again. `swept` counts the later look-ups for a twin of such a repeat.
    """

    uid: str
    run: int
    job_name: str
    queue: str
    definition: str
    account_id: str
    region: str
    request_hash: str
    time: Instant
    attempt: int = 1
    swept: int = 0

    def annotation(self) -> dict[str, str]:
        """The annotation to record."""
        body = {
            "uid": self.uid,
            "run": self.run,
            "jobName": self.job_name,
            "queue": self.queue,
            "definition": self.definition,
            "accountId": self.account_id,
            "region": self.region,
            "hash": self.request_hash,
            "time": self.time.rfc3339_micro(),
            "attempt": self.attempt,
            "swept": self.swept,
        }
        return {SUBMISSION: json.dumps(body, separators=(",", ":"))}

    def repeated(self, now: Instant) -> "Submission":
        """The same run, sent once more because AWS has no trace of it."""
        return replace(self, attempt=self.attempt + 1, time=now, swept=0)

    def after_sweep(self) -> "Submission":
        """The same, after one more look for a twin."""
        return replace(self, swept=self.swept + 1)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read an annotation; RecordError if it says nothing that we would have written."""
        try:
            body: dict[str, Any] = json.loads(text)
            read = cls(
                uid=str(body["uid"]),
                run=int(body["run"]),
                job_name=str(body["jobName"]),
                queue=str(body["queue"]),
                definition=str(body["definition"]),
                account_id=str(body["accountId"]),
                region=str(body["region"]),
                request_hash=str(body["hash"]),
                time=Instant.parse(body["time"]),
                attempt=int(body["attempt"]),
                swept=int(body["swept"]),
            )
            if not (1 <= read.run <= _COUNTABLE and read.attempt >= 1 and read.swept >= 0):
                raise ValueError("its counts are out of range")
        except _DAMAGED as error:
            why = f"{type(error).__name__}: {error}"
            message = f"The annotation {SUBMISSION} cannot be read ({why})"
            raise RecordError(message, _REMEDY) from error
        return read


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
    shown = _shown(resource)
    text = resource.annotations.get(SUBMISSION)
    if text is None:
        return shown
    try:
        submission = Submission.from_json(text)
    except RecordError:
        if shown is None:
            raise
        return shown
    return submission if submission.uid == resource.uid else shown


def is_lost(resource: Resource) -> bool:
    """Whether the annotation is to be written again: it was taken away, or cannot be read.

    One of another object is left alone: somebody's Git would put it back for ever.
    """
    text = resource.annotations.get(SUBMISSION)
    if text is None:
        return True
    try:
        Submission.from_json(text)
    except RecordError:
        return True
    return False


def _shown(resource: Resource) -> Submission | None:
    """The submission as the status shows it, once it names the job."""
    status = resource.status
    if any(name not in status for name in _SHOWN):
        return None
    return Submission(
        uid=resource.uid,
        run=int(status["run"]),
        job_name=str(status["jobName"]),
        queue=str(status["jobQueueArn"]),
        definition=str(status["jobDefinitionArn"]),
        account_id=str(status["accountId"]),
        region=str(status["region"]),
        request_hash="",
        time=resource.created,
    )


def recorded_job_id(resource: Resource, submission: Submission | None) -> str | None:
    """The job id in status, if it is that of the recorded run."""
    if submission is None or resource.status.get("run") != submission.run:
        return None
    job_id = resource.status.get("jobId")
    return str(job_id) if job_id else None


def sweep_due(submission: Submission) -> Instant | None:
    """When to look for a twin next: twice, after a submission that was repeated in doubt."""
    if submission.attempt == 1 or submission.swept >= SWEEPS:
        return None
    return submission.time.plus(SWEEP_SECONDS * (submission.swept + 1))
