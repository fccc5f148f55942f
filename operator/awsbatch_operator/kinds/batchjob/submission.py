"""The record of a job's submissions: the annotation `awsbatch.dev/submission`.

AWS Batch has no client token on SubmitJob, so what we are about to do is written down first.
Looking a submission up, and repeating it, use these recorded values and never today's spec.

The record is a ledger: the newest run, and in `earlier` each run before it of which AWS may still
hold a job that nobody has seen. A run leaves the ledger when it is known to be over: AWS refused it
before it did anything (it never enters then), or two later looks have found no job of it alive.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from awsbatch_operator.api.encoding import decoded, encoded
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import SUBMISSION, RecordError, Resource, Shape
from awsbatch_operator.api.names import job_name

SWEEP_SECONDS = 360.0
SWEEPS = 2
EARLIER_KEPT = 8  # runs before the newest; each stays for about a quarter of an hour
_IN_STATUS = ("run", "jobId", "jobName", "jobQueueArn", "jobDefinitionArn", "accountId", "region")
_COUNTABLE = 2**31 - 1
_PARSED = 4096  # texts whose reading is kept: a turn reads the same one several times
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
    the job is submitted again. `swept` counts the later looks for further jobs of the run that left
    none alive. `generation` is the object's generation that the request was made of, 0 if that is
    not known (records of earlier versions). `definition_name` and `definition_generation` say which
    JobDefinition object, in which generation, `definition` came from; "" if it was given by ARN.
    `counts` is the id of the job that is the run, recorded once AWS has shown more than one.
    `earlier` are the runs before this one that AWS may still hold, oldest first; of each only what
    finds it again is recorded.
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
    generation: int = 0
    definition_name: str = ""
    definition_generation: int = 0
    counts: str = ""
    earlier: tuple["Submission", ...] = ()

    def annotation(self) -> dict[str, str]:
        """The annotation to record."""
        body: dict[str, Any] = {
            "uid": self.uid,
            "run": self.run,
            "generation": self.generation,
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
        if self.definition_name:
            body["definitionName"] = self.definition_name
            body["definitionGeneration"] = self.definition_generation
        if self.counts:
            body["counts"] = self.counts
        if self.earlier:
            body["earlier"] = [_as_earlier(run) for run in self.earlier]
        return {SUBMISSION: encoded(body).decode()}

    def repeated(self, now: Instant) -> "Submission":
        """The same run, sent once more because AWS has no trace of it."""
        return replace(self, attempt=self.attempt + 1, time=now, swept=0)

    def followed_by(self, newer: "Submission", *, never_sent: bool) -> "Submission":
        """The newer run's record. This one stays in it unless no call of it ever left.

        Looks for jobs of it count from now on: its call may have gone out later than recorded.
        """
        kept = () if never_sent else (replace(self, earlier=(), time=newer.time, swept=0),)
        return replace(newer, earlier=(*self.earlier, *kept))

    def after_sweep(self, run: int) -> "Submission":
        """The same, after one more look that left no job of that run alive."""
        if run == self.run:
            return replace(self, swept=self.swept + 1)
        swept = [
            replace(each, swept=each.swept + 1) if each.run == run else each
            for each in self.earlier
        ]
        return replace(self, earlier=tuple(each for each in swept if each.swept < SWEEPS))

    @property
    def may_have_twins(self) -> bool:
        """Whether the newest run was sent more than once, or AWS has shown several jobs of it."""
        return self.attempt > 1 or bool(self.counts)

    @property
    def sweep_due(self) -> Instant | None:
        """When to look for further jobs of the newest run: twice, if there may be some."""
        return _sweep_due(self) if self.may_have_twins else None

    def earlier_due(self) -> tuple[tuple["Submission", Instant], ...]:
        """The earlier runs, each with the moment of its next look."""
        dues = [(each, _sweep_due(each)) for each in self.earlier]
        return tuple((each, due) for each, due in dues if due is not None)

    @property
    def looked_through(self) -> bool:
        """Whether no later look for a job of any run is left to be made."""
        return self.sweep_due is None and not self.earlier

    @staticmethod
    def from_json(text: str) -> "Submission":
        """Read an annotation; RecordError if it says nothing that we would have written."""
        try:
            body: dict[str, Any] = decoded(text)
            read = _newest(body)
            for each in (read, *read.earlier):
                if not (1 <= each.run <= _COUNTABLE and each.attempt >= 1 and each.swept >= 0):
                    raise ValueError("its counts are out of range")
        except _DAMAGED as error:
            why = f"it lacks {error}" if isinstance(error, KeyError) else "something was edited"
            message = f"The annotation {SUBMISSION} cannot be read: {why}"
            raise RecordError(message, _REMEDY) from error
        return read


@lru_cache(maxsize=_PARSED)
def _parsed(text: str) -> Submission:
    return Submission.from_json(text)


def _newest(body: Mapping[str, Any]) -> Submission:
    """The newest run; earlier versions recorded neither generations nor runs before it."""
    read = Submission(
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
        generation=int(body.get("generation", 0)),
        definition_name=str(body.get("definitionName", "")),
        definition_generation=int(body.get("definitionGeneration", 0)),
        counts=str(body.get("counts", "")),
    )
    return replace(read, earlier=tuple(_earlier(read, each) for each in body.get("earlier", ())))


def _as_earlier(run: Submission) -> dict[str, Any]:
    return {
        "run": run.run,
        "jobName": run.job_name,
        "queue": run.queue,
        "time": run.time.rfc3339_micro(),
        "swept": run.swept,
    }


def _earlier(newest: Submission, body: Mapping[str, Any]) -> Submission:
    """A run before the newest, which was submitted by the same object in the same place."""
    return replace(
        newest,
        run=int(body["run"]),
        job_name=str(body["jobName"]),
        queue=str(body["queue"]),
        time=Instant.parse(body["time"]),
        swept=int(body["swept"]),
        definition="",
        request_hash="",
        attempt=1,
        generation=0,
        definition_name="",
        definition_generation=0,
        counts="",
    )


def _sweep_due(run: Submission) -> Instant | None:
    return None if run.swept >= SWEEPS else run.time.plus(SWEEP_SECONDS * (run.swept + 1))


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
