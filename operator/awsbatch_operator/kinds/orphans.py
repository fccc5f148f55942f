"""The pass that removes what has our tags and no owner any more; capacity/orphans.py decides.

Every ten minutes, by the leader, once all objects have been listed. EC2 is listed before the
objects are looked at, so that nothing is taken for an orphan that was launched in between; and
before anything goes, the API server is asked, past every cache, whether its owner is really gone.
What fails is left for the next pass, and so is what may have been done or not: the next listing
tells. Whatever is remembered here may be lost: it only makes orphans wait longer.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from awsbatch_operator.api import capacity_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Clock, Instant
from awsbatch_operator.api.metadata import CONFIRM_ORPHANS, ObjectKey, Resource, Shape
from awsbatch_operator.api.repeats import Repeats
from awsbatch_operator.api.scope import LeaseLostError, NoTokenError, Scope
from awsbatch_operator.aws.capacity_ports import Ec2Port, EcsPort
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.image_ports import ImagePort
from awsbatch_operator.capacity import orphans
from awsbatch_operator.capacity.orphan_removal import Removal, one_by_one, removals
from awsbatch_operator.capacity.orphans import Known, Sort, Survey, Thing, Which
from awsbatch_operator.capacity.requests import Service
from awsbatch_operator.engine.cache import Cache, Change
from awsbatch_operator.kinds.narration import EventSink
from awsbatch_operator.kinds.orphan_looks import Listed, OrphanLooks, Standing, emptied
from awsbatch_operator.kube.port import KubeError, KubePort
from awsbatch_operator.telemetry.metrics import Metrics
from awsbatch_operator.waiting import first_of, until_set

INTERVAL_SECONDS = 600.0
UNUSED_SECONDS = 86_400.0  # likewise while no object has asked for any of it, and none is known
TOLD_SECONDS = 3600.0  # until what still waits for a person is told again
_HOLDER = "orphans"  # of rate tokens
_OF_IMAGES = frozenset({Sort.IMAGE, Sort.SNAPSHOT, Sort.CLUSTER})
# What is no word about this one call: the place is left alone until the next pass.
_OF_THE_PLACE = (ErrorKind.DENIED, ErrorKind.THROTTLED, ErrorKind.TRANSIENT, ErrorKind.UNKNOWN)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanParts:
    """What the pass works with.

    `lease` is the operator's own: its events are told of it, and confirmations stand there. The
    pass may go on once `listed` is set: the cache then has all objects.
    """

    lease: ObjectKey
    clock: Clock
    cache: Cache
    kube: KubePort
    looks: OrphanLooks
    ec2: Ec2Port
    ecs: EcsPort
    images: ImagePort
    events: EventSink
    metrics: Metrics
    listed: asyncio.Event


class OrphanPass:
    """For one event loop. `run` until it is told to stop, or cancelled."""

    def __init__(self, parts: OrphanParts) -> None:
        self._parts = parts
        self._since: Mapping[Which, float] = {}
        self._confirmed: frozenset[Which] = frozenset()
        self._counts: Counter[Sort] = Counter()
        self._told = Repeats(parts.clock, seconds=TOLD_SECONDS)
        self._used = False  # whether any ComputeEnvironment has had capacity since the start
        self._imaged = False  # the same of any ExtendedAMI
        self._rests_until, self._kept = 0.0, 0
        parts.cache.listen(self._absorb)
        parts.metrics.gauges(
            "orphans",
            "Things of EC2 with our tags whose owner does not exist, at the last pass.",
            ("thing",),
            lambda: [((sort.value,), self._counts[sort]) for sort in Sort],
        )
        parts.metrics.gauges(
            "images_without_owner",
            "Finished images with our tags whose ExtendedAMI does not exist, at the last pass.",
            (),
            lambda: [((), self._kept)],
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Look every INTERVAL_SECONDS, the first time after one; ends when `stop` is set alone.

        Whoever has no capacity and no images must not pay for this with calls. Something may be
        left all the same from before the start, so even there it is looked for once a day.
        """
        await first_of(self._parts.listed.wait(), until_set(stop))
        while True:
            await first_of(self._parts.clock.sleep(INTERVAL_SECONDS), until_set(stop))
            if stop.is_set():
                return
            now = self._parts.clock.monotonic()
            used, rests = self._used or self._imaged or self._since, now < self._rests_until
            if rests and not used:
                continue
            self._rests_until = self._rests_until if rests else now + UNUSED_SECONDS
            try:
                await self.once(stop, images=not rests or self._looks_for_images())
            except Exception as error:  # noqa: BLE001 - anybody can put tags on things of AWS
                tell = _log.warning if isinstance(error, LeaseLostError) else _log.exception
                tell("orphans were not removed", error=str(error))

    async def once(self, stop: asyncio.Event, *, images: bool = True) -> None:
        """One pass, with a look at images or without. Raises LeaseLostError."""
        looks = self._parts.looks
        listed = await looks.everything(images=images)
        found = self._survey(listed)
        owners = await looks.owners(found.due)
        if owners.alive:
            found = self._survey(listed, owners.alive)
        self._since = found.since
        self._confirmed &= found.since.keys()
        self._counts = Counter(each.which.sort for each in found.orphans)
        self._imaged = self._imaged or any(each.owner.kind == orphans.MAKERS for each in found.due)
        standing = {}
        for where in sorted({each.which.where for each in found.due}):
            if (there := await looks.standing(listed.scopes[where])) is not None:
                standing[where] = there
        whole = {(where, uid) for (where, _), (_, uid) in listed.finished.items()}
        go = [
            each
            for each in await self._allowed(found, standing, whole)
            if each.which.where in standing and each.owner not in owners.unsure
        ]
        # Finished images tell of whom something may be kept: without them nothing of images goes.
        go = [each for each in go if not _unseen(each, listed)]
        used = await looks.images_in_use(listed, go)
        go = [each for each in go if (each.which.where, each.which.id) not in used]
        seats = await looks.seats(listed, standing, go)
        await self._remove(listed, removals(go, seats), stop)

    def _absorb(self, change: Change) -> None:
        if change.key.kind == orphans.OWNERS and change.resource is not None:
            self._used = self._used or "capacity" in change.resource.spec
        self._imaged = self._imaged or change.key.kind == orphans.MAKERS

    def _looks_for_images(self) -> bool:
        return self._imaged or any(which.sort in _OF_IMAGES for which in self._since)

    def _known(self, alive: Sequence[Resource] = ()) -> Known:
        """The objects that there are: those of the cache, and as they really are, these."""
        kinds = (orphans.OWNERS, orphans.MAKERS)
        there = {each.key: each for kind in kinds for each in self._parts.cache.of_kind(kind)}
        there |= {each.key: each for each in alive}
        makers = [each for each in there.values() if each.key.kind == orphans.MAKERS]
        return Known(
            uids={each.uid for each in there.values()},
            keys=there.keys(),
            idle={each.key for each in makers if self._parts.looks.is_idle(each)},
        )

    def _survey(self, listed: Listed, alive: Sequence[Resource] = ()) -> Survey:
        known = self._known(alive)
        if not listed.blind:
            self._kept = sum(owner not in known.keys for owner, _ in listed.finished.values())
        return orphans.survey(
            listed.things,
            known,
            self._since,
            asked=listed.scopes.keys(),
            now=self._parts.clock.now(),
            monotonic=self._parts.clock.monotonic(),
        )

    async def _allowed(
        self, found: Survey, standing: Mapping[str, Standing], whole: set[tuple[str, str]]
    ) -> Sequence[Thing]:
        """What may go. What may not is told, unless its very set is confirmed.

        `whole` are place and uid of finished images.
        """
        kept = whole | {
            (where, uid)
            for where, there in standing.items()
            for some in there.values()
            for uid, _ in some
        }
        gate = orphans.gate(found.due, found.ours, standing=kept, confirmed=self._confirmed)
        if not gate.held:
            return gate.go
        lease = await self._lease()
        if lease.annotations.get(CONFIRM_ORPHANS, "").strip() == orphans.fingerprint(gate.held):
            self._confirmed |= {each.which for each in gate.held}
            _log.info("orphans are confirmed", things=orphans.counted(gate.held))
            return found.due
        text = orphans.held_text(gate.held, gate.why)
        remedy = orphans.confirming(gate.held, self._parts.lease)
        told = Finding(capacity_reasons.ORPHANS_HELD, text, remedy)
        if self._told.is_news(told.text()):
            self._tell(lease, told)
        return gate.go

    async def _lease(self) -> Resource:
        """The operator's Lease, as something that events are about; bare if it cannot be read."""
        key = self._parts.lease
        try:
            body = await self._parts.kube.read_lease(key.namespace, key.name) or {}
        except KubeError:
            body = {}
        metadata = body.get("metadata", {})
        return Resource(
            key=key,
            uid=str(metadata.get("uid", "")),
            generation=0,
            resource_version=str(metadata.get("resourceVersion", "")),
            created=Instant(0.0),
            annotations=metadata.get("annotations") or {},
        )

    async def _remove(self, listed: Listed, calls: Sequence[Removal], stop: asyncio.Event) -> None:
        todo, removed, left_alone = list(calls), list[Thing](), set[str]()
        while todo and not stop.is_set():
            removal = todo.pop(0)
            if removal.where in left_alone:
                continue
            try:
                await self._send(listed.scopes[removal.where], removal)
            except NoTokenError:
                left_alone.add(removal.where)
            except AwsError as error:
                if error.outcome_unknown or error.kind in _OF_THE_PLACE:
                    left_alone.add(removal.where)
                elif removal.ends and len(removal.things) > 1:
                    todo[:0] = one_by_one(removal)
                    continue
                elif error.kind is ErrorKind.NOT_FOUND:
                    continue  # it has gone meanwhile
                ids = [each.which.id for each in removal.things]
                _log.warning("orphans were not removed", things=ids, error=str(error))
            else:
                removed += self._done(removal)
        if removed:
            words = f"Removed, because no owner was left: {orphans.counted(removed)}."
            self._tell(await self._lease(), Finding(capacity_reasons.ORPHANS_REMOVED, words))

    async def _send(self, scope: Scope, removal: Removal) -> None:
        call, sort = removal.call, removal.things[0].which.sort
        if sort is Sort.CLUSTER:
            await emptied(self._parts.ecs, scope, str(call.request["cluster"]))
        if sort in _OF_IMAGES:
            await self._unmake(scope, f"{call.service}:{call.operation}", call.request)
            return
        port = self._parts.ec2 if call.service is Service.EC2 else self._parts.ecs
        permit = port.permit(scope, call.operation, _HOLDER)
        try:
            answer = await port.change(scope, call.operation, call.request)
        except (LeaseLostError, NoTokenError):
            permit.give_back()
            raise
        for failure in answer.get("failures", ()):
            _log.warning("an orphan was not drained", reason=str(failure.get("reason", "")))

    async def _unmake(self, scope: Scope, call: str, request: Shape) -> None:
        permit = self._parts.images.permit(scope, call, _HOLDER)
        try:
            await self._parts.images.send(scope, call, request)
        except (LeaseLostError, NoTokenError):
            permit.give_back()
            raise

    def _done(self, removal: Removal) -> Sequence[Thing]:
        """Say what was done; what is gone by it."""
        for each in removal.things:
            _log.info(
                "orphan removed" if removal.ends else "orphan drained",
                thing=each.which.sort.value,
                id=each.which.id,
                place=each.which.where,
                owner=str(each.owner),
                uid=each.which.uid,
            )
            if removal.ends:
                self._parts.metrics.orphan_removed(each.which.sort.value)
        return removal.things if removal.ends else ()

    def _tell(self, lease: Resource, told: Finding) -> None:
        self._parts.events.event(
            lease,
            reason=told.reason.name,
            message=told.text(),
            warning=told.reason.warning,
            action="RemoveOrphans",
        )


def _unseen(thing: Thing, listed: Listed) -> bool:
    return thing.owner.kind == orphans.MAKERS and thing.which.where in listed.blind
