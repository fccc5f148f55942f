"""A life cycle of gadgets, whose turns a test takes one by one, over Kubernetes in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from prometheus_client import CollectorRegistry
from tests.support.clock import SteppedClock
from tests.support.memory_kube import MemoryKube
from tests.support.structural import Definition
from tests.unit.kinds.gadgets import (
    ACCOUNT,
    CLUSTER,
    ONE,
    REGION,
    Gadget,
    GadgetKind,
    missing,
    step,
)

from awsbatch_operator.api.conditions import condition
from awsbatch_operator.api.metadata import API_VERSION, FINALIZER, ObjectKey, Resource, Shape
from awsbatch_operator.api.metadata import INSTALLATION as MARK
from awsbatch_operator.api.scope import LeadershipStart, Scope, ScopeRecord
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.engine.cache import Cache
from awsbatch_operator.engine.installations import Others
from awsbatch_operator.engine.reconciler import Again
from awsbatch_operator.engine.references import ReferenceIndex
from awsbatch_operator.engine.store import Store
from awsbatch_operator.kinds.accounts import Home
from awsbatch_operator.kinds.lifecycle import Lifecycle
from awsbatch_operator.kinds.narration import Narrator
from awsbatch_operator.kinds.proofs import Proofs
from awsbatch_operator.kinds.sent import Sent
from awsbatch_operator.kinds.shared import Claims, Shared
from awsbatch_operator.telemetry.metrics import Metrics

INSTALLATION = "awsbatch-system/aws-batch-operator"


class JournalKube(MemoryKube):
    """It notes what the operator writes, and can refuse the next record."""

    journal: list[str]
    refuses: Exception | None = None

    async def patch(self, key: ObjectKey, operations: Sequence[Shape]) -> Shape:
        if self.refuses is not None:
            refusal, self.refuses = self.refuses, None
            raise refusal
        names: list[str] = []
        for each in operations[1:]:
            last = str(each["path"]).rpartition("/")[2].replace("~1", "/")
            names += sorted(each["value"]) if last == "annotations" else [last]
        names = [name for name in names if name != MARK]  # it goes with whatever is written first
        words = ["finalizer" if name in {"finalizers", "-"} else name for name in names]
        self.journal.append(f"record {' '.join(words)}")
        return await super().patch(key, operations)

    async def apply_status(self, key: ObjectKey, status: Shape, *, resource_version: str) -> Shape:
        self.journal.append("status")
        return await super().apply_status(key, status, resource_version=resource_version)


@dataclass(frozen=True, slots=True)
class OneHome:
    """Everything lives in one account."""

    scope: Scope = field(default_factory=lambda: Scope(ACCOUNT, REGION))
    may_adopt: bool = True

    async def resolve(self, resource: Resource) -> Home:
        name = str(resource.spec.get("awsName", resource.key.name))
        return Home(ScopeRecord("", ACCOUNT, REGION, name), self.scope, may_adopt=self.may_adopt)

    async def of_record(
        self, resource: Resource, recorded: ScopeRecord, *, to_look: bool = False
    ) -> Scope:
        del resource, recorded, to_look
        return self.scope

    def refuses_roles(self, resource: Resource, recorded: ScopeRecord) -> bool:
        del resource, recorded
        return False


class Rig:
    """A life cycle of gadgets over Kubernetes in memory; each turn is taken by the test."""

    def __init__(self, *, bounded: bool = False) -> None:
        self.clock = SteppedClock()
        self.journal: list[str] = []
        namespaces: dict[str, dict[str, str]] = {"science": {}, "other": {}}
        self.kube = JournalKube([Definition("Gadget")], clock=self.clock, namespaces=namespaces)
        self.kube.journal = self.journal
        self.cache = Cache(clock=self.clock)
        self.kube.subscribe(self._watch)
        self.kind = GadgetKind(self.journal, bounded=bounded)
        self.kind.uids = {}
        self.told: list[tuple[str, str]] = []
        self.woken: list[ObjectKey] = []
        self.shared = Shared(
            cache=self.cache,
            index=ReferenceIndex(),
            store=Store(
                kube=self.kube,
                cache=self.cache,
                metrics=Metrics(CollectorRegistry()),
                clock=self.clock,
                installation=INSTALLATION,
            ),
            clock=self.clock,
            narrator=Narrator(self),
            cluster_id=CLUSTER,
            others=Others(INSTALLATION),
            claims=Claims(self.woken.append),
            proofs=Proofs(
                mock.Mock(spec=BatchPort), mock.Mock(), mock.Mock(), CLUSTER, self.cache.get
            ),  # a gadget refers to nothing
            sent=Sent(self.clock, LeadershipStart()),
        )
        self.cycle = Lifecycle(self.kind, shared=self.shared, homes=OneHome())

    def event(
        self, resource: Resource, *, reason: str, message: str, warning: bool, action: str
    ) -> None:
        del resource, warning, action
        self.told.append((reason, message))

    def _watch(self, _: str, body: dict[str, Any]) -> None:
        if self.kube.exists(
            ObjectKey("Gadget", body["metadata"]["namespace"], body["metadata"]["name"])
        ):
            self.cache.put(body)

    def apply(self, key: ObjectKey = ONE, **spec: Any) -> None:
        """Write the object."""
        metadata = {"name": key.name, "namespace": key.namespace}
        body = {"apiVersion": API_VERSION, "kind": key.kind, "metadata": metadata, "spec": spec}
        made = self.kube.apply(body)
        self.kind.uids = {**self.kind.uids, key: made["metadata"]["uid"]}

    async def turn(self, key: ObjectKey = ONE) -> Again:
        """One turn; the journal begins anew."""
        self.journal.clear()
        return await self.cycle.reconcile(key)

    @property
    def calls(self) -> list[str]:
        """The calls of the last turn."""
        return [entry[5:] for entry in self.journal if entry.startswith("call ")]

    def status(self, key: ObjectKey = ONE) -> dict[str, Any]:
        """The object's status."""
        return dict(self.kube.see(key).get("status", {}))

    def holds(self, name: str, key: ObjectKey = ONE) -> str:
        """The reason of the condition if it is True; else ""."""
        found = condition(self.status(key), name) or {}
        return str(found["reason"]) if found.get("status") == "True" else ""

    def annotations(self, key: ObjectKey = ONE) -> dict[str, str]:
        """The object's annotations, but for who serves it, which all have that were written."""
        found = dict(self.kube.see(key)["metadata"].get("annotations", {}))
        assert found.pop(MARK, INSTALLATION) == INSTALLATION
        return found


def rig_over(tags, parts=(), **spec):
    """An object, and in AWS a thing of its name with those tags."""
    rig = Rig(bounded=spec.pop("bounded", False))
    rig.apply(**spec)
    rig.kind.script = missing(step("A"))
    rig.kind.things["one"] = Gadget(parts, tags)
    return rig


def hold(rig):
    """Our finalizer, as an earlier turn would have written it."""
    body = rig.kube.objects.get(ONE)
    metadata = {**body["metadata"], "finalizers": [FINALIZER]}
    rig.kube.objects.save(ONE, {**body, "metadata": metadata})
