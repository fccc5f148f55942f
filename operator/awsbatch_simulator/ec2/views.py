"""Instances as DescribeInstances and RunInstances show them.

Source: `Instance` in the EC2 API reference. What nobody chose has the value of a Linux instance on
Nitro from an ECS-optimized image.
"""

from datetime import UTC, datetime
from typing import Any

from awsbatch_simulator.ec2.model import Instance, InstanceState, Interface
from awsbatch_simulator.ec2.types import instance_type
from awsbatch_simulator.ports import SecurityGroup
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
ROOT_DEVICE = "/dev/xvda"
LINUX: Fields = {
    "EbsOptimized": False,
    "EnaSupport": True,
    "EnclaveOptions": {"Enabled": False},
    "HibernationOptions": {"Configured": False},
    "Hypervisor": "xen",
    "MaintenanceOptions": {"AutoRecovery": "default"},
    "NetworkPerformanceOptions": {"BandwidthWeighting": "default"},
    "Operator": {"Managed": False},
    "PlatformDetails": "Linux/UNIX",
    "ProductCodes": [],
    "PublicDnsName": "",
    "RootDeviceName": ROOT_DEVICE,
    "RootDeviceType": "ebs",
    "UsageOperation": "RunInstances",
    "VirtualizationType": "hvm",
}
# The image's and the account's defaults where nothing is asked for: an image with ImdsSupport v2.0
# (ECS-optimized Amazon Linux 2023) demands tokens and lets them travel two hops.
METADATA_OPTIONS: Fields = {
    "HttpTokens": "required",
    "HttpPutResponseHopLimit": 2,
    "HttpEndpoint": "enabled",
    "HttpProtocolIpv6": "disabled",
    "InstanceMetadataTags": "disabled",
}
_NAMES: Fields = {
    "HostnameType": "ip-name",
    "EnableResourceNameDnsARecord": False,
    "EnableResourceNameDnsAAAARecord": False,
}


def instance_view(region: Region, instance: Instance) -> Fields:
    """Instance as EC2 answers it."""
    size = instance_type(instance.type)
    request = instance.request
    view = LINUX | {
        "InstanceId": instance.id,
        "ImageId": instance.image_id,
        "InstanceType": instance.type,
        "State": {"Code": instance.state.code, "Name": instance.state.value},
        "StateTransitionReason": instance.transition_reason,
        "LaunchTime": _moment(instance),
        "UsageOperationUpdateTime": _moment(instance),
        "Placement": {"AvailabilityZone": instance.zone, "Tenancy": "default"}
        | request.get("Placement", {}),
        "AmiLaunchIndex": instance.launch_index,
        "Architecture": size.architecture if size is not None else "x86_64",
        "EbsOptimized": request.get("EbsOptimized", False),
        "Tags": [{"Key": key, "Value": value} for key, value in instance.tags.items()],
        "ClientToken": instance.client_token,
        "Monitoring": {
            "State": "enabled" if request.get("Monitoring", {}).get("Enabled") else "disabled"
        },
        "MetadataOptions": METADATA_OPTIONS
        | request.get("MetadataOptions", {})
        | {"State": "pending" if instance.state is InstanceState.PENDING else "applied"},
        "CapacityReservationSpecification": {"CapacityReservationPreference": "open"}
        | request.get("CapacityReservationSpecification", {}),
        **_connected(region, instance),
        **_chosen(region, instance),
    }
    if instance.state_reason is not None:
        code, message = instance.state_reason
        view["StateReason"] = {"Code": code, "Message": message}
    return view


def _moment(instance: Instance) -> datetime:
    return datetime.fromtimestamp(int(instance.launched_at), UTC)


def _chosen(region: Region, instance: Instance) -> Fields:
    """Members that are there only for some instances."""
    request, view = instance.request, Fields()
    if profile := request.get("IamInstanceProfile"):
        arn = profile.get("Arn") or profile.get("Name", "")
        if not arn.startswith("arn:"):  # Batch takes a name for its instanceRole, too
            arn = f"arn:aws:iam::{region.place.account}:instance-profile/{arn}"
        view["IamInstanceProfile"] = {"Arn": arn}
    if instance.spot:
        view["InstanceLifecycle"] = "spot"
        view["SpotInstanceRequestId"] = f"sir-{instance.id[2:10]}"
    if "KeyName" in request:
        view["KeyName"] = request["KeyName"]
    return view


