"""Which instances go, and how: drained first, ended when empty or when their time is over.

DRAINING of ECS keeps new tasks away and does not stop Batch's: when an instance with a task is
ended is decided here alone, and that is at the end of its time, or at the drain deadline of an
environment that is being deleted. In every other case its tasks end first. Nothing is ever taken
back from DRAINING: a person, or the agent of a Spot instance, may have set it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.capacity.instances import (
    HAS_JOINED,
    LIVING,
    ON_ITS_WAY,
    WITHOUT_TASKS,
    Life,
    Stage,
)
from awsbatch_operator.capacity.joining import overdue, proven
from awsbatch_operator.capacity.model import OnRebalance, Pool, ReplacePolicy


class Why(StrEnum):
    """Why an instance goes."""

    DELETED = "Deleted"  # its environment, or its pool
    END = "End"  # its time is over
    INTERRUPTED = "Interrupted"  # EC2 takes it
    REBALANCE = "Rebalance"
    MAINTENANCE = "Maintenance"  # EC2 will retire or stop it
    FORMER = "Former"  # it belongs to an ECS cluster that is no more
    NEVER_JOINED = "NeverJoined"
    STOPPED = "Stopped"  # by somebody, or by itself
    REPLACED = "Replaced"  # its image, user data or type is no longer the wanted one
    IDLE = "Idle"


class Notice(StrEnum):
    """What EC2 has announced of an instance."""

    INTERRUPTION = "Interruption"
    REBALANCE = "Rebalance"
    MAINTENANCE = "Maintenance"


@dataclass(frozen=True, slots=True)
class Drain:
    """No new tasks on them: UpdateContainerInstancesState DRAINING."""

    instances: tuple[str, ...]
    members: tuple[str, ...]  # ARNs
    why: Why


@dataclass(frozen=True, slots=True)
class Terminate:
    """End them: TerminateInstances."""

    instances: tuple[str, ...]
    why: Why


@dataclass(frozen=True, slots=True)
class Deregister:
    """Members whose instances are gone: DeregisterContainerInstance with force."""

    members: tuple[str, ...]


Action = Drain | Terminate | Deregister


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What decides beside the lives themselves."""

    now: Instant
    needed: Collection[str] = frozenset()  # ids: waiting jobs are counted on their room
    contents: Mapping[str, str] = field(default_factory=dict)  # the wanted content of each pool
    types: Mapping[str, Collection[str]] = field(default_factory=dict)  # of pools that name theirs
    prices: Mapping[str, Decimal] = field(default_factory=dict)  # by type
    notices: Mapping[str, Notice] = field(default_factory=dict)  # by instance
    homeless: Collection[str] = frozenset()  # ids: nothing has room for their tasks yet
    deleting_since: Instant | None = None  # the environment
    shortest_timeout: float | None = None  # seconds, of the jobs that wait; None: not known


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """What to do."""

    actions: tuple[Action, ...] = ()


@dataclass(slots=True)
class _Lists:
    drain: dict[Why, list[Life]] = field(default_factory=dict)
    end: dict[Why, list[Life]] = field(default_factory=dict)

    def actions(self, gone: Iterable[Life]) -> tuple[Action, ...]:
        """By reason, in a fixed order."""
        made: list[Action] = []
        for why in Why:
            if why in self.drain:
                going = sorted(self.drain[why], key=lambda life: life.id)
                members = tuple(life.member.arn for life in going if life.member is not None)
                made.append(Drain(tuple(life.id for life in going), members, why))
            if why in self.end:
                made.append(Terminate(tuple(sorted(life.id for life in self.end[why])), why))
        ghosts = sorted(life.member.arn for life in gone if life.member is not None)
        if ghosts:
            made.append(Deregister(tuple(ghosts)))
        return tuple(made)


def leave(pools: Sequence[Pool], current: Sequence[Life], situation: Situation) -> Leaving:
    """What becomes of all lives. One whose pool is not known yet is left alone.

    A life of a pool that is no longer in the spec goes when it has no task.
    """
    lists, spare = _Lists(), _spare(pools, current, situation)
    by_name = {pool.name: pool for pool in pools}
    proved = _proved(pools, current, situation)
    for life in current:
        if life.stage in {Stage.GONE, Stage.TERMINATING} or not life.pool:
            if life.pool and life.instance.state == "stopped":
                lists.end.setdefault(Why.STOPPED, []).append(life)
            continue
        pool = by_name.get(life.pool)
        why = _why(life, pool, situation, proved)
        if why is None and life.id in spare:
            why = Why.IDLE
        _add(lists, life, why, pool, situation)
    return Leaving(actions=lists.actions(life for life in current if life.stage is Stage.GONE))


