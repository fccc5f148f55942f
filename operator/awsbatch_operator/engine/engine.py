"""The engine: takes changes in, hands keys to workers, and decides what is due when."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random

import structlog

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import ObjectKey, Resource, Shape
from awsbatch_operator.api.scope import LeaseLostError
from awsbatch_operator.engine.cache import Cache, Change, key_of
from awsbatch_operator.engine.queue import Priority, WorkQueue
from awsbatch_operator.engine.reconciler import Reconciler
from awsbatch_operator.engine.references import ReferenceIndex
from awsbatch_operator.engine.resync import Resync
from awsbatch_operator.engine.store import Store
from awsbatch_operator.engine.waiting import first_of
from awsbatch_operator.kube.port import ConflictError, KubeError, KubePort
from awsbatch_operator.telemetry.logs import about
from awsbatch_operator.telemetry.metrics import Metrics

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How the engine runs; times in seconds."""

    workers: int = 32
    resync_seconds: float = 600.0
    resync_jitter: float = 0.1  # of resync_seconds, either way
    resync_retry_seconds: float = 5.0  # until the first pass has succeeded; then a tenth of a pass
    drain_seconds: float = 14.0
    conflicts_in_a_row: int = 5  # repeated at once; further ones with backoff
    conflict_seconds: float = 0.1


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended. With turns in flight the lease must not be released."""

    in_flight: tuple[ObjectKey, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether no call can be under way any more."""
        return not self.in_flight


