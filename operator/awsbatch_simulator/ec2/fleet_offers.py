"""The offers of an instant fleet: launch templates times overrides, and in which order it buys.

Sources: FleetLaunchTemplateConfigRequest, FleetLaunchTemplateOverridesRequest, SpotOptionsRequest
and OnDemandOptionsRequest in the EC2 API reference; "Allocation strategies for EC2 Fleet or Spot
Fleet" in the EC2 User Guide. AWS names goals of its strategies, not their arithmetic. What makes
pools duplicates: aws-samples/aws-plugin-for-slurm#19; overlapping requirements:
runs-on/runs-on#476; how many there can be: osbuild/osbuild-composer#3946.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from awsbatch_simulator.ec2 import images, launching, prices, requirements, supply, templates
from awsbatch_simulator.ec2.launching import Prepared
from awsbatch_simulator.ec2.templates import Resolved
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
MOST_CONFIGS, MOST_OVERRIDES, MOST_REQUIREMENTS = 50, 300, 4
DEAREST = Decimal(10**9)  # stands for a price that nobody knows
LAST = 1e18  # the priority of an override that has none
_TAKEN_OVER = (
    *("ImageId", "KeyName", "BlockDeviceMappings", "IamInstanceProfile", "MetadataOptions"),
)


@dataclass(frozen=True, slots=True)
class FleetOffer:
    """One way in which a fleet can buy: a template's version with one override."""

    position: int
    template: Resolved
    override: Fields  # with the one type that it means
    market: str
    weight: float
    prepared: Prepared | None  # None: EC2 refuses it
    failure: AwsFailure | None
    price: Decimal | None  # US dollars an hour of an instance

    @property
    def priority(self) -> float:
        """The lower the earlier."""
        return float(self.override.get("Priority", LAST))

    @property
    def unit_price(self) -> Decimal:
        """US dollars an hour of a unit of capacity."""
        return DEAREST if self.price is None else self.price / Decimal(str(self.weight))

    @property
    def shown(self) -> Fields:
        """LaunchTemplateAndOverridesResponse."""
        specification = {
            "LaunchTemplateId": self.template.template.id,
            "Version": str(self.template.version.number),
        }
        return {"LaunchTemplateSpecification": specification, "Overrides": self.override}


def offers(region: Region, request: Fields, market: str) -> list[FleetOffer]:
    """All offers of a fleet on a market, in the order of the request.

    What is wrong with a single one is kept with it. Raises AwsFailure for templates that there are
    not and for what contradicts itself.
    """
    configs = request["LaunchTemplateConfigs"]
    if not 1 <= len(configs) <= MOST_CONFIGS:
        raise _invalid(f"A fleet has 1 to {MOST_CONFIGS} launch template configs.")
    pairs = [
        (templates.resolve(region, each.get("LaunchTemplateSpecification") or {}), override)
        for each in configs
        for override in each.get("Overrides") or [{}]
    ]
    if len(pairs) > MOST_OVERRIDES:
        raise _invalid(f"A fleet has up to {MOST_OVERRIDES} launch specifications.")
    if sum("InstanceRequirements" in override for _, override in pairs) > MOST_REQUIREMENTS:
        raise _invalid(
            "Your request contains more than the maximum allowed number of InstanceRequirements "
            f"({MOST_REQUIREMENTS})"
        )
    found: list[FleetOffer] = []
    for template, override in pairs:
        for one in _expanded(region, template, override, market):
            found.append(_offer(region, request, template, one, market, position=len(found)))
    if not found:
        raise _invalid("No instance types satisfy the instance requirements of the fleet.")
    _check_unique(found, [override for _, override in pairs])
    return found


def _expanded(
    region: Region, template: Resolved, override: Fields, market: str
) -> Iterator[Fields]:
    """The override for each type that it means."""
    given = override.get("InstanceRequirements")
    if given and override.get("InstanceType"):
        message = "InstanceType and InstanceRequirements exclude each other."
        raise AwsFailure("InvalidParameterCombination", message)
    if "," in (override.get("SubnetId") or ""):
        raise _invalid("A fleet of type instant can have only one subnet ID in an override.")
    if not given and not override.get("InstanceType"):
        given = template.data.get("InstanceRequirements")
        yield from (
            () if given else ({**override, "InstanceType": template.data.get("InstanceType", "")},)
        )
    elif not given:
        yield override
    if given:
        requirements.check(given)
        image = override.get("ImageId") or template.data.get("ImageId") or ""
        made_for = images.architecture(region, image)
        rest = {name: value for name, value in override.items() if name != "InstanceRequirements"}
        for size in requirements.matching(region, given, architecture=made_for, market=market):
            yield {**rest, "InstanceType": size.name}


