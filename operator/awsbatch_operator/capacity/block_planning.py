"""The blocks of a plan: each one's next step, as calls, an intent and room that is promised."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.capacity import requests
from awsbatch_operator.capacity.block_record import (
    Block,
    BlockStep,
    BlockView,
    LaunchBlock,
    Phase,
    Release,
    Reservation,
    Reserve,
    block_of,
    reservation_token,
)
from awsbatch_operator.capacity.blocks import advance
from awsbatch_operator.capacity.budget import Budget
from awsbatch_operator.capacity.fitting import fit
from awsbatch_operator.capacity.holdings import block_room, usage, waiting_for
from awsbatch_operator.capacity.instances import LIVING, Life
from awsbatch_operator.capacity.launches import Intent, Launches
from awsbatch_operator.capacity.model import (
    InstanceType,
    Market,
    Need,
    Pool,
    Room,
    Rung,
    Usage,
    Used,
    Wish,
)
from awsbatch_operator.capacity.observed import Observed
from awsbatch_operator.capacity.offers import buyable
from awsbatch_operator.capacity.requests import Call
from awsbatch_operator.capacity.settling import put_block


class Drafting(Protocol):
    """The plan as it grows."""

    wish: Wish
    seen: Observed
    now: Instant
    record: Launches

    def open(self, draft: Intent, about: InstanceType) -> bool:
        """Open an intent; whether that may be done now."""


@dataclass(slots=True)
class BlockPlan:
    """What the blocks want of the plan."""

    steps: dict[str, BlockStep] = field(default_factory=dict)
    calls: dict[str, list[Call]] = field(default_factory=dict)
    rooms: list[Room] = field(default_factory=list)


def living(seen: Observed, pool: str, block: Block | None) -> int:
    """How many instances of this block have not ended."""
    return sum(life.stage in LIVING for life in _of_block(seen, pool, block))


def _of_block(seen: Observed, pool: str, block: Block | None) -> Sequence[Life]:
    """The instances of this block that EC2 lists, the ended ones too: they carry its end."""
    end = None if block is None or block.end is None else int(block.end.epoch)
    return [
        life
        for life in seen.lives
        if life.pool == pool
        and life.instance.end is not None
        and int(life.instance.end.epoch) == end
    ]


def held_back(seen: Observed, record: Launches, pools: Sequence[Pool], but: str = "") -> Usage:
    """What blocks that are being made have bought or are about to: theirs, not yet launched."""
    made: dict[str, Used] = {}
    types = seen.all_types
    for pool in pools:
        block, spec = block_of(record.of(pool.name).block), pool.spot_block
        about = None if block is None else types.get(pool.name, {}).get(block.instance_type)
        if block is None or spec is None or about is None or pool.name == but:
            continue
        if block.phase not in {Phase.SECURING, Phase.LAUNCHING}:
            continue
        if record.of(pool.name).intent is not None:  # which counts in full
            continue
        count = max(0, spec.instance_count - living(seen, pool.name, block))
        spot = block.rung is Rung.SPOT and pool.max_price_per_hour is not None
        price = pool.max_price_per_hour if spot else block.price
        cost = None if price is None else price * count
        made[pool.name] = Used(instances=count, vcpus=count * about.vcpus, hourly_cost=cost)
    return Usage(pools=made)


def all_used(seen: Observed, record: Launches, wish: Wish, but: str = "") -> Usage:
    """What counts against the limits: instances, open intents, and blocks that are being made."""
    there = usage(wish.pools, seen.lives, record.open_intents(), seen.all_types, seen.prices)
    more = held_back(seen, record, wish.pools, but)
    names = {*there.pools, *more.pools}
    return Usage(pools={name: there.of(name) + more.of(name) for name in sorted(names)})


def advance_blocks(drafts: Drafting, free: Sequence[Room]) -> BlockPlan:
    """Take each block a step further; the drafts get its record and its intent.

    One after another, so that the jobs for which one begins do not begin another.
    """
    plan = BlockPlan()
    for pool in sorted(drafts.wish.pools, key=lambda each: each.priority):
        if pool.spot_block is not None:
            left = fit(drafts.seen.needs, (*free, *plan.rooms))
            _advance(drafts, pool, left, plan)
    return plan


def _advance(drafts: Drafting, pool: Pool, left: Sequence[Need], plan: BlockPlan) -> None:
    seen, now, record = drafts.seen, drafts.now, drafts.record
    held = seen.held.get(pool.name)
    unready = pool.name not in seen.machines or (held is not None and now < held.until)
    unready = unready or not seen.serves
    block = block_of(record.of(pool.name).block)
    waits = block is None or block.phase in {Phase.WAITING, Phase.OVER}
    lasts = block is not None and block.phase is Phase.HELD  # what is left of it is given back
    if (unready and waits) or (record.of(pool.name).stopped and not lasts):
        return
    if record.settled is not None and now < record.settled and waits:
        return  # a lost record: what was bought may still come to light
    step = _step(drafts, pool, block, left)
    plan.steps[pool.name] = step
    if step.block != block:
        drafts.record = put_block(drafts.record, pool.name, step.block)
    types = seen.all_types.get(pool.name, {})
    mine = living(seen, pool.name, step.block)
    match step.action:
        case Reserve() as wanted:
            plan.calls[pool.name] = [requests.reserve(seen.owner, pool.name, wanted)]
        case Release(reservation):
            plan.calls[pool.name] = [requests.release(pool.name, reservation)]
        case LaunchBlock() as wanted if wanted.offers:
            _open(drafts, pool, step.block, wanted, types)
        case _:
            pass
    if drafts.record.of(pool.name).intent is None:  # else its room is the intent's
        plan.rooms += block_room(pool, step.block, mine, types)
    else:
        intent = drafts.record.of(pool.name).intent
        if intent is not None and record.of(pool.name).intent is None:
            plan.rooms += intent.rooms(types)


def _step(drafts: Drafting, pool: Pool, block: Block | None, left: Sequence[Need]) -> BlockStep:
    seen, now, record = drafts.seen, drafts.now, drafts.record
    types = seen.types.get(pool.name, {})
    view = BlockView(
        pool=pool.name,
        waiting=waiting_for(pool, left, types),
        living=living(seen, pool.name, block),
        launched=len(_of_block(seen, pool.name, block)),
        offers=[o for o in buyable(seen.pauses, seen.offers, now) if o.pool == pool.name],
        types=types,
        reservations=seen.reservations,
        launching=record.of(pool.name).intent is not None,
        mark=seen.mark,
    )
    used = all_used(seen, record, drafts.wish, pool.name)
    budget = Budget.of(drafts.wish.pools, used, drafts.wish.limits, {})
    return advance(block, pool, view, budget=budget, uid=record.uid, now=now)


def _open(
    drafts: Drafting,
    pool: Pool,
    block: Block,
    wanted: LaunchBlock,
    types: Mapping[str, InstanceType],
) -> None:
    spot = wanted.market is Market.SPOT
    draft = Intent(
        pool=pool.name,
        token="",
        round=0,
        template="",
        version=requests.VERSION,
        count=wanted.count,
        minimum=1,
        market=wanted.market,
        offers=wanted.offers,
        time=drafts.now,
        max_price=pool.max_price_per_hour if spot else None,
        reservation=wanted.reservation,
        request=block.request,
        end=wanted.end,
    )
    drafts.open(draft, types[block.instance_type])


def abandoned(drafts: Drafting) -> tuple[Call, ...]:
    """The release of reservations of ours that no block needs any more.

    Their pool is gone from the spec, or their block is over, or has gone on to another one: a
    release may have failed. The record of a pool that is gone counts as over once nothing of it is
    left, so that the same request is not bought again should the pool come back; a reservation that
    may still come to light is waited for.
    """
    wanted = {pool.name for pool in drafts.wish.pools if pool.spot_block is not None}
    left = [each for each in drafts.seen.reservations if each.ours and each.active and each.pool]
    for name, pool_record in drafts.record.pools.items():
        block = block_of(pool_record.block)
        if name in wanted or block is None or any(each.pool == name for each in left):
            continue
        ended = block.end is not None and drafts.now >= block.end
        if ended or block.phase in {Phase.LAUNCHING, Phase.HELD}:
            over = replace(block, phase=Phase.OVER, reservation="")
            drafts.record = put_block(drafts.record, name, over)
    filling = {intent.reservation for intent in drafts.record.open_intents()}
    return tuple(
        requests.release(each.pool, each.id)
        for each in sorted(left, key=lambda found: found.id)
        if each.id not in filling and not _is_needed(each, drafts, wanted)
    )


def _is_needed(found: Reservation, drafts: Drafting, wanted: Collection[str]) -> bool:
    """Whether the block of its pool names it, or may (its record was lost a moment ago)."""
    record = drafts.record
    if found.pool not in wanted:
        return False
    block = block_of(record.of(found.pool).block)
    if block is None:
        return record.settled is not None and drafts.now < record.settled
    if block.phase is Phase.OVER:
        return False
    lost = block.phase is Phase.HELD and not block.reservation
    token = reservation_token(block, found.pool, record.uid)
    return lost or found.id == block.reservation or found.token == token
