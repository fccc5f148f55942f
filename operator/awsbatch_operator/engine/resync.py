"""The pass over all objects: compare what is held with what is live.

A watch can miss deletions, and nothing else would tell. The first pass lists whole objects and
fills the cache: a plain list is several times faster than a watch's start, and no worker begins
before it has ended. Every later pass reads metadata only, page by page, spread over the whole
interval, so that neither the API server nor the event loop ever has all objects at once.

What a list says is a hint and no proof: it may come from the past, from an API server that lags
behind or has just taken over, and its later pages show the state of the first. So whatever differs
from the cache is read live, one by one, and the live answer counts.
"""

import asyncio
from collections.abc import Callable, Sequence

from awsbatch_operator import heap
from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.engine.cache import key_of
from awsbatch_operator.engine.parts import Parts
from awsbatch_operator.kube.port import PAGE, DeniedError, UnavailableError, only_leaving

SLICE = 50  # objects taken in before other tasks of the loop have their turn


class Resync:
    """List, compare, drop ghosts. Both passes raise KubeError; what was done until then stands."""

    def __init__(self, parts: Parts, kinds: Sequence[str]) -> None:
        self._kube = parts.kube
        self._cache = parts.cache
        self._store = parts.store
        self._clock = parts.clock
        self._random = parts.random
        self._metrics = parts.metrics
        self._settings = parts.settings
        self._kinds = kinds
        self.kind = ""  # that is being read now, or was when the pass broke off

    async def fill(self, denied: Callable[[DeniedError, str], None]) -> None:
        """Put every object into the cache, which tells its listeners.

        A kind that may not be listed does not keep the others from being tried: each is told to
        `denied`, so that whoever grants the rights learns of all that are missing at once. A kind
        whose CRD has gone is left out while the others' go, too.
        """
        refused: tuple[str, DeniedError] | None = None
        for kind in self._kinds:
            self.kind = kind
            try:
                await self._fill(kind)
            except DeniedError as error:
                denied(error, kind)
                refused = (kind, error)
            except UnavailableError:
                if not await self._has_gone(kind):
                    raise
        if refused is not None:
            self.kind, denial = refused
            raise denial

    async def _has_gone(self, kind: str) -> bool:
        """Whether the kind has no objects because its CRD went, and the others' go, too.

        At other times one that is not served may only not be served yet.
        """
        served = await self._kube.served_kinds() & set(self._kinds)
        return kind not in served and await only_leaving(self._kube, served)

    async def _fill(self, kind: str) -> None:
        missing = self._cache.keys(kind)
        count = 0
        async for body in self._kube.list(kind):
            if self._is_excluded(body):
                continue
            self._cache.put(body)
            missing.discard(key_of(body))
            count += 1
            if count % SLICE == 0:
                await asyncio.sleep(0)
            if count % PAGE == 0:
                heap.spare()  # or the collector looks through all that has come so far in one go
        await self._look_for(missing)

    async def compare(self) -> None:
        """One whole pass, spread over the interval of the settings."""
        jitter = self._settings.resync_jitter
        pages = [-(-self._cache.count(kind) // PAGE) for kind in self._kinds]
        # A pause goes before each page, and one before what the last page has left open.
        pause = self._settings.resync_seconds / sum(max(1, number) + 1 for number in pages)

        async def rest() -> None:
            await self._clock.sleep(pause * (1 + self._random.uniform(-jitter, jitter)))

        for kind in self._kinds:
            self.kind = kind
            await rest()
            if kind not in await self._kube.served_kinds():
                if await self._has_gone(kind):
                    self._drop_all(kind)
                continue  # the watch tells that its CRD is missing; the others are compared
            newest, missing = self._cache.newest, self._cache.keys(kind)
            async for page in self._kube.list_metadata(kind):
                for start in range(0, len(page), SLICE):
                    few = [
                        body for body in page[start : start + SLICE] if not self._is_excluded(body)
                    ]
                    missing.difference_update([key_of(body) for body in few])
                    await self._some(few, newest)
                    await asyncio.sleep(0)
                await rest()
            await self._look_for(missing)

    def _drop_all(self, kind: str) -> None:
        """A CRD that is being deleted goes after its last object: what is here are ghosts.

        What is left may be waiting for them, and nothing would tell any more that they have gone.
        """
        for key in self._cache.keys(kind):
            uid = self._cache.held(key).uid
            if uid is not None:
                self._cache.drop(key, uid)
                self._metrics.ghost(kind)

    def _is_excluded(self, body: Shape) -> bool:
        return body["metadata"].get("namespace") in self._settings.excluded_namespaces

    async def _some(self, bodies: Sequence[Shape], newest: int) -> None:
        for body in bodies:
            key = key_of(body)
            if self._differs(key, body, newest):
                await self._store.refresh(key)

    def _differs(self, key: ObjectKey, body: Shape, newest: int) -> bool:
        """Whether the listed version leaves a doubt about what is held.

        An older one than what is held leaves none if that has come since the list began: versions
        up to `newest` were known then, and a list shows the state of its beginning.
        """
        metadata, held = body["metadata"], self._cache.held(key)
        if held.version is None or held.uid != metadata["uid"]:
            return True
        listed = int(metadata["resourceVersion"])
        return listed > held.version or (listed < held.version and held.version <= newest)

    async def _look_for(self, missing: set[ObjectKey]) -> None:
        """Read live what was here before the list began and is not in it; drop what is gone."""
        for key in missing:
            if key not in self._cache:
                continue  # the watch has told meanwhile
            await self._store.refresh(key)
            if key not in self._cache:
                self._metrics.ghost(key.kind)
