"""Reading `spec.capacity`: what the user wishes, with the API's defaults filled in."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.capacity.model import (
    DEFAULT_LADDER,
    BlockStart,
    Limits,
    Market,
    OnRebalance,
    Pool,
    Renew,
    ReplacePolicy,
    Requirements,
    Rung,
    SpotBlock,
    Wish,
)

_MINUTE = 60


def wish(capacity: Shape) -> Wish:
    """Read `spec.capacity`, which the schema has accepted; KeyError or ValueError if it has not."""
    limits = capacity.get("limits", {})
    return Wish(
        limits=Limits(
            max_vcpus=limits.get("maxvCpus"),
            max_instances=limits.get("maxInstances"),
            max_hourly_cost=_money(limits.get("maxHourlyCost")),
        ),
        overflow_seconds=capacity.get("overflowSeconds", 120),
        pools=tuple(_pool(each) for each in capacity.get("pools", ())),
    )


def _pool(body: Shape) -> Pool:
    market = Market(body["market"])
    block = _block(body["spotBlock"]) if market is Market.SPOT_BLOCK else None
    count = None if block is None else block.instance_count
    asked: dict[str, Any] = {
        field: body[name]
        for name, field in {
            "priority": "priority",
            "idleSeconds": "idle_seconds",
            "registrationTimeoutSeconds": "registration_timeout_seconds",
            "drainTimeoutSeconds": "drain_timeout_seconds",
        }.items()
        if body.get(name) is not None
    }
    requirements = body.get("instanceRequirements")
    return Pool(
        name=body["name"],
        market=market,
        instance_types=tuple(body.get("instanceTypes", ())),
        requirements=None if requirements is None else _requirements(requirements),
        max_price_per_hour=_money(body.get("maxPricePerHour")),
        min_instances=0 if block is not None else body.get("minInstances", 0),
        max_instances=body.get("maxInstances") if count is None else count,
        on_rebalance=OnRebalance(body.get("onRebalance", OnRebalance.IGNORE)),
        replace_policy=ReplacePolicy(body.get("replacePolicy", ReplacePolicy.WHEN_IDLE)),
        threads_per_core=body.get("cpuOptions", {}).get("threadsPerCore"),
        spot_block=block,
        **asked,
    )


def _requirements(body: Shape) -> Requirements:
    return Requirements(
        vcpus=_bounds(body.get("vCPUs", {})),
        memory_mib=_bounds(body.get("memoryMiB", {})),
        architecture=body.get("architecture", ""),
        gpus=body.get("acceleratorCount"),
        families=tuple(body.get("families", ())),
    )


def _bounds(body: Mapping[str, int]) -> tuple[int | None, int | None]:
    return body.get("min"), body.get("max")


def _block(body: Shape) -> SpotBlock:
    seconds = body.get("durationSeconds")
    if seconds is None:  # the alias that manifests of AWS's time have
        seconds = body["blockDurationMinutes"] * _MINUTE
    return SpotBlock(
        duration_seconds=seconds,
        instance_count=body["instanceCount"],
        start=BlockStart(body.get("start", BlockStart.ON_DEMAND)),
        request=body.get("request", 1),
        renew=Renew(body.get("renew", Renew.NEVER)),
        release_when_idle=body.get("releaseWhenIdle", False),
        fallback=tuple(Rung(each) for each in body.get("fallback", DEFAULT_LADDER)),
    )


def _money(text: object) -> Decimal | None:
    try:
        return None if text is None else Decimal(str(text))
    except InvalidOperation:  # which is no ValueError
        raise ValueError(f"{text!r} is no amount of money") from None
