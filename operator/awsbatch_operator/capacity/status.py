"""`status.capacity`: what is wanted and what is there. Nothing in it changes while nothing does."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.capacity.block_record import Block, BlockStep, block_of
from awsbatch_operator.capacity.choice import Choice
from awsbatch_operator.capacity.holdings import usage
from awsbatch_operator.capacity.instances import HAS_JOINED, ON_ITS_WAY, Stage, counts
from awsbatch_operator.capacity.launches import Launches
from awsbatch_operator.capacity.machines import rendered
from awsbatch_operator.capacity.model import Pool, Usage, Wish
from awsbatch_operator.capacity.observed import Observed
from awsbatch_operator.capacity.offers import keys, pruned, to_status
from awsbatch_operator.userdata.model import Rendered


def capacity_status(
    wish: Wish,
    seen: Observed,
    record: Launches,
    choice: Choice,
    *,
    before: Launches,
    blocks: Mapping[str, BlockStep],
    now: Instant,
) -> dict[str, Any]:
    """All of it, pools in the order of the spec. What they cost is by the prices of now.

    `before` is the record as it is written down.
    """
    used = usage((), seen.lives, (), seen.all_types, seen.prices)
    view = _View(wish, seen, record, before, choice, used)
    return {
        "wanted": choice.wanted,
        "pools": [_row(view, pool, blocks.get(pool.name), now) for pool in wish.pools],
        "userData": user_data_rows(wish, seen),
    }


@dataclass(frozen=True, slots=True)
class _View:
    """What all rows are made from."""

    wish: Wish
    seen: Observed
    record: Launches
    before: Launches
    choice: Choice
    used: Usage


def _row(view: _View, pool: Pool, block: BlockStep | None, now: Instant) -> Shape:
    """Joined are those that ECS has, the serving and the idle ones too. Draining ones are apart."""
    seen, record = view.seen, view.record
    stages = counts(seen.lives, pool.name)
    joined = sum(stages[each] for each in HAS_JOINED)
    on_its_way = sum(stages[each] for each in ON_ITS_WAY)
    intent = record.of(pool.name).intent
    shown = sum(intent is not None and x.instance.intent == intent.token for x in seen.lives)
    opened = 0 if intent is None else max(0, intent.count - shown)
    later = sum(pick.count for pick in view.choice.picks if pick.pool == pool.name)
    later = max(0, later - opened) if intent is not None and intent.time == now else later
    row: dict[str, Any] = {
        "name": pool.name,
        "wanted": joined + on_its_way + opened + later,
        "launched": joined + on_its_way,
        "joined": joined,
        "serving": stages[Stage.SERVING],
        "idle": stages[Stage.IDLE],
        "draining": stages[Stage.DRAINING],
    }
    cost = view.used.of(pool.name).hourly_cost
    if cost is not None:
        row["hourlyCost"] = _money(cost)
    if block is not None:
        row["block"] = _block(block, block_of(view.before.of(pool.name).block))
    elif pool.spot_block is not None and pool.name in seen.blocks:
        row["block"] = seen.blocks[pool.name]  # should the record be lost, only this tells of it
    paused = pruned(seen.pauses, now)
    if paused:
        mine = {key for each in seen.offers if each.pool == pool.name for key in keys(each)}
        paused = {key: pause for key, pause in paused.items() if key in mine}
    if paused:
        row["paused"] = to_status(paused)
    return row


def _block(step: BlockStep, before: Block | None) -> Shape:
    """The end is shown once it is written down.

    Should the record be lost, a block that shows its end counts as bought. If this one's record
    cannot be written, or the process ends before, nothing was bought.
    """
    body: dict[str, Any] = {"request": step.block.request, "decision": step.decision}
    if step.block.end is not None and before is not None and before.end == step.block.end:
        body["endTime"] = step.block.end.rfc3339()
    if step.cost is not None:
        body["cost"] = _money(step.cost)
    return body


def _money(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


def user_data_rows(wish: Wish, seen: Observed) -> list[Shape]:
    """The user data of each pool that can launch: its hash, and its size as EC2 counts it."""
    rows: list[Shape] = []
    for pool in wish.pools:
        machine = seen.machines.get(pool.name)
        made = None if machine is None else rendered(machine.user_data)
        if isinstance(made, Rendered):
            rows.append({"pool": pool.name, "hash": made.hash, "bytes": made.size})
    return rows
