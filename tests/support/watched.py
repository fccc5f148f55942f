"""A watch on the API server that a test answers for, from its start to its end."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.fake_api_server import FakeApiServer, serving

from awsbatch_operator.engine.clock import SystemClock
from awsbatch_operator.kube.client import KubeClient
from awsbatch_operator.kube.connection import Location
from awsbatch_operator.watch.stream import Target
from awsbatch_operator.watch.watch import Watch


class ImpatientClock(SystemClock):
    """Pauses take no time; `ahead` is what a test moves it on by."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class Watched:
    """The watch, and the task in which it runs."""

    watch: Watch
    running: "asyncio.Task[None]"


@asynccontextmanager
async def watching(
    server: FakeApiServer,
    directory: Path,
    handler: Any = lambda *_: None,
    *kinds: str,
    namespaces: Sequence[str] = (),
    clock: ImpatientClock | None = None,
) -> AsyncIterator[Watched]:
    """Watches widgets and these kinds until the block ends."""
    clock = clock or ImpatientClock()
    async with serving(server, directory) as kubeconfig:
        location = Location(kubeconfig)
        kube = await KubeClient.open(location, clock=clock, environ={})
        target = Target(location, {}, ("Widget", *kinds), namespaces)
        watch = Watch(target, kube=kube, clock=clock, on_event=handler)
        stop = asyncio.Event()
        running = asyncio.create_task(watch.run(stop))
        try:
            yield Watched(watch, running)
        finally:
            stop.set()
            await asyncio.wait({running})
            await kube.close()
