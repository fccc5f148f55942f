"""The whole operator in one thread: real life cycles and adapters, Kubernetes in memory, AWS
simulated without sockets, and one stepped clock for all of it.
"""

import asyncio
import functools
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

import boto3
import yaml
from botocore.loaders import Loader, create_loader
from prometheus_client import CollectorRegistry
from tests.support.clock import SteppedClock
from tests.support.lagging import Lagging
from tests.support.memory_kube import MemoryKube
from tests.support.simulated_aws import make_simulator
from tests.support.structural import Definition

from awsbatch_operator.api.conditions import condition
from awsbatch_operator.api.metadata import API_VERSION, ObjectKey
from awsbatch_operator.assembly import CLUSTER_SCOPED, Edges, Operator, assemble
from awsbatch_operator.aws.runner import InlineRunner
from awsbatch_operator.settings import Settings
from awsbatch_operator.telemetry.metrics import Metrics
from awsbatch_simulator.assembly import Simulator
from awsbatch_simulator.faults import FaultSpec
from awsbatch_simulator.inprocess import InProcess, session

CRDS = Path(__file__).resolve().parents[2] / "crds"
ACCOUNT, REGION, CLUSTER = "111122223333", "eu-central-1", "test-cluster"
NAMESPACE = "science"
_READS = ("Describe", "List", "Get", "AssumeRole")


class FreeFence:
    """We always lead."""

    def check(self, seconds: float) -> None:
        """Long enough for any call."""


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


def manifest(key: ObjectKey, spec: Mapping[str, Any], **metadata: Any) -> dict[str, Any]:
    """An object as a user writes it."""
    place = {} if key.kind in CLUSTER_SCOPED else {"namespace": key.namespace}
    return {
        "apiVersion": API_VERSION,
        "kind": key.kind,
        "metadata": {"name": key.name, **place, **metadata},
        "spec": dict(spec),
    }


class Installation:
    """Kubernetes and AWS stay; the operator in between can be started and killed."""

    def __init__(self, simulator: Simulator | None = None, **settings: Any) -> None:
        self.clock = SteppedClock()
        self.simulator = simulator or make_simulator()
        self.kube = MemoryKube(
            definitions(),
            clock=self.clock,
            namespaces={NAMESPACE: {"team": "climate"}, "other": {}},
        )
        self.calls: list[str] = []
        transport = InProcess(self.simulator, on_call=self._called)
        self.lagging = Lagging(transport, lambda: self.clock.now().epoch)
        options = {"cluster_id": CLUSTER, "region": REGION, "identity": "op"} | settings
        self.settings = Settings.model_validate(options)
        self.operator: Operator | None = None
        self._session: boto3.Session | None = None

    # --- time --------------------------------------------------------------------------------

    def _called(self, service: str, operation: str) -> None:
        self.calls.append(f"{service}:{operation}")
        self._catch_up()

    def _catch_up(self) -> None:
        """AWS's time is the operator's."""
        behind = self.clock.now().epoch - self.simulator.world.clock.now()
        if behind > 0:
            self.simulator.world.advance(behind)

    # --- the operator ---------------------------------------------------------------------------

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The operator at work; ended cleanly afterwards."""
        with self._credentials():
            operator = self.start()
            stop = asyncio.Event()
            unsubscribe = self.kube.subscribe(operator.engine.on_event)
            run = asyncio.ensure_future(operator.engine.run(stop))
            parts = [
                asyncio.ensure_future(operator.recorder.run()),
                asyncio.ensure_future(operator.aws.run()),
            ]
            await self.clock.advance(0)
            try:
                yield
                assert not run.done(), run.exception()
            finally:
                unsubscribe()
                stop.set()
                await self.clock.advance(20)
                for part in parts:
                    part.cancel()
                await asyncio.gather(run, *parts, return_exceptions=True)
                self.operator = None

    def start(self) -> Operator:
        """A new operator that knows nothing yet."""
        edges = Edges(
            kube=self.kube,
            clock=self.clock,
            random=Random(1),
            metrics=Metrics(CollectorRegistry()),
            fence=FreeFence(),
            runner=InlineRunner(),
            on_client=self.lagging.connect,
        )
        self.operator = assemble(self.settings, edges)
        self.operator.leadership.at = self.clock.now()
        return self.operator

    @contextmanager
    def _credentials(self) -> Iterator[None]:
        key = self.simulator.key
        ours = {
            "AWS_ACCESS_KEY_ID": key.access_key_id,
            "AWS_SECRET_ACCESS_KEY": key.secret_access_key,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
        rest = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
        with (
            mock.patch.dict(os.environ, rest | ours, clear=True),
            mock.patch("botocore.session.create_loader", return_value=aws_models()),
        ):
            yield

    # --- what a user does and sees ---------------------------------------------------------------

    def apply(self, key: ObjectKey, spec: Mapping[str, Any], **metadata: Any) -> None:
        self.kube.apply(manifest(key, spec, **metadata))

    def status(self, key: ObjectKey) -> dict[str, Any]:
        return dict(self.kube.see(key).get("status", {}))

    def condition(self, key: ObjectKey, name: str) -> dict[str, Any]:
        return dict(condition(self.status(key), name) or {})

    def is_true(self, key: ObjectKey, name: str, reason: str = "") -> bool:
        if not self.kube.exists(key):
            return False
        found = self.condition(key, name)
        current = found.get("observedGeneration") == self.kube.see(key)["metadata"]["generation"]
        return bool(
            current and found.get("status") == "True" and reason in {"", found.get("reason")}
        )

    def ready(self, *keys: ObjectKey) -> bool:
        return all(self.is_true(key, "Ready") for key in keys)

    def gone(self, *keys: ObjectKey) -> bool:
        return not any(self.kube.exists(key) for key in keys)

    async def until_ready(self, *keys: ObjectKey, within: float = 300) -> float:
        """Seconds that it took."""
        return await self.clock.run_until(lambda: self.ready(*keys), within=within)

    async def until(self, key: ObjectKey, name: str, reason: str = "", within: float = 300) -> str:
        """Wait for the condition; its message."""
        await self.clock.run_until(lambda: self.is_true(key, name, reason), within=within)
        return str(self.condition(key, name)["message"])

    async def until_gone(self, *keys: ObjectKey, within: float = 600) -> float:
        return await self.clock.run_until(lambda: self.gone(*keys), within=within)

    # --- AWS, past the operator ---

    def aws(self, service: str = "batch") -> Any:
        """A boto3 client of somebody else in the same account."""
        if self._session is None:
            self._session = session(
                self.simulator,
                InProcess(self.simulator, on_call=lambda *_: self._catch_up()),
                loader=aws_models(),
            )
        return self._session.client(service)

    def fault(self, **spec: Any) -> None:
        self.simulator.world.faults.add(FaultSpec.model_validate(spec))

    def mend(self) -> None:
        self.simulator.world.faults.clear()

    def changes(self) -> list[str]:
        """The operator's calls that change something in AWS, so far."""
        return [call for call in self.calls if not call.partition(":")[2].startswith(_READS)]

    def events(self, key: ObjectKey) -> list[tuple[str, str]]:
        """(reason, note) of the object's events, in the order in which they were made."""
        return [
            (event["reason"], event["note"])
            for event in self.kube.events.values()
            if event["regarding"]["kind"] == key.kind and event["regarding"]["name"] == key.name
        ]
