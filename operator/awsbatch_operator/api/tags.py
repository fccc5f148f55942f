"""The tags on every AWS object that we make, and what they say about ownership."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from awsbatch_operator.api.metadata import GROUP, ObjectKey

CLUSTER = f"{GROUP}/cluster"
KIND = f"{GROUP}/kind"
NAMESPACE = f"{GROUP}/namespace"
NAME = f"{GROUP}/name"
OWNER_UID = f"{GROUP}/owner-uid"
RUN = f"{GROUP}/run"
CONTENT = f"{GROUP}/content"  # a definition revision's content hash

RESERVED_PREFIXES = ("aws:", f"{GROUP}/")


@dataclass(frozen=True, slots=True)
class Owner:
    """The object for whose sake an AWS object exists."""

    cluster_id: str
    key: ObjectKey
    uid: str

    def tags(self) -> dict[str, str]:
        """The tags that say so."""
        return {
            CLUSTER: self.cluster_id,
            KIND: self.key.kind,
            NAMESPACE: self.key.namespace,
            NAME: self.key.name,
            OWNER_UID: self.uid,
        }


class Ownership(Enum):
    """What the tags of an AWS object say about it and an owner."""

    OURS = "Ours"
    RECREATED = "Recreated"  # same cluster, kind, namespace and name, but an earlier object's uid
    FOREIGN = "Foreign"


def ownership(tags: Mapping[str, str], owner: Owner) -> Ownership:
    """Whose the AWS object is. Infrastructure is re-owned when RECREATED; jobs need OURS."""
    wanted = owner.tags()
    if any(tags.get(tag) != wanted[tag] for tag in (CLUSTER, KIND, NAMESPACE, NAME)):
        return Ownership.FOREIGN
    return Ownership.OURS if tags.get(OWNER_UID) == owner.uid else Ownership.RECREATED


def user_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags that a user may have set: all but AWS's and ours."""
    return {key: value for key, value in tags.items() if not key.startswith(RESERVED_PREFIXES)}