class Engine:
    """Turns of one reconciler for all objects, until it is told to stop.

    `kinds` are listed and compared by the pass over all objects; `targets` tells which objects
    another refers to. Runs on its clock, in one event loop.
    """

    def __init__(
        self,
        *,
        reconciler: Reconciler,
        cache: Cache,
        queue: WorkQueue,
        store: Store,
        kube: KubePort,
        kinds: Sequence[str],
        index: ReferenceIndex,
        targets: Callable[[Resource], Iterable[ObjectKey]],
        clock: Clock,
        random: Random,
        metrics: Metrics,
        settings: EngineSettings | None = None,
    ) -> None:
        self._reconciler = reconciler
        self._cache = cache
        self._queue = queue
        self._store = store
        self._resync = Resync(kube=kube, cache=cache, kinds=kinds, wake=self.wake, metrics=metrics)
        self._index = index
        self._targets = targets
        self._clock = clock
        self._random = random
        self._metrics = metrics
        self._settings = settings or EngineSettings()
        self._primed = asyncio.Event()
        # The newest version that the turn under way has seen or written itself.
        self._seen: dict[ObjectKey, int] = {}
        self._conflicts: dict[ObjectKey, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        cache.listen(self._absorb)

    def on_event(self, event: str | None, body: Shape) -> None:
        """Take in an event of a watch: None (listed), "ADDED", "MODIFIED" or "DELETED"."""
        if event == "DELETED":
            self._cache.drop(key_of(body), body["metadata"]["uid"])
        else:
            self._cache.put(body)

    def wake(self, key: ObjectKey) -> None:
        """Have a turn for this object soon, unless it is settled."""
        if not self._cache.settled(key):
            self._queue.add(key, self._priority(key))

    @property
    def idle(self) -> bool:
        """Whether all objects have been listed, and no turn is under way or waiting now."""
        return self._primed.is_set() and self._queue.idle

    async def run(self, stop: asyncio.Event) -> Ended:
        """List everything, then work until `stop` is set, then let the turns under way end.

        LeaseLostError from a turn, and any BaseException, end the run at once with that error.
        """
        spawn = asyncio.get_running_loop().create_task
        workers = {spawn(self._work()) for _ in range(self._settings.workers)}
        self._tasks = {*workers, spawn(self._queue.run_timers()), spawn(self._keep_in_sync())}
        stopping = spawn(_wait_for(stop))
        try:
            await asyncio.wait({stopping, *self._tasks}, return_when=asyncio.FIRST_COMPLETED)
            self._raise_failure()
            return await self._drain(workers)
        finally:
            self._tasks.add(stopping)
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _drain(self, workers: set[asyncio.Task[None]]) -> Ended:
        self._queue.close()
        deadline = self._clock.monotonic() + self._settings.drain_seconds
        while (left := deadline - self._clock.monotonic()) > 0 and self._seen:
            pending = {task for task in workers if not task.done()}
            await first_of(self._clock.sleep(left), _any_done(pending))
            self._raise_failure()
        in_flight = tuple(sorted(self._seen))
        if in_flight:
            _log.warning("stopped with turns under way", objects=[str(key) for key in in_flight])
        return Ended(in_flight)

    def _raise_failure(self) -> None:
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()

    async def _work(self) -> None:
        await self._primed.wait()
        try:
            while (key := await self._queue.take()) is not None:
                await self._turn(key)
        except BaseException:
            # Whatever ends one worker ends the run; nobody may take another step before run() has
            # noticed, so the others are cancelled from here.
            for task in self._tasks - {asyncio.current_task()}:
                task.cancel()
            raise

    async def _turn(self, key: ObjectKey) -> None:
        if self._cache.settled(key):
            self._queue.done(key)
            return
        began = self._clock.monotonic()
        self._seen[key] = self._cache.version(key) or 0
        with about(kind=key.kind, namespace=key.namespace, name=key.name):
            try:
                result = await self._attempt(key)
                if (self._cache.version(key) or 0) > self._seen[key]:
                    self.wake(key)  # somebody changed it during the turn
            finally:
                del self._seen[key]
                self._queue.done(key)
        self._metrics.turn(key.kind, result, self._clock.monotonic() - began)

    async def _attempt(self, key: ObjectKey) -> str:
        try:
            again = await self._reconciler.reconcile(key)
        except LeaseLostError:
            raise
        except ConflictError:
            return await self._conflict(key)
        except Exception as error:  # noqa: BLE001 - one object's trouble is not the others'
            return self._failure(key, error)
        self._conflicts.pop(key, None)
        if key not in self._cache:
            self._queue.forget(key)
            return "gone"
        if again.failed:
            self._metrics.retry(key.kind)
            self._queue.retry(key, floor=again.after or 0.0)
            return "retry"
        self._queue.succeeded(key)
        if again.after is not None:
            self._queue.add_after(key, again.after)
        return "ok"

    async def _conflict(self, key: ObjectKey) -> str:
        """Somebody else has written: read the object afresh and take the turn again."""
        conflicts = self._conflicts.get(key, 0) + 1
        self._conflicts[key] = conflicts
        try:
            await self._store.refresh(key)
        except KubeError as error:
            return self._failure(key, error)
        if conflicts > self._settings.conflicts_in_a_row:
            self._metrics.retry(key.kind)
            self._queue.retry(key)
        else:
            self._queue.add_after(key, self._random.uniform(0, self._settings.conflict_seconds))
        return "conflict"

    def _failure(self, key: ObjectKey, error: Exception) -> str:
        if key not in self._cache:  # it went away under the turn, which therefore failed
            self._queue.forget(key)
            return "gone"
        delay = self._queue.retry(key)
        self._metrics.retry(key.kind)
        _log.error(
            "turn failed",
            error=f"{type(error).__name__}: {error}",
            retry_seconds=round(delay, 1),
            exc_info=None if isinstance(error, KubeError) else error,
        )
        return "error"

    async def _keep_in_sync(self) -> None:
        settings = self._settings
        while True:
            try:
                await self._resync.all_kinds()
            except KubeError as error:
                self._metrics.resync("failed")
                _log.warning("could not list all objects", error=str(error))
                delay = settings.resync_seconds / 10
                if not self._primed.is_set():
                    delay = settings.resync_retry_seconds
            else:
                self._metrics.resync("ok")
                self._primed.set()
                delay = settings.resync_seconds
            jitter = self._random.uniform(-settings.resync_jitter, settings.resync_jitter)
            await self._clock.sleep(delay * (1 + jitter))

    def _absorb(self, change: Change) -> None:
        """Take in a change of the cache: the object itself, its users and its targets."""
        key = change.key
        dropped = self._index_change(change)
        if change.significant:
            for user in self._index.users(key):
                self.wake(user)
        for target in dropped:
            if self._cache.deleting(target):
                self.wake(target)  # its deletion may have waited for this
        if change.own:
            if key in self._seen:
                self._seen[key] = max(self._seen[key], change.version)
        elif change.resource is None:
            self._queue.add(key)
        elif not change.settled and key not in self._seen:
            self._queue.add(key, self._priority(key))

    def _index_change(self, change: Change) -> Sequence[ObjectKey]:
        """Keep the index; returns the targets that no longer have to care for this object."""
        if change.resource is None:
            return self._index.drop(change.key)
        dropped = self._index.put(change.key, self._targets(change.resource))
        return self._index.targets(change.key) if change.newly_settled else dropped

    def _priority(self, key: ObjectKey) -> Priority:
        if self._cache.deleting(key):
            return Priority.DELETION
        return Priority.CHANGED if self._cache.behind(key) else Priority.REST


async def _wait_for(event: asyncio.Event) -> None:
    await event.wait()


async def _any_done(tasks: set[asyncio.Task[None]]) -> None:
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
