"""Instance types by their attributes, as fleets and placement scores choose them.

Source: InstanceRequirementsRequest in the EC2 API reference: what is not said excludes bare metal
and burstable types, and types far dearer than the cheapest (price protection).
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from awsbatch_simulator.ec2 import prices
from awsbatch_simulator.ec2.filters import pattern
from awsbatch_simulator.ec2.types import InstanceType, every
from awsbatch_simulator.errors import AwsFailure, not_implemented
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
PROTECTION = {"on-demand": 20, "spot": 100}  # percent above the cheapest type
_SERVED = frozenset(
    {
        *("VCpuCount", "MemoryMiB", "MemoryGiBPerVCpu", "CpuManufacturers", "BareMetal"),
        *("BurstablePerformance", "InstanceGenerations", "ExcludedInstanceTypes", "LocalStorage"),
        *("AllowedInstanceTypes", "AcceleratorCount", "SpotMaxPricePercentageOverLowestPrice"),
        "OnDemandMaxPricePercentageOverLowestPrice",
    }
)
_CHOICES = ("included", "required", "excluded")
_MIB = 1024


def check(requirements: Fields) -> None:
    """Raise AwsFailure for requirements that contradict themselves or are not simulated."""
    for name in requirements:
        if name not in _SERVED:
            raise not_implemented("ec2", f"InstanceRequirements.{name}")
    for name in ("VCpuCount", "MemoryMiB"):
        bounds = requirements.get(name) or {}
        if "Min" not in bounds:
            message = f"InstanceRequirements need {name}.Min"
            raise AwsFailure("MissingParameter", message)
        if bounds["Min"] < 0 or bounds.get("Max", bounds["Min"]) < bounds["Min"]:
            raise AwsFailure("InvalidParameterValue", f"{name}: Max is less than Min")
    for name in ("BareMetal", "BurstablePerformance", "LocalStorage"):
        if requirements.get(name, "included") not in _CHOICES:
            raise AwsFailure("InvalidParameterValue", f"Invalid value for {name}.")
    if requirements.get("ExcludedInstanceTypes") and requirements.get("AllowedInstanceTypes"):
        message = "AllowedInstanceTypes and ExcludedInstanceTypes exclude each other."
        raise AwsFailure("InvalidParameterCombination", message)


def matching(
    region: Region, requirements: Fields, *, architecture: str | None, market: str
) -> list[InstanceType]:
    """The types with those attributes, small ones first; without an architecture of any."""
    fits = [
        each
        for each in every()
        if market in each.markets
        and architecture in {None, each.architecture}
        and all(test(each) for test in _tests(requirements))
    ]
    return _not_too_dear(region, requirements, fits, market)


def _tests(requirements: Fields) -> list[Callable[[InstanceType], bool]]:
    def within(name: str, value: float) -> bool:
        bounds = requirements.get(name) or {}
        return bool(bounds.get("Min", 0) <= value <= bounds.get("Max", value))

    def chosen(name: str, default: str, *, has: bool) -> bool:
        choice = requirements.get(name, default)
        return bool(choice == "included" or has == (choice == "required"))

    makers = frozenset(requirements.get("CpuManufacturers") or ())
    generations = frozenset(requirements.get("InstanceGenerations") or ())
    without = [pattern(each) for each in requirements.get("ExcludedInstanceTypes") or ()]
    only = [pattern(each) for each in requirements.get("AllowedInstanceTypes") or ()]
    return [
        lambda each: within("VCpuCount", each.vcpus),
        lambda each: within("MemoryMiB", each.memory),
        lambda each: within("MemoryGiBPerVCpu", each.memory / _MIB / each.vcpus),
        lambda each: (
            within("AcceleratorCount", each.gpus) if _accelerated(requirements) else not each.gpus
        ),
        lambda each: chosen("BareMetal", "excluded", has=each.metal),
        lambda each: chosen("BurstablePerformance", "excluded", has=each.burstable),
        lambda each: chosen("LocalStorage", "included", has=each.local_storage),
        lambda each: not makers or each.maker in makers,
        lambda each: not generations or ("current" if each.current else "previous") in generations,
        lambda each: not any(glob.match(each.name) for glob in without),
        lambda each: not only or any(glob.match(each.name) for glob in only),
    ]


def _accelerated(requirements: Mapping[str, Any]) -> bool:
    return bool((requirements.get("AcceleratorCount") or {}).get("Min"))


def _not_too_dear(
    region: Region, requirements: Fields, fits: list[InstanceType], market: str
) -> list[InstanceType]:
    """Price protection; types without a price are not chosen."""
    settings, place = region.world.settings.market, region.place.region
    known = {
        each.name: price
        for each in fits
        if (price := prices.on_demand(settings, place, each.name)) is not None
    }
    if not known:
        return []
    name = "SpotMax" if market == "spot" else "OnDemandMax"
    percent = requirements.get(f"{name}PricePercentageOverLowestPrice", PROTECTION[market])
    most = min(known.values()) * (100 + Decimal(percent)) / 100
    return [each for each in fits if each.name in known and known[each.name] <= most]
