"""Tags of instances and of what else EC2 makes here.

Sources: CreateTags, DeleteTags, DescribeTags and Tag in the EC2 API reference.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from awsbatch_simulator.ec2 import filters
from awsbatch_simulator.ec2.capacity_model import Tagged
from awsbatch_simulator.ec2.describing import no_instance
from awsbatch_simulator.ec2.network import id_like
from awsbatch_simulator.errors import AwsFailure, not_implemented
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
LIMIT = 50
KEY_CHARACTERS, VALUE_CHARACTERS = 127, 256
RESERVED = "aws:"
_MEMBERS = {
    "key": "Key",
    "resource-id": "ResourceId",
    "resource-type": "ResourceType",
    "value": "Value",
}
_TAG = "tag:"
_UNKNOWN = {
    "vol": "InvalidVolume.NotFound",
    "sir": "InvalidSpotInstanceRequestID.NotFound",
    "cr": "InvalidCapacityReservationId.NotFound",
    "ami": "InvalidAMIID.NotFound",
    "snap": "InvalidSnapshot.NotFound",
    "eni": "InvalidNetworkInterfaceID.NotFound",
}


def checked(given: Iterable[Fields]) -> dict[str, str]:
    """Tags by key. Raises AwsFailure for tags that no resource may have."""
    found: dict[str, str] = {}
    for each in given:
        key, value = each.get("Key"), each.get("Value", "")
        if not key:
            raise _invalid("Tag keys must not be null or empty")
        if len(key) > KEY_CHARACTERS or len(value) > VALUE_CHARACTERS:
            raise _invalid(
                f"A tag's key has up to {KEY_CHARACTERS}, its value up to {VALUE_CHARACTERS} "
                f"characters: {key[:KEY_CHARACTERS]}"
            )
        if key.lower().startswith(RESERVED):
            raise _invalid(
                f"Tag keys starting with '{RESERVED}' are reserved for internal use: {key}"
            )
        if key in found:
            raise _invalid(f"Duplicate tag key '{key}' specified.")
        found[key] = value
    if len(found) > LIMIT:
        raise _too_many()
    return found


def _named(region: Region, request: Fields) -> list[Tagged]:
    found = []
    for resource in request["Resources"]:
        if (thing := region.ec2.tagged(resource)) is None:
            raise _unknown(resource)
        found.append(thing)
    return found


def create(region: Region, request: Fields) -> Fields:
    """CreateTags: up to 50 on a resource; keys of `aws:` are AWS's own and do not count."""
    wanted = checked(request["Tags"])
    things = _named(region, request)
    if any(len(_users(each.tags | wanted)) > LIMIT for each in things):
        raise _too_many()
    for thing in things:
        region.ec2.tag(thing, wanted, now=region.world.clock.now())
    return {}


def delete(region: Region, request: Fields) -> Fields:
    """DeleteTags: with a value, only where the value is that one; without tags, all but AWS's."""
    for thing in _named(region, request):
        mine = set(_users(thing.tags))
        if "Tags" not in request:
            region.ec2.untag(thing, mine)
        for tag in request.get("Tags", ()):
            key = tag.get("Key", "")
            if key in mine and ("Value" not in tag or thing.tags.get(key) == tag["Value"]):
                region.ec2.untag(thing, (key,))
    return {}


def _users(found: Mapping[str, str]) -> list[str]:
    """The keys that are not AWS's own."""
    return [key for key in found if not key.lower().startswith(RESERVED)]


def describe(region: Region, request: Fields) -> Fields:
    """DescribeTags: by key, value, resource-id, resource-type and tag:KEY."""
    wanted = filters.wanted(
        request.get("Filters") or (), lambda name: name in _MEMBERS or name.startswith(_TAG)
    )
    store = region.ec2
    things: Iterable[tuple[str, Tagged]] = (
        *((kind, each) for kind, found in store.kinds().items() for each in found.values()),
        *(("placement-group", each) for each in store.placement_groups.values()),
    )
    found = [
        {"Key": key, "Value": value, "ResourceId": thing.id, "ResourceType": kind}
        for kind, thing in things
        for key, value in thing.tags.items()
    ]
    kept = [tag for tag in found if all(each.fits(_values(tag, each.name)) for each in wanted)]
    return {"Tags": sorted(kept, key=lambda tag: (tag["ResourceId"], tag["Key"]))}


def _values(tag: dict[str, str], name: str) -> Iterable[str]:
    if name.startswith(_TAG):
        return (tag["Value"],) if tag["Key"] == name.removeprefix(_TAG) else ()
    return (tag[_MEMBERS[name]],)


def _unknown(resource: str) -> AwsFailure:
    """What there is not. The code for an unknown instance: openaddresses/machine#445."""
    if id_like(resource, "i"):
        return no_instance(resource)
    if id_like(resource, "lt"):
        message = f"The launch template ID '{resource}' does not exist"
        return AwsFailure("InvalidLaunchTemplateId.NotFound", message)
    if id_like(resource, "pg"):
        return AwsFailure(
            "InvalidPlacementGroup.Unknown", f"The Placement Group '{resource}' is unknown."
        )
    for prefix, code in _UNKNOWN.items():
        if id_like(resource, prefix):
            return AwsFailure(code, f"The ID '{resource}' does not exist")
    if re.fullmatch(r"[a-z]+(-[a-z]+)*-[0-9a-f]{1,17}", resource):
        return not_implemented("ec2", f"tags of {resource}")
    return AwsFailure("InvalidID", f"The ID '{resource}' is not valid")


def _invalid(message: str) -> AwsFailure:
    return AwsFailure("InvalidParameterValue", message)


def _too_many() -> AwsFailure:
    return AwsFailure("TagLimitExceeded", f"A resource can have up to {LIMIT} tags")
