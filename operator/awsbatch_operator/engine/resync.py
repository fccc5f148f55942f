"""The pass over all objects: list what is live, compare, look at everything again.

A watch can miss deletions, and nothing else would tell. So what the cache has and a full list has
not is asked for once more and then dropped. The first pass fills the cache: a plain paged list is
several times faster than a watch's start, and no worker begins before it has ended.
"""

from collections.abc import Callable, Sequence

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.engine.cache import Cache
from awsbatch_operator.kube.port import KubePort
from awsbatch_operator.telemetry.metrics import Metrics


class Resync:
    """List, compare, drop ghosts, enqueue."""

    def __init__(
        self,
        *,
        kube: KubePort,
        cache: Cache,
        kinds: Sequence[str],
        wake: Callable[[ObjectKey], None],
        metrics: Metrics,
    ) -> None:
        self._kube = kube
        self._cache = cache
        self._kinds = kinds
        self._wake = wake
        self._metrics = metrics

    async def all_kinds(self) -> None:
        """One whole pass. Raises KubeError; what was done until then stands."""
        for kind in self._kinds:
            await self._one_kind(kind)

    async def _one_kind(self, kind: str) -> None:
        before = self._cache.uids(kind)
        async for body in self._kube.list(kind):
            self._cache.put(body)
            before.pop(
                ObjectKey(kind, body["metadata"].get("namespace", ""), body["metadata"]["name"]),
                None,
            )
        self._cache.mark_synced(kind)
        # What is left was there before the list began and is not in it.
        for key, uid in before.items():
            await self._look_for(key, uid)
        for key in self._cache.uids(kind):
            self._wake(key)

    async def _look_for(self, key: ObjectKey, uid: str) -> None:
        live = await self._kube.get(key)
        if live is not None and live["metadata"]["uid"] == uid:
            self._cache.put(live)
        elif self._cache.drop(key, uid) is not None:
            self._metrics.ghost(key.kind)
