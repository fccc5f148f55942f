"""DescribeSpotPriceHistory and GetSpotPlacementScores.

Sources: their texts in the EC2 API reference: the history has the price that held when the time
asked for began; one or two types always score low. A price here changes when the settings do, and
is said anew every six hours.
"""

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from awsbatch_simulator import positions
from awsbatch_simulator.ec2 import filters, prices, requirements, supply
from awsbatch_simulator.ec2.types import InstanceType, every, instance_type, offered
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
PRODUCT = "Linux/UNIX"
STEP_SECONDS = 6 * 3600
PAST_SECONDS = 90 * 86_400
MOST = 1000
SCORES = range(1, 11)
FEW_TYPES, LOW_SCORE, GOOD_SCORE = 2, 3, 9
_FILTERS = {
    "availability-zone": ("AvailabilityZone",),
    "instance-type": ("InstanceType",),
    "product-description": ("ProductDescription",),
    "spot-price": ("SpotPrice",),
    "timestamp": ("Timestamp",),
}


def history(region: Region, request: Fields) -> Fields:
    """DescribeSpotPriceHistory, newest first; without a start only the prices of now."""
    if request.get("AvailabilityZoneId"):
        wanted_zone: str | None = _zone_of_id(region, request["AvailabilityZoneId"])
    else:
        wanted_zone = request.get("AvailabilityZone")
    products = request.get("ProductDescriptions") or [PRODUCT]
    if PRODUCT not in products and f"{PRODUCT} (Amazon VPC)" not in products:
        return {"SpotPriceHistory": [], "NextToken": ""}
    offers = list(_offers(region, request, wanted_zone))
    points = (
        point
        for moment in _moments(region, request)
        for point in filters.kept(
            [{**each, "Timestamp": datetime.fromtimestamp(moment, UTC)} for each in offers],
            request.get("Filters") or (),
            _FILTERS,
            tags=False,
        )
    )
    shown, token = positions.page(
        points, request, sizes=range(1, MOST + 1), wrong_place="InvalidNextToken"
    )
    return {"SpotPriceHistory": shown, "NextToken": token or ""}


def _zone_of_id(region: Region, identifier: str) -> str | None:
    found = region.world.lookup.zone_ids(region.place).items()
    return next((name for name, zone_id in found if zone_id == identifier), "")


def _moments(region: Region, request: Fields) -> Iterable[float]:
    """When prices were said, newest first, down to the one that held at the start."""
    now = region.world.clock.now()
    end = _seconds(request.get("EndTime"), now)
    start = max(_seconds(request.get("StartTime"), now), now - PAST_SECONDS)
    latest = min(end, now) // STEP_SECONDS * STEP_SECONDS
    for index in itertools.count():
        moment = latest - index * STEP_SECONDS
        if moment < now - PAST_SECONDS:
            return
        yield moment
        if moment <= start:
            return


def _seconds(moment: Any, default: float) -> float:
    return moment.timestamp() if isinstance(moment, datetime) else default


def _offers(region: Region, request: Fields, wanted_zone: str | None) -> Iterable[Fields]:
    """What has a spot price, with the price."""
    names = request.get("InstanceTypes") or [each.name for each in every()]
    known = _zones(region)
    zones = known if wanted_zone is None else [each for each in known if each == wanted_zone]
    settings, place = region.world.settings.market, region.place.region
    for name, zone in itertools.product(names, zones):
        size = instance_type(name)
        if size is None:
            raise AwsFailure("InvalidParameterValue", f"Invalid instance type: {name[:100]}")
        price = prices.spot(settings, place, name, zone)
        if price is not None and "spot" in size.markets and offered(place, name, zone):
            yield {
                "AvailabilityZone": zone,
                "InstanceType": name,
                "ProductDescription": PRODUCT,
                "SpotPrice": prices.plain(price),
            }


def _zones(region: Region) -> list[str]:
    lookup, place = region.world.lookup, region.place
    found = (lookup.subnet_zone(place, each) for each in lookup.default_subnets(place))
    return sorted({zone for zone in found if zone})


def scores(region: Region, request: Fields) -> Fields:
    """GetSpotPlacementScores: of the region, or of each of its zones, best first."""
    if request["TargetCapacity"] < 1:
        raise AwsFailure("InvalidParameterValue", "TargetCapacity must be at least 1.")
    sizes = _sizes(region, request)
    names = request.get("RegionNames") or [region.place.region]
    found: list[Fields] = []
    if region.place.region in names:
        zones = _zones(region)
        by_zone = {each: _score(region, request, sizes, [each]) for each in zones}
        if request.get("SingleAvailabilityZone"):
            ids = region.world.lookup.zone_ids(region.place)
            found = [
                {"Region": region.place.region, "AvailabilityZoneId": ids[zone], "Score": score}
                for zone, score in by_zone.items()
                if zone in ids
            ]
        else:
            score = _score(region, request, sizes, zones)
            found = [{"Region": region.place.region, "Score": score}]
    return {"SpotPlacementScores": sorted(found, key=lambda each: -each["Score"])}


def _sizes(region: Region, request: Fields) -> list[InstanceType]:
    given = request.get("InstanceRequirementsWithMetadata") or {}
    names = request.get("InstanceTypes") or []
    if bool(given) == bool(names):
        message = "Give either InstanceTypes or InstanceRequirementsWithMetadata."
        raise AwsFailure("InvalidParameterCombination", message)
    if names:
        found = [size for each in names if (size := instance_type(each)) is not None]
        if len(found) < len(names):
            raise AwsFailure("InvalidParameterValue", "There is no such instance type.")
        return found
    wanted = given.get("InstanceRequirements") or {}
    requirements.check(wanted)
    architectures = given.get("ArchitectureTypes") or [None]
    return [
        size
        for each in architectures
        for size in requirements.matching(region, wanted, architecture=each, market="spot")
    ]


def _score(region: Region, request: Fields, sizes: list[InstanceType], zones: list[str]) -> int:
    """From 1 to 10: how much of the target there is, and low for few types."""
    unit = request.get("TargetCapacityUnitType", "units")
    there = sum(
        supply.capacity_left(region, supply.Offer(size, zone, "spot")) * _units(size, unit)
        for size, zone in itertools.product(sizes, zones)
    )
    share = min(1.0, there / int(request["TargetCapacity"]))
    score = max(SCORES.start, round(GOOD_SCORE * share))
    families = {size.name for size in sizes}
    return min(score, LOW_SCORE) if len(families) <= FEW_TYPES else score


def _units(size: InstanceType, unit: str) -> int:
    """How much of a target in that unit an instance is."""
    return {"vcpu": size.vcpus, "memory-mib": size.memory}.get(unit, 1)
