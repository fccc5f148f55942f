"""Tags of instances. Source: CreateTags, DeleteTags and DescribeTags in the EC2 API reference."""

from fnmatch import fnmatchcase
from typing import Any

from awsbatch_simulator.ec2.model import Instance
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
LIMIT = 50


def _named(region: Region, request: Fields) -> list[Instance]:
    found = []
    for resource in request["Resources"]:
        if (instance := region.ec2.instances.get(resource)) is None:
            message = f"The ID '{resource}' is not valid"
            raise AwsFailure("InvalidID", message)
        found.append(instance)
    return found


def create(region: Region, request: Fields) -> Fields:
    """CreateTags: up to 50 on a resource; keys of `aws:` are AWS's own."""
    wanted = {each["Key"]: each.get("Value", "") for each in request["Tags"]}
    if any(key.startswith("aws:") for key in wanted):
        message = "Tag keys starting with 'aws:' are reserved for internal use"
        raise AwsFailure("InvalidParameterValue", message)
    instances = _named(region, request)
    if any(len(each.tags | wanted) > LIMIT for each in instances):
        raise AwsFailure("TagLimitExceeded", f"A resource can have up to {LIMIT} tags")
    for instance in instances:
        instance.tags.update(wanted)
    return {}


def delete(region: Region, request: Fields) -> Fields:
    """DeleteTags: with a value, only where the value is that one; without tags, all of them."""
    for instance in _named(region, request):
        if "Tags" not in request:
            instance.tags.clear()
        for tag in request.get("Tags", ()):
            if "Value" not in tag or instance.tags.get(tag["Key"]) == tag["Value"]:
                instance.tags.pop(tag["Key"], None)
    return {}


def describe(region: Region, request: Fields) -> Fields:
    """DescribeTags: by key, value, resource-id and resource-type."""
    found = [
        {"Key": key, "Value": value, "ResourceId": instance.id, "ResourceType": "instance"}
        for instance in region.ec2.instances.values()
        for key, value in instance.tags.items()
    ]
    names = {
        "key": "Key",
        "value": "Value",
        "resource-id": "ResourceId",
        "resource-type": "ResourceType",
    }
    for each in request.get("Filters") or ():
        member = names.get(each["Name"])
        if member is None:
            raise AwsFailure("InvalidParameterValue", f"The filter '{each['Name']}' is invalid")
        globs = each.get("Values") or []
        found = [tag for tag in found if any(fnmatchcase(tag[member], glob) for glob in globs)]
    return {"Tags": sorted(found, key=lambda tag: (tag["ResourceId"], tag["Key"]))}
