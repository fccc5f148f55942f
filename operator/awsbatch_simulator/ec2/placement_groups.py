"""Placement groups.

Sources: CreatePlacementGroup, DescribePlacementGroups and DeletePlacementGroup in the EC2 API
reference. Words of EC2: FDio/csit#1721 (Duplicate), scylladb/scylla-cluster-tests#6742 (InUse),
bcbio/bcbio-nextgen-vm#37 (Unknown).
"""

from typing import Any

from awsbatch_simulator.ec2 import filters, requests
from awsbatch_simulator.ec2.model import Instance, PlacementGroup
from awsbatch_simulator.ec2.network import absent
from awsbatch_simulator.errors import AwsFailure, not_implemented
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
NAME_CHARACTERS = 255
STRATEGIES = frozenset({"cluster", "partition", "spread"})
SPREAD_LEVELS = frozenset({"host", "rack"})
PARTITIONS = range(1, 8)
_KIND = "placement-group"
_FILTERS = {
    "group-arn": ("GroupArn",),
    "group-name": ("GroupName",),
    "spread-level": ("SpreadLevel",),
    "state": ("State",),
    "strategy": ("Strategy",),
}


def create(region: Region, request: Fields) -> Fields:
    """CreatePlacementGroup: available at once."""
    name, strategy = request.get("GroupName") or "", request.get("Strategy", "cluster")
    if not name:
        raise AwsFailure("MissingParameter", "The request must contain the parameter groupName")
    if len(name) > NAME_CHARACTERS or not name.isascii():
        raise _invalid(f"GroupName: up to {NAME_CHARACTERS} ASCII characters")
    for member in ("LinkedGroupId", "ParentGroupId"):
        if request.get(member):
            raise not_implemented("ec2", f"CreatePlacementGroup with {member}")
    if strategy not in STRATEGIES:
        raise _invalid(f"Invalid value '{strategy}' for strategy.")
    group = PlacementGroup(
        id=f"pg-{region.world.hex_id(17)}",
        name=name,
        arn=region.arn("ec2", f"{_KIND}/{name}"),
        tags=requests.tags_for(request, _KIND, among=frozenset({_KIND})),
        strategy=strategy,
        partitions=_partitions(request, strategy),
        spread_level=_spread_level(request, strategy),
    )
    if name in region.ec2.placement_groups:
        message = f"The placement group '{name}' already exists."
        raise AwsFailure("InvalidPlacementGroup.Duplicate", message)
    region.ec2.placement_groups[name] = group
    return {"PlacementGroup": _view(group)}


def _partitions(request: Fields, strategy: str) -> int | None:
    count = request.get("PartitionCount")
    if strategy != "partition":
        if count is not None:
            raise AwsFailure(
                "InvalidParameterCombination", "PartitionCount is for the strategy partition only."
            )
        return None
    if count is not None and count not in PARTITIONS:
        raise _invalid(f"PartitionCount must be between {PARTITIONS.start} and {PARTITIONS[-1]}.")
    return 2 if count is None else int(count)


def _spread_level(request: Fields, strategy: str) -> str | None:
    level = request.get("SpreadLevel")
    if level is not None and level not in SPREAD_LEVELS:
        raise _invalid(f"Invalid value '{level}' for spreadLevel.")
    if strategy == "spread":
        return level or "rack"
    if level is not None:
        raise AwsFailure("InvalidParameterCombination", "SpreadLevel is for the strategy spread.")
    return None


def describe(region: Region, request: Fields) -> Fields:
    """DescribePlacementGroups: by names, ids and filters."""
    names, ids = request.get("GroupNames") or [], request.get("GroupIds") or []
    found = [find(region, {"GroupName": each}) for each in names]
    found += [find(region, {"GroupId": each}) for each in ids]
    groups = found if names or ids else region.ec2.placement_groups.values()
    unique = {group.name: _view(group) for group in groups}
    views = [unique[name] for name in sorted(unique)]
    return {"PlacementGroups": filters.kept(views, request.get("Filters") or (), _FILTERS)}


def delete(region: Region, request: Fields) -> Fields:
    """DeletePlacementGroup: once no instance is in it any more."""
    group = find(region, {"GroupName": request["GroupName"]})
    if any(_in(group, each) for each in region.ec2.instances.values()):
        message = f"The placement group '{group.name}' is in use and may not be deleted."
        raise AwsFailure("InvalidPlacementGroup.InUse", message)
    del region.ec2.placement_groups[group.name]
    return {}


def _in(group: PlacementGroup, instance: Instance) -> bool:
    placement = instance.request.get("Placement", {})
    named = group.name == placement.get("GroupName") or group.id == placement.get("GroupId")
    return named and instance.state.value != "terminated"


def check(region: Region, placement: Fields) -> None:
    """Raise AwsFailure for a Placement that names a group which does not exist."""
    if placement.get("GroupName") or placement.get("GroupId"):
        find(region, placement)


def find(region: Region, placement: Fields) -> PlacementGroup:
    """The group of `GroupName` or `GroupId`. Raises AwsFailure if there is none."""
    name, group_id = placement.get("GroupName"), placement.get("GroupId")
    if name and group_id:
        message = "Specify either the name or the ID of a placement group, not both."
        raise AwsFailure("InvalidParameterCombination", message)
    if group_id:
        group = region.ec2.group_of_id(group_id)
        if group is None:
            raise absent(
                "Placement Group",
                prefix="pg",
                reference=group_id,
                malformed="InvalidPlacementGroupId.Malformed",
                unknown="InvalidPlacementGroup.Unknown",
            )
        return group
    group = region.ec2.placement_groups.get(name or "")
    if group is None:
        message = f"The Placement Group '{name or ''}' is unknown."
        raise AwsFailure("InvalidPlacementGroup.Unknown", message)
    return group


def _view(group: PlacementGroup) -> Fields:
    view: Fields = {
        "GroupName": group.name,
        "GroupId": group.id,
        "GroupArn": group.arn,
        "State": "available",
        "Strategy": group.strategy,
        "Tags": [{"Key": key, "Value": value} for key, value in group.tags.items()],
    }
    if group.partitions is not None:
        view["PartitionCount"] = group.partitions
    if group.spread_level is not None:
        view["SpreadLevel"] = group.spread_level
    return view


def _invalid(message: str) -> AwsFailure:
    return AwsFailure("InvalidParameterValue", message)
