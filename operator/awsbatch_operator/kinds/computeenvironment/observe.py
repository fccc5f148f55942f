"""A look at a compute environment: at Batch, and at what its instances are in EC2 and ECS."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import RecordError, Resource, Shape
from awsbatch_operator.api.scope import Scope, ScopeRecord
from awsbatch_operator.api.tags import Owner, Ownership
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.capacity.block_record import Reservation, block_shown
from awsbatch_operator.capacity.launch_codec import recorded
from awsbatch_operator.capacity.launches import Launches, lost
from awsbatch_operator.capacity.looking import Lookout
from awsbatch_operator.capacity.settling import put_block
from awsbatch_operator.capacity.subject import Subject
from awsbatch_operator.capacity.views import InstanceView
from awsbatch_operator.kinds.computeenvironment.instances import (
    Capacity,
    Wanted,
    has_capacity,
    planned,
    wanted_capacity,
    without_capacity,
)
from awsbatch_operator.kinds.computeenvironment.observed import Observed
from awsbatch_operator.kinds.computeenvironment.remaking import remaking_in
from awsbatch_operator.kinds.computeenvironment.spec import RESOURCE
from awsbatch_operator.kinds.infrastructure import refusals
from awsbatch_operator.kinds.lasting import whose
from awsbatch_operator.kinds.permissions import Allowances, allowed_reservations
from awsbatch_operator.kinds.queues import uses


@dataclass(frozen=True, slots=True)
class Observer:
    """Looks at compute environments. Raises AwsError, NoTokenError and RecordError."""

    batch: BatchPort
    lookout: Lookout
    cluster_id: str
    allowed: Callable[[ScopeRecord], Allowances]

    async def __call__(
        self, resource: Resource, resolved: ScopeRecord, scope: Scope, *, fresh: bool
    ) -> Observed | None:
        """The environment by name, its instances, and the queues that use it if it is to go."""
        detail = await self.batch.compute_environment(
            scope, resolved.serving, fresh=fresh, wake=resource.key
        )
        if detail is None:
            return await self._left(resource, resolved, scope, {}, fresh=fresh)
        if resource.deleting and not self._is_ours(resource, detail):
            left, now = await self._left(resource, resolved, scope, detail, fresh=fresh), self._now
            if left is not None and without_capacity(left.capacity, now, now) is not None:
                return left
        found = Observed(
            detail, capacity=await self._capacity(resource, resolved, scope, detail, fresh=fresh)
        )
        going = resource.deleting or detail.get("status") == "INVALID"
        if not going and not remaking_in(resource).is_of(found.mark):
            return found
        queues = await self.batch.job_queues(scope, fresh=fresh)
        return replace(found, queues=uses(queues, detail["computeEnvironmentArn"]))

    async def _left(
        self,
        resource: Resource,
        resolved: ScopeRecord,
        scope: Scope,
        detail: Shape,
        *,
        fresh: bool,
    ) -> Observed | None:
        """What is left of an environment that AWS has no more: the instances, in a deletion.

        So it is of one that is another's by now, which is in `detail`.
        """
        if not resource.deleting or not has_capacity(resource):
            return None
        tags = self._owner(resource).tags()
        capacity = await self._capacity(resource, resolved, scope, detail, fresh=fresh)
        return Observed({"tags": tags}, capacity=capacity)

    @property
    def _now(self) -> Instant:
        return self.lookout.clock.now()

    def _owner(self, resource: Resource) -> Owner:
        return Owner(self.cluster_id, resource.key, resource.uid)

    def _is_ours(self, resource: Resource, detail: Shape) -> bool:
        found = whose(Observed(detail), resource, self._owner(resource))
        return found in {Ownership.OURS, Ownership.RECREATED}

    async def _capacity(
        self,
        resource: Resource,
        resolved: ScopeRecord,
        scope: Scope,
        detail: Shape,
        *,
        fresh: bool,
    ) -> Capacity | None:
        if not has_capacity(resource):
            return None
        views = await self.lookout.instances(resource, scope, fresh=fresh)
        wanted = wanted_capacity(resource)
        asked = Wanted() if refusals(RESOURCE, resource) else wanted  # nothing is resolved then
        record = self._record(resource, views)
        subject = Subject(
            resource=resource,
            owner=self._owner(resource),
            scope=scope,
            wish=asked.wish,
            bodies=asked.bodies,
            record=record,
            environment=str(detail.get("computeEnvironmentArn", "")),
            cluster=str(detail.get("ecsClusterArn", "")),
            serves=detail.get("status") == "VALID" and detail.get("state") == "ENABLED",
        )
        seen = await self.lookout.look(subject, views, fresh=fresh)
        seen = replace(seen, reservations=self._usable(seen.reservations, resolved))
        capacity = Capacity(wanted=wanted, seen=seen, record=record)
        if resource.deleting:
            return capacity
        now = self._now
        plan = await self.lookout.demand.aside.work_out(scope, lambda: planned(capacity, now))
        return replace(capacity, plan=plan)

    def _usable(
        self, reservations: Sequence[Reservation], resolved: ScopeRecord
    ) -> Sequence[Reservation]:
        """Ours, and those of the account that its objects may launch into."""
        ids = [each.id for each in reservations if not each.ours]
        allowed = allowed_reservations(
            ids,
            self.allowed(resolved),
            account_id=resolved.account_id,
            region=resolved.region,
        )
        return [each for each in reservations if each.ours or each.id in allowed]

    def _record(self, resource: Resource, views: Sequence[InstanceView]) -> Launches:
        """The record of launches; a new one in its place where it was lost.

        It was lost if this process has seen one, or if EC2 or the status shows launches of another
        process. What this process itself has announced a moment ago was not written down yet.
        """
        kept = self.lookout.remembered(resource)
        try:
            found = recorded(resource)
        except RecordError:
            if resource.deleting:
                raise
            return lost(resource.uid, (), (), self._now)  # nothing is launched by it
        if found is not None:
            kept.recorded = True
            return found
        shown = (resource.status.get("capacity") or {}).get("pools") or ()
        launched = {
            str(each["name"]): each for each in shown if each.get("wanted") or "block" in each
        }
        if not (kept.recorded or views or (launched and not kept.drafted)):
            return Launches(uid=resource.uid)
        tagged = [(view.pool, view.intent) for view in views if view.pool]
        new = lost(resource.uid, launched, tagged, self._now)
        for name, each in launched.items():
            block = block_shown(each.get("block") or {})
            if block is not None:
                new = put_block(new, name, block)
        return new
