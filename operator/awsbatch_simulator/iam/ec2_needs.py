"""What each operation of EC2 needs.

Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon EC2";
EC2 User Guide, "Grant permission to tag Amazon EC2 resources during creation". What is tagged by
the call that makes it needs ec2:CreateTags as well, with ec2:CreateAction; what describes has no
resource-level permissions.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from awsbatch_simulator.ec2 import templates
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.iam.asking import (
    Asks,
    Fields,
    linked_role,
    pass_profile,
    request_tags,
    resource_tags,
)
from awsbatch_simulator.iam.policy import Need
from awsbatch_simulator.region import Region

_SPOT = ("spot.amazonaws.com", "AWSServiceRoleForEC2Spot")
_FLEET = ("ec2fleet.amazonaws.com", "AWSServiceRoleForEC2Fleet")
_LAUNCHED, _REQUEST = ("instance", "volume", "network-interface"), "spot-instances-request"
# The types that AWS's reference has for CreateFleet, besides the fleet.
_OF_A_FLEET = frozenset(
    {"image", "instance", "launch-template", "placement-group", "subnet", "volume"}
)
_NOBODYS = frozenset({"image", "snapshot"})  # belong to no account by their ARNs


def _arn(region: Region, kind: str, name: str = "*") -> str:
    if kind in _NOBODYS:
        return f"arn:aws:ec2:{region.place.region}::{kind}/{name}"
    return region.arn("ec2", f"{kind}/{name}")


def _there(region: Region, action: str, kind: str, name: str) -> Iterator[Need]:
    """An action on what there is; of an id that names nothing the operation says so itself."""
    found = region.ec2.tagged(name)
    if kind == "placement-group":
        found = region.ec2.placement_groups.get(name) or found
    if found is not None or kind in _NOBODYS or kind not in region.ec2.kinds():
        tags = {} if found is None else found.tags
        yield Need(f"ec2:{action}", _arn(region, kind, name), resource_tags(tags))


def _pairs(tags: Any) -> dict[str, str]:
    return {each["Key"]: each.get("Value", "") for each in tags or () if each.get("Key")}


def _tags_of(specifications: Any) -> dict[str, dict[str, str]]:
    """The tags of a request, or of a template, by resource type."""
    return {
        str(each.get("ResourceType")): _pairs(each.get("Tags")) for each in specifications or ()
    }


def _makes(region: Region, action: str, kind: str, tags: Mapping[str, str]) -> Iterator[Need]:
    """One type of resource that a call makes, and its tagging."""
    arn, asked = _arn(region, kind), request_tags(tags)
    yield Need(f"ec2:{action}", arn, asked)
    if tags:
        yield Need("ec2:CreateTags", arn, asked | {"ec2:createaction": action})


def _making(action: str, kind: str) -> Asks:
    def asks(region: Region, request: Fields) -> Iterator[Need]:
        tags = _tags_of(request.get("TagSpecifications")).get(kind, {})
        yield from _makes(region, action, kind, tags)

    return asks


def _changing(action: str, kind: str, *members: str) -> Asks:
    """An action on things that there are, which one of the members names."""

    def asks(region: Region, request: Fields) -> Iterator[Need]:
        for member in members:
            value = request.get(member) or []
            names: list[str] = value if isinstance(value, list) else [value]
            for name in names:
                yield from _there(region, action, kind, name)

    return asks


def _changing_template(action: str) -> Asks:
    def asks(region: Region, request: Fields) -> Iterator[Need]:
        yield from _there(region, action, "launch-template", _template_id(region, request))

    return asks


def _template_id(region: Region, specification: Fields) -> str:
    """The id of a template that is named in one of two ways; of one that is not there, any."""
    try:
        return templates.find(region, specification).id
    except AwsFailure:
        return str(specification.get("LaunchTemplateId") or "*")


def _tagging(action: str) -> Asks:
    def asks(region: Region, request: Fields) -> Iterator[Need]:
        tags = request_tags(_pairs(request.get("Tags")))
        for name in request.get("Resources", ()):
            kinds = (each for each, found in region.ec2.kinds().items() if name in found)
            for need in _there(region, action, next(kinds, "placement-group"), name):
                yield Need(need.action, need.resource, {**need.context, **tags})

    return asks


def _run(region: Region, request: Fields) -> Iterator[Need]:
    """RunInstances: what it makes, what it uses, and the role that the instances get."""
    specification = request.get("LaunchTemplate")
    yield from _launch(region, "RunInstances", request, specification)


def _launch(
    region: Region, action: str, request: Fields, specification: Fields | None
) -> Iterator[Need]:
    """One launch, with what its template says where the request says nothing."""
    asked = request
    if specification:
        yield from _there(region, action, "launch-template", _template_id(region, specification))
        with suppress(AwsFailure):  # the operation says so itself
            asked = templates.merged(templates.resolve(region, specification).data, request)
    tags = _tags_of(asked.get("TagSpecifications"))
    spot = (asked.get("InstanceMarketOptions") or {}).get("MarketType") == "spot"
    for kind in (*_LAUNCHED, *((_REQUEST,) if spot else ())):
        yield from _makes(region, action, kind, tags.get(kind, {}))
    for kind, name in sorted(_used(asked)):
        yield from _there(region, action, kind, name)
    profile = asked.get("IamInstanceProfile") or {}
    yield from pass_profile(region, profile.get("Arn") or profile.get("Name") or "")
    if spot:
        yield from linked_role(region, *_SPOT)


def _used(request: Fields) -> set[tuple[str, str]]:
    """What a launch uses, as types and names; subnet and group are there in any case."""
    placement, target = request.get("Placement") or {}, "CapacityReservationTarget"
    reservation = (request.get("CapacityReservationSpecification") or {}).get(target) or {}
    interfaces = request.get("NetworkInterfaces") or [request]
    groups = [
        each
        for one in interfaces
        for each in one.get("Groups") or one.get("SecurityGroupIds") or ("*",)
    ]
    found = {
        ("image", request.get("ImageId")),
        ("key-pair", request.get("KeyName")),
        ("placement-group", placement.get("GroupName") or placement.get("GroupId")),
        ("capacity-reservation", reservation.get("CapacityReservationId")),
        *(("subnet", each.get("SubnetId") or "*") for each in interfaces),
        *(("security-group", each) for each in groups),
        *(
            ("snapshot", (each.get("Ebs") or {}).get("SnapshotId"))
            for each in request.get("BlockDeviceMappings") or ()
        ),
    }
    return {(kind, str(name)) for kind, name in found if name}


def _fleet(region: Region, request: Fields) -> Iterator[Need]:
    """CreateFleet: the fleet, and a launch of each of its templates and overrides.

    AWS's reference names a part of the types for CreateFleet itself; what is launched needs
    RunInstances as well, as the policy of aws/karpenter-provider-aws has both. Tags that the
    request has for what is launched count with those of the template.
    """
    tags = _tags_of(request.get("TagSpecifications"))
    yield from _makes(region, "CreateFleet", "fleet", tags.get("fleet", {}))
    yield from linked_role(region, *_FLEET)
    target = request.get("TargetCapacitySpecification") or {}
    spot = target.get("DefaultTargetCapacityType") == "spot" or target.get("SpotTargetCapacity")
    for config in request.get("LaunchTemplateConfigs") or ():
        specification = config["LaunchTemplateSpecification"]
        for override in config.get("Overrides") or [{}]:
            own = {name: override[name] for name in ("ImageId", "SubnetId") if name in override}
            own["TagSpecifications"] = _with_template(region, specification, tags)
            if spot:
                own["InstanceMarketOptions"] = {"MarketType": "spot"}
            yield from _launch(region, "RunInstances", own, specification)
            for need in _launch(region, "CreateFleet", own, specification):
                if need.action != "ec2:CreateFleet" or _kind(need) in _OF_A_FLEET:
                    yield need


def _kind(need: Need) -> str:
    return need.resource.rpartition(":")[2].partition("/")[0]


def _with_template(
    region: Region, specification: Fields, tags: Mapping[str, Mapping[str, str]]
) -> list[Fields]:
    """Tag specifications of a template, with those of a fleet's request over them."""
    try:
        data = templates.resolve(region, specification).data
    except AwsFailure:
        data = {}
    merged: dict[str, dict[str, str]] = _tags_of(data.get("TagSpecifications"))
    for kind in tags.keys() - {"fleet"}:
        merged[kind] = {**merged.get(kind, {}), **tags[kind]}
    return [
        {"ResourceType": kind, "Tags": [{"Key": k, "Value": v} for k, v in found.items()]}
        for kind, found in merged.items()
    ]


