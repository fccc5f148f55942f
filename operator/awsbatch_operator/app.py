"""The operator as a process: leadership around everything, and a clean end.

Order of a life: endpoints, lease, CRDs served, watch and engine and pollers together; on SIGTERM no
new work, calls in flight to their end, events out, lease released. Whatever else ends one of the
parts ends the process: a restart begins from the world as it is, and loses nothing.
"""

import asyncio
import os
import random
import signal
import uuid
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import CollectorRegistry

from awsbatch_operator import heap
from awsbatch_operator.api.scope import LeaseLostError
from awsbatch_operator.assembly import Edges, Operator, assemble, watched_kinds
from awsbatch_operator.aws.runner import ThreadRunner
from awsbatch_operator.engine.clock import SystemClock
from awsbatch_operator.engine.elector import Elector
from awsbatch_operator.engine.engine import Engine
from awsbatch_operator.engine.engine_settings import Ended
from awsbatch_operator.engine.fence import LeaseFence
from awsbatch_operator.engine.lease import LeaseSettings
from awsbatch_operator.kube.client import KubeClient
from awsbatch_operator.kube.connection import Location
from awsbatch_operator.readiness import Readiness, introduced, trouble_with_aws
from awsbatch_operator.settings import Settings
from awsbatch_operator.telemetry.http import Endpoints
from awsbatch_operator.telemetry.metrics import Metrics
from awsbatch_operator.telemetry.pauses import LoopPauses
from awsbatch_operator.visibility import measure_process
from awsbatch_operator.watch.discovery import Discovery
from awsbatch_operator.watch.stream import Target
from awsbatch_operator.watch.watch import Watch

FIRST_TURNS_SECONDS = 60.0  # after the first pass; by then clients are made and models are loaded
EVENTS_SECONDS = 1.0  # on the way out, for events that wait to be sent

_log = structlog.get_logger(__name__)


async def run(settings: Settings, *, loader: Any = None) -> int:
    """Reconcile until SIGTERM or SIGINT; the process's exit code.

    `loader` is botocore's, with the models of AWS's services read already.
    """
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _heed, number, stop)
    clock = SystemClock()
    location = Location.detect(os.environ, home=Path.home())
    kube = await KubeClient.open(
        location, clock=clock, environ=os.environ, namespaces=settings.namespaces
    )
    try:
        code = await Process(settings, clock, kube, location, loader=loader).run(stop)
        _log.info("stopped", exit_code=code)
        return code
    finally:
        await kube.close()


def _heed(number: signal.Signals, stop: asyncio.Event) -> None:
    """Say once that the end begins, and let it begin."""
    if not stop.is_set():
        _log.info("stopping: nothing new is begun", signal=number.name)
    stop.set()


