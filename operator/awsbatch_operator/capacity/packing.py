"""Which instances to launch for the jobs that find no room: types and counts, within the limits.

Jobs are packed the largest first. Where a limit does not allow instances for all of them, they are
packed again in the order in which Batch would start them, so that the first ones are served.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from awsbatch_operator.capacity.budget import Budget, Candidate, candidates, never_worse
from awsbatch_operator.capacity.choice import Choice, Pick, picks
from awsbatch_operator.capacity.fitting import (
    alike_together,
    fit,
    holds,
    is_as_large,
    size,
    total,
)
from awsbatch_operator.capacity.model import (
    CPU_UNITS,
    InstanceType,
    Limits,
    Need,
    Offer,
    Pool,
    Room,
    Usage,
)
from awsbatch_operator.capacity.shortfalls import shortfalls

__all__ = ["Choice", "Pick", "choose", "fit"]

_LOOKED_AHEAD = 32  # needs that count when types are compared
_ROUNDS = 8


@dataclass(slots=True)
class _Packing:
    """One attempt: what was picked so far, and what may still be bought."""

    tiers: Sequence[Sequence[Candidate]]  # by pool priority
    budget: Budget
    bought: list[tuple[Candidate, int]] = field(default_factory=list)  # in their order

    def serve(self, needs: Sequence[Need]) -> bool:
        """Pick instances for the needs, from the first on; whether all are served."""
        rest = [need.count for need in needs]
        waiting, complete = list(range(len(needs))), True
        while waiting:
            best = self._best(needs, waiting, rest)
            if best is None:
                complete = False
                head = needs[waiting[0]]
                waiting = [at for at in waiting if not is_as_large(needs[at], head)]
                continue
            pattern = _pattern(best, needs, waiting, rest)
            times = self.budget.times(best, min(rest[at] // many for at, many in pattern))
            self.pick(best, times)
            for at, many in pattern:
                rest[at] -= times * many
            waiting = [at for at in waiting if rest[at]]
        return complete

    def pick(self, candidate: Candidate, times: int) -> None:
        """Take so many of it."""
        self.budget.take(candidate, times)
        self.bought.append((candidate, times))

    def _best(
        self, needs: Sequence[Need], waiting: Sequence[int], rest: Sequence[int]
    ) -> Candidate | None:
        """The cheapest per fitted job, in the first tier that has any that is affordable."""
        head, ahead = needs[waiting[0]], waiting[:_LOOKED_AHEAD]
        for tier in self.tiers:
            able = [each for each in tier if each.holds(head) and self.budget.times(each, 1)]
            if able:
                by_vcpus = any(each.price is None for each in able)
                return min(
                    able, key=lambda each: _rank(each, needs, ahead, rest, by_vcpus=by_vcpus)
                )
        return None


def _rooms(bought: Iterable[tuple[Candidate, int]]) -> list[Room]:
    """The room on what was picked, in the order of the picks."""
    return [
        Room(
            instance=f"+{place}",
            pool=each.pool,
            vcpus=each.type.registered_cpu / CPU_UNITS,
            memory_mib=each.type.registered_mib,
            gpus=each.type.gpus,
            count=times,
        )
        for place, (each, times) in enumerate(bought)
    ]


def _merged(bought: Sequence[tuple[Candidate, int]]) -> list[tuple[Candidate, int]]:
    """One pick a type, the largest of each pool first: the fewest calls."""
    made: dict[Candidate, int] = {}
    for candidate, times in bought:
        made[candidate] = made.get(candidate, 0) + times
    return sorted(made.items(), key=lambda row: (row[0].pool, -row[1], row[0].type.name))


def _pattern(
    candidate: Candidate, needs: Sequence[Need], waiting: Iterable[int], rest: Sequence[int]
) -> list[tuple[int, int]]:
    """What one instance takes: (which need, how many jobs of it), in their order."""
    cpu, memory, gpus = candidate.room
    taken = []
    for at in waiting:
        if cpu <= 0 or memory <= 0:
            break
        need = needs[at]
        if need.cpu > cpu or need.memory_mib > memory or need.gpus > gpus:
            continue
        many = min(holds(cpu, memory, gpus, need), rest[at])
        taken.append((at, many))
        cpu -= many * need.cpu
        memory -= many * need.memory_mib
        gpus -= many * need.gpus
    return taken


def _rank(
    candidate: Candidate,
    needs: Sequence[Need],
    ahead: Sequence[int],
    rest: Sequence[int],
    *,
    by_vcpus: bool,
) -> tuple[Decimal, int, int, str, str]:
    """The price per fitted job, then the fewest instances; by vCPUs where a price is unknown."""
    fitted = sum(count for _, count in _pattern(candidate, needs, ahead, rest))
    unknown = by_vcpus or candidate.price is None
    cost = Decimal(candidate.type.vcpus) if unknown else candidate.price or Decimal(0)
    return cost / fitted, -fitted, candidate.type.memory_mib, candidate.type.name, candidate.pool


def choose(
    needs: Sequence[Need],
    pools: Sequence[Pool],
    types: Mapping[str, Sequence[InstanceType]],
    offers: Sequence[Offer],
    *,
    used: Usage,
    limits: Limits,
    rooms: Sequence[Room] = (),
    at_most: Mapping[str, int] | None = None,
    tried: Collection[str] = (),
) -> Choice:
    """What to launch for what does not fit into `rooms` (free room, and what is on its way).

    `types` are those that each pool may use, as they register with its cpuOptions. `offers` are
    those that may be bought now: the paused ones are left out. `used` counts open launches in full.
    `at_most` bounds what a pool may launch (0: it is stopped; 1: a first instance of changed
    content must join before the rest follows); jobs beyond that go to other pools. The pools in
    `tried` keep one instance more than their minimum, which tries changed content.

    A pool has at most one open launch. While it has one, and for its further picks, the picks stand
    for later: they are not given to another pool, which would be dearer or of a lower priority.

    The result needs nothing more: with the picked instances in `rooms`, the same needs pick none.
    """
    bounds = at_most or {}
    found = candidates(pools, types, offers, limits)
    budget = Budget.of(pools, used, limits, bounds)
    tiers = [never_worse(tier, budget) for tier in _tiers(pools, found)]
    able, stuck = _told_apart(needs, found)
    packing = _Packing(tiers, budget)
    before = fit(able, rooms, before=stuck)
    if not _settled(packing, able, stuck, rooms, left=before, largest=True):
        packing = _Packing(tiers, Budget.of(pools, used, limits, bounds))
        _settled(packing, able, stuck, rooms, left=before, largest=False)
    _keep_minimum(packing, pools, found, used, tried)
    bought, after = _in_few_calls(packing, able, stuck, rooms) if packing.bought else ([], before)
    still = (*after, *fit(stuck, (*rooms, *_rooms(bought))))
    of_pools = [(pool, each) for pool in pools for each in types.get(pool.name, ())]
    return Choice(
        picks=picks(bought, found, packing.budget),
        short=shortfalls(still, of_pools, found, offers, packing.budget),
        waiting=total(needs),
        served=total(before) - total(after),
    )


def _told_apart(needs: Sequence[Need], found: Sequence[Candidate]) -> tuple[list[Need], list[Need]]:
    """The needs that something that can be bought would hold, and the others."""
    rooms = {each.room for each in found}
    fits: dict[tuple[int, int, int], bool] = {}
    able: list[Need] = []
    stuck: list[Need] = []
    for need in needs:
        wanted = (need.cpu, need.memory_mib, need.gpus)
        if wanted not in fits:
            fits[wanted] = any(holds(*room, need) for room in rooms)
        (able if fits[wanted] else stuck).append(need)
    return able, stuck


def _in_few_calls(
    packing: _Packing, able: Sequence[Need], stuck: Sequence[Need], rooms: Sequence[Room]
) -> tuple[list[tuple[Candidate, int]], list[Need]]:
    """The picks, and what they leave: put together by type, unless that order serves fewer jobs."""
    merged = _merged(packing.bought)
    as_bought = fit(able, (*rooms, *_rooms(packing.bought)), before=stuck)
    as_merged = fit(able, (*rooms, *_rooms(merged)), before=stuck)
    if total(as_merged) <= total(as_bought):
        return merged, as_merged
    return packing.bought, as_bought


def _settled(
    packing: _Packing,
    able: Sequence[Need],
    stuck: Sequence[Need],
    rooms: Sequence[Room],
    *,
    left: Sequence[Need],
    largest: bool,
) -> bool:
    """Serve what finds no room until a look at all of it finds room for all; whether it does.

    Jobs packed by another look, into what there was and what was picked together, may need one
    instance more. That one is picked here and now, and not after the first ones have joined. What
    nothing that can be bought would hold is `stuck`: it has only the room there is, and goes first.
    `left` is what that room does not hold.
    """
    for _ in range(_ROUNDS):
        if not left:
            return True
        if largest:
            left = sorted(alike_together(left), key=size, reverse=True)
        if not packing.serve(left):
            return False
        left = fit(able, (*rooms, *_rooms(packing.bought)), before=stuck)
    return not left


def _tiers(pools: Sequence[Pool], found: Sequence[Candidate]) -> list[list[Candidate]]:
    priority = {pool.name: pool.priority for pool in pools}
    tiers: dict[int, list[Candidate]] = {}
    for each in sorted(found, key=lambda candidate: (candidate.pool, candidate.type.name)):
        tiers.setdefault(priority[each.pool], []).append(each)
    return [tiers[rank] for rank in sorted(tiers)]


def _keep_minimum(
    packing: _Packing,
    pools: Sequence[Pool],
    found: Sequence[Candidate],
    used: Usage,
    tried: Collection[str],
) -> None:
    """What `minInstances` wants beyond the demand, of the cheapest type."""
    for pool in sorted(pools, key=lambda each: (each.priority, each.name)):
        picked = sum(count for each, count in packing.bought if each.pool == pool.name)
        wanted = pool.min_instances + (pool.name in tried)
        missing = wanted - used.of(pool.name).instances - picked
        if missing <= 0:
            continue
        mine = [each for each in found if each.pool == pool.name]
        able = [each for each in mine if packing.budget.times(each, 1)]
        if able:
            best = min(able, key=_cheapest)
            packing.pick(best, packing.budget.times(best, missing))


def _cheapest(candidate: Candidate) -> tuple[bool, Decimal, int, str]:
    price = candidate.price
    return price is None, price or Decimal(0), candidate.type.vcpus, candidate.type.name
