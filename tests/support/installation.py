"""The operator installed in a cluster, with what a user and AWS see of it."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import boto3
from tests.support import rights
from tests.support.lagging import Lagging
from tests.support.one_process import CLUSTER, Process, World, aws_models
from tests.support.reading import messages_of, reads_badly

from awsbatch_operator.api.conditions import condition
from awsbatch_operator.api.metadata import API_VERSION, ObjectKey
from awsbatch_operator.assembly import CLUSTER_SCOPED
from awsbatch_simulator.assembly import Simulator
from awsbatch_simulator.faults import FaultSpec
from awsbatch_simulator.inprocess import session

ACCOUNT = "111122223333"
NAMESPACE = "science"
_READS = ("Describe", "List", "Get", "AssumeRole", "Try")


def manifest(key: ObjectKey, spec: Mapping[str, Any], **metadata: Any) -> dict[str, Any]:
    """An object as a user writes it."""
    place = {} if key.kind in CLUSTER_SCOPED else {"namespace": key.namespace}
    return {
        "apiVersion": API_VERSION,
        "kind": key.kind,
        "metadata": {"name": key.name, **place, **metadata},
        "spec": dict(spec),
    }


class Installation(World):
    """A world with one operator in it, that can be started and stopped, and what people see.

    The operator may do what its policies in deploy/iam allow and nothing else, so a call of which
    they know nothing fails; `roles` may be passed besides those that stand there, and with
    `limited=False` it may do everything.
    """

    def __init__(
        self,
        simulator: Simulator | None = None,
        *,
        limited: bool = True,
        roles: Iterable[str] = rights.OWN_ROLES,
        **settings: Any,
    ) -> None:
        super().__init__(simulator, namespaces={NAMESPACE: {"team": "climate"}, "other": {}})
        if limited:
            rights.enforce(self.simulator, settings.get("cluster_id", CLUSTER), roles)
        self.calls: list[str] = []
        self.badly_said: set[str] = set()  # of all messages that anybody was shown
        self._wired = self.wire(self._called)
        self._tries = False  # the call that is under way is a trial
        self.lagging = Lagging(self.answers, lambda: self.clock.now().epoch)
        self._settings = settings
        self._process: Process | None = None  # the operator that runs, or ran last
        self._session: boto3.Session | None = None
        self._clients: dict[
            tuple[str, str | None], Any
        ] = {}  # each takes a tenth of a second to make

    def answers(self, request: Any, event_name: str, **context: Any) -> Any:
        """AWS's, with a note of what is only a trial (DryRun); that of a launch counts as one."""
        body = request.body if isinstance(request.body, bytes) else str(request.body).encode()
        launch = event_name.endswith(".RunInstances")
        self._tries = b"DryRun=true" in body and not launch
        return self._wired(request=request, event_name=event_name, **context)

    def _called(self, service: str, operation: str) -> None:
        self.calls.append(f"{service}:{'Try' if self._tries else ''}{operation}")

    def _read(self, body: Mapping[str, Any]) -> None:
        self.badly_said |= {bad for text in messages_of(body) if (bad := reads_badly(text))}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The operator at work, knowing nothing at first; ended cleanly afterwards."""
        with self.credentials():
            process = Process(self, on_client=self.lagging.connect, **self._settings)
            self._process = process
            stop_reading = self.kube.subscribe(lambda _, body: self._read(body))
            process.start()
            await self.clock.advance(0)
            try:
                yield
                process.check()
            finally:
                await process.stop()
                stop_reading()
            for event in self.kube.events.values():
                self._read(event)
            assert not self.badly_said, sorted(self.badly_said)

    # --- what a user does and sees ---------------------------------------------------------------

    def apply(self, key: ObjectKey, spec: Mapping[str, Any], **metadata: Any) -> None:
        self.kube.apply(manifest(key, spec, **metadata))

    def remove(self, key: ObjectKey) -> None:
        self.kube.remove(key)

    def named(self, text: str) -> str:
        """What a name of a table's row is here: itself, since nobody else is in this world."""
        return text

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

    async def run_until(self, condition: Callable[[], bool], *, within: float = 300) -> float:
        return await self.clock.run_until(condition, within=within)

    async def until_ready(self, *keys: ObjectKey, within: float = 300) -> float:
        """Seconds that it took."""
        return await self.clock.run_until(lambda: self.ready(*keys), within=within)

    async def until(self, key: ObjectKey, name: str, reason: str = "", within: float = 300) -> str:
        """Wait for the condition; its message."""
        await self.clock.run_until(lambda: self.is_true(key, name, reason), within=within)
        return str(self.condition(key, name)["message"])

    async def until_gone(self, *keys: ObjectKey, within: float = 600) -> float:
        return await self.clock.run_until(lambda: self.gone(*keys), within=within)

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the operator's metric over all samples that carry these labels."""
        assert self._process is not None, "no operator has been started"
        return sum(
            sample.value
            for family in self._process.metrics.registry.collect()
            for sample in family.samples
            if sample.name == f"awsbatch_operator_{name}"
            and labels.items() <= sample.labels.items()
        )

    # --- AWS, past the operator ---

    def aws(self, service: str = "batch", region: str | None = None) -> Any:
        """A boto3 client of somebody else in the same account; without a region, in its own."""
        if self._session is None:
            key = self.simulator.keys.create(ACCOUNT, "somebody")
            self._session = session(self.simulator, self.wire(), loader=aws_models(), key=key)
        if (service, region) not in self._clients:
            self._clients[service, region] = self._session.client(service, region_name=region)
        return self._clients[service, region]

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
