"""What a spec says of the runs of a job, apart from the request; and what its status shows (pure).

Both are read from the object alone, and from one that may be unsound: a gate that holds back what
is new must not change how a run that has ended is judged.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Resource, Shape, kept, kept_of_spec
from awsbatch_operator.kinds.batchjob.observed import TERMINAL
from awsbatch_operator.kinds.batchjob.record import end_condition
from awsbatch_operator.kinds.batchjob.request import request_hash
from awsbatch_operator.kinds.batchjob.submission import Ended, Submission

ON_CHANGE = "OnChange"
HISTORY_KEPT = 10


@dataclass(frozen=True, slots=True)
class Retry:
    """`spec.retryFailedIndexes`: of which run, and the variable that carries the indexes."""

    of_run: int
    variable: str


@dataclass(frozen=True, slots=True)
class Fallback:
    """`spec.fallback`: which failures count, and after how many runs the other queue is used."""

    when: frozenset[str]
    after_failures: int = 1


@dataclass(frozen=True, slots=True)
class Wishes:
    """What begins and ends runs. `is_array`: the spec asks for an array."""

    request_hash: str
    is_array: bool = False
    suspend: bool = False
    on_change: bool = False
    deadline_seconds: int | None = None
    retry: Retry | None = None
    fallback: Fallback | None = None

    def changed(self, submission: Submission) -> bool:
        """Whether the run was submitted for another request than the spec has now.

        A record that was made up from the status of an earlier version does not say.
        """
        return submission.request_hash not in {"", self.request_hash}

    def deadline(self, submission: Submission) -> Instant | None:
        """When all runs together have had their time."""
        if self.deadline_seconds is None:
            return None
        return submission.first_sent.plus(self.deadline_seconds)

    def is_late(self, submission: Submission, now: Instant) -> bool:
        """Whether that moment has come."""
        deadline = self.deadline(submission)
        return deadline is not None and deadline <= now


@dataclass(frozen=True, slots=True)
class Shown:
    """What the status says of the run that it names; `run` 0: it names none.

    `ended`: AWS's word for the end if that stands there, else "". `result` is the condition that
    says so, "" while another run may follow. `begun`: it has begun to run.
    """

    run: int = 0
    job_id: str = ""
    ended: str = ""
    result: str = ""
    failure: str = ""
    completion_time: str = ""
    failed_indexes: str | None = None
    failed_count: int = 0
    begun: bool = False
    history: tuple[Shape, ...] = ()

    @property
    def told(self) -> frozenset[int]:
        """The runs in the history."""
        return frozenset(int(each["run"]) for each in self.history)

    def is_of(self, submission: Submission) -> bool:
        """Whether it is about this run."""
        return self.run == submission.run


@kept_of_spec
def wishes_of(resource: Resource) -> Wishes:
    """What the spec says, where it can be read."""
    spec, deadline = resource.spec, resource.spec.get("activeDeadlineSeconds")
    return Wishes(
        request_hash=request_hash(resource),
        is_array=bool({"arrayProperties", "arrayValues"} & spec.keys()),
        suspend=spec.get("suspend") is True,
        on_change=spec.get("rerunPolicy") == ON_CHANGE,
        deadline_seconds=deadline if _is_count(deadline) else None,
        retry=_retry(spec.get("retryFailedIndexes")),
        fallback=_fallback(spec.get("fallback")),
    )


@kept
def shown_of(resource: Resource) -> Shown:
    """What the status says."""
    status, ended = resource.status, end_condition(resource)
    state, array = str(status.get("awsStatus", "")), status.get("array") or {}
    failed = array.get("failedIndexes")
    return Shown(
        run=int(status.get("run", 0)),
        job_id=str(status.get("jobId", "")),
        ended=state if state in TERMINAL else "",
        result="" if ended is None else str(ended["type"]),
        failure=str(status.get("failure", "")),
        completion_time=str(status.get("completionTime", "")),
        failed_indexes=None if failed is None else str(failed),
        failed_count=int(array.get("failed", 0)),
        begun=_has_begun(status),
        history=tuple(status.get("history", ())),
    )


def history(before: Iterable[Shape], ended: Ended | None) -> list[dict[str, Any]]:
    """The runs before the newest one, newest last, with the one that the record names."""
    listed = [dict(each) for each in before]
    if ended is not None and all(each.get("run") != ended.run for each in listed):
        entry = {"run": ended.run, "jobId": ended.job_id or None, "result": ended.result}
        entry["completionTime"] = ended.completion_time or None
        listed.append({name: value for name, value in entry.items() if value is not None})
    return listed[-HISTORY_KEPT:]


def _has_begun(status: Shape) -> bool:
    array: Shape = status.get("array") or {}
    alone = "startedTime" in status or bool(status.get("attempts"))
    return alone or bool(array.get("running") or array.get("succeeded"))


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _retry(asked: Any) -> Retry | None:
    if not isinstance(asked, Mapping) or not _is_count(asked.get("ofRun")):
        return None
    return Retry(int(asked["ofRun"]), str(asked.get("indexMapVariable", "")))


def _fallback(asked: Any) -> Fallback | None:
    if not isinstance(asked, Mapping) or not isinstance(asked.get("when"), list | tuple):
        return None
    after = asked.get("afterFailures", 1)
    return Fallback(frozenset(map(str, asked["when"])), int(after) if _is_count(after) else 1)