def _offer(
    region: Region,
    request: Fields,
    template: Resolved,
    override: Fields,
    market: str,
    *,
    position: int,
) -> FleetOffer:
    weight = override.get("WeightedCapacity", 1.0)
    if not 0 < weight < LAST:
        raise _invalid("WeightedCapacity must be above 0.")
    prepared, failure, price = None, None, None
    try:
        prepared = launching.prepare(
            region, _as_launch(request, template, override, market), template.tags
        )
        price = prices.price(
            region.world.settings.market,
            region.place.region,
            prepared.offer.size.name,
            prepared.offer.zone,
            spot_=market == "spot",
        )
    except AwsFailure as refused:
        failure = refused
    return FleetOffer(position, template, override, market, weight, prepared, failure, price)


def _as_launch(request: Fields, template: Resolved, override: Fields, market: str) -> Fields:
    """The RunInstances request that one instance of the offer is."""
    own: Fields = {"MinCount": 1, "MaxCount": 1, "InstanceType": override["InstanceType"]}
    own |= {name: override[name] for name in _TAKEN_OVER if name in override}
    data = {key: value for key, value in template.data.items() if key != "InstanceRequirements"}
    if subnet := override.get("SubnetId"):
        interfaces = data.get("NetworkInterfaces")
        if interfaces:
            first, *others = interfaces
            own["NetworkInterfaces"] = [{**first, "SubnetId": subnet}, *others]
        else:
            own["SubnetId"] = subnet
    zones = {
        name: override[name]
        for name in ("AvailabilityZone", "AvailabilityZoneId")
        if name in override
    }
    if zones or override.get("Placement"):
        own["Placement"] = (data.get("Placement") or {}) | (override.get("Placement") or {}) | zones
    if market == "spot":
        own["InstanceMarketOptions"] = _spot_options(request, data, override)
    else:
        data.pop("InstanceMarketOptions", None)
    own["TagSpecifications"] = _tags(request, data)
    return templates.merged(data, own)


def _spot_options(request: Fields, data: Fields, override: Fields) -> Fields:
    given = (data.get("InstanceMarketOptions") or {}).get("SpotOptions") or {}
    options = {name: given[name] for name in ("BlockDurationMinutes",) if name in given}
    behavior = (request.get("SpotOptions") or {}).get("InstanceInterruptionBehavior")
    if behavior in {"stop", "hibernate"}:
        options |= {"InstanceInterruptionBehavior": behavior, "SpotInstanceType": "persistent"}
    limit = override.get("MaxPrice") or given.get("MaxPrice")
    return {"MarketType": "spot", "SpotOptions": options | ({"MaxPrice": limit} if limit else {})}


def _tags(request: Fields, data: Fields) -> list[Fields]:
    """The template's tags, and the request's, which win."""
    found: dict[str, dict[str, str]] = {}
    for each in (*(data.get("TagSpecifications") or ()), *(request.get("TagSpecifications") or ())):
        if each.get("ResourceType") != "fleet":
            tags = {tag.get("Key", ""): tag.get("Value", "") for tag in each.get("Tags") or ()}
            found.setdefault(each.get("ResourceType", ""), {}).update(tags)
    return [
        {
            "ResourceType": kind,
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }
        for kind, tags in found.items()
    ]


def _check_unique(found: list[FleetOffer], given: list[Fields]) -> None:
    """A pool is a type in a zone, whatever subnets it is named with."""
    seen = set()
    for each in found:
        if each.prepared is None:
            continue
        if each.prepared.offer.key in seen and any("InstanceRequirements" in one for one in given):
            message = (
                "Two or more of your InstanceRequirements structures include overlapping values. "
                "Ensure that there is no overlap, and try again."
            )
            raise _invalid(message)
        if each.prepared.offer.key in seen:
            message = "The fleet configuration contains duplicate instance pools."
            raise AwsFailure("InvalidFleetConfig", message)
        seen.add(each.prepared.offer.key)


def ordered(
    region: Region, found: list[FleetOffer], strategy: str, wanted: float
) -> list[FleetOffer]:
    """The offers that EC2 would take, best first."""

    def lacking(each: FleetOffer) -> bool:
        if each.prepared is None:
            return True
        return supply.capacity_left(region, each.prepared.offer) * each.weight < wanted

    match strategy:
        case "prioritized":
            return sorted(found, key=lambda each: (each.priority, each.unit_price, each.position))
        case "capacity-optimized-prioritized":
            return sorted(found, key=lambda each: (lacking(each), each.priority, each.position))
        case "capacity-optimized":
            return sorted(found, key=lambda each: (lacking(each), each.position))
        case "price-capacity-optimized":
            return sorted(found, key=lambda each: (lacking(each), each.unit_price, each.position))
        case "diversified":
            return found
        case _:
            return sorted(found, key=lambda each: (each.unit_price, each.position))


def _invalid(message: str) -> AwsFailure:
    return AwsFailure("InvalidParameterValue", message)
