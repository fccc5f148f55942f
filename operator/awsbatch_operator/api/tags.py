"""The tags on every AWS object that we make, and what they say about ownership."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from awsbatch_operator.api.metadata import GROUP, ObjectKey
from awsbatch_operator.api.scope import Origin

CLUSTER = f"{GROUP}/cluster"
KIND = f"{GROUP}/kind"
NAMESPACE = f"{GROUP}/namespace"
NAME = f"{GROUP}/name"
OWNER_UID = f"{GROUP}/owner-uid"
ORIGIN = f"{GROUP}/origin"  # on what was there before and was taken over
RUN = f"{GROUP}/run"
CONTENT = f"{GROUP}/content"  # of what a revision, or the instances of a launch, are made
# Of what is made for capacity.
PURPOSE = f"{GROUP}/purpose"
POOL = f"{GROUP}/pool"
INTENT = f"{GROUP}/intent"  # the client token of the launch, or of the reservation
MARKET = f"{GROUP}/market"
END = f"{GROUP}/end"  # when it goes by itself
ECS_CLUSTER = f"{GROUP}/ecs-cluster"  # the name of the one that its instances join
# Of what is made for machine images; the intent of a builder or verifier is INTENT.
ROLE = f"{GROUP}/role"  # builder or verifier
BUILD = f"{GROUP}/build"  # which build: the hash in the image's name
ATTEMPT = f"{GROUP}/attempt"
BASE_IMAGE = f"{GROUP}/base-image"
BASE_SOURCE = f"{GROUP}/base-source"  # of what the spec said of the base, whatever release it was
# What of an instance's CPUs the kernel of an image uses, and so ECS registers.
THREADS_PER_CORE = f"{GROUP}/threads-per-core"
MAX_CPUS = f"{GROUP}/max-cpus"
VERDICT = f"{GROUP}/verdict"  # what came of an image's test; without it, the image is not finished

RESERVED_PREFIXES = ("aws:", f"{GROUP}/")


@dataclass(frozen=True, slots=True)
class Owner:
    """The object for whose sake an AWS object exists.

    `adopted`: AWS had it before. The tags say that, too, because nothing else does when a cluster
    is built anew: as created it would be removed from AWS together with the object.
    """

    cluster_id: str
    key: ObjectKey
    uid: str
    adopted: bool = False

    def tags(self) -> dict[str, str]:
        """The tags that say so."""
        made = {
            CLUSTER: self.cluster_id,
            KIND: self.key.kind,
            NAMESPACE: self.key.namespace,
            NAME: self.key.name,
            OWNER_UID: self.uid,
        }
        return {**made, ORIGIN: Origin.ADOPTED.value} if self.adopted else made


class Ownership(Enum):
    """Whose an AWS object is, seen from an object that looks for it."""

    OURS = "Ours"
    RECREATED = "Recreated"  # same cluster, kind, namespace and name, but an earlier object's uid
    ADOPTABLE = "Adoptable"  # nobody's by its tags, and the spec asks to take it over
    FOREIGN = "Foreign"


def ownership(tags: Mapping[str, str], owner: Owner, *, recorded: bool = False) -> Ownership:
    """Whose the AWS object is. Infrastructure is re-owned when RECREATED; jobs need OURS.

    Proof are the uid, the cluster and, with `recorded`, that its ARN is the one which stands in the
    object's status: two of the three are enough, so that one tag that somebody edited disowns
    nothing. The tags with namespace and name prove nothing beside them and are drift.

    Only with another uid do they count: AWS makes an ARN of the name, so what another object of
    this cluster has made anew by the same name has the recorded ARN and the cluster, too.
    """
    ours = tags.get(CLUSTER) == owner.cluster_id
    if tags.get(OWNER_UID) == owner.uid:
        return Ownership.OURS if ours or recorded else Ownership.FOREIGN
    if not ours or (OWNER_UID in tags and not _same_key(tags, owner)):
        return Ownership.FOREIGN
    if recorded:
        return Ownership.OURS
    return Ownership.RECREATED if _same_key(tags, owner) else Ownership.FOREIGN


def _same_key(tags: Mapping[str, str], owner: Owner) -> bool:
    wanted = owner.tags()
    return all(tags.get(tag) == wanted[tag] for tag in (KIND, NAMESPACE, NAME))


def unclaimed(tags: Mapping[str, str]) -> bool:
    """Whether no operator has marked the AWS object as its own, or the last one has let it go."""
    return not marks_in(tags)


OWNER_TAGS = (CLUSTER, KIND, NAMESPACE, NAME, OWNER_UID, ORIGIN)


def unowned(tags: Mapping[str, str]) -> bool:
    """Whether no tag names an owner; those that say what the thing is may be there."""
    return not owner_marks_in(tags)


def owner_marks_in(tags: Mapping[str, str]) -> tuple[str, ...]:
    """The keys of those tags that name an owner, in order."""
    return tuple(sorted(set(OWNER_TAGS) & tags.keys()))


def marks_in(tags: Mapping[str, str]) -> tuple[str, ...]:
    """The keys of those tags that an operator has set for itself, in order."""
    return tuple(sorted(key for key in tags if key.startswith(f"{GROUP}/")))


def was_adopted(tags: Mapping[str, str]) -> bool:
    """Whether the tags say that the AWS object was there before an object of ours took it over."""
    return tags.get(ORIGIN) == Origin.ADOPTED.value


def owner_words(tags: Mapping[str, str], cluster_id: str) -> str:
    """Whom the tags name, for whoever reads it in the cluster of that id; "" if nobody."""
    if not tags.get(CLUSTER):
        return ""
    place = "".join(f"{tags[part]}/" for part in (NAMESPACE,) if tags.get(part))
    named = f"{tags.get(KIND, 'an object')} {place}{tags.get(NAME, '')}".strip()
    return named if tags[CLUSTER] == cluster_id else f"{named} of the cluster {tags[CLUSTER]}"


def holder(tags: Mapping[str, str], cluster_id: str) -> ObjectKey | None:
    """The object of this cluster that the tags name as the owner; None if they name none."""
    if tags.get(CLUSTER) != cluster_id or not tags.get(KIND):
        return None
    return ObjectKey(tags[KIND], tags.get(NAMESPACE, ""), tags.get(NAME, ""))
