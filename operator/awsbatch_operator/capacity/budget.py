"""What may be bought, at which price, and how much of it the limits still allow."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from awsbatch_operator.capacity.fitting import holds
from awsbatch_operator.capacity.model import (
    InstanceType,
    Limits,
    Market,
    Need,
    Offer,
    Pool,
    Usage,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidate:
    """A type that a pool may launch now, by one or more offers."""

    pool: str
    type: InstanceType
    offers: tuple[Offer, ...]
    price: Decimal | None  # the cheapest offer's; None: one of them is unknown
    bound: Decimal | None  # what it costs at most
    room: tuple[int, int, int] = field(init=False)  # CPU units, MiB and GPUs of an instance

    def __post_init__(self) -> None:
        room = self.type.registered_cpu, self.type.registered_mib, self.type.gpus
        object.__setattr__(self, "room", room)

    def holds(self, need: Need) -> int:
        """How many jobs of the need an instance takes."""
        return holds(*self.room, need)


def within_price(pool: Pool, offer: Offer) -> bool:
    """Whether the offer is not dearer than the pool allows.

    An unknown price passes on the Spot market, where EC2 itself keeps to the highest price that
    the request names.
    """
    most = pool.max_price_per_hour
    if most is None:
        return True
    if offer.price is None:
        return pool.market is Market.SPOT
    return offer.price <= most


def candidates(
    pools: Iterable[Pool],
    types: Mapping[str, Sequence[InstanceType]],
    offers: Iterable[Offer],
    limits: Limits,
) -> tuple[Candidate, ...]:
    """The types that can be bought for demand. Blocks are bought by other rules.

    Under a limit of cost, offers of unknown price are none: nobody could keep to it.
    """
    by_type: dict[tuple[str, str], list[Offer]] = {}
    for offer in offers:
        by_type.setdefault((offer.pool, offer.instance_type), []).append(offer)
    found = []
    for pool in pools:
        if pool.market is Market.SPOT_BLOCK:
            continue
        for about in types.get(pool.name, ()):
            mine = [
                offer
                for offer in by_type.get((pool.name, about.name), ())
                if within_price(pool, offer)
                and (limits.max_hourly_cost is None or bound_of(pool, offer) is not None)
            ]
            if mine and pool.accepts(about):
                found.append(_candidate(pool, about, tuple(mine)))
    return tuple(found)


def never_worse(found: Iterable[Candidate], budget: "Budget") -> list[Candidate]:
    """Those among which the best is to be sought, whatever it is for.

    Left out is to whom another one is as large, costs no more and counts no more vCPUs, be it of
    the same pool or of one that only the limits of all pools bound. Of hundreds of types in many
    pools some dozens are left. Where a price is unknown, all are.
    """
    every = list(found)
    if any(each.price is None or each.bound is None for each in every):
        return every
    kept: list[Candidate] = []
    for each in sorted(every, key=_preferred):
        cpu, memory, gpus = each.room
        vcpus, bound, pool = each.type.vcpus, each.bound or 0, each.pool
        for other in kept:
            its = other.room
            if (
                its[1] >= memory
                and its[0] >= cpu
                and its[2] >= gpus
                and other.type.vcpus <= vcpus
                and (other.bound or 0) <= bound
                and (other.pool == pool or budget.is_free(other.pool))
            ):
                break
        else:
            kept.append(each)
    return kept


def _preferred(candidate: Candidate) -> tuple[Decimal, int, str, str]:
    price = Decimal(0) if candidate.price is None else candidate.price
    return price, candidate.type.memory_mib, candidate.type.name, candidate.pool


def _candidate(pool: Pool, about: InstanceType, offers: tuple[Offer, ...]) -> Candidate:
    prices = [offer.price for offer in offers if offer.price is not None]
    bounds = [bound for offer in offers if (bound := bound_of(pool, offer)) is not None]
    return Candidate(
        pool=pool.name,
        type=about,
        offers=offers,
        price=min(prices) if len(prices) == len(offers) else None,
        bound=max(bounds) if len(bounds) == len(offers) else None,
    )


def bound_of(pool: Pool, offer: Offer) -> Decimal | None:
    """What an instance of the offer costs at most: on the Spot market, what the user would pay."""
    most = pool.max_price_per_hour if offer.market is Market.SPOT else None
    return offer.price if most is None else most


@dataclass(slots=True)
class Budget:
    """How much more the limits allow. Changed only by `take`."""

    vcpus: int | None
    instances: int | None
    cost: Decimal | None
    cost_known: bool
    pools: dict[str, int | None]  # instances by pool
    limits: Limits
    held: frozenset[str] = frozenset()  # pools that may launch nothing now

    @staticmethod
    def of(
        pools: Iterable[Pool], used: Usage, limits: Limits, at_most: Mapping[str, int]
    ) -> "Budget":
        """What is left beside what is used; `at_most` bounds pools further."""
        total = used.total()
        left: dict[str, int | None] = {}
        for pool in pools:
            rooms = [at_most[pool.name]] if pool.name in at_most else []
            if pool.max_instances is not None:
                rooms.append(max(0, pool.max_instances - used.of(pool.name).instances))
            left[pool.name] = min(rooms, default=None)
        cap = limits.max_hourly_cost
        spent = total.hourly_cost
        return Budget(
            vcpus=_left(limits.max_vcpus, total.vcpus),
            instances=_left(limits.max_instances, total.instances),
            cost=None if cap is None else max(Decimal(0), cap - (spent or Decimal(0))),
            cost_known=cap is None or spent is not None,
            pools=left,
            limits=limits,
            held=frozenset(name for name, count in at_most.items() if count <= 0),
        )

    def times(self, candidate: Candidate, wanted: int) -> int:
        """How many instances of it, up to the wanted number, the limits allow."""
        return max(0, min([wanted, *(count for count, _ in self._allowed(candidate))]))

    def is_free(self, pool: str) -> bool:
        """Whether only the limits of all pools bound how many this one may launch."""
        return self.pools.get(pool) is None

    def stop(self, candidate: Candidate, wanted: int = 1) -> str:
        """The limit that does not allow so many more of it, as a field of the spec; "" if none."""
        return next((field for count, field in self._allowed(candidate) if count < wanted), "")

    def _allowed(self, candidate: Candidate) -> Iterable[tuple[int, str]]:
        if self.vcpus is not None:
            yield self.vcpus // candidate.type.vcpus, f"limits.maxvCpus ({self.limits.max_vcpus})"
        if self.instances is not None:
            yield self.instances, f"limits.maxInstances ({self.limits.max_instances})"
        in_pool = self.pools.get(candidate.pool)
        if in_pool is not None:
            yield in_pool, f"maxInstances of pool {candidate.pool}"
        if self.cost is not None:
            bound = candidate.bound
            field = f"limits.maxHourlyCost ({self.limits.max_hourly_cost})"
            affordable = self.cost_known and bound is not None
            yield (_into(self.cost, bound) if affordable and bound is not None else 0), field

    def take(self, candidate: Candidate, count: int) -> None:
        """So many instances of it are bought."""
        if self.vcpus is not None:
            self.vcpus -= count * candidate.type.vcpus
        if self.instances is not None:
            self.instances -= count
        in_pool = self.pools.get(candidate.pool)
        if in_pool is not None:
            self.pools[candidate.pool] = in_pool - count
        if self.cost is not None and candidate.bound is not None:
            self.cost -= count * candidate.bound

    def swaps(self, bought: Candidate, other: Candidate, count: int) -> bool:
        """Whether the limits would also hold if all of the bought were of the other type."""
        more_vcpus = count * (other.type.vcpus - bought.type.vcpus)
        if self.vcpus is not None and more_vcpus > self.vcpus:
            return False
        if self.cost is None:
            return True
        if other.bound is None or bought.bound is None:
            return False
        return count * (other.bound - bought.bound) <= self.cost


def _left(limit: int | None, used: int) -> int | None:
    return None if limit is None else max(0, limit - used)


def _into(cost: Decimal, price: Decimal) -> int:
    """How many of that price the money buys."""
    return int(cost // price) if price else 1_000_000
