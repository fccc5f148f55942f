"""What the pass over orphans looks at: EC2, live owners, environments and their clusters.

Whatever cannot be asked is left out, and what depends on it waits for the next pass.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.scope import NoTokenError, Scope
from awsbatch_operator.api.tags import CLUSTER, KIND, NAME, NAMESPACE, OWNER_UID
from awsbatch_operator.aws.capacity_ports import Ec2Port, EcsPort
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.capacity import orphans
from awsbatch_operator.capacity.orphan_removal import Seat, Seats
from awsbatch_operator.capacity.orphans import Listing, Sort, Thing
from awsbatch_operator.capacity.views import member_view
from awsbatch_operator.engine.store import Store
from awsbatch_operator.kinds.computeenvironment.orphan_places import OrphanPlaces
from awsbatch_operator.kube.port import KubeError, UnavailableError

DENIED_SECONDS = 86_400.0  # until a place that lets us list nothing is asked again

_FAILURES = (AwsError, NoTokenError)
_log = structlog.get_logger(__name__)

Standing = Mapping[tuple[str, str], Sequence[tuple[str, str]]]
"""The environments that AWS has in a place: uid and ECS cluster, by namespace and name."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What there is of ours, and by which identity each place has answered."""

    scopes: dict[str, Scope] = field(default_factory=dict)
    things: list[Thing] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Owners:
    """Uids whose owners are there after all, and those of whom it could not be said."""

    alive: set[str] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)


class OrphanLooks:
    """For one event loop. `namespaces` are the watched ones; none: all."""

    def __init__(
        self,
        *,
        cluster_id: str,
        namespaces: Collection[str],
        clock: Clock,
        store: Store,
        places: OrphanPlaces,
        batch: BatchPort,
        ec2: Ec2Port,
        ecs: EcsPort,
    ) -> None:
        self._cluster_id = cluster_id
        self._namespaces = tuple(namespaces)
        self._clock = clock
        self._store = store
        self._places = places
        self._batch = batch
        self._ec2 = ec2
        self._ecs = ecs
        self._denied: dict[str, float] = {}  # until when these places are not asked again

    async def everything(self) -> Listed:
        """List all places at once; one that cannot be asked holds up no other."""
        scopes = await self._places.scopes()
        now = self._clock.monotonic()
        self._denied = {where: until for where, until in self._denied.items() if until > now}
        asked = sorted(scopes.keys() - self._denied.keys())
        answers = await asyncio.gather(*(self._listing(scopes[where]) for where in asked))
        listed = Listed()
        for where, answer in zip(asked, answers, strict=True):
            if isinstance(answer, tuple):
                listed.scopes[where], listing = answer
                listed.things.extend(self._ours(where, listing))
            elif answer is ErrorKind.DENIED:
                self._denied[where] = now + DENIED_SECONDS
        return listed

    async def owners(self, due: Iterable[Thing]) -> Owners:
        """Ask the API server, past every cache, for the owner of each.

        Gone is who is not there, or whose name another one has. A kind that is not served, a right
        that is missing, no answer: then nobody is gone.
        """
        found, silent = Owners(), False
        for owner, uid in sorted({(each.owner, each.which.uid) for each in due}):
            if silent:
                found.unsure.add(uid)
                continue
            try:
                live = await self._store.refresh(owner)
            except KubeError as error:
                found.unsure.add(uid)
                silent = isinstance(error, UnavailableError)
                _log.warning("an owner could not be read", owner=str(owner), error=str(error))
            else:
                if live is not None and live.uid == uid:
                    found.alive.add(uid)
        return found

    async def standing(self, scope: Scope) -> Standing | None:
        """The environments that AWS has there; None: it does not say."""
        try:
            shapes = await self._batch.compute_environments(scope, fresh=True)
        except _FAILURES:
            return None
        found: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for each in shapes:
            tags = each.get("tags") or {}
            if tags.get(CLUSTER) == self._cluster_id and tags.get(KIND) == orphans.OWNERS:
                key = (tags.get(NAMESPACE, ""), tags.get(NAME, ""))
                cluster = str(each.get("ecsClusterArn") or "")
                found.setdefault(key, []).append((tags.get(OWNER_UID, ""), cluster))
        return found

    async def seats(
        self, listed: Listed, standing: Mapping[str, Standing], go: Iterable[Thing]
    ) -> Seats:
        """Where these instances sit in clusters of environments that AWS still has.

        An instance is missing whose cluster could not be asked: it must not go now.
        """
        seats: dict[tuple[str, str], list[Seat]] = {}
        members: dict[str, Mapping[str, list[Seat]] | None] = {}
        for each in go:
            where, sort, name, _ = each.which
            if sort is not Sort.INSTANCE:
                continue
            mine: list[Seat] | None = []
            for _, cluster in standing[where].get((each.owner.namespace, each.owner.name), ()):
                if cluster not in members:
                    members[cluster] = await self._members(listed.scopes[where], cluster)
                here = members[cluster]
                mine = None if here is None or mine is None else mine + here.get(name, [])
            if mine is not None:
                seats[where, name] = mine
        return seats

    async def _listing(self, scopes: Collection[Scope]) -> tuple[Scope, Listing] | ErrorKind | None:
        """The first answer that one of these identities gets; or why none does, if that is one."""
        kinds: set[ErrorKind | None] = set()
        for scope in scopes:
            try:
                return scope, Listing(
                    instances=await self._ec2.listed_instances(scope),
                    volumes=await self._ec2.volumes(scope),
                    templates=await self._ec2.launch_templates(scope),
                    reservations=await self._ec2.capacity_reservations(scope, fresh=True),
                )
            except AwsError as error:
                kinds.add(error.kind)
            except NoTokenError:
                kinds.add(None)
        return kinds.pop() if len(kinds) == 1 else None

    def _ours(self, where: str, listing: Listing) -> Sequence[Thing]:
        return orphans.things(
            where, listing, cluster_id=self._cluster_id, namespaces=self._namespaces
        )

    async def _members(self, scope: Scope, cluster: str) -> Mapping[str, list[Seat]] | None:
        """The seats of a cluster by instance; None: ECS does not say."""
        if not cluster:
            return {}  # the environment is being made, or has failed
        try:
            shapes = await self._ecs.container_instances(scope, cluster, fresh=True)
        except _FAILURES:
            return None
        found: dict[str, list[Seat]] = {}
        for shape in shapes:
            seat = Seat(cluster, member_view(shape))
            found.setdefault(seat.member.instance, []).append(seat)
        return found
