"""What the pass over orphans looks at: EC2, live owners, environments and their clusters, images.

Whatever cannot be asked is left out, and what depends on it waits for the next pass.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import structlog

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import ObjectKey, Resource, Shape
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
from awsbatch_operator.kinds.orphan_places import OrphanPlaces
from awsbatch_operator.kube.port import KubeError, UnavailableError

DENIED_SECONDS = 86_400.0  # until a place that lets us list nothing is asked again

_FAILURES = (AwsError, NoTokenError)
_log = structlog.get_logger(__name__)

Standing = Mapping[tuple[str, str], Sequence[tuple[str, str]]]
"""The environments that AWS has in a place: uid and ECS cluster, by namespace and name."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What there is of ours, and by which identity each place has answered.

    `blind` are the places in which images were not looked for, or could not be.
    """

    blind: set[str] = field(default_factory=set)
    scopes: dict[str, Scope] = field(default_factory=dict)
    things: list[Thing] = field(default_factory=list)
    finished: dict[tuple[str, str], tuple[ObjectKey, str]] = field(default_factory=dict)
    """Owner and uid of each finished image, by place and id."""


@dataclass(frozen=True, slots=True)
class Owners:
    """Owners that are there after all, and the keys of whom it could not be said."""

    alive: list[Resource] = field(default_factory=list)
    unsure: set[ObjectKey] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class ImagesThere:
    """What there is of machine images in a place; `owners` are those of finished ones, by id."""

    half_made: Sequence[Shape] = ()
    snapshots: Sequence[Shape] = ()  # that no image has
    clusters: Sequence[Shape] = ()  # in which images are tried
    owners: Mapping[str, tuple[ObjectKey, str]] = field(default_factory=dict)


class ImageLooks(Protocol):
    """What is to be known of images; kinds/extendedami knows how."""

    async def there(self, scope: Scope) -> ImagesThere:
        """What there is. Raises AwsError and NoTokenError, as `in_use` does."""

    async def in_use(self, scope: Scope, ids: Sequence[str]) -> Collection[str]:
        """Those of these images to which anything of the account refers.

        And those of these launch templates, by id or name, that an environment names.
        """

    def is_idle(self, resource: Resource) -> bool:
        """Whether an ExtendedAMI looks for nothing that was launched or half made."""

    def regions(self, resource: Resource) -> Collection[str]:
        """Further regions in which it may have something."""


class OrphanLooks:
    """For one event loop. `namespaces` are the watched ones; none: all but the `excluded`."""

    def __init__(
        self,
        *,
        cluster_id: str,
        namespaces: Collection[str],
        excluded: Collection[str] = (),
        clock: Clock,
        store: Store,
        places: OrphanPlaces,
        batch: BatchPort,
        ec2: Ec2Port,
        ecs: EcsPort,
        images: ImageLooks,
    ) -> None:
        self._cluster_id = cluster_id
        self._namespaces = tuple(namespaces)
        self._excluded = tuple(excluded)
        self._clock = clock
        self._store = store
        self._places = places
        self._batch = batch
        self._ec2 = ec2
        self._ecs = ecs
        self._images = images
        self._denied: dict[str, float] = {}  # until when these places are not asked again
        self._no_images: dict[str, float] = {}  # the same, of images alone

    async def everything(self, *, images: bool = True) -> Listed:
        """List all places at once; one that cannot be asked holds up no other."""
        scopes = await self._places.scopes(self._images.regions)
        now = self._clock.monotonic()
        for denied in (self._denied, self._no_images):
            for where in [where for where, until in denied.items() if until <= now]:
                del denied[where]
        asked = sorted(scopes.keys() - self._denied.keys())
        answers = await asyncio.gather(*(self._listing(scopes[where]) for where in asked))
        listed = Listed()
        for where, answer in zip(asked, answers, strict=True):
            if isinstance(answer, tuple):
                scope, listing = answer
                there = await self._images_in(where, scope) if images else None
                if there is None:
                    there = ImagesThere()
                    listed.blind.add(where)
                listed.scopes[where] = scope
                more = replace(
                    listing,
                    images=there.half_made,
                    snapshots=there.snapshots,
                    clusters=there.clusters,
                )
                listed.things.extend(self._ours(where, more))
                listed.finished.update(
                    {(where, name): owner for name, owner in there.owners.items()}
                )
            elif answer is ErrorKind.DENIED:
                self._denied[where] = now + DENIED_SECONDS
        return listed

    def is_idle(self, resource: Resource) -> bool:
        """Whether an ExtendedAMI looks for nothing that was launched or half made."""
        return self._images.is_idle(resource)

    async def images_in_use(
        self, listed: Listed, go: Iterable[Thing]
    ) -> Collection[tuple[str, str]]:
        """Place and id of images and their templates that must stay, of those of `go`.

        All of a place that says nothing.
        """
        asked: dict[str, list[Thing]] = {}
        for each in go:
            template = each.which.sort is Sort.TEMPLATE and each.owner.kind == orphans.MAKERS
            if template or each.which.sort is Sort.IMAGE:
                asked.setdefault(each.which.where, []).append(each)
        staying: set[tuple[str, str]] = set()
        for where, things in asked.items():
            names = [name for each in things for name in (each.which.id, each.name) if name]
            try:
                used = await self._images.in_use(listed.scopes[where], names)
            except _FAILURES:
                used = names
            found = (each.which.id for each in things if {each.which.id, each.name} & {*used})
            staying |= {(where, name) for name in found}
        return staying

    async def owners(self, due: Iterable[Thing]) -> Owners:
        """Ask the API server, past every cache, for the owner of each.

        Gone is who is not there, or whose name another one has. A kind that is not served, a right
        that is missing, no answer: then nobody is gone.
        """
        found, silent = Owners(), False
        for owner in sorted({each.owner for each in due}):
            if silent:
                found.unsure.add(owner)
                continue
            try:
                live = await self._store.refresh(owner)
            except KubeError as error:
                found.unsure.add(owner)
                silent = isinstance(error, UnavailableError)
                _log.warning("an owner could not be read", owner=str(owner), error=str(error))
            else:
                found.alive.extend([] if live is None else [live])
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
            if each.owner.kind != orphans.OWNERS:  # no job runs on a builder or a verifier
                seats[where, name] = []
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

    async def _images_in(self, where: str, scope: Scope) -> ImagesThere | None:
        """What there is of images; None: the place does not say, or does not let us look."""
        if where in self._no_images:
            return None
        try:
            return await self._images.there(scope)
        except AwsError as error:
            if error.kind is ErrorKind.DENIED:
                self._no_images[where] = self._clock.monotonic() + DENIED_SECONDS
        except NoTokenError:
            pass
        return None

    def _ours(self, where: str, listing: Listing) -> Sequence[Thing]:
        return orphans.things(
            where,
            listing,
            cluster_id=self._cluster_id,
            namespaces=self._namespaces,
            excluded=self._excluded,
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


async def emptied(ecs: EcsPort, scope: Scope, cluster: str) -> None:
    """ECS deletes no cluster with instances in it, and keeps those that ended unseen."""
    for member in await ecs.container_instances(scope, cluster, fresh=True):
        arn = str(member["containerInstanceArn"])
        request = {"cluster": cluster, "containerInstance": arn, "force": True}
        await ecs.change(scope, "DeregisterContainerInstance", request)
