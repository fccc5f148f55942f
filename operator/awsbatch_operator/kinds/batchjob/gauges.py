"""How the unfinished jobs stand, queue by queue, and how jobs have ended: numbers for a scrape.

Kept as the objects change. A scrape costs as much as there are queues and ways to stand, not jobs.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple

from awsbatch_operator.api.conditions import is_true
from awsbatch_operator.api.instant import Clock, Instant
from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.engine.cache import Change
from awsbatch_operator.kinds.batchjob.record import told_end
from awsbatch_operator.kinds.batchjob.spec import RESOURCE
from awsbatch_operator.kinds.batchjob.waiting import REMEDIES, code_of

STATE_LABELS = ("queue", "state")
BLOCKED_LABELS = ("queue", "code")
QUEUE_LABELS = ("queue",)
ENDED_LABELS = ("queue", "result")
HELD, NOT_SUBMITTED, RUNNABLE, RUNNING = "Held", "NotSubmitted", "RUNNABLE", "RUNNING"
STATES = (HELD, NOT_SUBMITTED, "SUBMITTED", "PENDING", RUNNABLE, "STARTING", RUNNING)
SUCCEEDED, OTHER = "Succeeded", "Other"
_QUEUE = "JobQueue"
_SPARE = 64  # entries of a line that may be out of date before it is made anew


class Standing(NamedTuple):
    """How one unfinished job stands; `since` is when it was submitted, in epoch seconds."""

    queue: str
    state: str
    code: str = ""
    since: float = 0.0


class _Line:
    """The jobs of a queue that wait in RUNNABLE, in the order of their submission.

    Who leaves stays in the heap until it comes to its head, or there are too many of them.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, ObjectKey]] = []
        self._since: dict[ObjectKey, float] = {}

    def enter(self, key: ObjectKey, since: float) -> None:
        self._since[key] = since
        heapq.heappush(self._heap, (since, key))
        if len(self._heap) > 2 * len(self._since) + _SPARE:
            self._heap = [(at, each) for each, at in self._since.items()]
            heapq.heapify(self._heap)

    def leave(self, key: ObjectKey) -> None:
        self._since.pop(key, None)

    def oldest(self) -> float | None:
        """When the first of them was submitted; None if nobody waits."""
        while self._heap and self._since.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None


