"""The private addresses of subnets, and how many of them are free.

Source: "Subnet CIDR blocks" in the VPC User Guide: of each subnet AWS keeps the first four
addresses and the last one.
"""

import ipaddress
from dataclasses import dataclass, field

from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

FIRST = 4
KEPT = 5


@dataclass(slots=True)
class SubnetAddresses:
    """The addresses of one subnet; one that was given back is given out again late."""

    network: ipaddress.IPv4Network
    used: set[int] = field(default_factory=set)  # by their place in the network
    latest: int = FIRST - 1

    @property
    def size(self) -> int:
        """How many there are for anybody."""
        return max(0, self.network.num_addresses - KEPT)

    @property
    def free(self) -> int:
        """How many are left."""
        return self.size - len(self.used)

    def take(self) -> str:
        """The next free address. Raises AwsFailure if there is none."""
        for _ in range(self.size):
            self.latest = FIRST + (self.latest + 1 - FIRST) % self.size
            if self.latest not in self.used:
                self.used.add(self.latest)
                return str(self.network[self.latest])
        raise AwsFailure("InsufficientFreeAddressesInSubnet", "The subnet has no free address")

    def place_of(self, address: str) -> int | None:
        """Where an address is in the network; None: not in what AWS gives out."""
        parsed = ipaddress.IPv4Address(address)
        position = int(parsed) - int(self.network.network_address)
        return position if FIRST <= position < FIRST + self.size else None


def of_subnet(region: Region, subnet: str) -> SubnetAddresses:
    """The addresses of a subnet; one that there is not any more has a network of its own."""
    found = region.ec2.subnets.get(subnet)
    if found is None:
        block = region.world.lookup.subnet_network(region.place, subnet) or "10.255.0.0/16"
        network = ipaddress.IPv4Network(block, strict=False)
        found = region.ec2.subnets[subnet] = SubnetAddresses(network)
    return found


def give(region: Region, subnet: str, wanted: str) -> str:
    """An address of the subnet: the wanted one, or any."""
    addresses = of_subnet(region, subnet)
    if not wanted:
        return addresses.take()
    position = addresses.place_of(wanted)
    if position is not None:
        addresses.used.add(position)
    return wanted


def check(region: Region, subnet: str, wanted: str) -> None:
    """Raise AwsFailure for an address that the subnet does not have, or not any more."""
    addresses = of_subnet(region, subnet)
    position = addresses.place_of(wanted)
    if position is None:
        message = f"Address {wanted} does not fall within the subnet's address range"
        raise AwsFailure("InvalidParameterValue", message)
    if position in addresses.used:
        raise AwsFailure("InvalidIPAddress.InUse", f"Address {wanted} is in use.")


def give_back(region: Region, subnet: str, address: str) -> None:
    """An interface is gone."""
    addresses = of_subnet(region, subnet)
    position = addresses.place_of(address) if address else None
    if position is not None:
        addresses.used.discard(position)


def occupied(region: Region) -> dict[str, int]:
    """How many addresses of each subnet our instances have."""
    return {subnet: len(each.used) for subnet, each in region.ec2.subnets.items()}