NEEDS: Mapping[str, Asks] = {
    "RunInstances": _run,
    "CreateFleet": _fleet,
    "DeleteFleets": _changing("DeleteFleets", "fleet", "FleetIds"),
    "TerminateInstances": _changing("TerminateInstances", "instance", "InstanceIds"),
    "StopInstances": _changing("StopInstances", "instance", "InstanceIds"),
    "StartInstances": _changing("StartInstances", "instance", "InstanceIds"),
    "RebootInstances": _changing("RebootInstances", "instance", "InstanceIds"),
    "GetConsoleOutput": _changing("GetConsoleOutput", "instance", "InstanceId"),
    "GetLaunchTemplateData": _changing("GetLaunchTemplateData", "instance", "InstanceId"),
    "ModifyInstanceAttribute": _changing("ModifyInstanceAttribute", "instance", "InstanceId"),
    "DeleteVolume": _changing("DeleteVolume", "volume", "VolumeId"),
    "CreateTags": _tagging("CreateTags"),
    "DeleteTags": _tagging("DeleteTags"),
    "CreateLaunchTemplate": _making("CreateLaunchTemplate", "launch-template"),
    "CreateLaunchTemplateVersion": _changing_template("CreateLaunchTemplateVersion"),
    "ModifyLaunchTemplate": _changing_template("ModifyLaunchTemplate"),
    "DeleteLaunchTemplate": _changing_template("DeleteLaunchTemplate"),
    "DeleteLaunchTemplateVersions": _changing_template("DeleteLaunchTemplateVersions"),
    "CreateCapacityReservation": _making("CreateCapacityReservation", "capacity-reservation"),
    "ModifyCapacityReservation": _changing(
        "ModifyCapacityReservation", "capacity-reservation", "CapacityReservationId"
    ),
    "CancelCapacityReservation": _changing(
        "CancelCapacityReservation", "capacity-reservation", "CapacityReservationId"
    ),
    "CancelSpotInstanceRequests": _changing(
        "CancelSpotInstanceRequests", "spot-instances-request", "SpotInstanceRequestIds"
    ),
    "CreatePlacementGroup": _making("CreatePlacementGroup", "placement-group"),
    "DeletePlacementGroup": _changing("DeletePlacementGroup", "placement-group", "GroupName"),
}