class JobGauges:
    """Listens to the cache.

    Labels name JobQueues that exist, of which AWS allows few. Jobs that name none of them count
    as OTHER: whoever may create jobs could else invent labels without end. So do results that are
    none of `results`, and codes of AWS that docs/jobs.md does not know.

    A job counts as ended if this process has seen it before its end; `started` is told how many
    seconds lay between the submission and the start of one whose start it has seen.
    """

    def __init__(
        self, clock: Clock, results: Collection[str], started: Callable[[float], None]
    ) -> None:
        self._clock = clock
        self._results = frozenset(results) | {SUCCEEDED}
        self._started = started
        self._queues: set[str] = set()  # "namespace/name" of those that exist
        self._names: dict[str, str] = {}  # their ARNs: the same
        self._standing: dict[ObjectKey, Standing] = {}
        self._counts: Counter[Standing] = Counter()  # of all but `since`
        self._lines: dict[str, _Line] = {}
        self._ended: Counter[tuple[str, str]] = Counter()

    def absorb(self, change: Change) -> None:
        """Take in a change of the cache."""
        if change.key.kind == _QUEUE:
            self._absorb_queue(change)
        elif change.key.kind == RESOURCE.kind:
            self._absorb_job(change.key, change.resource)

    def states(self) -> Iterator[tuple[tuple[str, str], float]]:
        """How many unfinished jobs of each queue are in each state."""
        found: Counter[tuple[str, str]] = Counter()
        for standing, number in self._counts.items():
            found[self._name(standing.queue), standing.state] += number
        yield from found.items()

    def blocked(self) -> Iterator[tuple[tuple[str, str], float]]:
        """Of how many jobs that wait in RUNNABLE AWS says why."""
        found: Counter[tuple[str, str]] = Counter()
        for standing, number in self._counts.items():
            if standing.code:
                found[self._name(standing.queue), standing.code] += number
        yield from found.items()

    def oldest(self) -> Iterator[tuple[tuple[str], float]]:
        """How long ago the job was submitted that has waited longest in RUNNABLE."""
        found: dict[str, float] = {}
        for queue, line in self._lines.items():
            since = line.oldest()
            if since is not None:
                name = self._name(queue)
                found[name] = min(since, found.get(name, since))
        now = self._clock.now().epoch
        yield from (((name,), max(0.0, now - since)) for name, since in found.items())

    def ended(self) -> Iterator[tuple[tuple[str, str], float]]:
        """How many jobs have ended so; those of a queue that has gone are no longer told."""
        for (queue, result), number in self._ended.items():
            if queue == OTHER or queue in self._queues:
                yield (queue, result), number

    def _absorb_queue(self, change: Change) -> None:
        name = f"{change.key.namespace}/{change.key.name}"
        self._names = {arn: named for arn, named in self._names.items() if named != name}
        if change.resource is None:
            self._queues.discard(name)
            self._ended = Counter({row: n for row, n in self._ended.items() if row[0] != name})
            return
        self._queues.add(name)
        arn = str(change.resource.status.get("arn") or "")
        if arn:
            self._names[arn] = name

    def _absorb_job(self, key: ObjectKey, resource: Resource | None) -> None:
        before = self._standing.pop(key, None)
        now = None if resource is None else _standing(resource)
        if before is not None:
            self._leave(key, before)
        if resource is not None and before is not None:
            self._tell(resource, before, now)
        if now is not None:
            self._standing[key] = now
            self._counts[now._replace(since=0.0)] += 1
            if now.state == RUNNABLE:
                self._lines.setdefault(now.queue, _Line()).enter(key, now.since)

    def _leave(self, key: ObjectKey, before: Standing) -> None:
        counted = before._replace(since=0.0)
        self._counts[counted] -= 1
        if not self._counts[counted]:
            del self._counts[counted]
        if before.state == RUNNABLE:
            line = self._lines[before.queue]
            line.leave(key)
            if line.oldest() is None:
                del self._lines[before.queue]

    def _tell(self, resource: Resource, before: Standing, now: Standing | None) -> None:
        """Count an end, and measure a start, that this change shows."""
        if before.state != RUNNING and (now is None or now.state == RUNNING):
            waited = _waited(resource)
            if waited is not None:
                self._started(waited)
        ended = told_end(resource) if now is None else None
        if ended is not None:
            said = SUCCEEDED if ended["type"] == "Complete" else str(ended["reason"])
            result = said if said in self._results else OTHER
            self._ended[self._name(before.queue), result] += 1

    def _name(self, queue: str) -> str:
        name = self._names.get(queue, queue)
        return name if name in self._queues else OTHER


def _standing(resource: Resource) -> Standing | None:
    """How an unfinished job stands; None for one that has ended, be it without a submission."""
    if told_end(resource) is not None:
        return None
    reference: Mapping[str, Any] = resource.spec.get("jobQueueRef") or {}
    named = f"{resource.key.namespace}/{reference.get('name')}"
    queue = str(reference.get("arn") or named)
    if is_true(resource.status, "Suspended"):
        return Standing(queue, HELD)
    state = str(resource.status.get("awsStatus") or NOT_SUBMITTED)
    if state not in STATES:
        return Standing(queue, NOT_SUBMITTED)
    if state != RUNNABLE:
        return Standing(queue, state)
    words = str(resource.status.get("statusReason") or "")
    code = code_of(words) if words else ""
    known = code if code in REMEDIES or not code else OTHER
    since = _moment(resource, "submittedTime")
    return Standing(queue, state, known, resource.created.epoch if since is None else since)


def _waited(resource: Resource) -> float | None:
    """Seconds from the submission to the start; None if it did not start, or more than once."""
    began, submitted = _moment(resource, "startedTime"), _moment(resource, "submittedTime")
    again = int(resource.status.get("attemptCount") or 0) > 1
    if began is None or submitted is None or again or began < submitted:
        return None
    return began - submitted


def _moment(resource: Resource, name: str) -> float | None:
    moment = Instant.read(resource.status.get(name))
    return None if moment is None else moment.epoch
