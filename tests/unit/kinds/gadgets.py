"""A kind that exists only here: gadgets, in an AWS that is a dictionary, for tests of life cycles.

What AWS has, refuses and hides, which tokens there are, and what the plan is, a test says itself.
The journal is all that happened, in order: looks, permits, records, statuses, calls.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from prometheus_client import CollectorRegistry
from tests.support.clock import SteppedClock
from tests.support.memory_kube import MemoryKube
from tests.support.structural import Definition

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.conditions import ExtraCondition, Situation, Verdict, condition
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import API_VERSION, ObjectKey, Resource, Shape
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.api.references import Reference, Targets
from awsbatch_operator.api.scope import NoTokenError, Permit, Recorded, Scope
from awsbatch_operator.api.tags import Owner, Ownership, ownership
from awsbatch_operator.engine.cache import Cache
from awsbatch_operator.engine.reconciler import Again
from awsbatch_operator.engine.references import ReferenceIndex
from awsbatch_operator.engine.store import Store
from awsbatch_operator.kinds.accounts import Home
from awsbatch_operator.kinds.contract import KindStatus, Removal, Seen
from awsbatch_operator.kinds.lasting import adoptable
from awsbatch_operator.kinds.lifecycle import Lifecycle
from awsbatch_operator.kinds.narration import Narrator
from awsbatch_operator.kinds.shared import Claims, Shared
from awsbatch_operator.telemetry.metrics import Metrics

CLUSTER, ACCOUNT, REGION = "lab", "111122223333", "eu-central-1"
ONE = ObjectKey("Gadget", "science", "one")
OTHER = ObjectKey("Gadget", "other", "two")
# Whose an AWS object is that nobody has marked, and one of another cluster.
NOBODY: Mapping[str, str] = {"team": "x"}
ELSEWHERE: Mapping[str, str] = Owner("another", ONE, "uid-9").tags()


@dataclass(frozen=True, slots=True)
class Do:
    """A call: AWS adds `part` to the gadget; without a part, the gadget goes."""

    operation: str
    part: str = ""


@dataclass(frozen=True, slots=True)
class Gadget:
    """What AWS has."""

    parts: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return "arn:gadget"


@dataclass(frozen=True, slots=True)
class Has:
    """AWS shows the part. An Expectation."""

    part: str

    def met(self, observed: Gadget | None) -> bool:
        return observed is not None and self.part in observed.parts


@dataclass(frozen=True, slots=True)
class Desired:
    """A gadget with these parts, or none that matters to a test."""

    owner: Owner
    name: str
    spec: Shape


def step(part: str, lane: str = "", *, record: str = "", note: bool = True) -> Step[Do]:
    """Adds a part, and expects to see it."""
    return Step(
        Do(f"Add{part}", part),
        record={f"test/{record}": part} if record else {},
        lane=lane,
        note=Finding(catalogue.UPDATED, f"Added {part}.") if note else None,
        expects=Has(part),
    )


Script = Callable[[Desired | Removal, Gadget | None], Plan[Do]]


def missing(*steps: Step[Do]) -> Script:
    """A plan of those steps whose parts AWS does not show yet."""

    def plan(_: Desired | Removal, observed: Gadget | None) -> Plan[Do]:
        have = () if observed is None else observed.parts
        return Plan(steps=tuple(each for each in steps if each.action.part not in have))

    return plan


@dataclass(frozen=True, slots=True)
class Token:
    """A permit that says when it is given back."""

    operation: str
    journal: list[str]

    def give_back(self) -> None:
        self.journal.append(f"give back {self.operation}")


class GadgetKind:
    """The kind, and the AWS that it looks at. Implements Kind."""

    name = "Gadget"

    def __init__(self, journal: list[str], *, bounded: bool = False) -> None:
        self.bounded = bounded
        self.journal = journal
        self.things: dict[str, Gadget] = {}  # by AWS name
        self.feed: dict[str, Gadget | None] = {}  # what was read last, where it differs
        self.lag = False  # AWS takes calls and shows nothing of them
        self.errors: dict[str, Exception] = {}  # by operation
        self.waits: dict[str, float] = {}  # operations without a token, and for how long
        self.answers = False  # a call answers with the new observation
        self.script: Script = missing()
        self.extra: tuple[ExtraCondition, ...] = ()
        self.before_call: Callable[[Do], None] = lambda _: None

    def references(self, resource: Resource) -> tuple[Reference, ...]:
        del resource
        return ()

    def finished(self, resource: Resource) -> bool:
        del resource
        return False

    def refusals(self, resource: Resource) -> tuple[Finding, ...]:
        del resource
        return ()

    def desired(self, resource: Resource, targets: Targets, owner: Owner) -> Desired:
        return Desired(owner, targets.aws_name, resource.spec)

    def removal(self, resource: Resource, removal: Removal) -> Removal:
        del resource
        return removal

    async def observe(
        self, resource: Resource, recorded: Recorded, scope: Scope, *, fresh: bool
    ) -> Gadget | None:
        del resource, scope
        self.journal.append("look" if fresh else "feed")
        self._looked_for = recorded.serving
        if not fresh and recorded.serving in self.feed:
            return self.feed[recorded.serving]
        return self.things.get(recorded.serving)

    def owned(self, observed: Gadget, resource: Resource, owner: Owner) -> Ownership:
        recorded = resource.status.get("arn") == observed.arn
        found = ownership(observed.tags, owner, recorded=recorded)
        return adoptable(found, observed.tags, resource)

    def marks(self, observed: Gadget) -> Mapping[str, str]:
        return observed.tags

    def plan(self, desired: Desired | Removal, observed: Gadget | None, now: Instant) -> Plan[Do]:
        del now
        if isinstance(desired, Removal):
            gone = Plan(steps=(Step(Do("Remove")),))
            return Plan(released=True) if observed is None else gone
        return self.script(desired, observed)

    def permit(self, action: Do, scope: Scope, holder: ObjectKey) -> Permit:
        del scope, holder
        if action.operation in self.waits:
            raise NoTokenError(self.waits[action.operation])
        self.journal.append(f"permit {action.operation}")
        return Token(action.operation, self.journal)

    async def act(self, action: Do, scope: Scope, observed: Gadget | None) -> Gadget | None:
        del scope
        self.before_call(action)
        self.journal.append(f"call {action.operation}")
        if action.operation in self.errors:
            raise self.errors[action.operation]
        name, have = self._looked_for, observed or Gadget(tags=self.tags_of(ONE))
        have = self.things.get(self._looked_for, have)
        made = replace(have, parts=(*have.parts, action.part))
        if not action.part:
            self.things.pop(name)
        elif not self.lag:
            self.things[name] = made
        return made if self.answers else None

    def forget(self, key: ObjectKey) -> None:
        """Nothing is kept."""

    def status(self, resource: Resource, seen: Seen[Desired, Gadget, Do]) -> KindStatus:
        fields = {
            name: resource.status[name] for name in ("arn", "plan") if name in resource.status
        }
        if seen.observed is not None:
            fields |= {"arn": seen.observed.arn, "parts": list(seen.observed.parts)}
        verdict = Verdict(Situation.READY, "Ready", "It stands.")
        return KindStatus(fields, verdict, self.extra)

    uids: Mapping[ObjectKey, str] = {}

    def tags_of(self, key: ObjectKey) -> dict[str, str]:
        """The tags of what belongs to an object that was made here."""
        return Owner(CLUSTER, key, self.uids[key]).tags()


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

    async def resolve(self, resource: Resource) -> Home:
        name = str(resource.spec.get("awsName", resource.key.name))
        return Home(Recorded("", ACCOUNT, REGION, name), self.scope)

    async def for_removal(self, resource: Resource, recorded: Recorded) -> Scope:
        del resource, recorded
        return self.scope


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
            store=Store(kube=self.kube, cache=self.cache, metrics=Metrics(CollectorRegistry())),
            clock=self.clock,
            narrator=Narrator(self),
            cluster_id=CLUSTER,
            claims=Claims(self.woken.append),
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
        """The object's annotations."""
        return dict(self.kube.see(key)["metadata"].get("annotations", {}))