class Process:
    """One replica."""

    def __init__(
        self,
        settings: Settings,
        clock: SystemClock,
        kube: KubeClient,
        location: Location,
        *,
        loader: Any = None,
    ) -> None:
        self._settings = settings
        self._loader = loader
        self._clock = clock
        self._kube = kube
        self._location = location
        self._metrics = Metrics(CollectorRegistry())
        self._fence = LeaseFence(clock)
        self._elector = Elector(
            kube=kube, clock=clock, settings=_lease(settings), fence=self._fence
        )
        kinds = watched_kinds(settings)
        self._discovery = Discovery(kube=kube, kinds=kinds, clock=clock)
        lease, served = self._elector.not_ready, self._discovery.trouble
        self._readiness = Readiness(clock, lease=lease, kinds=served)
        self._pauses = LoopPauses(clock.monotonic, clock.worked)
        measure_process(
            self._metrics,
            leads=lambda: self._elector.leads,
            pause=lambda: self._pauses.longest,
        )

    async def run(self, stop: asyncio.Event) -> int:
        """Serve the endpoints, wait for the lease, lead; 1 if something went wrong."""
        readiness = self._readiness
        endpoints = Endpoints(registry=self._metrics.registry, not_ready=readiness.not_ready)
        await endpoints.start(self._settings.listen_host, self._settings.listen_port)
        self._pauses.watch(asyncio.get_running_loop())
        telling = asyncio.ensure_future(readiness.told())
        try:
            if not await _unless_stopped(self._leadership(stop), stop):
                return 0
            return await self._lead(stop)
        finally:
            telling.cancel()
            self._pauses.stop()
            await endpoints.stop()

    async def _leadership(self, stop: asyncio.Event) -> None:
        """Wait for the lease, and see meanwhile whether our kinds are served.

        A newer version whose CRDs are not there must not count as ready: a rolling update would
        take the older ones away, which can work.
        """
        looking = asyncio.ensure_future(self._discovery.wait(stop))
        try:
            await self._elector.acquire()
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    async def _lead(self, stop: asyncio.Event) -> int:
        keeping = asyncio.ensure_future(self._elector.keep())
        leading = asyncio.ensure_future(self._operate(stop))
        try:
            await asyncio.wait({keeping, leading}, return_when=asyncio.FIRST_COMPLETED)
            if keeping.done():
                keeping.result()
            clean = await leading
        except LeaseLostError as error:
            _log.error("leadership is lost; the process ends", error=str(error))
            return 1
        finally:
            for task in (keeping, leading):
                task.cancel()
            await asyncio.gather(keeping, leading, return_exceptions=True)
        if clean:
            await self._elector.release()
        return 0

    async def _operate(self, stop: asyncio.Event) -> bool:
        """Whether no call to AWS can be under way any more."""
        if not await self._discovery.wait(stop):
            return True
        runner = ThreadRunner(self._settings.aws_threads)
        edges = Edges(
            kube=self._kube,
            clock=self._clock,
            random=random.Random(),  # noqa: S311 - jitter, nothing that must not be guessed
            metrics=self._metrics,
            fence=self._fence,
            runner=runner,
            busy=self._pauses.busy,
            loader=self._loader,
        )
        operator = assemble(self._settings, edges)
        operator.leadership.at = self._elector.won
        self._readiness.ask(
            objects=operator.engine.trouble, aws=lambda: trouble_with_aws(operator.aws)
        )
        try:
            ended = await self._work(operator, stop)
            await operator.recorder.drain(EVENTS_SECONDS)
        finally:
            runner.close()
        return ended.clean and operator.aws.in_flight == 0

    async def _work(self, operator: Operator, stop: asyncio.Event) -> Ended:
        """Run the parts until one of them ends; that is the engine's way out, or an error."""
        target = Target(
            location=self._location,
            environ=os.environ,
            kinds=watched_kinds(self._settings),
            namespaces=self._settings.namespaces,
        )
        watch = Watch(target, kube=self._kube, clock=self._clock, on_event=operator.engine.on_event)
        self._readiness.ask(kinds=watch.trouble)
        engine = asyncio.ensure_future(operator.engine.run(stop))
        parts = {
            engine,
            asyncio.ensure_future(self._watch(watch, operator.engine, stop)),
            asyncio.ensure_future(operator.recorder.run()),
            asyncio.ensure_future(operator.aws.run()),
            asyncio.ensure_future(operator.orphans.run(stop)),
            asyncio.ensure_future(operator.expiry.run()),
            asyncio.ensure_future(introduced(operator.aws, self._clock)),
        }
        try:
            while not engine.done():
                done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
                for part in done - {engine}:
                    part.result()  # some end well: when they are told to stop, or have done it
                    parts.discard(part)
            return engine.result()
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)

    async def _watch(self, watch: Watch, engine: Engine, stop: asyncio.Event) -> None:
        """Watch once the engine has filled its cache.

        The watch begins by listing everything anew. Side by side the two lists would take twice as
        long, and nobody can work before the engine's has ended.
        """
        if await _unless_stopped(engine.listed.wait(), stop):
            heap.spare()
            sparing = asyncio.ensure_future(self._spare())
            try:
                await watch.run(stop)
            finally:
                sparing.cancel()

    async def _spare(self) -> None:
        await self._clock.sleep(FIRST_TURNS_SECONDS)
        heap.spare()


async def _unless_stopped(work: Awaitable[object], stop: asyncio.Event) -> bool:
    """Whether the work came to its end before the stop."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            return False
        working.result()
        return True
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


def _lease(settings: Settings) -> LeaseSettings:
    """A name that is new for every process: a restarted pod is not its former self."""
    return LeaseSettings(
        namespace=settings.lease_namespace,
        name=settings.lease_name,
        identity=f"{settings.identity}_{uuid.uuid4().hex[:8]}",
        duration_seconds=settings.lease_seconds,
        call_seconds=settings.aws_call_seconds,
    )
