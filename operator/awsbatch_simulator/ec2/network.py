"""Where RunInstances puts an instance: subnet, zone, security groups, network interfaces.

Sources: RunInstances (SubnetId, SecurityGroupIds, SecurityGroups, NetworkInterfaces, Placement) and
InstanceNetworkInterfaceSpecification in the EC2 API reference; "Error codes for the Amazon EC2 API"
for the codes.
"""

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from awsbatch_simulator.ec2 import addresses, zones
from awsbatch_simulator.ec2.model import Interface
from awsbatch_simulator.errors import AwsFailure, not_implemented
from awsbatch_simulator.ports import SecurityGroup
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
INTERFACE_TYPES = frozenset({"interface", "efa", "efa-only"})
DEFAULT_GROUP = "default"
_UNKNOWN_INTERFACE_MEMBERS = (
    *("NetworkInterfaceId", "Ipv6AddressCount", "Ipv6Addresses", "PrivateIpAddresses"),
    *("SecondaryPrivateIpAddressCount", "Ipv4Prefixes", "Ipv4PrefixCount", "Ipv6Prefixes"),
    *("Ipv6PrefixCount", "AssociateCarrierIpAddress", "NetworkCardIndex"),
)


@dataclass(frozen=True, slots=True)
class Destination:
    """A zone, and the interfaces of an instance in it, the primary one first."""

    zone: str
    interfaces: tuple[Interface, ...]

    @property
    def subnet(self) -> str:
        """The subnet of the primary interface."""
        return self.interfaces[0].subnet_id

    @property
    def subnets(self) -> dict[str, int]:
        """How many interfaces of an instance each subnet has."""
        return dict(Counter(each.subnet_id for each in self.interfaces))


def id_like(text: str, prefix: str) -> bool:
    """Whether it has the form of an id; the simulator's own are short (`subnet-1`)."""
    return re.fullmatch(rf"{prefix}-[0-9a-f]{{1,17}}", text) is not None


def absent(kind: str, *, prefix: str, reference: str, malformed: str, unknown: str) -> AwsFailure:
    """An id that names nothing: not even one by its form, or of nothing there is."""
    if not id_like(reference, prefix):
        return AwsFailure(malformed, f'Invalid id: "{reference}" (expecting "{prefix}-...")')
    return AwsFailure(unknown, f"The {kind} '{reference}' does not exist")


def interface_tags(request: Fields) -> dict[str, str]:
    """The tags of an instance's interfaces."""
    for each in request.get("TagSpecifications") or ():
        if each.get("ResourceType") == "network-interface":
            return {tag["Key"]: tag.get("Value", "") for tag in each.get("Tags") or ()}
    return {}


def primary(region: Region, subnet: str, request: Fields) -> Interface:
    """The one interface of an instance for which Batch has chosen a subnet.

    Groups that have gone since are kept without their names: Batch's own health check is what tells
    of them.
    """
    lookup, place = region.world.lookup, region.place
    vpc = lookup.subnet_vpc(place, subnet) or ""
    wanted = request.get("SecurityGroupIds", ())
    groups = [lookup.security_group(place, each) or SecurityGroup(each, "", vpc) for each in wanted]
    return Interface(subnet, vpc, tuple(groups) or _default_groups(region, vpc))


def destination(region: Region, request: Fields) -> Destination:
    """Where the instances of a request go. Raises AwsFailure for what there is not."""
    specifications = request.get("NetworkInterfaces") or []
    if specifications:
        _check_combination(request)
    else:
        names = ("SubnetId", "PrivateIpAddress")
        specifications = [
            {"DeviceIndex": 0, **{name: request[name] for name in names if name in request}}
        ]
    specifications = _in_order(specifications, most=request["MaxCount"])
    subnet, zone = _subnet(region, request, specifications[0].get("SubnetId"))
    interfaces = [
        _interface(region, request, each, subnet=each.get("SubnetId") or subnet)
        for each in specifications
    ]
    if any(
        region.world.lookup.subnet_zone(region.place, one.subnet_id) != zone for one in interfaces
    ):
        message = "All network interfaces of an instance must be in one availability zone."
        raise AwsFailure("InvalidParameterCombination", message)
    return Destination(zone, tuple(interfaces))


def _check_combination(request: Fields) -> None:
    for name, what in (
        ("SubnetId", "an instance-level subnet ID"),
        ("SecurityGroupIds", "an instance-level security groups"),
        ("SecurityGroups", "an instance-level security groups"),
        ("PrivateIpAddress", "an instance-level private IP address"),
    ):
        if request.get(name):
            message = f"Network interfaces and {what} may not be specified on the same request"
            raise AwsFailure("InvalidParameterCombination", message)


