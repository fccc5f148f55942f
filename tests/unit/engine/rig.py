"""An engine over Kubernetes in memory, with a reconciler that a test scripts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from prometheus_client import CollectorRegistry
from tests.support.clock import SteppedClock
from tests.support.memory_kube import MemoryKube
from tests.support.structural import Definition

from awsbatch_operator.api.metadata import API_VERSION, ObjectKey, Resource, Shape
from awsbatch_operator.engine.cache import Cache
from awsbatch_operator.engine.engine import Engine
from awsbatch_operator.engine.engine_settings import Ended, EngineSettings
from awsbatch_operator.engine.queue import WorkQueue
from awsbatch_operator.engine.reconciler import Again
from awsbatch_operator.engine.references import ReferenceIndex
from awsbatch_operator.engine.significance import significance
from awsbatch_operator.engine.store import Store
from awsbatch_operator.telemetry.metrics import Metrics

KINDS = ("JobQueue", "BatchJob")


def job(name: str) -> ObjectKey:
    return ObjectKey("BatchJob", "science", name)


def queue(name: str) -> ObjectKey:
    return ObjectKey("JobQueue", "science", name)


def manifest(key: ObjectKey, *refers: ObjectKey, **spec: Any) -> dict[str, Any]:
    """An object as a user writes it; it refers to those others."""
    spec |= {"refers": [[target.kind, target.name] for target in refers]} if refers else {}
    return {
        "apiVersion": API_VERSION,
        "kind": key.kind,
        "metadata": {"name": key.name, "namespace": key.namespace},
        "spec": spec,
    }


def targets_of(resource: Resource) -> Iterable[ObjectKey]:
    return [ObjectKey(kind, "science", name) for kind, name in resource.spec.get("refers", ())]


class ShakyKube(MemoryKube):
    """It can refuse to list, and notes what it is asked for one by one."""

    list_error: BaseException | None = None
    asked: tuple[ObjectKey, ...] = ()

    async def get(self, key: ObjectKey) -> Shape | None:
        self.asked = (*self.asked, key)
        return await super().get(key)

    async def list(self, kind: str) -> AsyncIterator[Shape]:
        if self.list_error:
            raise self.list_error
        async for body in super().list(kind):
            yield body

    async def list_metadata(self, kind: str) -> AsyncIterator[Sequence[Shape]]:
        if self.list_error:
            raise self.list_error
        async for page in super().list_metadata(kind):
            yield page


class Rig:
    """`turn` is what the reconciler does; `turns` are the keys that it was asked for."""

    def __init__(
        self, settings: EngineSettings | None = None, kube: ShakyKube | None = None
    ) -> None:
        self.settings = settings
        self.clock = SteppedClock()
        self.kube = kube or ShakyKube(
            [Definition(kind) for kind in KINDS], clock=self.clock, namespaces={"science": {}}
        )
        self.metrics = Metrics(CollectorRegistry())
        self.cache = Cache(
            clock=self.clock,
            settled=lambda resource: "done" in resource.status,
            significance=significance(),
        )
        self.store = Store(kube=self.kube, cache=self.cache, metrics=self.metrics, clock=self.clock)
        self.queue = self._queue(settings or EngineSettings())
        self.turns: list[ObjectKey] = []
        self.turn: Callable[[ObjectKey], Awaitable[Again]] = self.nothing
        self.stop = asyncio.Event()
        self.ended = Ended()
        self.engine = Engine(
            reconciler=self,
            cache=self.cache,
            queue=self.queue,
            store=self.store,
            kube=self.kube,
            kinds=KINDS,
            index=ReferenceIndex(),
            targets=targets_of,
            clock=self.clock,
            random=Random(2),
            metrics=self.metrics,
            settings=settings,
        )
        self.unwatch = self.kube.subscribe(self.engine.on_event)

    def _queue(self, settings: EngineSettings) -> WorkQueue[ObjectKey]:
        return WorkQueue(
            clock=self.clock,
            random=Random(1),
            lane=self.cache.priority,
            account=self.cache.account,
            takers=settings.workers,
        )

    def restarted(self) -> "Rig":
        """A new process over the same API server."""
        self.unwatch()
        return Rig(self.settings, self.kube)

    async def reconcile(self, key: ObjectKey) -> Again:
        self.turns.append(key)
        return await self.turn(key)

    def count(self, name: str, **labels: str) -> float:
        """The value of one of the operator's metrics."""
        found = self.metrics.registry.get_sample_value(f"awsbatch_operator_{name}", labels)
        return found or 0.0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The engine at work; ended cleanly afterwards."""
        run = asyncio.create_task(self.engine.run(self.stop))
        await self.clock.advance(0)
        try:
            yield
        finally:
            self.stop.set()
            await self.clock.advance(20)
            self.ended = await run

    def resource(self, key: ObjectKey) -> Resource:
        found = self.cache.get(key)
        assert found is not None
        return found

    async def nothing(self, _: ObjectKey) -> Again:
        return Again()
