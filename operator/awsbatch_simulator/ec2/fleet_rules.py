"""What CreateFleet refuses as a whole, and the parts of its target: on demand, and spot.

Sources: CreateFleetRequest, TargetCapacitySpecificationRequest, SpotOptionsRequest and
OnDemandOptionsRequest in the EC2 API reference; "Fleet quotas" in the EC2 User Guide.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from awsbatch_simulator.ec2.requests import PRICE
from awsbatch_simulator.errors import AwsFailure, not_implemented

Fields = dict[str, Any]
MOST_UNITS, MOST_LEAST = 10_000, 1000
LEAST_PRICE = Decimal("0.001")
_SPOT_STRATEGIES = frozenset(
    {
        *("lowest-price", "diversified", "capacity-optimized"),
        *("capacity-optimized-prioritized", "price-capacity-optimized"),
    }
)
_ON_DEMAND_STRATEGIES = frozenset({"lowest-price", "prioritized"})
_MARKETS = frozenset({"spot", "on-demand"})
_NOT_INSTANT = (
    *("ExcessCapacityTerminationPolicy", "ReplaceUnhealthyInstances", "ValidFrom", "ValidUntil"),
    "TerminateInstancesWithExpiration",
)


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a fleet's target on one market."""

    market: str
    units: float
    strategy: str
    least: float  # units; fewer than these, and none is launched
    single_type: bool
    single_zone: bool
    spread: int  # over so many offers evenly; 0: over all
    most_cost: Decimal | None  # US dollars an hour of all its instances


def check(request: Fields) -> None:
    """Raise AwsFailure for what is wrong whatever can be launched."""
    if request.get("Type", "maintain") != "instant":
        raise not_implemented("ec2", "CreateFleet of another type than instant")
    if request.get("ReservedCapacityOptions") or request.get("Context"):
        raise not_implemented("ec2", "CreateFleet with ReservedCapacityOptions or Context")
    for name in _NOT_INSTANT:
        if request.get(name):
            message = f"{name} is not supported for fleets of type instant."
            raise AwsFailure("InvalidParameterCombination", message)
    spot, on_demand = request.get("SpotOptions") or {}, request.get("OnDemandOptions") or {}
    for options, strategies in ((spot, _SPOT_STRATEGIES), (on_demand, _ON_DEMAND_STRATEGIES)):
        _check_options(options, strategies)
    if spot.get("MaintenanceStrategies"):
        raise AwsFailure(
            "InvalidParameterCombination",
            "Maintenance strategies are supported for fleets of type maintain only.",
        )
    if (
        "InstancePoolsToUseCount" in spot
        and spot.get("AllocationStrategy", "lowest-price") != "lowest-price"
    ):
        message = "InstancePoolsToUseCount is for the allocation strategy lowest-price only."
        raise AwsFailure("InvalidParameterCombination", message)
    if spot.get("InstancePoolsToUseCount", 1) < 1:
        raise _invalid("InstancePoolsToUseCount must be at least 1.")
    behavior = spot.get("InstanceInterruptionBehavior", "terminate")
    if behavior not in {"terminate", "stop", "hibernate"}:
        raise _invalid(f"Invalid value '{behavior}' for InstanceInterruptionBehavior.")
    _check_overrides(request)


def _check_options(options: Fields, strategies: frozenset[str]) -> None:
    strategy = options.get("AllocationStrategy", "lowest-price")
    if strategy not in strategies:
        raise _invalid(f"Invalid value '{strategy}' for AllocationStrategy.")
    least = options.get("MinTargetCapacity")
    if least is not None:
        if not 0 < least <= MOST_LEAST:
            raise _invalid(f"MinTargetCapacity must be between 1 and {MOST_LEAST}.")
        if not options.get("SingleInstanceType") and not options.get("SingleAvailabilityZone"):
            raise AwsFailure(
                "InvalidParameterCombination",
                "MinTargetCapacity needs SingleInstanceType or SingleAvailabilityZone.",
            )
    _check_price(options.get("MaxTotalPrice"), "MaxTotalPrice")


def _check_price(price: str | None, name: str) -> None:
    if price is None:
        return
    if PRICE.fullmatch(price) is None or Decimal(price) <= LEAST_PRICE:
        raise _invalid(f"Invalid value '{price[:100]}' for {name}.")


def _check_overrides(request: Fields) -> None:
    for config in request["LaunchTemplateConfigs"]:
        for override in config.get("Overrides") or ():
            _check_price(override.get("MaxPrice"), "MaxPrice")
            priority = override.get("Priority", 0.0)
            if not 0 <= priority < 2**31 or priority != int(priority):
                raise _invalid(f"Invalid value '{priority}' for Priority.")
            if override.get("AvailabilityZone") and override.get("AvailabilityZoneId"):
                message = "AvailabilityZone and AvailabilityZoneId exclude each other."
                raise AwsFailure("InvalidParameterCombination", message)


def parts(request: Fields) -> list[Part]:
    """The target by market; a part of nothing is left out."""
    target = request["TargetCapacitySpecification"]
    unit = target.get("TargetCapacityUnitType", "units")
    if unit != "units":
        raise not_implemented("ec2", f"CreateFleet with a target in {unit[:100]}")
    default = target.get("DefaultTargetCapacityType")
    if default in {"capacity-block", "reserved-capacity"}:
        raise not_implemented("ec2", f"CreateFleet with {default}")
    total = target["TotalTargetCapacity"]
    spot, on_demand = target.get("SpotTargetCapacity"), target.get("OnDemandTargetCapacity")
    if not 1 <= total <= MOST_UNITS or min(spot or 0, on_demand or 0) < 0:
        raise _invalid(f"TotalTargetCapacity must be between 1 and {MOST_UNITS}.")
    rest = total - (spot or 0) - (on_demand or 0)
    if rest < 0:
        message = "The target capacities of Spot and On-Demand exceed TotalTargetCapacity."
        raise _invalid(message)
    if rest and default not in _MARKETS:
        raise _invalid("DefaultTargetCapacityType must be given for what is left of the total.")
    units = {
        "on-demand": (on_demand or 0) + (rest if default == "on-demand" else 0),
        "spot": (spot or 0) + (rest if default == "spot" else 0),
    }
    return [_part(request, market, count) for market, count in units.items() if count]


def _part(request: Fields, market: str, units: float) -> Part:
    options = request.get("SpotOptions" if market == "spot" else "OnDemandOptions") or {}
    limit = options.get("MaxTotalPrice")
    return Part(
        market=market,
        units=units,
        strategy=options.get("AllocationStrategy", "lowest-price"),
        least=options.get("MinTargetCapacity", 0),
        single_type=bool(options.get("SingleInstanceType")),
        single_zone=bool(options.get("SingleAvailabilityZone")),
        spread=0
        if options.get("AllocationStrategy") == "diversified"
        else options.get("InstancePoolsToUseCount", 1),
        most_cost=None if limit is None else Decimal(limit),
    )


def _invalid(message: str) -> AwsFailure:
    return AwsFailure("InvalidParameterValue", message)
