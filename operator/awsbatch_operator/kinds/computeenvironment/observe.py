"""A look at a compute environment: at Batch, and at what EC2 and ECS have of and around it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import ObjectKey, RecordError, Resource, Shape
from awsbatch_operator.api.references import AMI_REF
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
from awsbatch_operator.kinds.computeenvironment.ec2_things import (
    Ec2Things,
    ec2_things,
    given_templates,
)
from awsbatch_operator.kinds.computeenvironment.instances import (
    Capacity,
    Wanted,
    has_capacity,
    planned,
    wanted_capacity,
    without_capacity,
)
from awsbatch_operator.kinds.computeenvironment.members import resources_of
from awsbatch_operator.kinds.computeenvironment.observed import Around, Observed
from awsbatch_operator.kinds.computeenvironment.own_images import (
    named_in,
    pool_with_image,
    template_of,
)
from awsbatch_operator.kinds.computeenvironment.remaking import remaking_in
from awsbatch_operator.kinds.computeenvironment.spec import RESOURCE
from awsbatch_operator.kinds.computeenvironment.surroundings import Surroundings, counted
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
    find: Callable[[ObjectKey], Resource | None]

    async def __call__(
        self, resource: Resource, resolved: ScopeRecord, scope: Scope, *, fresh: bool
    ) -> Observed | None:
        """The environment by name, its instances, and the queues that use it if it is to go."""
        detail = await self.batch.compute_environment(
            scope, resolved.serving, fresh=fresh, wake=resource.key
        )
        around = await self._surroundings.look(
            resource, resolved, scope, there=detail is not None, fresh=fresh
        )
        if detail is None:
            left = await self._left(resource, resolved, scope, {}, fresh=fresh)
            return self._beside(left, resource, around)
        if resource.deleting and not self._is_ours(resource, detail):
            left, now = await self._left(resource, resolved, scope, detail, fresh=fresh), self._now
            if left is not None and (
                left.has_group_of(self._owner(resource))
                or without_capacity(left.capacity, now, now) is not None
            ):
                return left
            if around is not None:  # what serves is not the object's any more, but others are
                return self._beside(None, resource, around)
        things = await self._things(resource, scope, detail, fresh=fresh)
        found = Observed(
            detail,
            capacity=await self._capacity(resource, resolved, scope, detail, fresh=fresh),
            templates=things.templates,
            given_templates=await self._given(resource, scope, detail),
            group=things.group,
            around=around,
        )
        going = resource.deleting or detail.get("status") == "INVALID"
        if around is None and not going and not remaking_in(resource).is_of(found.mark):
            return found
        return await self._held_up(found, resource, scope, fresh=fresh)

    async def _held_up(
        self, found: Observed, resource: Resource, scope: Scope, *, fresh: bool
    ) -> Observed:
        """With what holds up its end: queues, and of one that is to go the tasks that run in it."""
        around, others = found.around, list[str]()
        if around is None:
            listed = await self.batch.job_queues(scope, fresh=fresh)
        else:
            listed = around.queues
            others = [each.arn for each in around.others.values()] if resource.deleting else []
        used = {use.arn: use for arn in (found.arn, *others) for use in uses(listed, arn)}
        found = replace(found, queues=tuple(used.values()))
        if not resource.deleting and not remaking_in(resource).is_of(found.mark):
            return found
        return await counted(found, self.lookout.ecs, scope, used=bool(used))

    @property
    def _surroundings(self) -> Surroundings:
        return Surroundings(batch=self.batch, ecs=self.lookout.ecs, cluster_id=self.cluster_id)

    def _beside(
        self, left: Observed | None, resource: Resource, around: Around | None
    ) -> Observed | None:
        """What there is without the environment that serves: instances, and other environments."""
        if around is None:
            return left
        return replace(left or Observed({"tags": self._owner(resource).tags()}), around=around)

    async def _left(
        self,
        resource: Resource,
        resolved: ScopeRecord,
        scope: Scope,
        detail: Shape,
        *,
        fresh: bool,
    ) -> Observed | None:
        """What there is around an environment that AWS does not have: templates and its group.

        In a deletion, the instances as well. So it is of one that is another's by now, which is in
        `detail`.
        """
        things = await self._things(resource, scope, {}, fresh=fresh)
        instances = resource.deleting and has_capacity(resource)
        if not instances and not things.matter(deleting=resource.deleting):
            return None
        tags = self._owner(resource).tags()
        capacity = None
        if instances:
            capacity = await self._capacity(resource, resolved, scope, detail, fresh=fresh)
        return Observed(
            {"tags": tags}, capacity=capacity, templates=things.templates, group=things.group
        )

    async def _things(
        self, resource: Resource, scope: Scope, detail: Shape, *, fresh: bool
    ) -> Ec2Things:
        owner = self._owner(resource)
        return await ec2_things(self.lookout, resource, owner, scope, detail, fresh=fresh)

    async def _given(self, resource: Resource, scope: Scope, detail: Shape) -> frozenset[str]:
        """Which launch templates the named ExtendedAMIs have made, if AWS has another one.

        One of theirs makes room for another; another one was put there by somebody.
        """
        named = named_in(resource)
        have = resources_of(detail).get("launchTemplate") or {}
        if resource.deleting or not (named and have):
            return frozenset()
        found = (each for each in map(self.find, named) if each is not None)
        made = {(template_of(each) or {}).get("launchTemplateId") for each in found}
        if have.get("launchTemplateId") in made:
            return frozenset({str(have["launchTemplateId"])})
        return await given_templates(self.lookout.ec2, scope, self.cluster_id, named)

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
        wanted = self._with_images(wanted_capacity(resource), resource.key.namespace)
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

    def _with_images(self, wanted: Wanted, namespace: str) -> Wanted:
        """With the ids of the images that ExtendedAMIs have made for pools."""
        bodies = dict(wanted.bodies)
        for name, body in bodies.items():
            reference = (body.get("image") or {}).get(AMI_REF)
            if reference is not None:
                target = self.find(ObjectKey("ExtendedAMI", namespace, reference["name"]))
                bodies[name] = pool_with_image(body, target)
        return replace(wanted, bodies=bodies)

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