def _connected(region: Region, instance: Instance) -> Fields:
    """Network and disks; a terminated instance has none of them any more."""
    if instance.state is InstanceState.TERMINATED:
        nothing: list[Fields] = []
        return {
            "BlockDeviceMappings": nothing,
            "NetworkInterfaces": nothing,
            "PrivateDnsName": "",
            "SecurityGroups": nothing,
        }
    primary = instance.interfaces[0]
    return {
        "BlockDeviceMappings": _disks(instance),
        "NetworkInterfaces": [
            _interface(region, instance, index, each)
            for index, each in enumerate(instance.interfaces)
        ],
        "PrivateDnsName": _name(region, primary.address),
        "PrivateDnsNameOptions": _NAMES | instance.request.get("PrivateDnsNameOptions", {}),
        "PrivateIpAddress": primary.address,
        "SecurityGroups": _groups(primary.groups),
        "SourceDestCheck": True,
        "SubnetId": primary.subnet_id,
        "VpcId": primary.vpc_id,
    }


def _disks(instance: Instance) -> list[Fields]:
    """The root volume, and the volumes that were asked for."""
    mappings: dict[str, Fields] = {ROOT_DEVICE: {}}
    for each in instance.request.get("BlockDeviceMappings", ()):
        if "NoDevice" in each:
            mappings.pop(each["DeviceName"], None)
        elif "Ebs" in each:
            mappings[each["DeviceName"]] = each["Ebs"]
    pending = instance.state is InstanceState.PENDING
    return [
        {
            "DeviceName": device,
            "Ebs": {
                "AttachTime": _moment(instance),
                "DeleteOnTermination": disk.get("DeleteOnTermination", True),
                "Status": "attaching" if pending else "attached",
                "VolumeId": _related("vol", instance, index),
            },
        }
        for index, (device, disk) in enumerate(mappings.items())
    ]


def _interface(region: Region, instance: Instance, index: int, interface: Interface) -> Fields:
    name = _name(region, interface.address)
    address = {
        "Primary": True,
        "PrivateDnsName": name,
        "PrivateIpAddress": interface.address,
    }
    number = _number(instance) + index
    return {
        "Attachment": {
            "AttachTime": _moment(instance),
            "AttachmentId": _related("eni-attach", instance, index),
            "DeleteOnTermination": interface.delete_on_termination,
            "DeviceIndex": interface.device_index,
            "NetworkCardIndex": 0,
            "Status": "attaching" if instance.state is InstanceState.PENDING else "attached",
        },
        "Description": interface.description,
        "Groups": _groups(interface.groups),
        "InterfaceType": "interface",
        "Ipv6Addresses": [],
        "MacAddress": ":".join(["02", *(f"{number >> 8 * byte & 255:02x}" for byte in range(5))]),
        "NetworkInterfaceId": _related("eni", instance, index),
        "Operator": {"Managed": False},
        "OwnerId": region.place.account,
        "PrivateDnsName": name,
        "PrivateIpAddress": interface.address,
        "PrivateIpAddresses": [address],
        "SourceDestCheck": True,
        "Status": "in-use",
        "SubnetId": interface.subnet_id,
        "VpcId": interface.vpc_id,
    }


def _groups(groups: tuple[SecurityGroup, ...]) -> list[Fields]:
    return [{"GroupId": each.id, "GroupName": each.name} for each in groups]


def _name(region: Region, address: str) -> str:
    name = region.place.region
    domain = "ec2.internal" if name == "us-east-1" else f"{name}.compute.internal"
    return f"ip-{address.replace('.', '-')}.{domain}"


def _related(prefix: str, instance: Instance, index: int) -> str:
    """The id of a part of an instance: as random as the instance's own."""
    return f"{prefix}-{(_number(instance) + index) % 16**17:017x}"


def _number(instance: Instance) -> int:
    return int(instance.id.partition("-")[2], 16)
