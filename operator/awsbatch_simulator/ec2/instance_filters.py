"""The filters of DescribeInstances. Source: the text of its `Filters` in the EC2 API reference."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from awsbatch_simulator.ec2 import filters
from awsbatch_simulator.ec2.model import Instance

# What can be told without a view of the instance; the operator asks with these all the time.
_PLAIN: dict[str, Callable[[Instance], Iterable[Any]]] = {
    "availability-zone": lambda each: (each.zone,),
    "client-token": lambda each: (each.client_token,),
    "image-id": lambda each: (each.image_id,),
    "instance-id": lambda each: (each.id,),
    "instance-lifecycle": lambda each: ("spot",) if each.spot else (),
    "instance-state-code": lambda each: (each.state.code,),
    "instance-state-name": lambda each: (each.state.value,),
    "instance-type": lambda each: (each.type,),
    "reservation-id": lambda each: (each.reservation_id,),
    "tag-key": lambda each: each.tags,
}


def _under(prefix: str, *members: str, **names: str) -> dict[str, tuple[str, ...]]:
    """Filters `prefix.some-name`, each with its path below the members."""
    return {
        f"{prefix}.{name.replace('_', '-')}": (*members, *path.split("."))
        for name, path in names.items()
    }


# Where the view of an instance has it.
_SHOWN: dict[str, tuple[str, ...]] = {
    "affinity": ("Placement", "Affinity"),
    "architecture": ("Architecture",),
    "availability-zone-id": ("Placement", "AvailabilityZoneId"),
    "boot-mode": ("BootMode",),
    "capacity-reservation-id": ("CapacityReservationId",),
    "current-instance-boot-mode": ("CurrentInstanceBootMode",),
    "dns-name": ("PublicDnsName",),
    "ebs-optimized": ("EbsOptimized",),
    "ena-support": ("EnaSupport",),
    "enclave-options.enabled": ("EnclaveOptions", "Enabled"),
    "hibernation-options.configured": ("HibernationOptions", "Configured"),
    "host-id": ("Placement", "HostId"),
    "hypervisor": ("Hypervisor",),
    "iam-instance-profile.arn": ("IamInstanceProfile", "Arn"),
    "iam-instance-profile.id": ("IamInstanceProfile", "Id"),
    "instance.group-id": ("SecurityGroups", "GroupId"),
    "instance.group-name": ("SecurityGroups", "GroupName"),
    "ip-address": ("PublicIpAddress",),
    "ipv6-address": ("Ipv6Address",),
    "kernel-id": ("KernelId",),
    "key-name": ("KeyName",),
    "launch-index": ("AmiLaunchIndex",),
    "launch-time": ("LaunchTime",),
    "maintenance-options.auto-recovery": ("MaintenanceOptions", "AutoRecovery"),
    "monitoring-state": ("Monitoring", "State"),
    "network-performance-options.bandwidth-weighting": (
        "NetworkPerformanceOptions",
        "BandwidthWeighting",
    ),
    "operator.managed": ("Operator", "Managed"),
    "operator.principal": ("Operator", "Principal"),
    "outpost-arn": ("OutpostArn",),
    "owner-id": ("OwnerId",),  # of the reservation
    "placement-group-name": ("Placement", "GroupName"),
    "placement-partition-number": ("Placement", "PartitionNumber"),
    "platform": ("Platform",),
    "platform-details": ("PlatformDetails",),
    "private-dns-name": ("PrivateDnsName",),
    "private-ip-address": ("PrivateIpAddress",),
    "product-code": ("ProductCodes", "ProductCodeId"),
    "product-code.type": ("ProductCodes", "ProductCodeType"),
    "ramdisk-id": ("RamdiskId",),
    "reason": ("StateTransitionReason",),
    "root-device-name": ("RootDeviceName",),
    "root-device-type": ("RootDeviceType",),
    "source-dest-check": ("SourceDestCheck",),
    "spot-instance-request-id": ("SpotInstanceRequestId",),
    "state-reason-code": ("StateReason", "Code"),
    "state-reason-message": ("StateReason", "Message"),
    "subnet-id": ("SubnetId",),
    "tenancy": ("Placement", "Tenancy"),
    "tpm-support": ("TpmSupport",),
    "usage-operation": ("UsageOperation",),
    "usage-operation-update-time": ("UsageOperationUpdateTime",),
    "virtualization-type": ("VirtualizationType",),
    "vpc-id": ("VpcId",),
    **_under(
        "block-device-mapping",
        "BlockDeviceMappings",
        attach_time="Ebs.AttachTime",
        delete_on_termination="Ebs.DeleteOnTermination",
        device_name="DeviceName",
        status="Ebs.Status",
        volume_id="Ebs.VolumeId",
    ),
    **_under(
        "capacity-reservation-specification",
        "CapacityReservationSpecification",
        capacity_reservation_preference="CapacityReservationPreference",
    ),
    **_under(
        "capacity-reservation-specification.capacity-reservation-target",
        *("CapacityReservationSpecification", "CapacityReservationTarget"),
        capacity_reservation_id="CapacityReservationId",
        capacity_reservation_resource_group_arn="CapacityReservationResourceGroupArn",
    ),
    **_under(
        "metadata-options",
        "MetadataOptions",
        http_endpoint="HttpEndpoint",
        http_protocol_ipv6="HttpProtocolIpv6",
        http_put_response_hop_limit="HttpPutResponseHopLimit",
        http_tokens="HttpTokens",
        instance_metadata_tags="InstanceMetadataTags",
        state="State",
    ),
    **_under(
        "network-interface",
        "NetworkInterfaces",
        description="Description",
        group_id="Groups.GroupId",
        group_name="Groups.GroupName",
        ipv6_address="Ipv6Addresses.Ipv6Address",
        mac_address="MacAddress",
        network_interface_id="NetworkInterfaceId",
        owner_id="OwnerId",
        private_dns_name="PrivateDnsName",
        private_ip_address="PrivateIpAddress",
        source_dest_check="SourceDestCheck",
        status="Status",
        subnet_id="SubnetId",
        vpc_id="VpcId",
    ),
    **_under(
        "network-interface.addresses",
        *("NetworkInterfaces", "PrivateIpAddresses"),
        primary="Primary",
        private_dns_name="PrivateDnsName",
        private_ip_address="PrivateIpAddress",
    ),
    **_under(
        "network-interface.attachment",
        *("NetworkInterfaces", "Attachment"),
        attach_time="AttachTime",
        attachment_id="AttachmentId",
        delete_on_termination="DeleteOnTermination",
        device_index="DeviceIndex",
        network_card_index="NetworkCardIndex",
        status="Status",
    ),
    "network-interface.attachment.instance-id": ("InstanceId",),
    "network-interface.attachment.instance-owner-id": ("NetworkInterfaces", "OwnerId"),
    "network-interface.availability-zone": ("Placement", "AvailabilityZone"),
    "network-interface.operator.managed": ("NetworkInterfaces", "Operator", "Managed"),
    "network-interface.operator.principal": ("NetworkInterfaces", "Operator", "Principal"),
    **_under(
        "private-dns-name-options",
        "PrivateDnsNameOptions",
        enable_resource_name_dns_a_record="EnableResourceNameDnsARecord",
        enable_resource_name_dns_aaaa_record="EnableResourceNameDnsAAAARecord",
        hostname_type="HostnameType",
    ),
}

# No simulated instance has any of these: a filter by them finds nothing.
_NEVER = frozenset(
    {
        "metadata-options.http-protocol-ipv4",
        "requester-id",
        *(
            f"network-interface.{name}"
            for name in (
                *("deny-all-igw-traffic", "ipv4-prefixes.ipv4-prefix", "ipv6-native"),
                *("ipv6-addresses.ipv6-address", "ipv6-addresses.is-primary-ipv6"),
                *("ipv6-prefixes.ipv6-prefix", "outpost-arn", "public-dns-name"),
                *("requester-id", "requester-managed", "tag-key", "tag-value"),
            )
        ),
        *(
            f"network-interface.{place}association.{name}"
            for place in ("", "addresses.")
            for name in (
                *("allocation-id", "association-id", "carrier-ip", "customer-owned-ip"),
                *("ip-owner-id", "public-dns-name", "public-ip"),
            )
        ),
    }
)
NAMES = frozenset(_PLAIN) | frozenset(_SHOWN) | _NEVER
PATHS = _SHOWN
TAG, TAG_KEY = "tag:", "tag-key"


def matcher(
    given: Iterable[dict[str, Any]],
    view: Callable[[Instance], dict[str, Any]],
    *,
    tagless: Callable[[Instance], bool] = lambda _instance: False,
) -> Callable[[Instance], bool]:
    """Whether an instance meets all filters, each by one of its values.

    `view` is the instance as it is shown, with its owner; it is asked for only where a filter needs
    it. `tagless` says of which instances the tags are not to be seen yet.
    """
    found = filters.wanted(given, lambda name: name.startswith(TAG) or name in NAMES)
    plain = [each for each in found if each.name.startswith(TAG) or each.name in _PLAIN]
    shown = [each for each in found if each.name in _SHOWN]
    if len(plain) + len(shown) < len(found):
        return lambda _instance: False

    def matches(instance: Instance) -> bool:
        tags = {} if tagless(instance) else instance.tags
        if not all(each.fits(_plain(instance, each.name, tags)) for each in plain):
            return False
        if not shown:
            return True
        seen = view(instance)
        return all(each.fits(filters.walk(seen, _SHOWN[each.name])) for each in shown)

    return matches


def _plain(instance: Instance, name: str, tags: Mapping[str, str]) -> Iterable[Any]:
    if name.startswith(TAG):
        value = tags.get(name.removeprefix(TAG))
        return () if value is None else (value,)
    return tags if name == TAG_KEY else _PLAIN[name](instance)
