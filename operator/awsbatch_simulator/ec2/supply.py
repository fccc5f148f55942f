"""How many instances of an offer (type, zone, market) can be launched just now, and why no more.

What counts against an offer's capacity and against the quotas are instances that are pending,
running or on their way out, and what is reserved. An instance that runs in a capacity reservation
counts with the reservation.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from awsbatch_simulator.ec2 import addresses, quotas
from awsbatch_simulator.ec2.model import Instance
from awsbatch_simulator.ec2.types import InstanceType, instance_type, offered
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

MUCH = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Offer:
    """What can be bought: instances of a type in a zone, on a market."""

    size: InstanceType
    zone: str
    market: str  # spot or on-demand

    @property
    def key(self) -> tuple[str, str, str]:
        """Its name in the ledger."""
        return (self.market, self.size.name, self.zone)


@dataclass(slots=True)
class Holds:
    """What a request of several steps has set aside for its earlier ones, not launched yet."""

    offers: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    vcpus: Counter[str] = field(default_factory=Counter)  # by quota code
    subnets: Counter[str] = field(default_factory=Counter)
    reservations: Counter[str] = field(default_factory=Counter)

    def add(self, offer: Offer, subnets: Mapping[str, int], *, count: int, reserved: int) -> None:
        """Set aside `count` instances, of which `reserved` have capacity of their own."""
        bought = count - reserved
        self.offers[offer.key] += bought
        quota = quotas.quota_of(offer.size.name, offer.market)
        if quota is not None:
            self.vcpus[quota.code] += bought * offer.size.vcpus
        for subnet, interfaces in subnets.items():
            self.subnets[subnet] += interfaces * count


@dataclass(frozen=True, slots=True)
class Room:
    """How many can be launched, and what stands against more."""

    count: int
    failure: AwsFailure | None


def check_offered(region: Region, offer: Offer) -> None:
    """Raise AwsFailure for a type that the zone or the market does not have."""
    name, market = offer.size.name, offer.market
    if not offered(region.place.region, name, offer.zone):
        raise AwsFailure(
            "Unsupported",
            f"Your requested instance type ({name}) is not supported in your requested "
            f"Availability Zone ({offer.zone}).",
        )
    if market not in offer.size.markets:
        message = f"The instance type {name} is not available as a {market} instance."
        raise AwsFailure("Unsupported", message)


def room(
    region: Region,
    offer: Offer,
    subnets: Mapping[str, int],
    *,
    most: int,
    reserved: int = 0,
    held: Holds | None = None,
) -> Room:
    """How many of `most` instances can be launched; `subnets` are the interfaces of one of them.

    The first `reserved` have capacity of their own. A fault that says that there is no capacity is
    asked for once, and only if capacity is needed.
    """
    held = held or Holds()
    bounds: list[tuple[int, AwsFailure]] = []
    for subnet, interfaces in subnets.items():
        left = addresses.of_subnet(region, subnet).free - held.subnets[subnet]
        bounds.append((left // interfaces, _no_addresses(subnet)))
    if reserved < most:
        bounds.append((reserved + _quota_left(region, offer, held), _over_quota(region, offer)))
        bounds.append((reserved + _capacity_left(region, offer, held), _nothing_left(offer)))
    count, failure = most, None
    for bound, reason in bounds:
        if bound < count:
            count, failure = max(0, bound), reason
    return Room(count, failure)


def capacity_left(region: Region, offer: Offer) -> int:
    """How many instances EC2 still has of an offer, faults aside."""
    limit = region.world.settings.market.capacity_of(*offer.key)
    return MUCH if limit is None else max(0, limit - region.ec2.sold[offer.key])


def _capacity_left(region: Region, offer: Offer, held: Holds) -> int:
    fault = region.world.faults.active(
        "insufficient_capacity",
        instanceType=offer.size.name,
        availabilityZone=offer.zone,
        market=offer.market,
    )
    return 0 if fault is not None else capacity_left(region, offer) - held.offers[offer.key]


def _quota_left(region: Region, offer: Offer, held: Holds) -> int:
    quota = quotas.quota_of(offer.size.name, offer.market)
    if quota is None:
        return MUCH
    limit = quotas.applied(region.world.settings.market, quota)
    left = limit - region.ec2.vcpus[quota.code] - held.vcpus[quota.code]
    return max(0, int(left // offer.size.vcpus))


def _no_addresses(subnet: str) -> AwsFailure:
    return AwsFailure(
        "InsufficientFreeAddressesInSubnet",
        f"There are not enough free addresses in subnet '{subnet}' to satisfy the requested number "
        "of instances.",
    )


def _over_quota(region: Region, offer: Offer) -> AwsFailure:
    if offer.market == quotas.SPOT:
        return AwsFailure("MaxSpotInstanceCountExceeded", "Max spot instance count exceeded")
    quota = quotas.quota_of(offer.size.name, offer.market)
    limit = 0.0 if quota is None else quotas.applied(region.world.settings.market, quota)
    return AwsFailure(
        "VcpuLimitExceeded",
        f"You have requested more vCPU capacity than your current vCPU limit of {limit:.0f} allows "
        "for the instance bucket that the specified instance type belongs to. Please visit "
        "http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.",
    )


def _nothing_left(offer: Offer) -> AwsFailure:
    name, zone = offer.size.name, offer.zone
    if offer.market == quotas.SPOT:
        message = "There is no Spot capacity available that matches your request."
        return AwsFailure("InsufficientInstanceCapacity", message, 500)
    return AwsFailure(
        "InsufficientInstanceCapacity",
        f"We currently do not have sufficient {name} capacity in the Availability Zone you "
        f"requested ({zone}). Our system will be working on provisioning additional capacity. You "
        f"can currently get {name} capacity by not specifying an Availability Zone in your request "
        "or choosing another one.",
        500,
    )


def count(region: Region, offer: Offer, number: int) -> None:
    """Instances or reserved places of an offer come, or go (below 0)."""
    region.ec2.sold[offer.key] += number
    quota = quotas.quota_of(offer.size.name, offer.market)
    if quota is not None:
        region.ec2.vcpus[quota.code] += number * offer.size.vcpus


def offer_of(instance: Instance) -> Offer | None:
    """The offer that an instance is of."""
    size = instance_type(instance.type)
    return None if size is None else Offer(size, instance.zone, instance.market)


def occupy(region: Region, instance: Instance) -> None:
    """An instance begins to count, unless it does already or has a reservation that does."""
    offer = offer_of(instance)
    if offer is not None and not instance.counted and instance.reservation is None:
        instance.counted = True
        count(region, offer, 1)


def vacate(region: Region, instance: Instance) -> None:
    """An instance counts no more; its place in a reservation is free."""
    offer = offer_of(instance)
    if instance.counted and offer is not None:
        instance.counted = False
        count(region, offer, -1)
    if instance.reservation is not None:
        reservation = region.ec2.reservations.get(instance.reservation)
        if reservation is not None:
            reservation.used_by.discard(instance.id)
        instance.reservation = None