def _in_order(specifications: Iterable[Fields], *, most: int) -> Sequence[Fields]:
    """By device index, which each must have, the primary one (0) among them."""
    given = list(specifications)
    indexes = {each["DeviceIndex"] for each in given if "DeviceIndex" in each}
    if any("DeviceIndex" not in each for each in given):
        message = "Each network interface requires a device index."
        raise AwsFailure("InvalidParameterValue", message)
    if len(indexes) < len(given) or min(indexes) != 0:
        message = "Each network interface requires a unique device index, starting with 0."
        raise AwsFailure("InvalidParameterValue", message)
    for each in given:
        for name in _UNKNOWN_INTERFACE_MEMBERS:
            if each.get(name):
                raise not_implemented("ec2", f"RunInstances with NetworkInterfaces.{name}")
        _check_interface(each, alone=len(given) == 1, most=most)
    return sorted(given, key=lambda each: int(each["DeviceIndex"]))


def _check_interface(specification: Fields, *, alone: bool, most: int) -> None:
    if specification.get("InterfaceType", "interface") not in INTERFACE_TYPES:
        message = f"Invalid interface type: {specification['InterfaceType']}"
        raise AwsFailure("InvalidParameterValue", message)
    if "AssociatePublicIpAddress" in specification and not alone:
        message = (
            "The associatePublicIPAddress parameter cannot be specified when launching with "
            "multiple network interfaces."
        )
        raise AwsFailure("InvalidParameterCombination", message)
    address = specification.get("PrivateIpAddress")
    if address is None:
        return
    if most > 1:
        message = "A private IP address cannot be specified for more than one instance."
        raise AwsFailure("InvalidParameterCombination", message)
    try:
        ipaddress.IPv4Address(address)
    except ValueError:
        message = f"Value ({address}) for parameter privateIpAddress is invalid."
        raise AwsFailure("InvalidParameterValue", message) from None


def _interface(region: Region, request: Fields, specification: Fields, *, subnet: str) -> Interface:
    lookup, place = region.world.lookup, region.place
    vpc = lookup.subnet_vpc(place, subnet)
    if vpc is None:
        raise _no_subnet(subnet)
    if address := specification.get("PrivateIpAddress"):
        addresses.check(region, subnet, address)
    groups = [
        _group(region, each, vpc)
        for each in specification.get("Groups") or request.get("SecurityGroupIds") or ()
    ]
    for name in request.get("SecurityGroups") or ():
        named = lookup.security_group_named(place, vpc, name)
        if named is None:
            message = f"The security group '{name}' does not exist in VPC '{vpc}'"
            raise AwsFailure("InvalidGroup.NotFound", message)
        groups.append(named)
    return Interface(
        subnet_id=subnet,
        vpc_id=vpc,
        groups=tuple(dict.fromkeys(groups)) or _default_groups(region, vpc),
        address=specification.get("PrivateIpAddress", ""),
        device_index=specification["DeviceIndex"],
        description=specification.get("Description", ""),
        delete_on_termination=specification.get("DeleteOnTermination", True),
    )


def _group(region: Region, reference: str, vpc: str) -> SecurityGroup:
    group = region.world.lookup.security_group(region.place, reference)
    if group is None:
        raise absent(
            "security group",
            prefix="sg",
            reference=reference,
            malformed="InvalidGroupId.Malformed",
            unknown="InvalidGroup.NotFound",
        )
    if group.vpc_id != vpc:
        message = f"Security group {reference} and the subnet belong to different networks."
        raise AwsFailure("InvalidParameter", message)
    return group


def _default_groups(region: Region, vpc: str) -> tuple[SecurityGroup, ...]:
    group = region.world.lookup.security_group_named(region.place, vpc, DEFAULT_GROUP)
    return () if group is None else (group,)


def _subnet(region: Region, request: Fields, given: str | None) -> tuple[str, str]:
    """Subnet and zone: as asked for, or the first of the default VPC that fits."""
    placement = request.get("Placement", {})
    wanted = placement.get("AvailabilityZone")
    if identifier := placement.get("AvailabilityZoneId"):
        wanted = zones.of_id(region, identifier)
    lookup, place = region.world.lookup, region.place
    for subnet in [given] if given else lookup.default_subnets(place):
        zone = lookup.subnet_zone(place, subnet)
        if zone is None:
            raise _no_subnet(subnet)
        if wanted is None or wanted == zone:
            return subnet, zone
    raise AwsFailure("InvalidParameterValue", f"Invalid availability zone: [{wanted}]")


def _no_subnet(subnet: str) -> AwsFailure:
    return absent(
        "subnet ID",
        prefix="subnet",
        reference=subnet,
        malformed="InvalidSubnetID.Malformed",
        unknown="InvalidSubnetID.NotFound",
    )
