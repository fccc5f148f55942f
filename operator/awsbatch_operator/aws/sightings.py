"""Environments and queues as last seen, and whose business it is when they differ. No AWS in here.

AWS tells us by our own tags whom a thing belongs to; what carries another cluster's tags, or none,
is nobody's business of ours.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.api.tags import CLUSTER, KIND, NAME, NAMESPACE

_MOVING = ("CREATING", "UPDATING", "DELETING")


@dataclass(frozen=True, slots=True)
class Sighting:
    """One thing of ours in AWS."""

    owner: ObjectKey
    mark: str
    moving: bool  # AWS is at work on it


Sightings = Mapping[str, Sighting]
"""By ARN."""


def sight(cluster_id: str, details: Iterable[Shape], arn_member: str) -> dict[str, Sighting]:
    """What of these details is ours."""
    return {
        str(detail[arn_member]): Sighting(
            owner=_owner(detail["tags"]),
            mark=_mark(detail),
            moving=detail.get("status") in _MOVING,
        )
        for detail in details
        if detail.get("tags", {}).get(CLUSTER) == cluster_id and KIND in detail["tags"]
    }


def changed(before: Sightings, after: Sightings) -> list[ObjectKey]:
    """The owners of all that is new, different, or no longer there; each once, sorted."""
    arns = before.keys() | after.keys()
    owners = {
        seen.owner
        for arn in arns
        if before.get(arn) != after.get(arn)
        for seen in (before.get(arn), after.get(arn))
        if seen is not None
    }
    return sorted(owners)


def moving(seen: Sightings) -> bool:
    """Whether AWS is at work on any of them."""
    return any(sighting.moving for sighting in seen.values())


def _owner(tags: Mapping[str, str]) -> ObjectKey:
    return ObjectKey(tags[KIND], tags.get(NAMESPACE, ""), tags.get(NAME, ""))


def _mark(detail: Shape) -> str:
    text = json.dumps(detail, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
