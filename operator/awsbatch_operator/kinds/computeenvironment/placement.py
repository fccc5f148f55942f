"""A cluster placement group that the operator makes for an environment (pure).

CreatePlacementGroup has no client token: the name, which is made of the object and the cluster,
and our tags stand for it. The name is written down before the group is made, so that a group which
the spec no longer asks for is removed, whatever crashes; where that was lost, the group is looked
for once under the only name that it can have. It outlives every environment that uses
it. A group of that name that does not carry our tags is never used or removed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import PLACEMENT_GROUP, RESOLVED, Resource, Shape
from awsbatch_operator.api.names import default_aws_name
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.api.tags import Owner, Ownership, ownership
from awsbatch_operator.kinds.computeenvironment.members import resources_of
from awsbatch_operator.kinds.computeenvironment.noops import MANAGED_GROUP

LANE = "placement-group"
IN_USE_SECONDS = 15.0  # EC2 counts instances that are on their way out


@dataclass(frozen=True, slots=True)
class GroupCall:
    """A call of EC2 about the group."""

    operation: str
    request: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Group:
    """What EC2 has under the name. `refusal`: why that is not known."""

    name: str
    detail: Shape | None = None
    refusal: Finding | None = None

    def record(self) -> Mapping[str, str]:
        """The annotation that says that there is one."""
        return {PLACEMENT_GROUP: self.name}

    def is_ours(self, owner: Owner) -> bool:
        """Whether we have made it, for this object or for an earlier one of its name."""
        if self.detail is None:
            return False
        tags = {tag["Key"]: tag.get("Value", "") for tag in self.detail.get("Tags", ())}
        return ownership(tags, owner) in {Ownership.OURS, Ownership.RECREATED}


@dataclass(frozen=True, slots=True)
class GroupShows:
    """EC2 shows the group, or shows it no more."""

    there: bool

    def met(self, observed: Any) -> bool:
        group = getattr(observed, "group", None)
        return group is None or group.refusal is not None or self.there == bool(group.detail)


def group_name(owner: Owner) -> str:
    """The name of the object's group, the same for all environments that ever serve it."""
    return default_aws_name(owner.cluster_id, owner.key)


def asks_for_group(resource: Resource) -> bool:
    """Whether the spec asks for a group of ours."""
    resources = resource.spec.get("computeResources")
    return isinstance(resources, Mapping) and resources.get(MANAGED_GROUP) is True


def concerns_group(resource: Resource, owner: Owner, content: Mapping[str, Any]) -> bool:
    """Whether there is a group, there was one, or there is to be one."""
    if asks_for_group(resource) or resource.annotations.get(PLACEMENT_GROUP):
        return True
    return resources_of(content).get("placementGroup") == group_name(owner)


def may_be_forgotten(resource: Resource, content: Mapping[str, Any]) -> bool:
    """Whether the annotation may have been lost together with all others.

    `kubectl replace` takes them away, and a cluster that was built anew has none. An object that is
    new to AWS as well has nothing to forget.
    """
    return RESOLVED not in resource.annotations and bool(content or "accountId" in resource.status)


def creation_of(group: Group, owner: Owner) -> Plan[GroupCall]:
    """The group is made, or it is said why not; an empty plan if it is there."""
    if group.refusal is not None:
        return Plan(findings=(group.refusal,))
    if group.detail is not None:
        if group.is_ours(owner):
            return Plan()
        return Plan(findings=(_foreign(group),))
    tags = [{"Key": key, "Value": value} for key, value in sorted(owner.tags().items())]
    request = {
        "GroupName": group.name,
        "Strategy": "cluster",
        "TagSpecifications": [{"ResourceType": "placement-group", "Tags": tags}],
    }
    step = Step(
        GroupCall("CreatePlacementGroup", request),
        lane=LANE,
        record=group.record(),
        note=Finding(catalogue.CREATED, f"Created the placement group {group.name}."),
        expects=GroupShows(there=True),
    )
    return Plan(steps=(step,))


def removal_of(group: Group | None, owner: Owner, *, recorded: bool) -> Plan[GroupCall]:
    """The group goes, if it is ours; once it has, the record of it is cleared.

    An empty plan if there is nothing to be done, or nothing that we may do.
    """
    if group is None:
        return Plan()
    if group.refusal is not None:
        return Plan(findings=(group.refusal,))
    if not group.is_ours(owner):
        return Plan(record={PLACEMENT_GROUP: ""} if recorded else {})
    step = Step(
        GroupCall("DeletePlacementGroup", {"GroupName": group.name}),
        lane=LANE,
        expects=GroupShows(there=False),
    )
    return Plan(steps=(step,), look_again_seconds=IN_USE_SECONDS)


def _foreign(group: Group) -> Finding:
    return Finding(
        catalogue.ALREADY_EXISTS,
        f"EC2 already has a placement group {group.name}, and its tags do not say that it is this "
        "object's.",
        "Remove that placement group; or name one of your own in "
        "spec.computeResources.placementGroup, instead of managedPlacementGroup.",
    )
