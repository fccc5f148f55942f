"""The whole operator in one process, over a simulated AWS and an in-memory Kubernetes.

Nothing waits and nothing is random: one thread, one stepped clock that both sides follow. The world
(AWS, Kubernetes, the time) outlives any number of operators that are started in it, and killed.
"""

import asyncio
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from prometheus_client import CollectorRegistry
from tests.support.clock import SteppedClock, settle
from tests.support.crashing import CrashingKube, CrashingWire, Points, ProcessDied
from tests.support.installation import FreeFence, aws_models, definitions
from tests.support.memory_kube import MemoryKube

from awsbatch_operator.assembly import Edges, Operator, assemble
from awsbatch_operator.aws.runner import InlineRunner
from awsbatch_operator.settings import Settings
from awsbatch_operator.telemetry.metrics import Metrics
from awsbatch_simulator import assembly
from awsbatch_simulator.assembly import Simulator
from awsbatch_simulator.clock import SimulatedClock
from awsbatch_simulator.inprocess import InProcess
from awsbatch_simulator.limits import RequestLimits
from awsbatch_simulator.protocol.codec import Codec
from awsbatch_simulator.settings import Settings as SimulatorSettings

ROOT = Path(__file__).resolve().parents[2]
CLUSTER = "crash-test"
HOURS = 3600.0
READ_TIMEOUT = 10.0


class World:
    """What outlives a process."""

    def __init__(self, codec: Codec | None = None) -> None:
        self.clock = SteppedClock()
        self.simulator: Simulator = assembly.build(
            clock=SimulatedClock(stepped=True, start=self.clock.now().epoch),
            settings=SimulatorSettings(limits=RequestLimits(enabled=False)),
            ids=random.Random(1),
            secrets=random.Random(2),
            codec=codec,
        )
        self.kube = MemoryKube(definitions(), clock=self.clock)
        self._transport = InProcess(
            self.simulator,
            on_call=lambda *_: self.catch_up(),
            read_timeout=READ_TIMEOUT,
            sleep=self.clock.skip,
        )

    def catch_up(self) -> None:
        """Let the simulated AWS live until the moment that the operator lives in."""
        behind = self.clock.now().epoch - self.simulator.world.clock.now()
        if behind > 0:
            self.simulator.world.advance(behind)

    @property
    def batch(self) -> Any:
        """The simulated Batch's store."""
        self.catch_up()
        return self.simulator.world.region(self.simulator.place).batch

    @property
    def credentials(self) -> dict[str, str]:
        """Environment variables that let boto3 sign as somebody whom the simulator knows."""
        key = self.simulator.key
        return {
            "AWS_ACCESS_KEY_ID": key.access_key_id,
            "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    @property
    def wire(self) -> Callable[..., Any]:
        """The simulated AWS as a botocore `before-send` handler."""
        return self._transport


class Life:
    """One process of the operator, from its start to its death."""

    def __init__(self, world: World, points: Points) -> None:
        self._world = world
        self._points = points
        self._tasks: list[asyncio.Task[Any]] = []
        self._forget: Callable[[], None] = lambda: None
        wire = CrashingWire(points, world.wire)
        self.metrics = Metrics(CollectorRegistry())
        settings = Settings(
            cluster_id=CLUSTER,
            identity="test",
            lease_namespace="default",
            region=world.simulator.place.region,
            workers=4,
        )
        self.operator: Operator = assemble(
            settings,
            Edges(
                kube=CrashingKube(points, world.kube),
                clock=world.clock,
                random=random.Random(7),
                metrics=self.metrics,
                fence=FreeFence(),
                runner=InlineRunner(),
                on_client=wire.connect,
                loader=aws_models(),
            ),
        )
        self.operator.leadership.at = world.clock.now()

    def start(self) -> None:
        """Begin to work."""
        operator = self.operator
        self._forget = self._world.kube.subscribe(operator.engine.on_event)
        spawn = asyncio.get_running_loop().create_task
        self._tasks = [
            spawn(operator.engine.run(asyncio.Event())),
            spawn(operator.recorder.run()),
            spawn(operator.aws.run()),
        ]

    async def end(self) -> None:
        """Be gone, with all memory. What is under way makes no further call."""
        self._forget()
        self._points.dead = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._points.revive()

    async def run_until(self, condition: Callable[[], bool], *, within: float = 6 * HOURS) -> bool:
        """Let time pass until the condition holds (True) or the process dies (False).

        AssertionError if neither comes to pass within that many seconds.
        """
        clock = self._world.clock
        deadline = clock.monotonic() + within
        while True:
            await settle()
            if _died(self._tasks):
                return False
            if condition():
                return True
            due = clock.next_due()
            if due is None or clock.monotonic() + due > deadline:
                raise AssertionError(self._stuck())
            await clock.advance(due)

    def _stuck(self) -> str:
        kube = self._world.kube
        bodies = [body for kind in kube.definitions for body in kube.objects.of_kind(kind)]
        return "it never ends:\n" + yaml.safe_dump(bodies)


def _died(tasks: list[asyncio.Task[Any]]) -> bool:
    """Whether the process was killed. Any other end of a part is a fault of the operator."""
    for task in tasks:
        if task.done():
            try:
                task.result()
            except ProcessDied:
                return True
            raise AssertionError("a part of the operator has ended without being told to")
    return False
