"""Instances as DescribeInstances and RunInstances show them.

Source: `Instance` in the EC2 API reference. What nobody chose has the value of a Linux instance on
Nitro from an ECS-optimized image.
"""

from datetime import UTC, datetime
from typing import Any

from awsbatch_simulator.ec2.disks import root_device
from awsbatch_simulator.ec2.model import (
    Instance,
    InstanceState,
    Interface,
    number_of,
    part_id,
)
from awsbatch_simulator.ec2.types import instance_type
from awsbatch_simulator.ports import SecurityGroup, Shown
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
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
    "RootDeviceType": "ebs",
    "UsageOperation": "RunInstances",
    "VirtualizationType": "hvm",
}
_METADATA_OPTIONS: Fields = {
    "HttpTokens": "optional",
    "HttpPutResponseHopLimit": 1,
    "HttpEndpoint": "enabled",
    "HttpProtocolIpv6": "disabled",
    "InstanceMetadataTags": "disabled",
}
_IMDS_V2: Fields = {"HttpTokens": "required", "HttpPutResponseHopLimit": 2}
_NAMES: Fields = {
    "HostnameType": "ip-name",
    "EnableResourceNameDnsARecord": False,
    "EnableResourceNameDnsAAAARecord": False,
}


def instance_view(region: Region, instance: Instance, *, tagless: bool = False) -> Fields:
    """Instance as EC2 answers it, not to be changed; `tagless` while its tags are not seen yet."""
    if tagless:
        return made(region, instance) | {"Tags": []}
    if instance.shown is None:
        instance.shown = Shown(made(region, instance))
    return instance.shown


def made(region: Region, instance: Instance) -> Fields:
    """The same, made anew."""
    size = instance_type(instance.type)
    request = instance.request
    view = LINUX | {
        "InstanceId": instance.id,
        "ImageId": instance.image_id,
        "RootDeviceName": root_device(instance.image),
        "InstanceType": instance.type,
        "State": {"Code": instance.state.code, "Name": instance.state.value},
        "StateTransitionReason": instance.transition_reason,
        "LaunchTime": _moment(instance),
        "UsageOperationUpdateTime": _moment(instance),
        "Placement": {"AvailabilityZone": instance.zone, "Tenancy": "default"}
        | request.get("Placement", {}),
        "AmiLaunchIndex": instance.launch_index,
        "Architecture": size.architecture if size is not None else "x86_64",
        "EbsOptimized": instance.setting("EbsOptimized", default=False),
        "Tags": [{"Key": key, "Value": value} for key, value in instance.tags.items()],
        "CpuOptions": cpu_options(instance),
        "ClientToken": instance.client_token,
        "Monitoring": {
            "State": "enabled" if request.get("Monitoring", {}).get("Enabled") else "disabled"
        },
        "MetadataOptions": _by_image(instance)
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


def _by_image(instance: Instance) -> Fields:
    """Metadata options where nothing is asked for: an image with ImdsSupport v2.0 demands tokens.

    So does that of ECS-optimized Amazon Linux 2023; they may travel two hops then.
    """
    return _METADATA_OPTIONS | (_IMDS_V2 if instance.imds_v2 else {})


def cpu_options(instance: Instance) -> Fields:
    """Cores and threads: as asked for, or those of the type."""
    size = instance_type(instance.type)
    asked = instance.request.get("CpuOptions") or {}
    default = {} if size is None else {"CoreCount": size.cores, "ThreadsPerCore": size.threads}
    return default | {
        name: asked[name] for name in ("CoreCount", "ThreadsPerCore") if name in asked
    }


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
        view["SpotInstanceRequestId"] = instance.spot_request
    if instance.reservation is not None:
        view["CapacityReservationId"] = instance.reservation
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
        "SecurityGroups": _groups(groups_of(region, instance)),
        "SourceDestCheck": instance.setting("SourceDestCheck", default=True),
        "SubnetId": primary.subnet_id,
        "VpcId": primary.vpc_id,
    }


def _disks(instance: Instance) -> list[Fields]:
    """Its volumes."""
    pending = instance.state is InstanceState.PENDING
    return [
        {
            "DeviceName": volume.device,
            "Ebs": {
                "AttachTime": _moment(instance),
                "DeleteOnTermination": volume.delete_on_termination,
                "Status": "attaching" if pending else "attached",
                "VolumeId": volume.id,
            },
        }
        for volume in instance.volumes
    ]


def _interface(region: Region, instance: Instance, index: int, interface: Interface) -> Fields:
    name = _name(region, interface.address)
    address = {
        "Primary": True,
        "PrivateDnsName": name,
        "PrivateIpAddress": interface.address,
    }
    number = number_of(instance.id) + index
    return {
        "Attachment": {
            "AttachTime": _moment(instance),
            "AttachmentId": part_id("eni-attach", instance.id, index),
            "DeleteOnTermination": interface.delete_on_termination,
            "DeviceIndex": interface.device_index,
            "NetworkCardIndex": 0,
            "Status": "attaching" if instance.state is InstanceState.PENDING else "attached",
        },
        "Description": interface.description,
        "Groups": _groups(groups_of(region, instance) if index == 0 else interface.groups),
        "InterfaceType": "interface",
        "Ipv6Addresses": [],
        "MacAddress": ":".join(["02", *(f"{number >> 8 * byte & 255:02x}" for byte in range(5))]),
        "NetworkInterfaceId": interface.id,
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


def groups_of(region: Region, instance: Instance) -> tuple[SecurityGroup, ...]:
    """The security groups of the primary interface, as they may have been changed."""
    changed = instance.attributes.get("Groups")
    if changed is None:
        return instance.interfaces[0].groups
    lookup, place = region.world.lookup, region.place
    vpc = instance.interfaces[0].vpc_id
    return tuple(
        lookup.security_group(place, each) or SecurityGroup(each, "", vpc) for each in changed
    )


def _groups(groups: tuple[SecurityGroup, ...]) -> list[Fields]:
    return [{"GroupId": each.id, "GroupName": each.name} for each in groups]


def _name(region: Region, address: str) -> str:
    name = region.place.region
    domain = "ec2.internal" if name == "us-east-1" else f"{name}.compute.internal"
    return f"ip-{address.replace('.', '-')}.{domain}"
