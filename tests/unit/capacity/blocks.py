"""Blocks for tests: a pool, what is seen, and one step."""

from decimal import Decimal

from tests.unit.capacity.values import LARGE, NO_LIMITS, NOW, PRICES, XLARGE, offers, pool

from awsbatch_operator.capacity.block_record import ALLOWANCE_SECONDS, BlockView
from awsbatch_operator.capacity.blocks import advance
from awsbatch_operator.capacity.budget import Budget
from awsbatch_operator.capacity.faults import classify
from awsbatch_operator.capacity.model import (
    DEFAULT_LADDER,
    BlockStart,
    Market,
    SpotBlock,
    Usage,
)

SHORT = classify("InsufficientInstanceCapacity", "No room.")
HOURS = 4 * 3600
END = NOW.plus(HOURS + ALLOWANCE_SECONDS)
TYPES = {LARGE.name: LARGE, XLARGE.name: XLARGE}


def block_pool(*fallback, price=None, **fields):
    spec = SpotBlock(
        duration_seconds=HOURS,
        instance_count=2,
        start=fields.pop("start", BlockStart.IMMEDIATELY),
        fallback=fallback or DEFAULT_LADDER,
        **fields,
    )
    return pool(
        "block",
        LARGE,
        XLARGE,
        market=Market.SPOT_BLOCK,
        spot_block=spec,
        max_price_per_hour=None if price is None else Decimal(price),
    )


def bought(market=Market.ON_DEMAND, prices=PRICES):
    return offers(pool("block", LARGE, XLARGE, market=market), prices=prices)


def view(*, living=0, waiting=0, **fields):
    fields.setdefault("launched", living)
    row = {"offers": bought() + bought(Market.SPOT), "types": TYPES, **fields}
    return BlockView(pool="block", living=living, waiting=waiting, **row)


def step(block, mine, seen, *, now=NOW, limits=NO_LIMITS):
    budget = Budget.of([mine], Usage(), limits, {})
    return advance(block, mine, seen, budget=budget, uid="uid", now=now)
