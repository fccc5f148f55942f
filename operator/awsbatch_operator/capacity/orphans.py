"""What of EC2 carries our tags and has no owner any more, and whether it may be removed.

Whoever owns something removes it himself: a ComputeEnvironment or an ExtendedAMI is not let go
before EC2 shows nothing of it. So an orphan is left only where somebody took the finalizer away,
where the cluster was lost, or where a launch came to light after all that. It has a while to find
its owner again; then it goes, unless there are so many that it is more likely that we are the ones
who are wrong.

Of machine images only what was on the way to one is an orphan: builders and verifiers, the ECS
clusters in which images were tried, images without a verdict or with a bad one, snapshots that no
image has; and launch templates, which a deletion keeps only while an environment uses them. A
finished image may have been kept on purpose (`deletionPolicy: Retain`), which nothing in AWS tells,
so it is never removed here.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import CONFIRM_ORPHANS, ObjectKey, Shape
from awsbatch_operator.api.names import short_hash
from awsbatch_operator.api.tags import CLUSTER, KIND, NAME, NAMESPACE, OWNER_UID, PURPOSE, ROLE
from awsbatch_operator.api.words import some_of
from awsbatch_operator.capacity.faults import RESERVATION_GONE
from awsbatch_operator.capacity.machines import CAPACITY

# Longer than a lagging API server, EC2's late sight of tags (half a minute) and Argo CD's or Flux's
# next round (3 and 10 minutes) together; short beside what a forgotten instance costs in a night.
GRACE_SECONDS = 1800.0
MOST = 10  # things that go without anybody's word
SHARE = 0.2  # of all of ours, likewise
OWNERS = "ComputeEnvironment"  # the kind that owns capacity
MAKERS = "ExtendedAMI"  # the kind that owns machine images

_GONE = frozenset({"shutting-down", "terminated", "deleting", "deleted"})


class Sort(StrEnum):
    """What is launched or made for capacity and images, in the order in which it is removed."""

    INSTANCE = "Instance"
    CLUSTER = "Cluster"  # of ECS, in which images are tried
    RESERVATION = "CapacityReservation"
    TEMPLATE = "LaunchTemplate"
    IMAGE = "Image"
    SNAPSHOT = "Snapshot"
    VOLUME = "Volume"


class Which(NamedTuple):
    """One thing. `where` is "account/region", `uid` its owner's: another owner, another story."""

    where: str
    sort: Sort
    id: str
    uid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """A thing of ours, as EC2 lists it."""

    which: Which
    owner: ObjectKey
    made: Instant
    name: str = ""  # by which others may refer to it, beside its id
    removable: bool = True  # a volume that is attached goes with its instance, or after it


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What EC2 lists of one account and region."""

    instances: Sequence[Shape] = ()
    volumes: Sequence[Shape] = ()
    templates: Sequence[Shape] = ()
    reservations: Sequence[Shape] = ()
    images: Sequence[Shape] = ()  # that were never finished, or did not pass
    snapshots: Sequence[Shape] = ()  # of no image
    clusters: Sequence[Shape] = ()  # of ECS, in which images are tried


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The objects that are there.

    `idle` are the ExtendedAMIs whose records say that nothing was launched or half made. What they
    have of it all the same came to light too late for them to look for it.
    """

    uids: Collection[str]
    keys: Collection[ObjectKey] = ()
    idle: Collection[ObjectKey] = ()

    def have(self, thing: "Thing") -> bool:
        """Whether one of them owns the thing, and will remove it when it is not needed.

        An ExtendedAMI takes over what an earlier one of its name has left, but no instances.
        """
        owner = thing.owner
        if owner.kind != MAKERS:
            return thing.which.uid in self.uids
        if thing.which.sort in {Sort.IMAGE, Sort.TEMPLATE}:
            return owner in self.keys
        same = thing.which.sort in {Sort.SNAPSHOT, Sort.CLUSTER} and owner in self.keys
        return (same or thing.which.uid in self.uids) and owner not in self.idle


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What one pass has found. `since` says of every orphan since when (monotonic) it is one."""

    ours: int
    orphans: tuple[Thing, ...]
    due: tuple[Thing, ...]
    since: Mapping[Which, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What may be removed, and what waits for somebody's word, and why."""

    go: tuple[Thing, ...]
    held: tuple[Thing, ...] = ()
    why: str = ""


def things(
    where: str,
    listing: Listing,
    *,
    cluster_id: str,
    namespaces: Collection[str] = (),
    excluded: Collection[str] = (),
) -> tuple[Thing, ...]:
    """Those of a listing that this cluster has made, in these namespaces if any are given.

    Of `excluded` namespaces nothing is known: another installation serves them.

    What lacks one of the tags, or carries another's, is not ours to count nor to remove.
    """
    found: dict[Which, Thing] = {}
    for sort, shapes, name, made in (
        (Sort.INSTANCE, listing.instances, "InstanceId", "LaunchTime"),
        (Sort.RESERVATION, listing.reservations, "CapacityReservationId", "CreateDate"),
        (Sort.TEMPLATE, listing.templates, "LaunchTemplateId", "CreateTime"),
        (Sort.VOLUME, listing.volumes, "VolumeId", "CreateTime"),
        (Sort.IMAGE, listing.images, "ImageId", "CreationDate"),
        (Sort.SNAPSHOT, listing.snapshots, "SnapshotId", "StartTime"),
        (Sort.CLUSTER, listing.clusters, "ClusterName", ""),  # ECS does not say since when
    ):
        for shape in shapes:
            tags = _tags(shape)
            state = _state(shape)
            kind = _kind(sort, tags)
            if tags.get(CLUSTER) != cluster_id or not kind or state in _GONE | RESERVATION_GONE:
                continue
            namespace, owner, uid = (tags.get(key, "") for key in (NAMESPACE, NAME, OWNER_UID))
            dated = not made or shape.get(made)
            complete = namespace and owner and uid and shape.get(name) and dated
            unseen = (namespaces and namespace not in namespaces) or namespace in excluded
            if not complete or unseen:
                continue
            which = Which(where, sort, str(shape[name]), uid)
            found[which] = Thing(
                which=which,
                owner=ObjectKey(kind, namespace, owner),
                made=Instant.parse(str(shape[made])) if made else Instant(0.0),
                name=str(shape.get("LaunchTemplateName") or ""),
                removable=sort is not Sort.VOLUME or state == "available",
            )
    return tuple(found[which] for which in sorted(found))


