"""Why jobs are left without instances: what to tell on the environment and on the job."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from awsbatch_operator.api.words import many, some_of
from awsbatch_operator.capacity.budget import Budget, Candidate, within_price
from awsbatch_operator.capacity.fitting import holds
from awsbatch_operator.capacity.model import (
    CPU_UNITS,
    InstanceType,
    Market,
    Need,
    Offer,
    Pool,
)


class Short(StrEnum):
    """Which sort of reason."""

    NEVER_FITS = "NeverFits"  # no type of any pool holds the job
    LIMIT = "LimitReached"
    PRICE_UNKNOWN = "PriceUnknown"  # and there is a limit of cost or price
    PRICE = "PriceAboveLimit"  # maxPricePerHour
    NO_OFFER = "NoOffer"  # all are paused, or none is offered where the pool may launch
    HELD = "PoolHeld"  # the pool is stopped, or waits for the first instance of changed content
    BLOCK = "BlockOnly"  # only a pool of blocks has such types


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """Jobs for which nothing is launched now. `brief` follows "41 waiting jobs" in one line."""

    need: Need
    reason: Short
    brief: str
    message: str


def shortfalls(
    needs: Iterable[Need],
    types: Iterable[tuple[Pool, InstanceType]],
    found: Sequence[Candidate],
    offers: Sequence[Offer],
    budget: Budget,
) -> tuple[Shortfall, ...]:
    """The reason of each need, most fundamental first. `types` are those of all pools.

    Needs may be thousands, and types too: what fits into the same of them is short for the same
    reason, and that is found once.
    """
    able = [(pool, about) for pool, about in types if pool.accepts(about)]
    one_of_each = _one_of_each_room(able)
    fitting: dict[tuple[int, int, int], frozenset[_Room]] = {}
    known: dict[frozenset[_Room] | tuple[int, int, int], Shortfall] = {}
    told = []
    for need in needs:
        size = (need.cpu, need.memory_mib, need.gpus)
        if size not in fitting:
            fits = (room for room, (_, about) in one_of_each.items() if _holds(about, need))
            fitting[size] = frozenset(fits)
        key = fitting[size] or size
        if key not in known:
            sought = able if fitting[size] else list(one_of_each.values())
            known[key] = _shortfall(need, sought, offers, found, budget)
        told.append(replace(known[key], need=need))
    return tuple(told)


_Room = tuple[int, int, int]


def _one_of_each_room(
    able: Iterable[tuple[Pool, InstanceType]],
) -> Mapping[_Room, tuple[Pool, InstanceType]]:
    """Of types that have the same room the first by name, as messages name it."""
    found: dict[_Room, tuple[Pool, InstanceType]] = {}
    for pool, about in able:
        room = about.registered_cpu, about.registered_mib, about.gpus
        if room not in found or about.name < found[room][1].name:
            found[room] = (pool, about)
    return found


def never_fits(need: Need, types: Iterable[tuple[Pool, InstanceType]]) -> str | None:
    """What to tell of a job that no type of any pool holds; None if one does."""
    able = [(pool, about) for pool, about in types if pool.accepts(about)]
    return None if any(_holds(about, need) for _, about in able) else lacking(need, able)


def _shortfall(
    need: Need,
    able: Sequence[tuple[Pool, InstanceType]],
    offers: Sequence[Offer],
    found: Sequence[Candidate],
    budget: Budget,
) -> Shortfall:
    fitting = [(pool, about) for pool, about in able if _holds(about, need)]
    if not fitting:
        return _told(need, Short.NEVER_FITS, "fit no type of any pool", lacking(need, able))
    buyable = [each for each in found if each.holds(need)]
    if buyable:
        return _stopped(need, buyable, budget)
    ordinary = [each for each in fitting if each[0].market is not Market.SPOT_BLOCK]
    if not ordinary:
        text = "Only pools with market SpotBlock have types that hold the job."
        return _told(need, Short.BLOCK, "wait for a block", text)
    return _unoffered(need, ordinary, offers)


def _stopped(need: Need, buyable: Sequence[Candidate], budget: Budget) -> Shortfall:
    free = [each for each in buyable if each.pool not in budget.held]
    if not free:
        pools = sorted({each.pool for each in buyable})
        who = "Pool {} launches" if len(pools) == 1 else "Pools {} launch"
        text = f"{who.format(', '.join(pools))} nothing at this moment."
        return _told(need, Short.HELD, "wait for a pool that launches nothing now", text)
    if not budget.cost_known:
        text = "There is a limits.maxHourlyCost, and the price of running instances is unknown."
        return _told(need, Short.PRICE_UNKNOWN, "wait for a price", text)
    stops = sorted({stop for each in free if (stop := budget.stop(each))})
    limit = " and ".join(stops) or "a limit"
    smallest = min(free, key=lambda each: (each.type.vcpus, each.type.name))
    text = f"{limit} allows no further instance; the smallest that fits is {smallest.type.name}."
    return _told(need, Short.LIMIT, f"are beyond {limit}", text)


def _unoffered(
    need: Need, fitting: Sequence[tuple[Pool, InstanceType]], offers: Sequence[Offer]
) -> Shortfall:
    by_pool = {pool.name: pool for pool, _ in fitting}
    wanted = {(pool.name, about.name) for pool, about in fitting}
    mine = [offer for offer in offers if (offer.pool, offer.instance_type) in wanted]
    names = some_of(sorted({name for _, name in wanted}))
    if not mine:
        text = f"EC2 has none of {names} for us now: each is paused, or offered in no zone."
        return _told(need, Short.NO_OFFER, "wait for an offer", text)
    unknown = [offer for offer in mine if offer.price is None]
    if unknown:
        names = some_of(sorted({offer.instance_type for offer in unknown}))
        text = f"No price is known of {names}, to hold against maxHourlyCost or maxPricePerHour."
        return _told(need, Short.PRICE_UNKNOWN, "wait for a price", text)
    dear = [offer for offer in mine if not within_price(by_pool[offer.pool], offer)]
    cheapest = min((offer.price for offer in dear if offer.price is not None), default=None)
    price = "" if cheapest is None else f" {cheapest.normalize():f}"
    text = f"The cheapest of {names} costs{price} US dollars an hour, above maxPricePerHour."
    return _told(need, Short.PRICE, "are above maxPricePerHour", text)


def _told(need: Need, reason: Short, brief: str, message: str) -> Shortfall:
    return Shortfall(need=need, reason=reason, brief=brief, message=message)


def _holds(about: InstanceType, need: Need) -> bool:
    return bool(holds(about.registered_cpu, about.registered_mib, about.gpus, need))


def lacking(need: Need, able: Sequence[tuple[Pool, InstanceType]]) -> str:
    """What the job wants, and what the nearest type lacks."""
    wants = f"The job wants {many(need.vcpus, 'vCPU')} and {need.memory_mib} MiB"
    wants += f" and {many(need.gpus, 'GPU')}" if need.gpus else ""
    if not able:
        return f"{wants}; no pool has a type."
    pool, about = min(able, key=lambda each: (_distance(need, each[1]), each[1].name))
    lacks = []
    cpus = about.registered_cpu / CPU_UNITS
    if about.registered_cpu < need.cpu <= about.vcpus * CPU_UNITS:
        lacks.append(
            f"registers {cpus:g} of its {about.vcpus} vCPUs with ECS, because its image or "
            "cpuOptions switch off the others"
        )
    elif about.registered_cpu < need.cpu:
        lacks.append(f"has {many(cpus, 'vCPU')}")
    if about.registered_mib < need.memory_mib:
        lacks.append(
            f"registers about {about.registered_mib} of its {about.memory_mib} MiB with ECS, "
            f"{need.memory_mib - about.registered_mib} too few"
        )
    if about.gpus < need.gpus:
        lacks.append(f"has {many(about.gpus, 'GPU')}")
    nearest = f"the nearest type, {about.name} of pool {pool.name}"
    return f"{wants}; {nearest}, {' and '.join(lacks)}."


def _distance(need: Need, about: InstanceType) -> float:
    """How far the type is from holding the job: the sum of the missing shares."""
    pairs = (
        (need.cpu, about.registered_cpu),
        (need.memory_mib, about.registered_mib),
        (need.gpus, about.gpus),
    )
    return sum((wanted - has) / wanted for wanted, has in pairs if wanted > has)
