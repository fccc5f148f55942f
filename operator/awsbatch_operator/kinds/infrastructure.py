"""The one kind of all that lasts: an infrastructure object is a row of functions.

A room supplies what is its own (what is desired, how AWS is looked at, the plan, the status) and
nothing of how that is strung together.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import ObjectKey, Resource, Shape
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.api.references import Reference, Targets
from awsbatch_operator.api.scope import Permit, Scope, ScopeRecord
from awsbatch_operator.api.tags import Owner, Ownership
from awsbatch_operator.aws.errors import AwsError
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds.contract import DesiredT, Following, KindStatus, Removal, Seen
from awsbatch_operator.kinds.lasting import ApiCall, needed_references
from awsbatch_operator.kinds.tagging import Tagged, marked_first, unmarked
from awsbatch_operator.schema.declare import CustomResource, unsupported
from awsbatch_operator.schema.request import to_request
from awsbatch_operator.schema.validate import SpecError, read_spec

TaggedT = TypeVar("TaggedT", bound=Tagged)
FoundT_co = TypeVar("FoundT_co", covariant=True)


class Answers(Protocol[TaggedT]):
    """What a room makes of answers, where AWS's listing may lag behind them."""

    def answered(
        self, call: ApiCall, answer: Shape, scope: Scope, before: TaggedT | None
    ) -> TaggedT | None:
        """The observation that the answer makes; None if it makes none."""

    def failed(self, call: ApiCall, scope: Scope, *, unknown: bool) -> None:
        """AWS has not done it; `unknown`: or it has, and that may come to light later."""


class Look(Protocol[FoundT_co]):
    """How a room looks at AWS; None if AWS has no such thing, as Kind.observe says."""

    def __call__(
        self, resource: Resource, recorded: ScopeRecord, scope: Scope, *, fresh: bool
    ) -> Awaitable[FoundT_co | None]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Infrastructure(Generic[DesiredT, TaggedT]):
    """A kind whose AWS object lasts as long as the resource. Implements Kind.

    The fields are the pieces of `contract.Kind`; `faults` says what is wrong with a spec that fits
    its schema; `answers` is for a room whose things AWS may list
    later than it answers. `marked_first`: what is taken over is changed; a definition is not, it
    gets another revision.
    """

    declared: CustomResource[Any]
    batch: BatchPort
    desire: Callable[[Resource, Targets, Owner], DesiredT]
    remove: Callable[[Resource, Removal], Removal]
    look: Look[TaggedT]
    whose: Callable[[TaggedT, Resource, Owner], Ownership]
    plan_for: Callable[[DesiredT, TaggedT | None, Instant], Plan[ApiCall]]
    plan_removal: Callable[[Any, TaggedT | None, Instant], Plan[ApiCall]]
    show: Callable[[Resource, Seen[DesiredT, TaggedT, ApiCall]], KindStatus]
    faults: Callable[[Resource], tuple[Finding, ...]] = lambda _: ()
    answers: Answers[TaggedT] | None = None
    marked_first: bool = True
    bounded: bool = False

    @property
    def name(self) -> str:
        return self.declared.kind

    def references(self, resource: Resource) -> tuple[Reference, ...]:
        return needed_references(resource)

    def finished(self, resource: Resource) -> bool:
        del resource
        return False

    def refusals(self, resource: Resource) -> tuple[Finding, ...]:
        return refusals(self.declared, resource) or self.faults(resource)

    def too_early(self, resource: Resource, now: Instant) -> Finding | None:
        del resource, now
        return None

    def desired(self, resource: Resource, targets: Targets, owner: Owner) -> DesiredT:
        return self.desire(resource, targets, owner)

    def removal(self, resource: Resource, removal: Removal) -> Removal:
        return self.remove(resource, removal)

    def following(self, resource: Resource, following: Following) -> Following | None:
        """All that these kinds make has a name of its own, so nothing of it can be missed."""
        del resource, following
        return None

    async def rediscovered(
        self, resource: Resource, recorded: ScopeRecord, scope: Scope
    ) -> ScopeRecord:
        """These kinds are never replaced by a thing of another name."""
        del resource, scope
        return recorded

    async def observe(
        self, resource: Resource, recorded: ScopeRecord, scope: Scope, *, fresh: bool
    ) -> TaggedT | None:
        return await self.look(resource, recorded, scope, fresh=fresh)

    def owned(self, observed: TaggedT, resource: Resource, owner: Owner) -> Ownership:
        return self.whose(observed, resource, owner)

    def marks(self, observed: TaggedT) -> Mapping[str, str]:
        return observed.tags

    def plan(
        self, desired: DesiredT | Removal | Following, observed: TaggedT | None, now: Instant
    ) -> Plan[ApiCall]:
        if isinstance(desired, Following):
            return Plan(findings=desired.findings)
        if isinstance(desired, Removal):
            return self.plan_removal(desired, observed, now)
        plan = self.plan_for(desired, observed, now)
        if observed is None or not self.marked_first:
            return plan
        return marked_first(plan, observed.tags)

    def let_go(self, observed: TaggedT | None) -> Plan[ApiCall]:
        return unmarked(observed)

    def permit(self, action: ApiCall, scope: Scope, holder: ObjectKey) -> Permit:
        return self.batch.permit(scope, action.operation, holder)

    async def act(self, action: ApiCall, scope: Scope, observed: TaggedT | None) -> TaggedT | None:
        try:
            answer = await self.batch.change(scope, action.operation, to_request(action.request))
        except AwsError as error:
            if self.answers is not None:
                self.answers.failed(action, scope, unknown=error.outcome_unknown)
            raise
        if self.answers is None:
            return None
        return self.answers.answered(action, answer, scope, observed)

    def told(self, step: Step[ApiCall], observed: TaggedT | None) -> Finding | None:
        del observed
        return step.note

    def kept_whole(self, resource: Resource) -> bool:
        del resource
        return True

    def forget(self, key: ObjectKey) -> None:
        """Nothing is kept in memory: everything stands in AWS."""

    def status(self, resource: Resource, seen: Seen[DesiredT, TaggedT, ApiCall]) -> KindStatus:
        return self.show(resource, seen)


def refusals(declared: CustomResource[Any], resource: Resource) -> tuple[Finding, ...]:
    """What the spec alone rules out: it breaks the schema, or asks what is not honoured yet."""
    try:
        read_spec(declared, resource.spec)
    except SpecError as error:
        return (Finding(catalogue.INVALID_SPEC, str(error)),)
    return tuple(
        Finding(catalogue.NOT_SUPPORTED_YET, f"spec.{field.path} is not honoured.", field.remedy)
        for field in unsupported(declared, resource.spec)
    )
