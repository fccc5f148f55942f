"""What a kind supplies to the one life cycle. Everything else stands in lifecycle.py."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from awsbatch_operator.api.conditions import ExtraCondition, Verdict
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.api.plans import ActionT, Outcome, Plan, Step
from awsbatch_operator.api.references import Reference, Targets
from awsbatch_operator.api.scope import Permit, Scope, ScopeRecord
from awsbatch_operator.api.tags import Owner, Ownership

DesiredT = TypeVar("DesiredT")
ObservedT = TypeVar("ObservedT")

__all__ = [
    "ActionT",
    "DesiredT",
    "Following",
    "Kind",
    "KindStatus",
    "LettingGo",
    "ObservedT",
    "Removal",
    "Seen",
    "is_going",
]


@dataclass(frozen=True, slots=True)
class Removal:
    """The object is being deleted: what is desired is that AWS holds nothing of it.

    Made from what was recorded, never from references, so it works whatever became of them. A kind
    that needs more to decide (how a queue is drained) adds it in a class of its own.
    """

    owner: Owner
    recorded: ScopeRecord | None  # None: nothing was ever sent to AWS
    users: Sequence[Resource] = ()  # objects that still refer to this one; read only when asked
    going: Sequence[Resource] = ()  # those of them that are being deleted and not held back
    since: Instant | None = None  # when the deletion was asked for
    sent: Instant | None = None  # when AWS may last have been asked to make it; None: unknown
    refused_roles: bool = False  # the spec names roles that its account does not allow it
    gone: str = ""  # what is told once it is gone, where the recorded name means nothing to people


def is_going(resource: Resource) -> bool:
    """Whether it is being deleted, and nobody has paused that."""
    return resource.deleting and not resource.paused


@dataclass(frozen=True, slots=True)
class Following:
    """A gate holds back what is new: what was recorded is followed, and nothing else begins.

    Made from what was recorded, never from the spec, which may be unsound. `findings` are the
    gate's; there are none while the object is paused. With `may_change`, what the recorded
    situation demands may be done in AWS (of two jobs of one run, one is ended); without it, nothing
    at all. Without `look`, what was recorded has been seen to its end: it is looked at no more, and
    only the findings that still matter are left. A kind that needs more to decide adds it in a
    class of its own.
    """

    owner: Owner
    findings: tuple[Finding, ...]
    may_change: bool
    look: bool = field(default=True, kw_only=True)


@dataclass(frozen=True, slots=True)
class LettingGo:
    """The object is being deleted, and what it has adopted stays in AWS: only our tags go.

    It is no Removal, so that nothing can take it for one. `removal` is what one would be made of.
    """

    removal: Removal


@dataclass(frozen=True, slots=True)
class Seen(Generic[DesiredT, ObservedT, ActionT]):
    """All that one turn found out: what `status` is made from.

    `observed` is None also when AWS has such a thing and it is not ours: nothing of it is shown.
    `outcomes` are by lane, of the last plan that was acted upon.
    """

    desired: DesiredT | Removal | None  # None: a gate before it ended the turn
    observed: ObservedT | None
    plan: Plan[ActionT] | None
    findings: tuple[Finding, ...]  # the gates', the plan's and of what failed, heaviest first
    scope: Scope | None
    recorded: ScopeRecord | None
    now: Instant
    outcomes: Mapping[str, Outcome[ActionT]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KindStatus:
    """The kind's own part of the status, and its verdict when nothing stands in the way.

    The life cycle adds observedGeneration, conditions, awsName, accountId, region and the effective
    deletionPolicy, and lets findings override the verdict. `extra` are conditions of the kind's own
    (type -> whether it holds, with reason and message): they stand beside Ready, Reconciling and
    Stalled and never replace them; one that is left out is taken away. `quiet`: it is too early to
    say anything, so the status stays as it is. `anew`: AWS was seen to have something that says
    it, so that it is told even while the object is paused.
    """

    fields: Mapping[str, Any]
    verdict: Verdict
    extra: tuple[ExtraCondition, ...] = ()
    quiet: bool = False
    anew: bool = False


class Kind(Protocol[DesiredT, ObservedT, ActionT]):
    """A few small pieces, and what the gates need to know about the kind."""

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

    def too_early(self, resource: Resource, now: Instant) -> Finding | None:
        """Why nothing is done yet, although all that the spec names is there; None: go on (pure).

        Asked before anything is looked at, so that waiting costs next to nothing.
        """

    def desired(self, resource: Resource, targets: Targets, owner: Owner) -> DesiredT:
        """Spec and resolved references (pure)."""

    def removal(self, resource: Resource, removal: Removal) -> Removal:
        """The removal as the kind needs it, perhaps of a class of its own (pure)."""

    def following(self, resource: Resource, following: Following) -> Following | None:
        """What is to be followed while a gate holds back what is new, as the kind needs it.

        None: nothing is recorded of which AWS may have something, or has had it (an intent whose
        outcome is not known, a run). No AWS call. The spec may be unsound.
        """

    async def rediscovered(
        self, resource: Resource, recorded: ScopeRecord, scope: Scope
    ) -> ScopeRecord:
        """The names under which AWS has what an earlier object of this name has left.

        Asked where nothing is recorded: `recorded` is today's answer, by the first name of all. A
        replacement may have given the thing another one. Raises AwsError and NoTokenError.
        """

    async def observe(
        self, resource: Resource, recorded: ScopeRecord, scope: Scope, *, fresh: bool
    ) -> ObservedT | None:
        """What AWS has; None if it has no such thing. Raises AwsError and NoTokenError.

        Not `fresh`: what the shared feed read last is enough, since nothing is done before a fresh
        look has said the same.
        """

    def owned(self, observed: ObservedT, resource: Resource, owner: Owner) -> Ownership:
        """Whose it is (pure)."""

    def marks(self, observed: ObservedT) -> Mapping[str, str]:
        """The tags of what AWS has, which name its owner if it is another object of ours (pure)."""

    def plan(
        self, desired: DesiredT | Removal | Following, observed: ObservedT | None, now: Instant
    ) -> Plan[ActionT]:
        """The next steps, or why there are none (pure).

        Of a Following, the plan's findings are all that is shown: those of the gate belong to them
        as far as they still matter with what was observed.
        """

    def let_go(self, observed: ObservedT | None) -> Plan[ActionT]:
        """The plan of a LettingGo: our tags go, and then it is released (pure)."""

    def permit(self, action: ActionT, scope: Scope, holder: ObjectKey) -> Permit:
        """A rate token for the action, kept back while its record is written.

        Raises NoTokenError.
        """

    async def act(
        self, action: ActionT, scope: Scope, observed: ObservedT | None
    ) -> ObservedT | None:
        """One AWS call. The answer if it makes a new observation, else None. Raises AwsError.

        `observed` is what the plan was made from.
        """

    def told(self, step: Step[ActionT], observed: ObservedT | None) -> Finding | None:
        """What to tell of a step that AWS took; its own note, unless the answer says more."""

    def kept_whole(self, resource: Resource) -> bool:
        """Whether a deletion that retains leaves all of it as it is (pure).

        If not, the removal is planned all the same, and takes away what must go.
        """

    def forget(self, key: ObjectKey) -> None:
        """The object is finished or gone: let go of what is kept in memory for it."""

    def status(self, resource: Resource, seen: Seen[DesiredT, ObservedT, ActionT]) -> KindStatus:
        """The kind's part of the status (pure)."""
