"""How many BatchJobs of a JobQueue are under way, and which one goes next: `maxInFlight`.

Counted from the cache, which has all objects before the first turn of any, so a restart loses
nothing: who is under way has a record of its submission, and who waits says so in its status. A
place is promised when a plan is made, since between that and the record that takes it other jobs
have their turns. Places are counted by the queue's ARN, so it makes no difference whether a job
names the JobQueue or what that has in AWS.
"""

from bisect import bisect_left, insort
from collections.abc import Callable
from dataclasses import dataclass, field

from awsbatch_operator.api import job_reasons
from awsbatch_operator.api.conditions import condition, is_true
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import ObjectKey, RecordError, Resource, Shape
from awsbatch_operator.engine.cache import Change
from awsbatch_operator.kinds.batchjob.record import is_concluded, recorded_job_id, submission_of
from awsbatch_operator.kinds.gates import in_aws

Turn = tuple[float, str, str, ObjectKey]
"""The order in which jobs wait: by creation, then by name, then by namespace."""


def _nobody(_: ObjectKey) -> None:
    return None


@dataclass(slots=True)
class _Queue:
    """One queue of AWS: the limits that JobQueues of its ARN set, and whom they concern.

    Nobody is in two of the others at a time. A job at work has a place in one queue, and may be
    promised one in another, or wait for it there, when a change is to run there.
    """

    limits: dict[ObjectKey, int] = field(default_factory=dict)
    taken: set[ObjectKey] = field(default_factory=set)
    promised: set[ObjectKey] = field(default_factory=set)
    waiting: list[Turn] = field(default_factory=list)

    @property
    def free(self) -> int:
        """Places that nobody has; as many as wait if there is no limit."""
        if not self.limits:
            return len(self.waiting)
        return max(0, min(self.limits.values()) - len(self.taken) - len(self.promised))

    @property
    def empty(self) -> bool:
        return not (self.limits or self.taken or self.promised or self.waiting)


