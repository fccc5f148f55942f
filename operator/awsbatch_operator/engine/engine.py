"""The engine: takes changes in, hands keys to workers, keeps everything in sync, and stops."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from random import Random
from typing import Any

import structlog

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import ObjectKey, Resource, Shape
from awsbatch_operator.engine.cache import Cache, Change, key_of
from awsbatch_operator.engine.engine_settings import Ended, EngineSettings
from awsbatch_operator.engine.parts import Parts
from awsbatch_operator.engine.queue import WorkQueue
from awsbatch_operator.engine.reconciler import Reconciler
from awsbatch_operator.engine.references import ReferenceIndex
from awsbatch_operator.engine.resync import Resync
from awsbatch_operator.engine.store import Store
from awsbatch_operator.engine.troubles import Troubles
from awsbatch_operator.engine.turns import Turns
from awsbatch_operator.engine.wakes import Wakes
from awsbatch_operator.kube.port import KubeError, KubePort
from awsbatch_operator.telemetry.metrics import Metrics
from awsbatch_operator.waiting import first_of, until_set

Work = Callable[[], Coroutine[Any, Any, None]]

_log = structlog.get_logger(__name__)


def _nothing(_: Resource) -> Iterable[ObjectKey]:
    return ()


class Engine:
    """Turns of one reconciler for all objects, until it is told to stop.

    `kinds` are listed and compared by the pass over all objects; `targets` tells which objects
    another refers to, and `kept` which of them are kept for its sake although nothing can happen to
    it any more. `listed` is set once all objects have been listed. Runs on its clock, in one
    event loop, without threads. Runs once.
    """

    def __init__(
        self,
        *,
        reconciler: Reconciler,
        cache: Cache,
        queue: WorkQueue[ObjectKey],
        store: Store,
        kube: KubePort,
        kinds: Sequence[str],
        index: ReferenceIndex,
        targets: Callable[[Resource], Iterable[ObjectKey]],
        kept: Callable[[Resource], Iterable[ObjectKey]] = _nothing,
        clock: Clock,
        random: Random,
        metrics: Metrics,
        settings: EngineSettings | None = None,
    ) -> None:
        self._cache = cache
        self._queue = queue
        self._index = index
        self._targets, self._kept = targets, kept
        self._clock, self._random, self._metrics = clock, random, metrics
        self._settings = settings or EngineSettings()
        self._store, self._troubles = store, Troubles(clock=clock, answers=lambda: store.answers)
        self._wakes, self._pace = Wakes(self.wake), store.pace
        parts = Parts(
            cache=cache,
            queue=queue,
            store=store,
            kube=kube,
            clock=clock,
            random=random,
            metrics=metrics,
            settings=self._settings,
        )
        self._turns = Turns(parts, reconciler, self._troubles)
        self._resync = Resync(parts, kinds)
        self.listed, self._unlisted = asyncio.Event(), ""  # why not all could be listed yet
        self._tasks: set[asyncio.Task[None]] = set()
        cache.listen(self._absorb)

    def on_event(self, event: str | None, body: Shape) -> None:
        """Take in an event of a watch: None (listed), "ADDED", "MODIFIED" or "DELETED"."""
        if body["metadata"].get("namespace") in self._settings.excluded_namespaces:
            return
        self._metrics.watched(body["kind"], event or "LISTED")
        if event == "DELETED":
            self._cache.drop(key_of(body), body["metadata"]["uid"])
        else:
            self._cache.put(body)

    def wake(self, key: ObjectKey) -> None:
        """Have a turn for this object soon, unless it is settled or not here (any more)."""
        if key in self._cache and not self._cache.settled(key):
            self._queue.add(key)

    def trouble(self) -> str | None:
        """What keeps the engine from work on all objects of a kind, and what helps."""
        return self._unlisted or self._store.trouble()

    @property
    def idle(self) -> bool:
        """Whether all objects have been listed, and no turn is under way or waiting now."""
        return self.listed.is_set() and self._queue.idle and self._wakes.idle

    async def run(self, stop: asyncio.Event) -> Ended:
        """List everything, then work until `stop` is set, then let the turns under way end.

        A BaseException from a turn ends the run at once with that error: no other turn takes
        another step. Whoever gets an error, or cancels this, must not release the lease.
        """
        workers = {self._spawn(self._work) for _ in range(self._settings.workers)}
        others = {
            self._spawn(self._queue.run_timers),
            self._spawn(self._keep_in_sync),
            self._spawn(self._wakes.run),
            self._spawn(self._troubles.run),
        }
        self._tasks = workers | others
        stopping = asyncio.create_task(until_set(stop))
        try:
            await asyncio.wait({stopping, *self._tasks}, return_when=asyncio.FIRST_COMPLETED)
            self._raise_failure()
            if not stop.is_set():
                raise RuntimeError("the engine's tasks were cancelled from outside")
            return await self._drain(workers)
        finally:
            for task in (stopping, *self._tasks):
                task.cancel()
            await asyncio.gather(stopping, *self._tasks, return_exceptions=True)

    async def _drain(self, workers: set["asyncio.Task[None]"]) -> Ended:
        """Begin nothing new, and wait for the turns under way as long as the settings allow."""
        self._queue.close()
        deadline = self._clock.monotonic() + self._settings.drain_seconds
        while self._turns.under_way and (left := deadline - self._clock.monotonic()) > 0:
            pending = {task for task in workers if not task.done()}
            await first_of(self._clock.sleep(left), _until_one_ends(pending))
            self._raise_failure()
        in_flight = self._turns.in_flight
        if in_flight:
            _log.warning("stopped with turns under way", objects=[str(key) for key in in_flight])
        return Ended(in_flight)

    def _raise_failure(self) -> None:
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()

    def _spawn(self, work: Work) -> "asyncio.Task[None]":
        return asyncio.create_task(self._guarded(work))

    async def _guarded(self, work: Work) -> None:
        """What ends one task ends the run.

        The others are cancelled from here, because some of them may be due to take their next step
        before run() gets to know.
        """
        try:
            await work()
        except BaseException:
            for task in self._tasks - {asyncio.current_task()}:
                task.cancel()
            raise

    async def _work(self) -> None:
        await self.listed.wait()
        while (key := await self._queue.take()) is not None:
            if self._cache.settled(key):
                self._queue.done(key)
            else:
                await self._pace.go()
                await self._turns.take(key)

    async def _keep_in_sync(self) -> None:
        """Fill the cache, however often that has to be tried, and compare for ever after."""
        settings = self._settings
        while not await self._passed(self._filled()):
            await self._clock.sleep(self._jittered(settings.first_list_retry_seconds))
        self.listed.set()
        while True:
            if not await self._passed(self._resync.compare()):
                await self._clock.sleep(self._jittered(settings.resync_seconds / 10))

    async def _filled(self) -> None:
        """List everything for the first time. Raises KubeError, and keeps why for `trouble`."""
        denied: list[str] = []

        def note(error: KubeError, kind: str) -> None:
            denied.append(str(error))
            self._troubles.failed(error, kind=kind)

        try:
            await self._resync.fill(note)
        except KubeError as error:
            self._unlisted = "\n".join(denied) or str(error)
            raise
        self._unlisted = ""

    async def _passed(self, one_pass: Coroutine[Any, Any, None]) -> bool:
        """Whether a pass over all objects came to its end."""
        try:
            await one_pass
        except KubeError as error:
            self._metrics.resync("failed")
            self._troubles.failed(error, kind=self._resync.kind)
            return False
        self._metrics.resync("ok")
        return True

    def _jittered(self, seconds: float) -> float:
        jitter = self._settings.resync_jitter
        return seconds * (1 + self._random.uniform(-jitter, jitter))

    def _absorb(self, change: Change) -> None:
        """Take in a change of the cache: wake the object, its users, and targets it lets go."""
        let_go = self._reindex(change)
        if change.significant:
            self._wakes.all(self._index.users(change.key))
        for target in let_go:
            if self._cache.deleting(target):
                self.wake(target)  # its deletion may have waited for this
        if not change.settled and not self._turns.sees(change):
            self._queue.add(change.key)

    def _reindex(self, change: Change) -> Sequence[ObjectKey]:
        """Keep the reference index; returns the targets that need not mind this object any more.

        A settled object is no user of what lives: nothing wakes it, and no target waits for it.
        """
        if change.resource is None:
            return self._index.drop(change.key)
        if change.settled:
            return self._index.put(change.key, self._kept(change.resource))
        return self._index.put(change.key, self._targets(change.resource))


async def _until_one_ends(tasks: set["asyncio.Task[None]"]) -> None:
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