def _why(
    life: Life, pool: Pool | None, situation: Situation, proved: Collection[str]
) -> Why | None:
    """Why it is to go, the most pressing reason; None if it may stay."""
    if situation.deleting_since is not None:
        return Why.DELETED
    end = life.instance.end
    if end is not None and situation.now.epoch >= end.epoch - _lead(pool, situation):
        return Why.END
    match situation.notices.get(life.id):
        case Notice.INTERRUPTION:
            return Why.INTERRUPTED
        case Notice.MAINTENANCE:
            return Why.MAINTENANCE
        case Notice.REBALANCE if pool is not None and _heeds(life, pool, situation):
            return Why.REBALANCE
        case _:
            pass
    if pool is None:
        return Why.DELETED if life.stage is not Stage.SERVING else None
    if life.stage is Stage.FORMER:
        return Why.FORMER
    if overdue(life, pool, situation.now):
        return Why.NEVER_JOINED
    return Why.REPLACED if _outdated(life, pool, situation, proved) else None


def _lead(pool: Pool | None, situation: Situation) -> float:
    """How long before its end an instance is drained: what would start now ends in time."""
    timeout = 0 if pool is None else pool.drain_timeout_seconds
    return max(timeout, situation.shortest_timeout or 0)


def _heeds(life: Life, pool: Pool, situation: Situation) -> bool:
    """Whether a rebalance recommendation is followed now; Replace waits for room elsewhere."""
    if pool.on_rebalance is OnRebalance.REPLACE:
        return life.id not in situation.homeless
    return pool.on_rebalance is OnRebalance.DRAIN


def _proved(pools: Sequence[Pool], current: Sequence[Life], situation: Situation) -> frozenset[str]:
    """The pools of whose wanted content an instance has joined."""
    wanted = situation.contents
    return frozenset(
        pool.name
        for pool in pools
        if pool.name in wanted and proven(current, pool.name, wanted[pool.name])
    )


def _outdated(life: Life, pool: Pool, situation: Situation, proved: Collection[str]) -> bool:
    """Whether it has no task, is not as wanted, and one that is as wanted has joined."""
    without = WITHOUT_TASKS | {Stage.DRAINING}
    if pool.replace_policy is ReplacePolicy.NEVER or life.stage not in without:
        return False
    types = situation.types.get(pool.name)
    if types is not None and life.instance.instance_type not in types:
        return True
    content = situation.contents.get(pool.name, "")
    differs = bool(content) and life.instance.content not in {"", content}
    return differs and pool.name in proved


def _add(
    lists: _Lists, life: Life, why: Why | None, pool: Pool | None, situation: Situation
) -> None:
    """Drain it, or end it if that is due."""
    if life.stage is Stage.DRAINING:
        if life.tasks == 0 or _deadline(life, why, pool, situation):
            lists.end.setdefault(why or Why.IDLE, []).append(life)
    elif why is None:
        return
    elif life.stage in ON_ITS_WAY | {Stage.FORMER} or _deadline(life, why, pool, situation):
        lists.end.setdefault(why, []).append(life)
    else:
        lists.drain.setdefault(why, []).append(life)


def _deadline(life: Life, why: Why | None, pool: Pool | None, situation: Situation) -> bool:
    """Whether it ends now, tasks or not."""
    end = life.instance.end
    if end is not None and situation.now >= end:
        return True
    since = situation.deleting_since
    if why is not Why.DELETED or since is None or life.draining_since is None:
        return False
    timeout = 0 if pool is None else pool.drain_timeout_seconds
    return situation.now.since(max(since, life.draining_since)) >= timeout


def _spare(pools: Sequence[Pool], current: Sequence[Life], situation: Situation) -> frozenset[str]:
    """Those that have been idle for long enough, down to each pool's minimum of joined ones.

    The most expensive go first, of equal ones the newest.
    """
    spare: set[str] = set()
    for pool in pools:
        if pool.spot_block is not None and not pool.spot_block.release_when_idle:
            continue
        mine = [life for life in current if life.pool == pool.name and life.stage in HAS_JOINED]
        idle = [
            life
            for life in mine
            if life.id not in situation.needed
            and life.idle_since is not None
            and situation.now.since(life.idle_since) >= pool.idle_seconds
        ]
        idle.sort(key=lambda life: _expendable(life, situation.prices))
        spare.update(life.id for life in idle[: max(0, len(mine) - pool.min_instances)])
    return frozenset(spare)


def next_moment(
    pools: Sequence[Pool], current: Sequence[Life], situation: Situation
) -> Instant | None:
    """When one of them will have been idle for long enough, or has to be drained for its end.

    Only moments to come: one that has passed is dealt with, or waits for something else.
    """
    moments: list[Instant] = []
    by_name = {pool.name: pool for pool in pools}
    for life in current:
        pool = by_name.get(life.pool)
        if pool is None or life.stage not in LIVING - {Stage.DRAINING}:
            continue
        if life.idle_since is not None:
            moments.append(life.idle_since.plus(pool.idle_seconds))
        if life.instance.end is not None:
            moments.append(life.instance.end.plus(-_lead(pool, situation)))
    return min((each for each in moments if each > situation.now), default=None)


def _expendable(life: Life, prices: Mapping[str, Decimal]) -> tuple[Decimal, float, str]:
    price = prices.get(life.instance.instance_type, Decimal(0))
    return -price, -life.instance.launched.epoch, life.id
