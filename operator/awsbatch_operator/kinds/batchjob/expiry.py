"""Deletes finished BatchJobs when their ttl has passed.

Twenty thousand finished objects cost nothing until one of them is due: each has a moment in a heap,
and nobody looks at it before. The deletion is guarded by the version that the decision was made of,
so whatever was changed meanwhile, even unseen, keeps the object until that has been looked at.
"""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from typing import Protocol

import structlog

from awsbatch_operator.api.instant import Clock, Instant
from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.engine.cache import Cache, Change
from awsbatch_operator.kinds.batchjob.record import failed_unsubmitted
from awsbatch_operator.kinds.batchjob.ttl import expires
from awsbatch_operator.kube.port import ConflictError, DeniedError, KubeError
from awsbatch_operator.waiting import first_of

RETRY_SECONDS = 10.0
DENIED_SECONDS = 600.0  # a person has to grant the right

_log = structlog.get_logger(__name__)


class Deletions(Protocol):
    """What the store does here."""

    async def delete(self, resource: Resource, *, unchanged: bool) -> None: ...

    async def refresh(self, key: ObjectKey) -> Resource | None: ...


class Expiry:
    """The finished jobs with a ttl, and the moments at which they go.

    Those that another installation than `installation` serves are left to that one.

    `awaited` tells whether a job that has not been submitted depends on the object: it could not
    see any more how that has ended, so the object stays until it is submitted or gone. Tell
    `freed` when that is the case.
    """

    def __init__(
        self,
        *,
        cache: Cache,
        store: Deletions,
        clock: Clock,
        awaited: Callable[[ObjectKey], bool],
        installation: str = "",
    ) -> None:
        self._installation = installation
        self._cache = cache
        self._store = store
        self._clock = clock
        self._awaited = awaited
        self._due: dict[ObjectKey, Instant] = {}
        self._heap: list[tuple[Instant, int, ObjectKey]] = []
        self._closed: dict[str, Instant] = {}  # namespaces, until when nothing is tried there
        self._order = itertools.count()
        self._changed = asyncio.Event()

    def heard(self, change: Change) -> None:
        """Take in a change of the cache."""
        if change.key.kind != "BatchJob":
            return
        resource = change.resource
        ours = resource is not None and not resource.is_served_elsewhere(self._installation)
        due = _due(resource, settled=change.settled) if resource is not None and ours else None
        if due is None:
            self._due.pop(change.key, None)
        elif self._due.get(change.key) != due:
            self._put(change.key, due)

    def freed(self, key: ObjectKey) -> None:
        """No job that has not been submitted depends on this one any more."""
        if key in self._due:
            self._put(key, self._due[key])

    async def run(self) -> None:
        """Delete what falls due, until cancelled."""
        while True:
            self._changed.clear()
            seconds = await self._delete_due()
            if seconds is None:
                await self._changed.wait()
            else:
                await first_of(self._clock.sleep(seconds), self._changed.wait())

    def _put(self, key: ObjectKey, due: Instant) -> None:
        self._due[key] = due
        entry = (due, next(self._order), key)
        heapq.heappush(self._heap, entry)
        if self._heap[0] is entry:
            self._changed.set()

    async def _delete_due(self) -> float | None:
        """Delete all that are due; seconds until the next is, None if there is none."""
        while self._heap:
            due, _, key = self._heap[0]
            if self._due.get(key) == due and (left := due.since(self._clock.now())) > 0:
                return left
            heapq.heappop(self._heap)
            if self._due.get(key) != due or self._awaited(key):
                continue  # something has changed, or it is put in again when it is freed
            opens = self._closed.get(key.namespace)
            if opens is not None and opens > self._clock.now():
                self._put(key, opens)
                continue
            pause = await self._deleted(key)
            if pause:  # behind all that are due by now: it must not keep them waiting for ever
                self._put(key, self._clock.now().plus(pause))
                await self._clock.sleep(pause)
        return None

    async def _deleted(self, key: ObjectKey) -> float:
        """Ask for the deletion; seconds to wait before it is tried again, 0 if that is over."""
        resource = self._cache.get(key)
        if resource is None:
            return 0.0
        try:
            await self._store.delete(resource, unchanged=True)
        except ConflictError:
            return await self._read(resource)
        except DeniedError as error:
            _log.warning("a finished job cannot be deleted", object=str(key), error=str(error))
            self._close(key)
            return 0.0
        except KubeError:
            return RETRY_SECONDS
        self._due.pop(key, None)
        self._closed.pop(key.namespace, None)
        return 0.0

    def _close(self, key: ObjectKey) -> None:
        """Nothing of its namespace is tried for a while, and then another one first.

        It may be about the rights there, or about this one object alone (an admission policy).
        """
        opens = self._clock.now().plus(DENIED_SECONDS)
        self._closed[key.namespace] = opens
        self._put(key, opens.plus(RETRY_SECONDS))

    async def _read(self, before: Resource) -> float:
        """Read it afresh: what has changed is heard of, and decides when it is due."""
        try:
            await self._store.refresh(before.key)
        except KubeError:
            return RETRY_SECONDS
        due = self._due.get(before.key)
        if due is None:
            return 0.0
        now = self._cache.get(before.key)
        if now is not None and now.resource_version != before.resource_version:
            self._put(before.key, due)
            return 0.0
        return RETRY_SECONDS


def _due(resource: Resource, *, settled: bool) -> Instant | None:
    """Nothing is deleted whose end is not confirmed, or of which a job may still be looked for."""
    if settled or failed_unsubmitted(resource):
        return expires(resource)
    return None
