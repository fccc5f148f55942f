"""The whole operator in one process: the one place where tests put it together.

Real life cycles and adapters, over a simulated AWS without sockets and a Kubernetes in memory.
Nothing waits and nothing is random: one thread, one stepped clock that both sides follow. The world
(AWS, Kubernetes, the time) outlives any number of operators that are started in it, and ended.
"""

import asyncio
import functools
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

import yaml
from botocore.loaders import Loader, create_loader
from prometheus_client import CollectorRegistry
from tests.support.clock import SteppedClock
from tests.support.memory_kube import MemoryKube
from tests.support.memory_objects import Subscriber
from tests.support.simulated_aws import FreeFence, catch_up, make_simulator
from tests.support.structural import Definition

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.scope import Fence
from awsbatch_operator.assembly import Edges, assemble
from awsbatch_operator.aws.runner import InlineRunner, Runner
from awsbatch_operator.aws.sessions import ClientHook
from awsbatch_operator.kube.port import KubePort
from awsbatch_operator.settings import Settings
from awsbatch_operator.telemetry.metrics import Metrics
from awsbatch_simulator.assembly import Simulator
from awsbatch_simulator.inprocess import InProcess, OnCall

Watch = Callable[[Subscriber], Callable[[], None]]

CRDS = Path(__file__).resolve().parents[2] / "crds"
CLUSTER = "test-cluster"
READ_TIMEOUT = Settings.model_fields["aws_read_timeout"].default
TO_STOP = 20.0  # seconds that an operator has to stop when it is told to


@functools.cache
def aws_models() -> Loader:
    """AWS's models and endpoints, read once for all tests of a process: 0.2 s a time."""
    return create_loader()


@functools.cache
def definitions() -> tuple[Definition, ...]:
    """The CRDs as they are checked in; shared by all tests of a process, never changed."""
    return tuple(
        Definition.from_crd(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
        for path in sorted(CRDS.glob("awsbatch.dev_*.yaml"))
    )


class World:
    """What outlives a process of the operator: Kubernetes, AWS and the time."""

    def __init__(
        self,
        simulator: Simulator | None = None,
        *,
        namespaces: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self.clock = SteppedClock()
        self.simulator = simulator or make_simulator()
        self.kube = MemoryKube(definitions(), clock=self.clock, namespaces=namespaces)

    @property
    def batch(self) -> Any:
        """The simulated Batch's store, as it is now."""
        catch_up(self.simulator, self.clock)
        return self.simulator.world.region(self.simulator.place).batch

    def wire(self, on_call: OnCall = lambda *_: None) -> InProcess:
        """The simulated AWS as a botocore `before-send` handler; `on_call` hears of each call."""

        def called(service: str, operation: str) -> None:
            on_call(service, operation)
            catch_up(self.simulator, self.clock)

        return InProcess(self.simulator, on_call=called, read_timeout=READ_TIMEOUT)

    @contextmanager
    def credentials(self) -> Iterator[None]:
        """Let boto3 sign as somebody whom the simulator knows, and find nothing else of AWS's."""
        key = self.simulator.key
        ours = {
            "AWS_ACCESS_KEY_ID": key.access_key_id,
            "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
        rest = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
        with mock.patch.dict(os.environ, rest | ours, clear=True):
            yield


class Process:
    """One process of the operator, from its start to its end.

    `on_client` connects its AWS clients to the world, `kube` and `watch` stand between it and the
    world's Kubernetes, and `settings` are those that differ from the usual. Its calls run at once
    and it leads for ever, unless `runner` and `fence` say otherwise. It needs `World.credentials`.

    The pass over orphans runs if `orphans` is set: it makes a client of EC2 in each life, which
    takes longer than all else that most tests do.
    """

    def __init__(
        self,
        world: World,
        *,
        on_client: ClientHook,
        kube: KubePort | None = None,
        watch: Watch | None = None,
        runner: Runner | None = None,
        fence: Fence | None = None,
        orphans: bool = False,
        **settings: Any,
    ) -> None:
        self._world = world
        self._sweeps = orphans
        self._watch = watch or world.kube.subscribe
        self._stop = asyncio.Event()
        self._parts: list[asyncio.Task[Any]] = []  # the engine first
        self._unsubscribe: Callable[[], None] = lambda: None
        self.metrics = Metrics(CollectorRegistry())
        usual = {
            "cluster_id": CLUSTER,
            "region": world.simulator.place.region,
            "identity": "op",
        }
        self._operator = assemble(
            Settings.model_validate(usual | settings),
            Edges(
                kube=kube or world.kube,
                clock=world.clock,
                random=Random(1),
                metrics=self.metrics,
                fence=fence or FreeFence(),
                runner=runner or InlineRunner(),
                busy=lambda: None,
                on_client=on_client,
                loader=aws_models(),
            ),
        )
        self._operator.leadership.at = world.clock.now()

    def hear(self, event: str | None, body: Shape) -> None:
        """Take in an event of the watch, at work or not; what it raises would end the operator."""
        self._operator.engine.on_event(event, body)

    def start(self) -> None:
        """Begin to work."""
        operator = self._operator
        self._unsubscribe = self._watch(operator.engine.on_event)
        self._parts = [
            asyncio.ensure_future(operator.engine.run(self._stop)),
            asyncio.ensure_future(operator.recorder.run()),
            asyncio.ensure_future(operator.aws.run()),
            asyncio.ensure_future(operator.expiry.run()),
        ]
        if self._sweeps:
            self._parts.append(asyncio.ensure_future(operator.orphans.run(self._stop)))

    def check(self) -> None:
        """AssertionError if a part has ended without being told to, or the error that ended it."""
        for part in self._parts:
            if part.done():
                part.result()
                raise AssertionError("a part of the operator has ended without being told to")

    async def stop(self) -> None:
        """End it as a signal does; AssertionError if it does not heed it in time."""
        self._unsubscribe()
        self._stop.set()
        await self._world.clock.advance(TO_STOP)
        ended = self._parts[0].done()
        await self._end()
        assert ended, "the operator does not stop when it is told to"

    async def kill(self) -> None:
        """Be gone at once, with all memory."""
        self._unsubscribe()
        await self._end()

    async def _end(self) -> None:
        for part in self._parts:
            part.cancel()
        await asyncio.gather(*self._parts, return_exceptions=True)
