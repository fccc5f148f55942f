"""Objects whose status or records somebody else keeps writing over: each is left alone for a while.

Only an operator writes these, so whoever does is another one: of an earlier version, which does not
know that an object has an installation that serves it. It answers each write of ours with one of
its own. Without pauses two such operators write as fast as the API server lets them, without end
(seen: 65 writes a second for two objects).
"""

from collections import OrderedDict
from dataclasses import dataclass, replace

from awsbatch_operator.api.encoding import encoded
from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import RECORDS, Resource
from awsbatch_operator.engine.cache import Change

FREE = 2  # times that count for nothing: a person may take a finalizer away, or mend a status
LONGEST_SECONDS = 300.0
FORGOTTEN_SECONDS = 900.0  # what has stood for that long is no quarrel any more
REMEMBERED = 20_000  # objects that were written last


@dataclass(frozen=True, slots=True)
class _Left:
    """An object as it was when it was written, or found written over, last.

    Without a digest nobody knows what the next version of it is.
    """

    version: str
    generation: int
    digest: int | None


@dataclass(frozen=True, slots=True)
class _Quarrel:
    """How often it was found written over, when last, and until when it is left alone."""

    times: int
    last: float
    until: float


class Undone:
    """What was written, and whether it stands. For one event loop; in memory only."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left: OrderedDict[str, _Left] = OrderedDict()  # by uid, the longest known first
        self._quarrels: dict[str, _Quarrel] = {}

    def wrote(self, resource: Resource) -> None:
        """The object is as our own write has left it."""
        self._left[resource.uid] = _left(resource)
        self._left.move_to_end(resource.uid)
        while len(self._left) > REMEMBERED:
            uid, _ = self._left.popitem(last=False)
            self._quarrels.pop(uid, None)

    def unheard(self, resource: Resource) -> None:
        """A write that was made of this had no answer: what comes next may be that very write."""
        if resource.uid in self._left:
            self._left[resource.uid] = replace(_left(resource), digest=None)

    def is_undone(self, resource: Resource) -> bool:
        """Whether somebody has written over what we wrote; true once for each time.

        An edit of the spec, or a deletion, is worth a look at once, whoever else writes.
        """
        left = self._left.get(resource.uid)
        if left is None or left.version == resource.resource_version:
            return False
        found = _left(resource)
        self._left[resource.uid] = found
        if left.generation != found.generation:
            self._quarrels.pop(resource.uid, None)
            return False
        if left.digest in {None, found.digest}:
            return False
        self._count(resource.uid)
        return True

    def seconds_left(self, uid: str) -> float:
        """For how long nothing is to be written into the object; 0: it may be now."""
        quarrel = self._quarrels.get(uid)
        return 0.0 if quarrel is None else max(0.0, quarrel.until - self._clock.monotonic())

    def times(self, uid: str) -> int:
        """How often it was written over of late."""
        quarrel = self._quarrels.get(uid)
        return 0 if quarrel is None else quarrel.times

    def heard(self, change: Change) -> None:
        """Take in a change of the cache: nothing more is written into what is gone or finished."""
        if change.resource is None or change.settled:
            self._left.pop(change.uid, None)
            self._quarrels.pop(change.uid, None)

    def _count(self, uid: str) -> None:
        now, before = self._clock.monotonic(), self._quarrels.get(uid)
        recent = before is not None and now - before.last < FORGOTTEN_SECONDS
        times = before.times + 1 if before is not None and recent else 1
        self._quarrels[uid] = _Quarrel(times, now, now + pause_after(times))


def pause_after(times: int) -> float:
    """Seconds that an object is left alone after it was written over so often in a row."""
    beyond = times - FREE
    return 0.0 if beyond <= 0 else float(min(LONGEST_SECONDS, 2 ** min(beyond - 1, 16)))


def _left(resource: Resource) -> _Left:
    records = [resource.annotations.get(name) for name in RECORDS]
    digest = hash((encoded(resource.status), tuple(records), resource.held))
    return _Left(resource.resource_version, resource.generation, digest)
