"""All objects as last seen, from the watch, from lists and from the answers of our own writes.

Three ways in, in any order, so the rule is the same for all: the newest resourceVersion wins, and
an object that was seen to vanish does not come back. API servers of custom resources hand out
decimal versions that grow across all objects of the cluster, so they can be compared.

The rule has one exception. When etcd is restored from a backup, versions start again from an
earlier number and objects that were deleted are back; by the rule alone, what is held here would
then be taken for newer for ever. A live read that was sent after something was held tells: it is
answered by a quorum, so when it is older nothing can be newer. `confirm` takes such an answer in.
"""

import sys
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import ObjectKey, Resource, Shape
from awsbatch_operator.engine.decoded import Decoded
from awsbatch_operator.engine.owner_account import account_of
from awsbatch_operator.engine.packing import abridged, pack, trimmed, unpack
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


@dataclass(frozen=True, slots=True)
class Held:
    """What the cache holds under a key at one moment; the key may be unknown."""

    uid: str | None
    version: int | None
    burials: int  # how many objects had been seen to vanish by then


@dataclass(frozen=True, slots=True)
class _Entry:
    key: ObjectKey
    uid: str
    version: int
    packed: bytes  # the trimmed body; of a settled object the abridged one
    significance: int
    settled: bool
    priority: Priority
    account: str


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

    Of a settled object only what others look at is held (`packing.abridged`): `get` answers with
    that, and its spec is empty. Whoever needs all of it reads it live, by `Store.whole`. A finished
    object that is edited or deleted comes through the watch as a whole, and is not settled then.
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
        self._newest = 0
        self._tombstones: dict[str, int] = {}  # uid -> the number of its burial
        self._burials: deque[tuple[float, str, int]] = deque()
        self._buried = 0
        self._decoded = Decoded()
        self._listeners: list[Callable[[Change], None]] = []

    def listen(self, listener: Callable[[Change], None]) -> None:
        """Have every change reported, at once and in order."""
        self._listeners.append(listener)

    def put(
        self, body: Shape, *, own: bool = False, resource: Resource | None = None
    ) -> Change | None:
        """Take in a body (kind included). None if it brings nothing new.

        `own`: it is the answer of our own write, made from the version that the writer had seen.
        `resource` is what was read of the body already, if anybody has: trimmed, as is the body.
        """
        key, uid = key_of(body), body["metadata"]["uid"]
        version = int(body["metadata"]["resourceVersion"])
        before = self._entry(key)
        if self._is_buried(uid) or (before is not None and version < before.version):
            return None
        if before is not None and version == before.version:
            # The watch was faster than the answer: whose version it is, is news all the same.
            return self._report(self._same(before, body, resource)) if own else None
        return self._take_in(body, key, own=own, resource=resource)

    def confirm(self, body: Shape, before: Held) -> Change | None:
        """Take in the answer of a live read; `before` is what was held when it was sent.

        If that is still all that is known, the answer stands whatever its version, and an object
        that had vanished by then is there again. If something has come in meanwhile, the usual rule
        decides: it may be newer than the answer. None if it brings nothing new.
        """
        key, uid = key_of(body), body["metadata"]["uid"]
        version = int(body["metadata"]["resourceVersion"])
        if self._is_buried(uid) and self._tombstones[uid] <= before.burials:
            del self._tombstones[uid]
        entry = self._entry(key)
        unchanged = entry is not None and (entry.uid, entry.version) == (before.uid, before.version)
        if unchanged and not self._is_buried(uid) and version < (before.version or 0):
            return self._take_in(body, key, own=False)
        return self.put(body)

    def drop(self, key: ObjectKey, uid: str) -> Change | None:
        """The object of that uid is gone. None if it was not here."""
        entry = self._entry(key)
        self._bury(uid)
        if entry is None or entry.uid != uid:
            return None
        del self._kinds[key.kind][key]
        self._decoded.forget(key)
        gone = Change(
            entry.key, uid, entry.version, None, own=False, significant=True, settled=entry.settled
        )
        return self._report(gone)

    def get(self, key: ObjectKey) -> Resource | None:
        """The object as last seen; a settled one abridged."""
        entry = self._entry(key)
        return None if entry is None else self._decoded.get(key, entry.packed)

    def of_kind(self, kind: str) -> Iterator[Resource]:
        """All objects of a kind, each read when it is reached; settled ones abridged."""
        for entry in tuple(self._kinds.get(kind, {}).values()):
            yield Resource.from_body(unpack(entry.packed))

    def keys(self, kind: str) -> set[ObjectKey]:
        """All keys of a kind; a copy, cheap even of 100,000."""
        return set(self._kinds.get(kind, ()))

    def count(self, kind: str) -> int:
        """How many objects of a kind are here."""
        return len(self._kinds.get(kind, ()))

    @property
    def newest(self) -> int:
        """The greatest resourceVersion ever held; 0 before the first."""
        return self._newest

    def version(self, key: ObjectKey) -> int | None:
        """The resourceVersion held; cheap."""
        entry = self._entry(key)
        return None if entry is None else entry.version

    def held(self, key: ObjectKey) -> Held:
        """What is held now, to be handed to `confirm` with the answer of a live read; cheap."""
        entry = self._entry(key)
        if entry is None:
            return Held(None, None, self._buried)
        return Held(entry.uid, entry.version, self._buried)

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

    def account(self, key: ObjectKey) -> str:
        """To which account the object's turns are counted; "" if it is not here. Cheap."""
        entry = self._entry(key)
        return "" if entry is None else entry.account

    def __contains__(self, key: ObjectKey) -> bool:
        return self._entry(key) is not None

    def __len__(self) -> int:
        return sum(len(entries) for entries in self._kinds.values())

    def _entry(self, key: ObjectKey) -> _Entry | None:
        entries = self._kinds.get(key.kind)
        return None if entries is None else entries.get(key)

    def _take_in(
        self, body: Shape, key: ObjectKey, *, own: bool, resource: Resource | None = None
    ) -> Change:
        before = self._entry(key)
        if resource is None:
            body = trimmed(body)
            resource = Resource.from_body(body, before=self._decoded.last(key))
        settled = not resource.deleting and self._is_settled(resource)
        entry = _Entry(
            key=before.key if before is not None else key,
            uid=resource.uid,
            version=int(resource.resource_version),
            packed=pack(abridged(body) if settled else body),
            significance=hash(self._significance(resource)),
            settled=settled,
            priority=_priority(resource),
            account=sys.intern(account_of(resource)),
        )
        if before is not None and before.uid != entry.uid:
            self._bury(before.uid)
        if settled:
            self._decoded.forget(key)  # it is abridged, and hardly ever looked at again
        else:
            self._decoded.keep(entry.key, entry.packed, resource)
        self._newest = max(self._newest, entry.version)
        self._kinds.setdefault(key.kind, {})[entry.key] = entry
        return self._report(
            Change(
                key=entry.key,
                uid=entry.uid,
                version=entry.version,
                resource=resource,
                own=own,
                significant=before is None or before.significance != entry.significance,
                settled=settled,
            )
        )

    def _same(self, entry: _Entry, body: Shape, resource: Resource | None) -> Change:
        return Change(
            key=entry.key,
            uid=entry.uid,
            version=entry.version,
            resource=resource or Resource.from_body(trimmed(body)),
            own=True,
            significant=False,
            settled=entry.settled,
        )

    def _report(self, change: Change) -> Change:
        for listener in self._listeners:
            listener(change)
        return change

    def _is_buried(self, uid: str) -> bool:
        """Whether the object was seen to vanish, not so long ago that no answer is that late."""
        oldest = self._clock.monotonic() - TOMBSTONE_SECONDS
        while self._burials and self._burials[0][0] < oldest:
            _, past, number = self._burials.popleft()
            if self._tombstones.get(past) == number:
                del self._tombstones[past]
        return uid in self._tombstones

    def _bury(self, uid: str) -> None:
        if not self._is_buried(uid):
            self._buried += 1
            self._tombstones[uid] = self._buried
            self._burials.append((self._clock.monotonic(), uid, self._buried))
