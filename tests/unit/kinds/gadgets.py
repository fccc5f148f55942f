"""A kind that exists only here: gadgets, in an AWS that is a dictionary, for tests of life cycles.

What AWS has, refuses and hides, which tokens there are, and what the plan is, a test says itself.
The journal is all that happened, in order: looks, permits, records, statuses, calls.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.conditions import ExtraCondition, Situation, Verdict
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import ObjectKey, Resource, Shape
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.api.references import Reference, Targets
from awsbatch_operator.api.scope import NoTokenError, Permit, Scope, ScopeRecord
from awsbatch_operator.api.tags import Owner, Ownership, marks_in, ownership, unclaimed
from awsbatch_operator.kinds.contract import Following, KindStatus, Removal, Seen
from awsbatch_operator.kinds.lasting import adoptable

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
        self.refused: tuple[Finding, ...] = ()  # what the spec rules out
        self.records = False  # something is recorded that has not been seen
        self.extra: tuple[ExtraCondition, ...] = ()
        self.before_call: Callable[[Do], None] = lambda _: None

    def references(self, resource: Resource) -> tuple[Reference, ...]:
        del resource
        return ()

    def finished(self, resource: Resource) -> bool:
        del resource
        return False

    def too_early(self, resource: Resource, now: Instant) -> Finding | None:
        del resource, now
        return None

    def refusals(self, resource: Resource) -> tuple[Finding, ...]:
        del resource
        return self.refused

    def desired(self, resource: Resource, targets: Targets, owner: Owner) -> Desired:
        return Desired(owner, targets.aws_name, resource.spec)

    def removal(self, resource: Resource, removal: Removal) -> Removal:
        del resource
        return removal

    def following(self, resource: Resource, following: Following) -> Following | None:
        del resource
        return following if self.records else None

    async def rediscovered(
        self, resource: Resource, recorded: ScopeRecord, scope: Scope
    ) -> ScopeRecord:
        del resource, scope
        return recorded

    async def observe(
        self, resource: Resource, recorded: ScopeRecord, scope: Scope, *, fresh: bool
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

    def plan(
        self, desired: Desired | Removal | Following, observed: Gadget | None, now: Instant
    ) -> Plan[Do]:
        del now
        if isinstance(desired, Following):
            return Plan(findings=desired.findings)
        if isinstance(desired, Removal):
            gone = Plan(steps=(Step(Do("Remove")),))
            return Plan(released=True) if observed is None else gone
        return self.script(desired, observed)

    def let_go(self, observed: Gadget | None) -> Plan[Do]:
        marked = observed is not None and not unclaimed(observed.tags)
        return Plan(steps=(Step(Do("Unmark")),)) if marked else Plan(released=True)

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
        if action.operation == "Unmark":
            left = {key: text for key, text in have.tags.items() if key not in marks_in(have.tags)}
            self.things[name] = replace(have, tags=left)
        elif not action.part:
            self.things.pop(name)
        elif not self.lag:
            self.things[name] = made
        return made if self.answers else None

    def told(self, step: Step[Do], observed: Gadget | None) -> Finding | None:
        del observed
        return step.note

    def kept_whole(self, resource: Resource) -> bool:
        del resource
        return True

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
