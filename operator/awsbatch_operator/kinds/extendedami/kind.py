"""The ExtendedAMI, put together from the pieces of this room."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import ObjectKey, RecordError, Resource
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.api.references import Reference, Targets
from awsbatch_operator.api.scope import Permit, Scope, ScopeRecord
from awsbatch_operator.api.tags import Owner, Ownership
from awsbatch_operator.kinds.contract import Following, KindStatus, Removal, Seen
from awsbatch_operator.kinds.extendedami.act import Actor
from awsbatch_operator.kinds.extendedami.circles import Find, circle_fault
from awsbatch_operator.kinds.extendedami.desired import Desired, desired_image
from awsbatch_operator.kinds.extendedami.holding import HeldBuild, plan_held
from awsbatch_operator.kinds.extendedami.observe import Observer
from awsbatch_operator.kinds.extendedami.observed import Observed
from awsbatch_operator.kinds.extendedami.plan import plan_image
from awsbatch_operator.kinds.extendedami.record import recorded
from awsbatch_operator.kinds.extendedami.refused import spec_faults
from awsbatch_operator.kinds.extendedami.removal import ImageRemoval, image_removal, plan_removal
from awsbatch_operator.kinds.extendedami.requests import ImageCall
from awsbatch_operator.kinds.extendedami.spec import RESOURCE
from awsbatch_operator.kinds.extendedami.status import image_status
from awsbatch_operator.kinds.extendedami.tags import unmarked
from awsbatch_operator.kinds.extendedami.texts import with_texts
from awsbatch_operator.kinds.infrastructure import refusals
from awsbatch_operator.kinds.lasting import needed_references
from awsbatch_operator.kinds.permissions import may_take_over
from awsbatch_operator.kinds.scope_record import unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendedAmiKind:
    """Implements Kind[Desired, Observed, ImageCall]."""

    observer: Observer
    actor: Actor
    cluster_id: str
    find: Find  # another object, as the cache has it
    pace: float = 1.0  # of looks: below 1 where AWS is simulated in fast motion
    name: str = RESOURCE.kind
    bounded: bool = False
    # What each turn under way wants of its object, for the look that follows at once.
    _wanted: dict[ObjectKey, Desired] = field(default_factory=dict)

    def references(self, resource: Resource) -> tuple[Reference, ...]:
        return needed_references(resource)

    def finished(self, resource: Resource) -> bool:
        del resource
        return False

    def refusals(self, resource: Resource) -> tuple[Finding, ...]:
        found = refusals(RESOURCE, resource)
        found = found or spec_faults(resource)
        around = None if found else circle_fault(resource, self.find)
        found = found if around is None else (around,)
        try:
            recorded(resource)
        except RecordError as error:
            found = (*found, unreadable(error))
        return found

    def too_early(self, resource: Resource, now: Instant) -> Finding | None:
        del resource, now
        return None

    def desired(self, resource: Resource, targets: Targets, owner: Owner) -> Desired:
        wanted = desired_image(resource, targets, owner)
        self._wanted[resource.key] = wanted
        return wanted

    def removal(self, resource: Resource, removal: Removal) -> Removal:
        return image_removal(resource, removal, self.find)

    def following(self, resource: Resource, following: Following) -> Following | None:
        try:
            record = recorded(resource)
        except RecordError:
            return None  # nothing is guessed; a refusal says so
        if resource.paused or record is None or record.clean:
            return None
        return HeldBuild(following.owner, following.findings, following.may_change)

    async def rediscovered(
        self, resource: Resource, recorded: ScopeRecord, scope: Scope
    ) -> ScopeRecord:
        """Images are found by their tags."""
        del resource, scope
        return recorded

    async def observe(
        self, resource: Resource, recorded: ScopeRecord, scope: Scope, *, fresh: bool
    ) -> Observed | None:
        del recorded
        owner = Owner(self.cluster_id, resource.key, resource.uid)
        wanted = self._wanted.pop(resource.key, None)
        wanted = None if resource.deleting else wanted
        return await self.observer.observe(resource, owner, scope, wanted, fresh=fresh)

    def owned(self, observed: Observed, resource: Resource, owner: Owner) -> Ownership:
        """All that is observed was found by our tags, but for an image that has no owner.

        One that the record names was this object's, whoever has taken its tags.
        """
        del owner
        found, record = observed.claimable, observed.record
        was_ours = found is not None and record is not None and record.image == found.id
        if found is None or was_ours or not may_take_over(resource):
            return Ownership.OURS
        return Ownership.ADOPTABLE

    def marks(self, observed: Observed) -> Mapping[str, str]:
        """The tags of an image that was there before, if there is one."""
        return next((each.tags for each in observed.images if each.adopted), {})

    def plan(
        self, desired: Desired | Removal | Following, observed: Observed | None, now: Instant
    ) -> Plan[ImageCall]:
        if isinstance(desired, ImageRemoval):
            return plan_removal(desired, observed, now)
        if isinstance(desired, HeldBuild):
            return plan_held(desired, observed, now)
        if isinstance(desired, Following):
            return Plan(findings=desired.findings)
        if isinstance(desired, Desired) and observed is not None:
            return paced(plan_image(with_texts(desired, observed), observed, now), self.pace)
        raise TypeError("an image is looked at before it is planned, and removed by its removal")

    def let_go(self, observed: Observed | None) -> Plan[ImageCall]:
        return unmarked(observed)

    def permit(self, action: ImageCall, scope: Scope, holder: ObjectKey) -> Permit:
        return self.actor.permit(action, scope, holder)

    async def act(
        self, action: ImageCall, scope: Scope, observed: Observed | None
    ) -> Observed | None:
        if observed is None:
            raise ValueError("an image is looked at before anything is done about it")
        kept = self.observer.memories.of(observed.key, observed.uid)
        await self.actor.act(action, scope, kept)
        return None

    def told(self, step: Step[ImageCall], observed: Observed | None) -> Finding | None:
        """EC2 makes no launch template that it has already."""
        if observed is None or step.action.operation != "CreateLaunchTemplate":
            return step.note
        kept = self.observer.memories.of(observed.key, observed.uid)
        return None if kept.template_refused else step.note

    def kept_whole(self, resource: Resource) -> bool:
        """Instances go even if images are retained."""
        del resource
        return False

    def forget(self, key: ObjectKey) -> None:
        self._wanted.pop(key, None)
        self.observer.memories.forget(key)

    def status(self, resource: Resource, seen: Seen[Desired, Observed, ImageCall]) -> KindStatus:
        return image_status(resource, seen)


def paced(plan: Plan[ImageCall], pace: float) -> Plan[ImageCall]:
    """The plan with looks that are so much further apart."""
    again = plan.look_again_seconds
    return replace(
        plan,
        findings=tuple(
            replace(each, look_again_seconds=each.again * pace) for each in plan.findings
        ),
        look_again_seconds=None if again is None else again * pace,
    )
