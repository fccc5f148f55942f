"""What is done to images that there are: attributes, deprecation, protection, deregistration.

Sources: ModifyImageAttribute, EnableImageDeprecation, EnableImageDeregistrationProtection and
DeregisterImage in the EC2 API reference; "Error codes for the Amazon EC2 API".
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from awsbatch_simulator.ec2 import images, snapshots
from awsbatch_simulator.ec2.image_model import EVERYBODY, Image, ImageState, Protection
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
LATEST_DEPRECATION = 10 * 366 * 86_400.0  # seconds from now
COOLDOWN = 86_400.0  # seconds
DESCRIPTION_CHARACTERS = 255
_FORMS = ("Description", "ImdsSupport", "LaunchPermission")
_ATTRIBUTES = {
    "description": "Description",
    "imdsSupport": "ImdsSupport",
    "launchPermission": "LaunchPermission",
}
_ACCOUNT = re.compile(r"[0-9]{12}")
_ORGANIZATION = re.compile(r"arn:aws:organizations::[0-9]{12}:(organization|ou)/[a-z0-9/-]{1,100}")
_ITEMS = ("UserId", "Group", "OrganizationArn", "OrganizationalUnitArn")
_LISTS = ("UserIds", "UserGroups", "OrganizationArns", "OrganizationalUnitArns")


def modify(region: Region, request: Fields) -> Fields:
    """ModifyImageAttribute: one attribute, named by a member or by `Attribute`."""
    image = images.available(images.own(region, request["ImageId"], "ModifyImageAttribute"))
    name, value = _wanted(request)
    match name:
        case "Description":
            if len(value) > DESCRIPTION_CHARACTERS:
                raise _invalid(f"Description: up to {DESCRIPTION_CHARACTERS} characters")
            image.description = value
        case "ImdsSupport":
            if value != "v2.0":
                raise _invalid(f"Invalid value '{value[:100]}' for imdsSupport.")
            image.imds_v2 = True
        case _:
            _permit(image, value)
    return {}


def _wanted(request: Fields) -> tuple[str, Any]:
    """The member that says which attribute it is, and its new value."""
    given = [name for name in _FORMS if name in request]
    attribute = request.get("Attribute")
    if len(given) == 1 and attribute in {None, *_names_of(given[0])}:
        [name] = given
        value = request[name]
        return name, value if name == "LaunchPermission" else str(value.get("Value") or "")
    if given or attribute is None:
        message = "Exactly one attribute of an image can be modified in a request"
        raise AwsFailure("InvalidParameterCombination", message)
    if attribute not in _ATTRIBUTES:
        raise _invalid(f"Invalid value '{attribute[:100]}' for Attribute.")
    if attribute != "launchPermission":
        return _ATTRIBUTES[attribute], str(request.get("Value") or "")
    if request.get("OperationType") not in {"add", "remove"}:
        raise _invalid("OperationType must be add or remove")
    items = [
        {item: each}
        for item, members in zip(_ITEMS, _LISTS, strict=True)
        for each in request.get(members) or ()
    ]
    return "LaunchPermission", {str(request["OperationType"]).capitalize(): items}


def _names_of(member: str) -> list[str]:
    """What `Attribute` may say besides a member: the same."""
    return [name for name, meant in _ATTRIBUTES.items() if meant == member]


def _permit(image: Image, change: Fields) -> None:
    """Launch permissions are given and taken; none of them is checked with whom it names."""
    added, removed = (_items(change.get(name) or ()) for name in ("Add", "Remove"))
    if not added and not removed:
        raise AwsFailure("InvalidParameterCombination", "No attributes specified.")
    if EVERYBODY in added and any(each.encrypted for each in image.disks):
        message = "An image with encrypted snapshots cannot be made public"
        raise AwsFailure("OperationNotPermitted", message)
    image.permissions |= added
    image.permissions -= removed


def _items(given: Iterable[Fields]) -> set[str]:
    found = set()
    for each in given:
        values = [(item, str(each[item])) for item in _ITEMS if each.get(item)]
        if len(values) != 1:
            message = "A launch permission names one user, group, organization or unit"
            raise AwsFailure("InvalidParameterCombination", message)
        [(item, value)] = values
        sound = {
            "UserId": _ACCOUNT.fullmatch(value) is not None,
            "Group": value == EVERYBODY,
        }.get(item, _ORGANIZATION.fullmatch(value) is not None)
        if not sound:
            message = f'Invalid attribute item value "{value[:200]}" for {item} item type.'
            raise AwsFailure("InvalidAMIAttributeItemValue", message)
        found.add(value)
    return found


def reset(region: Region, request: Fields) -> Fields:
    """ResetImageAttribute: nobody else may launch it any more."""
    if request["Attribute"] != "launchPermission":
        raise _invalid(f"Invalid value '{request['Attribute'][:100]}' for Attribute.")
    images.own(region, request["ImageId"], "ResetImageAttribute").permissions.clear()
    return {}


def deprecate(region: Region, request: Fields) -> Fields:
    """EnableImageDeprecation: from a moment on, which is rounded to the minute."""
    image = images.available(images.own(region, request["ImageId"], "EnableImageDeprecation"))
    at, now = _moment(request["DeprecateAt"]), region.world.clock.now()
    if at < now:
        raise _invalid("DeprecateAt cannot be in the past.")
    if at > now + LATEST_DEPRECATION:
        raise _invalid("DeprecateAt cannot be more than 10 years from now.")
    image.deprecated_at = round(at / 60) * 60.0
    return {"Return": True}


def _moment(given: Any) -> float:
    if not isinstance(given, datetime):
        raise _invalid(f"Invalid value '{str(given)[:100]}' for DeprecateAt.")
    return (given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp()


def undeprecate(region: Region, request: Fields) -> Fields:
    """DisableImageDeprecation."""
    images.own(region, request["ImageId"], "DisableImageDeprecation").deprecated_at = None
    return {"Return": True}


def protect(region: Region, request: Fields) -> Fields:
    """EnableImageDeregistrationProtection."""
    image = images.own(region, request["ImageId"], "EnableImageDeregistrationProtection")
    cooldown = request.get("WithCooldown")
    image.protection = Protection.ON_WITH_COOLDOWN if cooldown else Protection.ON
    return {"Return": "true"}


def unprotect(region: Region, request: Fields) -> Fields:
    """DisableImageDeregistrationProtection: with a cooldown it holds for another day."""
    image = images.own(region, request["ImageId"], "DisableImageDeregistrationProtection")
    if image.protection is Protection.ON_WITH_COOLDOWN:
        image.protected_until = region.world.clock.now() + COOLDOWN
    image.protection = Protection.OFF
    return {"Return": "true"}


def deregister(region: Region, request: Fields) -> Fields:
    """DeregisterImage: instances of it live on; its snapshots stay, unless they are to go too."""
    image, now = images.own(region, request["ImageId"], "DeregisterImage"), region.world.clock.now()
    if image.protection is not Protection.OFF or now < image.protected_until:
        message = f"The image '{image.id}' is protected from deregistration."
        raise AwsFailure("OperationNotPermitted", message)
    image.state, image.deregistered_at = ImageState.DEREGISTERED, now
    region.ec2.deregister(image)
    answer: Fields = {"Return": True}
    if request.get("DeleteAssociatedSnapshots"):
        answer["DeleteSnapshotResults"] = [
            {"SnapshotId": each, "ReturnCode": snapshots.delete_with_image(region, each)}
            for each in sorted(image.snapshots)
        ]
    else:
        snapshots.hold(region, image)
    return answer


def _invalid(message: str) -> AwsFailure:
    return AwsFailure("InvalidParameterValue", message)
