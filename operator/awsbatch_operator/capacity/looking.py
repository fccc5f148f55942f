"""A look at all that a plan of capacity depends on: EC2, ECS, Batch, and what is remembered.

Members are read before the jobs that wait. Between two reads of AWS a job may start: read in this
order, it takes no room and waits no more, and the next look launches what is missing. The other way
round it would be counted as waiting while its room is taken, and an instance too many be launched.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from awsbatch_operator.api.instant import Clock, Instant
from awsbatch_operator.api.metadata import Resource, Shape
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.api.tags import OWNER_UID, Owner
from awsbatch_operator.aws.capacity_ports import Ec2Port, EcsPort
from awsbatch_operator.capacity.block_record import Phase, Reservation, block_of
from awsbatch_operator.capacity.consoles import Consoles
from awsbatch_operator.capacity.hearing import Hearing
from awsbatch_operator.capacity.instances import (
    HAS_JOINED,
    LIVING,
    ON_ITS_WAY,
    Life,
    Stage,
    lives,
    remembered,
    still_expected,
)
from awsbatch_operator.capacity.memory import Memories, Remembered
from awsbatch_operator.capacity.model import Need
from awsbatch_operator.capacity.observed import Observed
from awsbatch_operator.capacity.offers import pruned
from awsbatch_operator.capacity.pools import Pools
from awsbatch_operator.capacity.subject import Subject
from awsbatch_operator.capacity.views import (
    InstanceView,
    MemberView,
    instance_view,
    member_view,
    reservation_view,
)
from awsbatch_operator.capacity.waiting import Demand

_MOVING = ON_ITS_WAY | {Stage.DRAINING, Stage.JOINED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookout:
    """Looks. Raises AwsError and NoTokenError."""

    ec2: Ec2Port
    ecs: EcsPort
    demand: Demand
    hearing: Hearing
    pools: Pools
    memories: Memories
    clock: Clock
    pace: float = 1.0
    on_join: Callable[[str, float], None] | None = None  # market, and seconds since the launch

    def remembered(self, resource: Resource) -> Remembered:
        """What this process remembers of the object."""
        now = self.clock.now()
        return self.memories.of(resource.key, resource.uid, resource.status, now)

    async def instances(
        self, resource: Resource, scope: Scope, *, fresh: bool
    ) -> Sequence[InstanceView]:
        """What EC2 has of the object."""
        found = await self.ec2.instances(scope, resource.uid, fresh=fresh, wake=resource.key)
        return [instance_view(each) for each in found]

    async def look(
        self, subject: Subject, views: Sequence[InstanceView], *, fresh: bool
    ) -> Observed:
        """All of it. `views` are what `instances` has just read."""
        kept, now = self.remembered(subject.resource), self.clock.now()
        kept.marked(subject.mark)
        kept.expected = still_expected(kept.expected, views, now)
        waiting, members = await self._work(subject, views, kept, fresh=fresh)
        current = self._lives(subject, views, members, kept)
        pools = await self.pools.look(subject, kept, current, fresh=fresh)
        notices = await self.hearing.heard(subject.scope, kept, current, subject.wish.pools)
        kept.pauses = pruned(kept.pauses, now)
        templates = await self.ec2.launch_templates(subject.scope, fresh=fresh)
        return Observed(
            owner=subject.owner,
            cluster=subject.cluster,
            since=kept.since,
            mark=subject.mark,
            serves=subject.serves,
            lives=current,
            members=members,
            unlisted=frozenset(each.id for each in kept.expected),
            needs=waiting,
            queues=kept.queues,
            types=pools.types,
            offers=pools.offers,
            other_types=pools.other_types,
            prices=pools.prices,
            machines=pools.machines,
            templates=_templates(templates, subject.owner),
            reservations=await self._reservations(subject, fresh=fresh),
            pauses=kept.pauses,
            held=kept.held,
            answers=kept.known(subject.record, now),
            notices=notices,
            protected=dict(kept.protected),
            pace=self.pace,
            blocks=_blocks_shown(subject.resource.status),
            diagnoses=await Consoles(self.ec2, self.clock).diagnoses(subject, kept, pools.resolved),
            checks=pools.findings,
        )

    async def _work(
        self, subject: Subject, views: Sequence[InstanceView], kept: Remembered, *, fresh: bool
    ) -> tuple[Sequence[Need], Sequence[MemberView]]:
        """The jobs that wait, and the members of the cluster with their room."""
        waiting = await self.demand.needs(subject, kept, fresh=False)
        members = await self._members(subject, views, kept, fresh=fresh or bool(waiting))
        if fresh:
            waiting = await self.demand.needs(subject, kept, fresh=True)
        return waiting, members

    def _lives(
        self,
        subject: Subject,
        views: Sequence[InstanceView],
        members: Sequence[MemberView],
        kept: Remembered,
    ) -> Sequence[Life]:
        """The lives, with what is remembered of them, which is brought up to date."""
        current = lives(
            views,
            members,
            self.clock.now(),
            expected=kept.expected,
            memory=kept.idle,
            cluster=subject.cluster_name,
        )
        kept.idle = remembered(current)
        self._noted(kept, current)
        living = {life.id for life in current if life.stage in LIVING}
        kept.protected = {each: at for each, at in kept.protected.items() if each in living}
        return current

    def _noted(self, kept: Remembered, current: Sequence[Life]) -> None:
        """Tell of each once when it has joined; of those before our time another process has."""
        for life in current:
            member = life.member
            if member is None or life.stage not in HAS_JOINED or life.id in kept.joined:
                continue
            kept.joined.add(life.id)
            if self.on_join is not None and member.registered >= kept.since:
                seconds = member.registered.since(life.instance.launched)
                self.on_join(life.instance.market.value, seconds)
        kept.joined &= {life.id for life in current}

    async def _members(
        self, subject: Subject, views: Sequence[InstanceView], kept: Remembered, *, fresh: bool
    ) -> Sequence[MemberView]:
        """What ECS has; read anew while something is on its way, or about to be decided."""
        if not subject.cluster:
            return ()
        key, scope = subject.resource.key, subject.scope
        found = await self.ecs.container_instances(scope, subject.cluster, fresh=fresh, wake=key)
        members = [member_view(each) for each in found]
        if fresh:
            return members
        current = lives(views, members, self.clock.now(), expected=kept.expected)
        if any(life.stage in _MOVING for life in current):
            found = await self.ecs.container_instances(scope, subject.cluster, fresh=True, wake=key)
            members = [member_view(each) for each in found]
        return members

    async def _reservations(self, subject: Subject, *, fresh: bool) -> Sequence[Reservation]:
        """Ours, and those of the account that nobody of us has made."""
        blocks = any(pool.spot_block is not None for pool in subject.wish.pools)
        made = [block_of(each.block) for each in subject.record.pools.values()]
        if not blocks and all(each is None or each.phase is Phase.OVER for each in made):
            return ()
        found = await self.ec2.capacity_reservations(subject.scope, fresh=fresh)
        views = [reservation_view(each, subject.owner.uid) for each in found]
        return [each for each in views if each is not None]


def _blocks_shown(status: Shape) -> Mapping[str, Shape]:
    """What the status shows of blocks, by pool."""
    shown = (status.get("capacity") or {}).get("pools") or ()
    return {str(row["name"]): row["block"] for row in shown if "block" in row}


def _templates(found: Sequence[Shape], owner: Owner) -> Mapping[str, Instant]:
    """The launch templates of this owner, by name: when each was made."""
    return {
        str(each["LaunchTemplateName"]): Instant.parse(str(each["CreateTime"]))
        for each in found
        if any(
            tag["Key"] == OWNER_UID and tag["Value"] == owner.uid for tag in each.get("Tags", ())
        )
    }
