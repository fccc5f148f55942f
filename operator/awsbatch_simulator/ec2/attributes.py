"""DescribeInstanceAttribute and ModifyInstanceAttribute.

Sources: their texts in the EC2 API reference: a request is about one attribute, and type, user data
and EBS optimization change only while the instance is stopped.
"""

import base64
from typing import Any

from awsbatch_simulator.ec2 import launching
from awsbatch_simulator.ec2.disks import root_device
from awsbatch_simulator.ec2.model import Instance, InstanceState
from awsbatch_simulator.ec2.requests import USER_DATA_BYTES
from awsbatch_simulator.ec2.types import instance_type
from awsbatch_simulator.ec2.views import groups_of, instance_view
from awsbatch_simulator.errors import AwsFailure, not_implemented
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
# By the attribute: the member of the answer and of RunInstances, and its value if nobody chose one.
_SIMPLE: dict[str, tuple[str, Any]] = {
    "disableApiStop": ("DisableApiStop", False),
    "disableApiTermination": ("DisableApiTermination", False),
    "ebsOptimized": ("EbsOptimized", False),
    "instanceInitiatedShutdownBehavior": ("InstanceInitiatedShutdownBehavior", "stop"),
    "sourceDestCheck": ("SourceDestCheck", True),
}
_STOPPED_ONLY = ("InstanceType", "UserData", "EbsOptimized")
_NOT_SIMULATED = ("EnclaveOptions", "Kernel", "Ramdisk", "SriovNetSupport", "EnaSupport")
_CHANGED = (
    *("SourceDestCheck", "DisableApiStop", "DisableApiTermination", "EbsOptimized"),
    *("InstanceInitiatedShutdownBehavior", "InstanceType", "UserData"),
)


def describe(region: Region, request: Fields) -> Fields:
    """DescribeInstanceAttribute: one attribute; one that has no value is there without one."""
    [instance] = launching.named(region, [request["InstanceId"]])
    attribute = request["Attribute"]
    answer: Fields = {"InstanceId": instance.id}
    if attribute in _SIMPLE:
        member, default = _SIMPLE[attribute]
        return answer | {member: {"Value": instance.setting(member, default=default)}}
    view = instance_view(region, instance)
    match attribute:
        case "instanceType":
            return answer | {"InstanceType": {"Value": instance.type}}
        case "userData":
            data = instance.setting("UserData", default=None)
            return answer | {"UserData": {"Value": data} if data else {}}
        case "rootDeviceName":
            return answer | {"RootDeviceName": {"Value": root_device(instance.image)}}
        case "blockDeviceMapping":
            return answer | {"BlockDeviceMappings": view["BlockDeviceMappings"]}
        case "groupSet":
            groups = () if instance.state.gone else groups_of(region, instance)
            shown = [{"GroupId": each.id, "GroupName": each.name} for each in groups]
            return answer | {"Groups": shown}
        case "productCodes":
            return answer | {"ProductCodes": []}
        case "enaSupport":
            return answer | {"EnaSupport": {"Value": True}}
        case "kernel" | "ramdisk" | "sriovNetSupport" | "enclaveOptions":
            raise not_implemented("ec2", f"DescribeInstanceAttribute of {attribute}")
        case _:
            raise _invalid(f"Invalid value '{attribute[:100]}' for attribute.")


def modify(region: Region, request: Fields) -> Fields:
    """ModifyInstanceAttribute: exactly one attribute, by its member or by name and value."""
    [instance] = launching.named(region, [request["InstanceId"]])
    if instance.state.gone:
        message = f"The instance '{instance.id}' is not in a state in which it can be modified."
        raise AwsFailure("IncorrectInstanceState", message)
    changes = _changes(request)
    if len(changes) != 1:
        message = "A request modifies exactly one attribute."
        raise AwsFailure("InvalidParameterCombination", message)
    [(member, value)] = changes.items()
    if member in _STOPPED_ONLY and instance.state is not InstanceState.STOPPED:
        message = f"The instance '{instance.id}' is not in the 'stopped' state."
        raise AwsFailure("IncorrectInstanceState", message)
    _apply(region, instance, member, value)
    instance.changed()
    return {}


def _changes(request: Fields) -> Fields:
    for name in _NOT_SIMULATED:
        if request.get(name):
            raise not_implemented("ec2", f"ModifyInstanceAttribute of {name}")
    found = {
        name: request[name]["Value"]
        for name in _CHANGED
        if isinstance(request.get(name), dict) and "Value" in request[name]
    }
    for name in ("Groups", "BlockDeviceMappings"):
        if request.get(name):
            found[name] = request[name]
    if attribute := request.get("Attribute"):
        member = next((each for each in _CHANGED if each.lower() == attribute.lower()), None)
        if member is None or "Value" not in request:
            raise not_implemented("ec2", f"ModifyInstanceAttribute of {attribute[:100]} by name")
        text = request["Value"]
        found[member] = text.lower() == "true" if member in _BOOLEAN else text
    return found


_BOOLEAN = frozenset({"SourceDestCheck", "DisableApiStop", "DisableApiTermination", "EbsOptimized"})


def _apply(region: Region, instance: Instance, member: str, value: Any) -> None:
    match member:
        case "InstanceType":
            if instance_type(value) is None:
                raise _invalid(f"Invalid value '{value[:100]}' for InstanceType.")
            instance.type = value
        case "UserData":
            instance.attributes[member] = _user_data(value)
        case "InstanceInitiatedShutdownBehavior" if value not in {"stop", "terminate"}:
            raise _invalid(f"Invalid value '{value[:100]}' for {member}.")
        case "Groups":
            instance.attributes[member] = _groups(region, value)
        case "BlockDeviceMappings":
            _change_disks(instance, value)
        case _:
            instance.attributes[member] = value


def _user_data(value: Any) -> str:
    content = value if isinstance(value, bytes) else str(value).encode()
    if len(content) > USER_DATA_BYTES:
        raise _invalid(f"User data is limited to {USER_DATA_BYTES} bytes")
    return base64.b64encode(content).decode()


def _groups(region: Region, ids: list[str]) -> list[str]:
    for each in ids:
        if region.world.lookup.security_group(region.place, each) is None:
            raise AwsFailure("InvalidGroup.NotFound", f"The security group '{each}' does not exist")
    return list(ids)


def _change_disks(instance: Instance, mappings: list[Fields]) -> None:
    by_device = {each.device: each for each in instance.volumes}
    for each in mappings:
        volume = by_device.get(each.get("DeviceName", ""))
        if volume is None:
            message = f"No device is currently mapped at {each.get('DeviceName')}"
            raise AwsFailure("InvalidInstanceAttributeValue", message)
        volume.delete_on_termination = (each.get("Ebs") or {}).get(
            "DeleteOnTermination", volume.delete_on_termination
        )


def _invalid(message: str) -> AwsFailure:
    return AwsFailure("InvalidParameterValue", message)
