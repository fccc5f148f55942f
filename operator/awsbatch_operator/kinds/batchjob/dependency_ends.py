"""Whether a job that AWS has failed because of another one has failed for good (pure).

AWS fails whoever waits for a job that is terminated. Where the operator itself has ended that job
(it was held, changed or deleted), or has put another run in its place, nothing has failed: the one
that waited runs again, when the other one has come so far. That is told by the ids that AWS says
the job has waited for. Each is that of the newest run of a BatchJob which the spec names, or of a
run that does not count any more.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from enum import Enum, auto

from awsbatch_operator.api.conditions import is_true
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import ObjectKey, RecordError, Resource, Shape
from awsbatch_operator.kinds.batchjob.actions import said_by_us
from awsbatch_operator.kinds.batchjob.dependencies import needed_jobs, resolved
from awsbatch_operator.kinds.batchjob.failure import diagnose
from awsbatch_operator.kinds.batchjob.failure_causes import Failure
from awsbatch_operator.kinds.batchjob.observed import TERMINAL, Knowledge, Observed, Output
from awsbatch_operator.kinds.batchjob.record import end_condition, submission_of
from awsbatch_operator.kinds.batchjob.run_causes import Stop

Find = Callable[[ObjectKey], Resource | None]
AGAIN_SECONDS = 5.0
PATIENCE_SECONDS = 60.0
_BY_US = frozenset({Stop.SUSPENDED, Stop.CHANGED, Stop.DEPENDENCY})


class Waited(Enum):
    """What became of a job that AWS has failed because of another one."""

    FAILED = auto()  # the other one has failed, and so has this one
    SET_FREE = auto()  # the other one did not fail: this one runs again
    OPEN = auto()  # the objects of the others do not say yet how they ended


def strangers(resource: Resource, observed: Observed, find: Find) -> tuple[str, ...]:
    """Ids that AWS let it wait for, of objects that are gone or were made anew: AWS is asked.

    Such a job may have failed, and its object be gone after its ttl; or its deletion has ended it.
    """
    if not _failed_by_another(observed) or _same_objects(resource, observed, find):
        return ()
    newest = _newest(resource, find)
    return tuple(each for each in _ids(resource, observed.detail) if each not in newest)


def with_waited(
    resource: Resource,
    observed: Observed,
    find: Find,
    told: Mapping[str, Shape | None],
    now: Instant,
) -> Observed:
    """With what became of a job that AWS has failed because of another one.

    `told` is what AWS says of the strangers. The turn of that other one may come later, so its end
    is waited for, but not for ever.
    """
    match waited(resource, observed, find, told):
        case Waited.SET_FREE:
            record = replace(observed.submission, stop=Stop.DEPENDENCY)
            return replace(observed, submission=record, set_free=True)
        case Waited.OPEN if now.since(observed.since or now) < PATIENCE_SECONDS:
            return replace(observed, output=Output(due=now.plus(AGAIN_SECONDS)))
        case _:
            return observed


def waited(
    resource: Resource, observed: Observed, find: Find, told: Mapping[str, Shape | None]
) -> Waited | None:
    """What became of it; None: it has not ended so, or its record says that already."""
    if not _failed_by_another(observed):
        return None
    ends = set(_ends(resource, observed, find, told))
    for each in (Waited.SET_FREE, Waited.OPEN):
        if each in ends:
            return each
    return Waited.FAILED


def _failed_by_another(observed: Observed) -> bool:
    if observed.knowledge is not Knowledge.FOUND or observed.state != "FAILED":
        return False
    if observed.submission.stop is not None:
        return False
    return diagnose(observed).failure is Failure.DEPENDENCY_FAILED


def _ids(resource: Resource, detail: Shape) -> Iterator[str]:
    """Those that AWS let it wait for, and that the spec does not give itself."""
    listed = resource.spec.get("dependsOn") or ()
    given = {str((each.get("jobRef") or {}).get("jobId", "")) for each in listed}
    for each in detail.get("dependsOn") or ():
        job_id = str(each.get("jobId") or "")  # none of a dependency within the array itself
        if job_id and job_id not in given:
            yield job_id


def _newest(resource: Resource, find: Find) -> Mapping[str, Resource]:
    """The objects that the spec names, by the ids of their newest runs."""
    found = (find(key) for key in needed_jobs(resource))
    return {str(each.status.get("jobId")): each for each in found if each is not None}


def _same_objects(resource: Resource, observed: Observed, find: Find) -> bool:
    """Whether they are those that the run was submitted to wait for."""
    found = {key: find(key) for key in needed_jobs(resource)}
    there = {key: each for key, each in found.items() if each is not None}
    return resolved(resource, there).needs == observed.submission.needs


def _ends(
    resource: Resource, observed: Observed, find: Find, told: Mapping[str, Shape | None]
) -> Iterator[Waited | None]:
    """How each of the jobs ended that it waited for; None: it is not why this one failed."""
    newest = _newest(resource, find)
    for job_id in _ids(resource, observed.detail):
        if job_id in newest:
            yield _end(newest[job_id])
        elif job_id in told:
            yield _end_of_a_stranger(told[job_id] or {})
        else:  # the same object has another newest run
            yield Waited.SET_FREE


def _end_of_a_stranger(detail: Shape) -> Waited | None:
    """AWS keeps why the operator has ended a job."""
    if detail.get("status") == "SUCCEEDED":
        return None
    ours = said_by_us(str(detail.get("statusReason") or ""))
    return Waited.SET_FREE if ours else Waited.FAILED


def _end(target: Resource) -> Waited | None:
    """How the newest run of a job has ended, as its object says; of a finished one it is abridged.

    While an end stands in the status and no condition says so, another run is to follow.
    """
    ended = end_condition(target)
    if ended is not None:
        return None if ended["type"] == "Complete" else Waited.FAILED
    if target.deleting or is_true(target.status, "Suspended"):
        return Waited.SET_FREE
    try:
        submission = submission_of(target)
    except RecordError:
        submission = None
    stopped = submission is not None and submission.stop in _BY_US
    replaced = submission is not None and submission.run != target.status.get("run")
    another_follows = target.status.get("awsStatus") in TERMINAL
    return Waited.SET_FREE if stopped or replaced or another_follows else Waited.OPEN
