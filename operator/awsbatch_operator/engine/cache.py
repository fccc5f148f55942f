"""All objects as last seen, from the watch, from lists and from the answers of our own writes.

Three ways in, in any order, so the rule is the same for all: the newest resourceVersion wins, and
an object that was seen to vanish does not come back. API servers of custom resources hand out
decimal versions that grow across all objects of the cluster, so they can be compared.
"""

import sys
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import ObjectKey, Resource, Shape
from awsbatch_operator.engine.packing import pack, trimmed, unpack
from awsbatch_operator.engine.queue import Priority

# Longer than any answer can be late: a request to the API server times out after seconds.
TOMBSTONE_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Change:
    """What a put or a drop has changed."""

    key: ObjectKey
    uid: str
    version: int
    resource: Resource | None  # None: it has vanished
    own: bool  # the answer of our own guarded write, so it tells its writer nothing new
    significant: bool  # something that objects which refer to this one look at
    settled: bool  # nothing can happen to it any more unless its spec changes
    newly_settled: bool


@dataclass(frozen=True, slots=True)
class _Entry:
    key: ObjectKey
    uid: str
    version: int
    packed: bytes
    significance: int
    settled: bool
    priority: Priority


def _never(_: Resource) -> bool:
    return False


def _priority(resource: Resource) -> Priority:
    if resource.deleting:
        return Priority.DELETION
    behind = resource.status.get("observedGeneration") != resource.generation
    return Priority.CHANGED if behind else Priority.REST


def key_of(body: Shape) -> ObjectKey:
    """The key of a body. Kind and namespace are interned: thousands of keys share them."""
    metadata = body["metadata"]
    namespace = sys.intern(metadata.get("namespace", ""))
    return ObjectKey(sys.intern(body["kind"]), namespace, metadata["name"])


class Cache:
    """Compact, in memory. For one event loop, no threads.

    `settled` tells cheaply whether an object is finished for good; `significance` is what
    objects that refer to it look at. Both are asked once for each version.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        settled: Callable[[Resource], bool] = _never,
        significance: Callable[[Resource], Hashable] | None = None,
    ) -> None:
        self._clock = clock
        self._is_settled = settled
        self._significance = significance or (lambda resource: resource.resource_version)
        self._kinds: dict[str, dict[ObjectKey, _Entry]] = {}
        self._synced: set[str] = set()
        self._tombstones: dict[str, int] = {}  # uid -> last version known
        self._burials: deque[tuple[float, str]] = deque()
        self._listeners: list[Callable[[Change], None]] = []

    def listen(self, listener: Callable[[Change], None]) -> None:
        """Have every change reported, at once and in order."""
        self._listeners.append(listener)

    def put(self, body: Shape, *, own: bool = False) -> Change | None:
        """Take in a body (kind included). None if it brings nothing new.

        `own`: it is the answer of our own write, made from the version that the writer had seen.
        """
        key, uid = key_of(body), body["metadata"]["uid"]
        version = int(body["metadata"]["resourceVersion"])
        before = self._entry(key)
        if uid in self._tombstones or (before is not None and version < before.version):
            return None
        if before is not None and version == before.version:
            # The watch was faster than the answer: whose version it is, is news all the same.
            return self._report(self._same(before)) if own else None
        if before is not None and before.uid != uid:
            self._bury(before.uid, before.version)
        return self._report(self._replace(trimmed(body), key, before, own=own))

    def drop(self, key: ObjectKey, uid: str) -> Change | None:
        """The object of that uid is gone. None if it was not here."""
        entry = self._entry(key)
        self._bury(uid, entry.version if entry is not None else 0)
        if entry is None or entry.uid != uid:
            return None
        del self._kinds[key.kind][key]
        return self._report(
            Change(
                key=entry.key,
                uid=uid,
                version=entry.version,
                resource=None,
                own=False,
                significant=True,
                settled=entry.settled,
                newly_settled=False,
            )
        )

    def get(self, key: ObjectKey) -> Resource | None:
        """The object as last seen."""
        entry = self._entry(key)
        return None if entry is None else Resource.from_body(unpack(entry.packed))

    def of_kind(self, kind: str) -> Iterator[Resource]:
        """All objects of a kind, each read when it is reached."""
        for entry in tuple(self._kinds.get(kind, {}).values()):
            yield Resource.from_body(unpack(entry.packed))

    def uids(self, kind: str) -> dict[ObjectKey, str]:
        """All keys of a kind with their uids; cheap."""
        return {key: entry.uid for key, entry in self._kinds.get(kind, {}).items()}

    def version(self, key: ObjectKey) -> int | None:
        """The resourceVersion held; cheap."""
        entry = self._entry(key)
        return None if entry is None else entry.version

    def settled(self, key: ObjectKey) -> bool:
        """Whether the object is here and finished for good; cheap."""
        entry = self._entry(key)
        return entry is not None and entry.settled

    def deleting(self, key: ObjectKey) -> bool:
        """Whether the object is here and being deleted; cheap."""
        entry = self._entry(key)
        return entry is not None and entry.priority is Priority.DELETION

    def priority(self, key: ObjectKey) -> Priority:
        """How urgent a turn for the object is; cheap."""
        entry = self._entry(key)
        return Priority.REST if entry is None else entry.priority

    def synced(self, kind: str) -> bool:
        """Whether all objects of the kind have been listed at least once."""
        return kind in self._synced

    def mark_synced(self, kind: str) -> None:
        """All objects of the kind have been put."""
        self._synced.add(kind)

    def __contains__(self, key: ObjectKey) -> bool:
        return self._entry(key) is not None

    def __len__(self) -> int:
        return sum(len(entries) for entries in self._kinds.values())

    def _entry(self, key: ObjectKey) -> _Entry | None:
        entries = self._kinds.get(key.kind)
        return None if entries is None else entries.get(key)

    def _replace(self, body: Shape, key: ObjectKey, before: _Entry | None, *, own: bool) -> Change:
        resource = Resource.from_body(body)
        settled = not resource.deleting and self._is_settled(resource)
        entry = _Entry(
            key=before.key if before is not None else key,
            uid=resource.uid,
            version=int(resource.resource_version),
            packed=pack(body, tightly=settled),
            significance=hash(self._significance(resource)),
            settled=settled,
            priority=_priority(resource),
        )
        self._kinds.setdefault(key.kind, {})[entry.key] = entry
        return Change(
            key=entry.key,
            uid=entry.uid,
            version=entry.version,
            resource=resource,
            own=own,
            significant=before is None or before.significance != entry.significance,
            settled=entry.settled,
            newly_settled=entry.settled and (before is None or not before.settled),
        )

    def _same(self, entry: _Entry) -> Change:
        return Change(
            key=entry.key,
            uid=entry.uid,
            version=entry.version,
            resource=Resource.from_body(unpack(entry.packed)),
            own=True,
            significant=False,
            settled=entry.settled,
            newly_settled=False,
        )

    def _report(self, change: Change) -> Change:
        for listener in self._listeners:
            listener(change)
        return change

    def _bury(self, uid: str, version: int) -> None:
        now = self._clock.monotonic()
        while self._burials and self._burials[0][0] < now - TOMBSTONE_SECONDS:
            self._tombstones.pop(self._burials.popleft()[1], None)
        if uid not in self._tombstones:
            self._tombstones[uid] = version
            self._burials.append((now, uid))
