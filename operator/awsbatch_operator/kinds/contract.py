"""What a kind supplies to the one life cycle. Everything else stands in lifecycle.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from awsbatch_operator.api.conditions import Verdict
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.api.references import Reference, Targets
from awsbatch_operator.api.scope import Recorded, Scope
from awsbatch_operator.api.tags import Owner, Ownership

DesiredT = TypeVar("DesiredT")
ObservedT = TypeVar("ObservedT")
ActionT = TypeVar("ActionT")


@dataclass(frozen=True, slots=True)
class Removal:
    """The object is being deleted: what is desired is that AWS holds nothing of it.

    Made from what was recorded, never from references, so it works whatever became of them.
    """

    owner: Owner
    recorded: Recorded | None  # None: nothing was ever sent to AWS
    users: Sequence[Resource] = ()  # objects that still refer to this one; read only when asked
    options: Mapping[str, Any] = field(default_factory=dict)  # the kind's own, e.g. drain


@dataclass(frozen=True, slots=True)
class Seen(Generic[DesiredT, ObservedT, ActionT]):
    """All that one turn found out: what `status` is made from."""

    desired: DesiredT | Removal | None  # None: a gate before it ended the turn
    observed: ObservedT | None
    plan: Plan[ActionT] | None
    findings: tuple[Finding, ...]  # the gates' and the plan's, most important first
    scope: Scope | None
    recorded: Recorded | None
    now: Instant


@dataclass(frozen=True, slots=True)
class KindStatus:
    """The kind's own part of the status, and its verdict when nothing stands in the way.

    The life cycle adds observedGeneration, conditions, awsName, accountId, region and the effective
    deletionPolicy, and lets findings override the verdict.
    """

    fields: Mapping[str, Any]
    verdict: Verdict


class Kind(Protocol[DesiredT, ObservedT, ActionT]):
    """Five small pieces, and what the gates need to know about the kind."""

    @property
    def name(self) -> str:
        """The kind's name in Kubernetes."""

    @property
    def bounded(self) -> bool:
        """Whether it runs to an end (BatchJob): it has no Ready condition then."""

    def references(self, resource: Resource) -> tuple[Reference, ...]:
        """What must be resolved before this turn goes on, and how far (pure)."""

    def finished(self, resource: Resource) -> bool:
        """Whether nothing can happen any more unless the spec changes: no AWS call (pure).

        Of an object that is being deleted: whether AWS has nothing left of it to be removed.
        """

    def refusals(self, resource: Resource) -> tuple[Finding, ...]:
        """What the spec alone rules out: it breaks the schema, or asks what is not there (pure).

        Asked before anything else of the kind, and never while the object is being deleted. With
        an answer, the turn ends: `references` and `desired` may rely on a spec that is sound.
        """

    def desired(self, resource: Resource, targets: Targets, owner: Owner) -> DesiredT:
        """Spec and resolved references (pure)."""

    def removal(self, resource: Resource, removal: Removal) -> Removal:
        """The removal with the kind's own options added (pure)."""

    async def observe(
        self, resource: Resource, recorded: Recorded, scope: Scope
    ) -> ObservedT | None:
        """What AWS has; None if it has no such thing. Raises AwsError."""

    def owned(self, observed: ObservedT, owner: Owner) -> Ownership:
        """Whose it is (pure)."""

    def plan(
        self, desired: DesiredT | Removal, observed: ObservedT | None, now: Instant
    ) -> Plan[ActionT]:
        """The next actions, or why there are none (pure)."""

    async def permit(self, action: ActionT, scope: Scope) -> None:
        """Wait for the rate token of an action that has an intent, before that is recorded."""

    async def act(self, action: ActionT, scope: Scope) -> ObservedT | None:
        """One AWS call, safe to repeat. The answer if it is a new observation, else None."""

    def forget(self, key: ObjectKey) -> None:
        """The object is finished or gone: let go of what is kept in memory for it."""

    def status(self, resource: Resource, seen: Seen[DesiredT, ObservedT, ActionT]) -> KindStatus:
        """The kind's part of the status (pure)."""
