"""The ComputeEnvironment, put together from the pieces of this room."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import ObjectKey, RecordError, Resource
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.api.references import Reference, Targets
from awsbatch_operator.api.scope import Permit, Scope, ScopeRecord
from awsbatch_operator.api.tags import Owner, Ownership
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.capacity.conduct import Conductor
from awsbatch_operator.capacity.launch_codec import recorded
from awsbatch_operator.capacity.looking import Lookout
from awsbatch_operator.capacity.requests import Call
from awsbatch_operator.kinds.account_limits import ENVIRONMENTS, Rooms
from awsbatch_operator.kinds.computeenvironment.desired import Desired, desired_environment
from awsbatch_operator.kinds.computeenvironment.instances import (
    EnvironmentCall,
    HeldBack,
    has_capacity,
    interrupted_hosts,
    joined,
    with_capacity_held_back,
)
from awsbatch_operator.kinds.computeenvironment.observe import Observer
from awsbatch_operator.kinds.computeenvironment.observed import Observed
from awsbatch_operator.kinds.computeenvironment.placement import GroupCall
from awsbatch_operator.kinds.computeenvironment.plan import plan_environment
from awsbatch_operator.kinds.computeenvironment.rediscovery import Rediscovery
from awsbatch_operator.kinds.computeenvironment.removal import (
    EnvironmentRemoval,
    environment_removal,
)
from awsbatch_operator.kinds.computeenvironment.replacing_removal import plan_whole_removal
from awsbatch_operator.kinds.computeenvironment.spec import RESOURCE
from awsbatch_operator.kinds.computeenvironment.status import environment_status
from awsbatch_operator.kinds.contract import Following, KindStatus, Removal, Seen
from awsbatch_operator.kinds.hit_jobs import HitJobs
from awsbatch_operator.kinds.infrastructure import refusals
from awsbatch_operator.kinds.lasting import ApiCall, needed_references, whose
from awsbatch_operator.kinds.permissions import Allowances
from awsbatch_operator.kinds.scope_record import unreadable
from awsbatch_operator.kinds.tagging import marked_first, unmarked
from awsbatch_operator.kinds.unfit_jobs import UnfitJobs
from awsbatch_operator.schema.request import to_request


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeEnvironmentKind:
    """Implements Kind[Desired, Observed, EnvironmentCall].

    Its actions are calls of Batch for the environment itself, of EC2 for its placement group, and
    of EC2 and ECS for the instances of an UNMANAGED one.
    """

    batch: BatchPort
    rooms: Rooms
    lookout: Lookout
    conductor: Conductor
    unfit: UnfitJobs
    cluster_id: str
    allowed: Callable[[ScopeRecord], Allowances]
    hits: HitJobs
    find: Callable[[ObjectKey], Resource | None]
    name: str = RESOURCE.kind
    bounded: bool = False

    def references(self, resource: Resource) -> tuple[Reference, ...]:
        return needed_references(resource)

    def finished(self, resource: Resource) -> bool:
        del resource
        return False

    def kept_whole(self, resource: Resource) -> bool:
        """Instances go even if the environment is retained."""
        return not has_capacity(resource)

    def refusals(self, resource: Resource) -> tuple[Finding, ...]:
        found = refusals(RESOURCE, resource)
        try:
            recorded(resource)
        except RecordError as error:
            found = (*found, unreadable(error))
        return found

    def too_early(self, resource: Resource, now: Instant) -> Finding | None:
        del resource, now
        return None

    def desired(self, resource: Resource, targets: Targets, owner: Owner) -> Desired:
        wanted = desired_environment(resource, targets, owner)
        return replace(wanted, room=self.rooms.of(ENVIRONMENTS, targets))

    def removal(self, resource: Resource, removal: Removal) -> Removal:
        return environment_removal(resource, removal)

    def following(self, resource: Resource, following: Following) -> Following | None:
        """Instances cost, whatever holds back what is new. Not while it is paused."""
        if resource.paused or not has_capacity(resource):
            return None
        return HeldBack(following.owner, following.findings, following.may_change)

    async def rediscovered(
        self, resource: Resource, recorded: ScopeRecord, scope: Scope
    ) -> ScopeRecord:
        owner = Owner(self.cluster_id, resource.key, resource.uid)
        return await Rediscovery(self.batch, owner).look(recorded, scope)

    async def observe(
        self, resource: Resource, recorded: ScopeRecord, scope: Scope, *, fresh: bool
    ) -> Observed | None:
        look = Observer(self.batch, self.lookout, self.cluster_id, self.allowed, self.find)
        found = await look(resource, recorded, scope, fresh=fresh)
        if found is None and not resource.deleting:
            await self.rooms.look(ENVIRONMENTS, scope, recorded.serving)
        if found is not None and found.capacity is not None:
            seen, kept = found.capacity.seen, self.lookout.remembered(resource)
            for kind, hosts in interrupted_hosts(seen).items():
                await self.hits.tell(hosts, kind)
            self.unfit.tell(resource.key, found.capacity.wanted.wish, seen, kept)
        return found

    def owned(self, observed: Observed, resource: Resource, owner: Owner) -> Ownership:
        return whose(observed, resource, owner)

    def marks(self, observed: Observed) -> Mapping[str, str]:
        return observed.tags

    def plan(
        self, desired: Desired | Removal | Following, observed: Observed | None, now: Instant
    ) -> Plan[EnvironmentCall]:
        if isinstance(desired, HeldBack):
            capacity = None if observed is None else observed.capacity
            return with_capacity_held_back(desired, capacity, now)
        if isinstance(desired, Following):
            return Plan(findings=desired.findings)
        if isinstance(desired, EnvironmentRemoval):
            plan = plan_whole_removal(desired, observed, now)
        elif isinstance(desired, Desired):
            plan = plan_environment(desired, observed, now)
            plan = plan if observed is None else marked_first(plan, observed.tags)
        else:
            raise TypeError(f"a removal of a compute environment, not {type(desired).__name__}")
        if observed is not None and observed.capacity is not None:
            self.conductor.drafted(plan.actions, observed.capacity.seen.owner)
        return plan

    def let_go(self, observed: Observed | None) -> Plan[EnvironmentCall]:
        return joined(unmarked(observed), Plan())

    def permit(self, action: EnvironmentCall, scope: Scope, holder: ObjectKey) -> Permit:
        match action:
            case ApiCall(operation=operation):
                return self.batch.permit(scope, operation, holder)
            case GroupCall(operation=operation):
                return self.lookout.ec2.permit(scope, operation, holder)
            case Call():
                return self.conductor.permit(action, scope, holder)
        assert_never(action)

    async def act(
        self, action: EnvironmentCall, scope: Scope, observed: Observed | None
    ) -> Observed | None:
        match action:
            case ApiCall(operation=operation, request=request):
                await self.batch.change(scope, operation, to_request(request))
            case GroupCall(operation=operation, request=request):
                await self.lookout.ec2.change(scope, operation, request)
            case Call() if observed is not None and observed.capacity is not None:
                await self.conductor.send(action, scope, observed.capacity.seen.owner)
            case _:
                raise ValueError("instances belong to an environment that was looked at")
        return None

    def told(self, step: Step[EnvironmentCall], observed: Observed | None) -> Finding | None:
        action = step.action
        if observed is None or observed.capacity is None or not isinstance(action, Call):
            return step.note
        return self.conductor.told(action, step.note, observed.capacity.seen.owner)

    def forget(self, key: ObjectKey) -> None:
        self.lookout.memories.forget(key)

    def status(
        self, resource: Resource, seen: Seen[Desired, Observed, EnvironmentCall]
    ) -> KindStatus:
        return environment_status(resource, seen)