def _kind(sort: Sort, tags: Mapping[str, str]) -> str:
    """The kind whose thing it is by its tags; "" for what neither kind makes so."""
    if sort in {Sort.IMAGE, Sort.SNAPSHOT, Sort.CLUSTER}:
        return MAKERS if tags.get(KIND) == MAKERS else ""
    if tags.get(PURPOSE) == CAPACITY and tags.get(KIND) == OWNERS:
        return OWNERS
    launched = sort in {Sort.INSTANCE, Sort.VOLUME} and bool(tags.get(ROLE))
    made = (launched or sort is Sort.TEMPLATE) and PURPOSE not in tags
    return MAKERS if made and tags.get(KIND) == MAKERS else ""


def survey(
    found: Iterable[Thing],
    known: Known,
    since: Mapping[Which, float],
    *,
    asked: Collection[str],
    now: Instant,
    monotonic: float,
) -> Survey:
    """Which of these have no owner among the objects that are known, and which of them are due.

    `since` is the survey's before, `asked` are the places that were listed now. Of a place that
    could not be asked nothing new is said: its things keep their time, and are not due.
    """
    ours = {each.which: each for each in found}
    orphans = [ours[which] for which in sorted(ours) if not known.have(ours[which])]
    first = {which: at for which, at in since.items() if _unasked(which, asked, known)}
    first |= {each.which: since.get(each.which, monotonic) for each in orphans}
    due = tuple(
        each
        for each in orphans
        if each.removable
        and now.since(each.made) >= GRACE_SECONDS
        and monotonic - first[each.which] >= GRACE_SECONDS
    )
    return Survey(ours=len(ours), orphans=tuple(orphans), due=due, since=first)


def _unasked(which: Which, asked: Collection[str], known: Known) -> bool:
    return which.where not in asked and which.uid not in known.uids


def gate(
    due: Sequence[Thing],
    ours: int,
    *,
    standing: Collection[tuple[str, str]],
    confirmed: Collection[Which],
) -> Gate:
    """What of the due may go.

    More than MOST of them, or than SHARE of all of ours, are held, all of them. So is what belongs
    to an environment, or to finished images, that AWS still has under the very uid (`standing`:
    place and uid): they were retained, or belong to another cluster that has our id. What is
    confirmed goes, and does not count.
    """
    doubtful = [each for each in due if each.which not in confirmed]
    why = ""
    if len(doubtful) > MOST:
        why = f"they are more than {MOST} at once"
    elif len(doubtful) > SHARE * ours:
        why = f"they are more than {SHARE:.0%} of the {ours} things that this cluster has"
    held = doubtful
    if not why:
        held = [each for each in doubtful if (each.which.where, each.which.uid) in standing]
        why = f"AWS still has their {_standing(held)}" if held else ""
    kept = {each.which for each in held}
    return Gate(go=tuple(each for each in due if each.which not in kept), held=tuple(held), why=why)


def _standing(held: Iterable[Thing]) -> str:
    words = {OWNERS: "environment", MAKERS: "finished images"}
    return " or ".join(words[kind] for kind in sorted({each.owner.kind for each in held}))


def fingerprint(held: Iterable[Thing]) -> str:
    """What a person confirms: this very set, and no other."""
    return short_hash(*(" ".join(which) for which in sorted(one.which for one in held)), digits=16)


def held_text(held: Sequence[Thing], why: str) -> str:
    """What is held and why."""
    places = sorted({each.which.where for each in held})
    kinds = " or ".join(sorted({each.owner.kind for each in held}))
    return (
        f"Things of EC2 with tags of this cluster, whose uid no {kinds} has, are not removed, "
        f"because {why}: {counted(held)} in {some_of(places)}."
    )


def confirming(held: Sequence[Thing], lease: ObjectKey) -> str:
    """How a person has exactly these removed, and which they are.

    The command comes first, for an event ends after 1024 bytes.
    """
    owners = sorted({f"{each.owner.namespace}/{each.owner.name}" for each in held})
    return (
        "If no other cluster has this one's cluster id, and they may go: kubectl annotate lease "
        f"-n {lease.namespace} {lease.name} --overwrite {CONFIRM_ORPHANS}={fingerprint(held)} "
        f"(for exactly these: {some_of([each.which.id for each in held])}; of {some_of(owners)})."
    )


def counted(some: Iterable[Thing]) -> str:
    """How many of each sort: "2 Instances and 1 Volume"."""
    numbers = Counter(each.which.sort for each in some)
    words = [f"{numbers[sort]} {sort}{'s' * (numbers[sort] > 1)}" for sort in Sort if numbers[sort]]
    return " and ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else "".join(words)


def _state(shape: Shape) -> str:
    """Instances have a structure there, volumes and reservations a word, templates nothing."""
    state: Any = shape.get("State", "")
    return str(state.get("Name", "") if isinstance(state, Mapping) else state)


def _tags(shape: Shape) -> Mapping[str, str]:
    return {str(each["Key"]): str(each.get("Value", "")) for each in shape.get("Tags", ())}
