"""The record of a job's submissions: the annotation `awsbatch.dev/submission`.

AWS Batch has no client token on SubmitJob, so what we are about to do is written down first.
Looking a submission up, and repeating it, use these recorded values and never today's spec.

The record is a ledger: the newest run, and in `earlier` each run before it of which AWS may still
hold a job that nobody has seen. A run never enters if AWS refused it before it did anything, or
its end was seen and no twin of it can come to light; it leaves after two looks for jobs of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from awsbatch_operator.api.encoding import decoded, encoded
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import SUBMISSION, RecordError
from awsbatch_operator.kinds.batchjob.packing import Packing
from awsbatch_operator.kinds.batchjob.run_causes import Cause, Stop

SWEEP_SECONDS = 360.0
SWEEPS = 2
EARLIER_KEPT = 8  # runs before the newest; each stays for about a quarter of an hour
_COUNTABLE = 2**31 - 1
# All that reading something that somebody else has written may raise.
_DAMAGED = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
_REMEDY = (
    "Restore it. Remove it only when AWS has no job of this object: the operator then knows of "
    "none, and submits one, or lets the object go if it is being deleted."
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How the run before the newest one ended, for the status: its last trace."""

    run: int
    job_id: str
    result: str
    completion_time: str = ""  # RFC 3339; "" if AWS named none


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

    `cause` is why the run began, None for the first. `begun` is when the object's first run was
    submitted, None if that is not known (records of earlier versions) or it is this one. `indexes`
    are those of the whole array that a run of failed ones is of, as ranges; "" for a whole array.
    `losses` are the runs before this one that were lost, one after the other; `in_fallback`: it
    goes to the queue of `fallback`. `needs` is a hash of the uids of the objects that it depends
    on. `stop` says why we end the job, if we do. `before` is the end of the run before. `packed` is
    how many tasks the run has, and how many one job of it: "tasks/each", "" if it is not packed.
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
    cause: Cause | None = None
    begun: Instant | None = None
    indexes: str = ""
    losses: int = 0
    in_fallback: bool = False
    needs: str = ""
    stop: Stop | None = None
    before: Ended | None = None
    packed: str = ""
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
        body |= {name: value for name, value in _optional(self).items() if value}
        if self.earlier:
            body["earlier"] = [_as_earlier(run) for run in self.earlier]
        return {SUBMISSION: encoded(body).decode()}

    def repeated(self, now: Instant) -> "Submission":
        """The same run, sent once more because AWS has no trace of it."""
        return replace(self, attempt=self.attempt + 1, time=now, swept=0, begun=self.first_sent)

    def closed(self, stop: Stop) -> "Submission":
        """The same run, of which AWS has no trace and which is not sent again.

        It counts as sent once more, so that it is looked for twice later on, as any repeat is.
        """
        return replace(self, stop=stop, attempt=self.attempt + 1, begun=self.first_sent, swept=0)

    def followed_by(self, newer: "Submission", *, is_over: bool) -> "Submission":
        """The newer run's record. This one stays in it unless AWS surely has no job of it alive.

        Looks for jobs of it count from now on: its call may have gone out later than recorded.
        """
        kept = () if is_over else (replace(self, earlier=(), time=newer.time, swept=0),)
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
    def packing(self) -> Packing | None:
        """The tasks of the run; None if each job is one."""
        return Packing.parsed(self.packed)

    @property
    def first_sent(self) -> Instant:
        """When the object's first run was submitted, as far as that is known."""
        return self.begun or self.time

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
    def is_put_by(self) -> bool:
        """Whether AWS has nothing of it, it is held, and it was looked for often enough."""
        return self.stop is Stop.HELD and self.looked_through

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
            Packing.parsed(read.packed)
        except _DAMAGED as error:
            why = f"it lacks {error}" if isinstance(error, KeyError) else "something was edited"
            message = f"The annotation {SUBMISSION} cannot be read: {why}"
            raise RecordError(message, _REMEDY) from error
        return read


def _optional(run: Submission) -> dict[str, Any]:
    """What most records do not need."""
    return {
        "counts": run.counts,
        "cause": run.cause,
        "begun": run.begun.rfc3339_micro() if run.begun else "",
        "indexes": run.indexes,
        "losses": run.losses,
        "inFallback": run.in_fallback,
        "needs": run.needs,
        "stop": run.stop,
        "packed": run.packed,
        "before": _ended_as_json(run.before) if run.before else {},
    }


def _ended_as_json(ended: Ended) -> dict[str, Any]:
    return {
        "run": ended.run,
        "jobId": ended.job_id,
        "result": ended.result,
        "completionTime": ended.completion_time,
    }


def _ended(body: Mapping[str, Any]) -> Ended:
    return Ended(
        run=int(body["run"]),
        job_id=str(body["jobId"]),
        result=str(body["result"]),
        completion_time=str(body["completionTime"]),
    )


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
        cause=Cause(body["cause"]) if body.get("cause") else None,
        begun=Instant.parse(body["begun"]) if body.get("begun") else None,
        indexes=str(body.get("indexes", "")),
        losses=int(body.get("losses", 0)),
        in_fallback=body.get("inFallback") is True,
        needs=str(body.get("needs", "")),
        stop=Stop(body["stop"]) if body.get("stop") else None,
        packed=str(body.get("packed", "")),
        before=_ended(body["before"]) if body.get("before") else None,
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
    return Submission(
        uid=newest.uid,
        run=int(body["run"]),
        job_name=str(body["jobName"]),
        queue=str(body["queue"]),
        definition="",
        account_id=newest.account_id,
        region=newest.region,
        request_hash="",
        time=Instant.parse(body["time"]),
        swept=int(body["swept"]),
    )


def _sweep_due(run: Submission) -> Instant | None:
    return None if run.swept >= SWEEPS else run.time.plus(SWEEP_SECONDS * (run.swept + 1))