class InFlight:
    """The places in all queues. `wake` is called for a job whose turn it may be.

    What another installation than `installation` has submitted has its place; for whom it has not,
    nobody here waits: it may be gone for good.
    """

    def __init__(
        self, wake: Callable[[ObjectKey], None] = _nobody, *, installation: str = ""
    ) -> None:
        self._wake = wake
        self._installation = installation
        self._queues: dict[str, _Queue] = {}  # by ARN
        self._arns: dict[ObjectKey, str] = {}  # of JobQueues
        self._taken: dict[ObjectKey, str] = {}  # by job, the ARN of the queue
        self._promised: dict[ObjectKey, str] = {}
        self._waiting: dict[ObjectKey, tuple[str, Turn]] = {}

    def heard(self, change: Change) -> None:
        """Take in a change of the cache."""
        if change.key.kind == "JobQueue":
            self._limit(change.key, change.resource)
        elif change.key.kind == "BatchJob":
            resource = None if change.settled else change.resource
            self._take(change.key, "" if resource is None else _under_way(resource))
            ours = resource is not None and not resource.is_served_elsewhere(self._installation)
            self._line_up(change.key, resource if ours else None)

    def held_back(self, key: ObjectKey, created: Instant, arn: str) -> Finding | None:
        """Why the job must not be submitted to that queue now; None: a place is promised to it.

        Asked twice, it answers the same: whoever has a place keeps it. A free place is not for one
        that came later than as many as wait.
        """
        if arn in {self._taken.get(key), self._promised.get(key)}:
            return None
        self.leave(key)
        turn: Turn = (created.epoch, key.name, key.namespace, key)
        if self._waiting.get(key) != (arn, turn):
            self._stop_waiting(key)
        queue = self._queues.setdefault(arn, _Queue())
        if queue.limits and bisect_left(queue.waiting, turn) >= queue.free:
            self._wait(key, arn, turn)
            return _full(queue)
        queue.promised.add(key)
        self._promised[key] = arn
        self._stop_waiting(key)
        return None

    def leave(self, key: ObjectKey) -> None:
        """The job needs the place no more that was promised to it, or it has taken it."""
        arn = self._promised.pop(key, "")
        if arn:
            self._queues[arn].promised.discard(key)
            self._call(arn, more=1)

    def _limit(self, key: ObjectKey, resource: Resource | None) -> None:
        """A JobQueue counts by the ARN that it shows, as far as that is proven to be its own."""
        arn = str(resource.status["arn"]) if resource is not None and in_aws(resource) else ""
        limit = resource.spec.get("maxInFlight") if resource is not None and arn else None
        before = self._arns.get(key, "")
        if before and before != arn:
            self._queues[before].limits.pop(key, None)
            del self._arns[key]
            self._call(before)
        if not arn:
            return
        self._arns[key] = arn
        queue = self._queues.setdefault(arn, _Queue())
        if queue.limits.get(key) == limit:
            return
        if isinstance(limit, int):
            queue.limits[key] = limit
        else:
            queue.limits.pop(key, None)
        self._call(arn)

    def _take(self, key: ObjectKey, arn: str) -> None:
        before = self._taken.get(key, "")
        if before == arn:
            return
        if arn:
            promised = self._promised.pop(key, "")
            if promised:
                self._queues[promised].promised.discard(key)
            self._taken[key] = arn
            self._queues.setdefault(arn, _Queue()).taken.add(key)
            if promised not in {"", arn}:
                self._call(promised, more=1)
        else:
            del self._taken[key]
        if before:
            self._queues[before].taken.discard(key)
            self._call(before, more=1)

    def _line_up(self, key: ObjectKey, resource: Resource | None) -> None:
        """Let it wait whose status says so: after a restart nothing else does."""
        waits = resource is not None and _says_full(resource)
        if waits and resource is not None and key in self._taken:
            # A job at work is to go on in another queue, once that has a place for it.
            waits = self._named_by(resource) not in {"", self._taken[key]}
        if not waits or resource is None:
            self._stop_waiting(key)
            if resource is None or not _may_go(resource):
                self.leave(key)
        elif key not in self._waiting and key not in self._promised:
            arn = self._named_by(resource)
            if arn:
                turn = (resource.created.epoch, key.name, key.namespace, key)
                self._wait(key, arn, turn)

    def _named_by(self, resource: Resource) -> str:
        reference: Shape = resource.spec.get("jobQueueRef") or {}
        named = ObjectKey("JobQueue", resource.key.namespace, str(reference.get("name", "")))
        return str(reference.get("arn") or self._arns.get(named, ""))

    def _wait(self, key: ObjectKey, arn: str, turn: Turn) -> None:
        if key not in self._waiting:
            self._waiting[key] = (arn, turn)
            insort(self._queues.setdefault(arn, _Queue()).waiting, turn)

    def _stop_waiting(self, key: ObjectKey) -> None:
        arn, turn = self._waiting.pop(key, ("", None))
        if turn is None:
            return
        queue = self._queues[arn]
        at = bisect_left(queue.waiting, turn)
        del queue.waiting[at]
        self._call(arn, more=int(at < queue.free))

    def _call(self, arn: str, *, more: int | None = None) -> None:
        """Wake those who wait longest for as many places as are free.

        With `more`, only those for whom that many of the places are new; the others were woken
        before. Twenty thousand who may all go would else each wake all that are left.
        """
        queue = self._queues[arn]
        free = queue.free
        for *_, key in queue.waiting[0 if more is None else max(0, free - more) : free]:
            self._wake(key)
        if queue.empty and arn not in self._arns.values():
            del self._queues[arn]


def _full(queue: _Queue) -> Finding:
    key, limit = min(queue.limits.items(), key=lambda each: each[1])
    return Finding(
        job_reasons.QUEUE_FULL,
        f"{key} lets {limit} BatchJobs be submitted and not finished at a time "
        "(spec.maxInFlight), and has as many.",
        "This object goes on by itself, oldest first, when one of them has ended; or raise "
        "spec.maxInFlight.",
    )


def _under_way(resource: Resource) -> str:
    """The ARN of the queue that a run of the object has a place in; "" if it has none.

    From the moment at which it is written down that it is about to be submitted, until its end
    stands in the status: a run that follows it waits for a place like any other. What AWS has
    refused, so that a person must act, has let go of its place.
    """
    try:
        submission = submission_of(resource)
    except RecordError:
        return ""
    if submission is None or is_true(resource.status, "Suspended"):
        return ""
    if recorded_job_id(resource, submission) is None:
        return "" if is_true(resource.status, "Stalled") else submission.queue
    return "" if is_concluded(resource, submission) else submission.queue


def _says_full(resource: Resource) -> bool:
    shown = condition(resource.status, "Reconciling") or {}
    full = shown.get("status") == "True" and shown.get("reason") == job_reasons.QUEUE_FULL.name
    return full and _may_go(resource)


def _may_go(resource: Resource) -> bool:
    """Whether nobody holds it back; else it would keep all others waiting."""
    return not (resource.deleting or resource.paused or resource.spec.get("suspend"))
