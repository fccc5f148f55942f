"""What each operation on machine images, snapshots and parameters needs.

Source: Service Authorization Reference, of Amazon EC2 and of AWS Systems Manager; "Deregister an
AMI" in the EC2 User Guide (snapshots that go with their image); "Native parameter support for
Amazon Machine Image IDs" in the Systems Manager User Guide (ec2:DescribeImages).
"""

from collections.abc import Iterable, Iterator, Mapping

from awsbatch_simulator.ec2 import images
from awsbatch_simulator.iam.asking import Asks, Fields, request_tags, resource_tags
from awsbatch_simulator.iam.policy import Need
from awsbatch_simulator.region import Region
from awsbatch_simulator.ssm.store import IMAGE_TYPE

_TYPES = ("image", "snapshot")


def _arn(region: Region, kind: str, name: str = "*") -> str:
    """Images and snapshots belong to no account by their ARNs."""
    return f"arn:aws:ec2:{region.place.region}::{kind}/{name}"


def _tags(given: Iterable[Fields] | None) -> dict[str, str]:
    return {each["Key"]: each.get("Value", "") for each in given or () if each.get("Key")}


def _makes(region: Region, action: str, request: Fields) -> Iterator[Need]:
    """An image with its snapshots, and their tagging."""
    for kind in _TYPES:
        tags = _tags(
            tag
            for each in request.get("TagSpecifications") or ()
            if each.get("ResourceType") == kind
            for tag in each.get("Tags") or ()
        )
        asked = request_tags(tags)
        yield Need(f"ec2:{action}", _arn(region, kind), asked)
        if tags:
            yield Need("ec2:CreateTags", _arn(region, kind), asked | {"ec2:createaction": action})


def _create(region: Region, request: Fields) -> Iterator[Need]:
    found = region.ec2.instances.get(request["InstanceId"])
    if found is not None:
        arn = region.arn("ec2", f"instance/{found.id}")
        yield Need("ec2:CreateImage", arn, resource_tags(found.tags))
    yield from _makes(region, "CreateImage", request)


def _copy(region: Region, request: Fields) -> Iterator[Need]:
    source = request["SourceRegion"]
    yield Need("ec2:CopyImage", f"arn:aws:ec2:{source}::image/{request['SourceImageId']}")
    yield from _makes(region, "CopyImage", request)


def _image(action: str) -> Asks:
    """An action on an image that there is."""

    def asks(region: Region, request: Fields) -> Iterator[Need]:
        image = images.visible(region, request["ImageId"])
        tags = image.tags if image is not None and image.owner == region.place.account else {}
        arn = _arn(region, "image", request["ImageId"])
        yield Need(f"ec2:{action}", arn, resource_tags(tags))

    return asks


def _deregister(region: Region, request: Fields) -> Iterator[Need]:
    yield from _image("DeregisterImage")(region, request)
    image = region.ec2.images.get(request["ImageId"])
    if request.get("DeleteAssociatedSnapshots") and image is not None:
        for each in sorted(image.snapshots):
            yield from _snapshot(region, each)


def _snapshot(region: Region, snapshot_id: str) -> Iterator[Need]:
    found = region.ec2.snapshots.get(snapshot_id)
    tags = {} if found is None else found.tags
    yield Need("ec2:DeleteSnapshot", _arn(region, "snapshot", snapshot_id), resource_tags(tags))


OF_EC2: Mapping[str, Asks] = {
    "CreateImage": _create,
    "CopyImage": _copy,
    "DeregisterImage": _deregister,
    "DeleteSnapshot": lambda region, request: _snapshot(region, request["SnapshotId"]),
    **{
        name: _image(name)
        for name in (
            *("DescribeImageAttribute", "ModifyImageAttribute", "ResetImageAttribute"),
            *("EnableImageDeprecation", "DisableImageDeprecation"),
            *("EnableImageDeregistrationProtection", "DisableImageDeregistrationProtection"),
        )
    },
}


def _parameter_arn(region: Region, given: str) -> str:
    """Parameters of AWS's own belong to no account."""
    if given.startswith("arn:"):
        return given
    name = given.strip().partition(":")[0].lstrip("/")
    if name.startswith("aws/"):
        return f"arn:aws:ssm:{region.place.region}::parameter/{name}"
    return region.arn("ssm", f"parameter/{name}")


def _parameter(action: str, member: str) -> Asks:
    """An action on the parameters that a member names."""

    def asks(region: Region, request: Fields) -> Iterator[Need]:
        value = request[member]
        for name in value if isinstance(value, list) else [value]:
            known = region.ssm.parameters.get(name)
            tags = {} if known is None else known.tags
            yield Need(f"ssm:{action}", _parameter_arn(region, name), resource_tags(tags))

    return asks


def _put(region: Region, request: Fields) -> Iterator[Need]:
    arn = _parameter_arn(region, request["Name"])
    known = region.ssm.parameters.get(request["Name"])
    tags = request_tags(_tags(request.get("Tags")))
    yield Need("ssm:PutParameter", arn, tags | resource_tags(known.tags if known else {}))
    if request.get("Tags"):
        yield Need("ssm:AddTagsToResource", arn, tags)
    if request.get("DataType") == IMAGE_TYPE:
        yield Need("ec2:DescribeImages")


OF_SSM: Mapping[str, Asks] = {
    "PutParameter": _put,
    "GetParameter": _parameter("GetParameter", "Name"),
    "GetParameters": _parameter("GetParameters", "Names"),
    "GetParametersByPath": _parameter("GetParametersByPath", "Path"),
    "GetParameterHistory": _parameter("GetParameterHistory", "Name"),
    "DeleteParameter": _parameter("DeleteParameter", "Name"),
    "DeleteParameters": _parameter("DeleteParameters", "Names"),
    "AddTagsToResource": _parameter("AddTagsToResource", "ResourceId"),
    "RemoveTagsFromResource": _parameter("RemoveTagsFromResource", "ResourceId"),
    "ListTagsForResource": _parameter("ListTagsForResource", "ResourceId"),
}
