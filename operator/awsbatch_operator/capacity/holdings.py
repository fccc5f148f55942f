"""What a plan counts as there: what is used of the limits, and the room that is promised.

An open launch intent counts in full, and an instance of it that EC2 shows already counts with it
and not once more.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from awsbatch_operator.capacity.block_record import Block, Phase
from awsbatch_operator.capacity.fitting import holds
from awsbatch_operator.capacity.instances import LIVING, Life
from awsbatch_operator.capacity.launches import Intent
from awsbatch_operator.capacity.model import (
    CPU_UNITS,
    InstanceType,
    Market,
    Need,
    Pool,
    Room,
    Usage,
    Used,
)

Prices = Mapping[tuple[Market, str, str], Decimal]
"""US dollars an hour by market (OnDemand or Spot), type and zone."""

TypesByPool = Mapping[str, Mapping[str, InstanceType]]


def usage(
    pools: Iterable[Pool],
    current: Iterable[Life],
    intents: Sequence[Intent],
    types: TypesByPool,
    prices: Prices,
) -> Usage:
    """What each pool has, pools that left the spec too. What EC2 is ending costs nothing more.

    On the Spot market an instance counts with the highest price that its pool allows, if it has
    one, for the price of today may rise; with today's, if that is higher: it was launched when the
    pool allowed more. An instance of unknown type counts with no vCPUs.
    """
    open_tokens = {intent.token for intent in intents}
    by_name = {pool.name: pool for pool in pools}
    made: dict[str, Used] = {}
    for life in current:
        if life.stage in LIVING and life.instance.intent not in open_tokens:
            about = types.get(life.pool, {}).get(life.instance.instance_type)
            one = Used(
                instances=1,
                vcpus=0 if about is None else about.vcpus,
                hourly_cost=_price(life, by_name.get(life.pool), prices),
            )
            made[life.pool] = made.get(life.pool, Used()) + one
    for intent in intents:
        made[intent.pool] = made.get(intent.pool, Used()) + intent.used(types.get(intent.pool, {}))
    return Usage(pools=made)


def _price(life: Life, pool: Pool | None, prices: Prices) -> Decimal | None:
    view = life.instance
    market = Market.SPOT if view.market is Market.SPOT else Market.ON_DEMAND
    known = prices.get((market, view.instance_type, view.zone))
    if market is Market.SPOT and known is None:  # nobody asks for it; it is not above this one
        known = prices.get((Market.ON_DEMAND, view.instance_type, view.zone))
    most = pool.max_price_per_hour if pool is not None and market is Market.SPOT else None
    return max((each for each in (most, known) if each is not None), default=None)


def promised(
    intents: Iterable[Intent], current: Sequence[Life], types: TypesByPool
) -> tuple[Room, ...]:
    """The room of open intents, as far as EC2 does not show their instances yet."""
    made: list[Room] = []
    for intent in intents:
        shown = sum(life.instance.intent == intent.token for life in current)
        made += intent.rooms(types.get(intent.pool, {}))[shown:]
    return tuple(made)


# --- blocks ---


def waiting_for(pool: Pool, needs: Iterable[Need], types: Mapping[str, InstanceType]) -> int:
    """How many of the jobs that find no room a block of the pool would take."""
    block = pool.spot_block
    able = [each for each in types.values() if pool.accepts(each)]
    return sum(
        need.count
        for need in needs
        if block is not None
        and (need.timeout_seconds is None or need.timeout_seconds <= block.duration_seconds)
        and any(holds(t.registered_cpu, t.registered_mib, t.gpus, need) for t in able)
    )


def block_room(
    pool: Pool, block: Block, living: int, types: Mapping[str, InstanceType]
) -> tuple[Room, ...]:
    """The room of a block that is being made, so that nothing else is launched for its jobs."""
    about, spec = types.get(block.instance_type), pool.spot_block
    if about is None or spec is None or block.phase not in {Phase.SECURING, Phase.LAUNCHING}:
        return ()
    return tuple(
        Room(
            instance=f"block/{pool.name}/{number}",
            pool=pool.name,
            vcpus=about.registered_cpu / CPU_UNITS,
            memory_mib=about.registered_mib,
            gpus=about.gpus,
            seconds_left=float(spec.duration_seconds),
        )
        for number in range(living, spec.instance_count)
    )
