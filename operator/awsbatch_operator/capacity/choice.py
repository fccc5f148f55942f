"""The outcome of packing: what to launch by which offers, and one line that says so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from awsbatch_operator.api.words import many
from awsbatch_operator.capacity.budget import Budget, Candidate
from awsbatch_operator.capacity.fitting import counted, instances, jobs, jobs_do
from awsbatch_operator.capacity.model import InstanceType, Offer
from awsbatch_operator.capacity.shortfalls import Shortfall

OFFERS_AT_MOST = 60
CALL_AT_MOST = 1000
"""Instances that one call asks for: the bucket that EC2 refills slowly holds so many."""

_REASONS_SHOWN = 3  # why jobs are left without instances
_DEARER_AT_MOST = Decimal("1.5")  # what stands in for a type that is short


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """So many instances of one type for one pool, by these offers (the type's own first)."""

    pool: str
    instance_type: InstanceType
    count: int
    hourly_cost: Decimal | None  # at most; None: unknown
    offers: tuple[Offer, ...]

    @property
    def vcpus(self) -> int:
        """Of all of them."""
        return self.count * self.instance_type.vcpus


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What to launch, and which jobs that leaves without room, with the reason of each.

    The picks of a pool are launched in their order, one after another.
    """

    picks: tuple[Pick, ...] = ()
    short: tuple[Shortfall, ...] = ()
    waiting: int = 0  # jobs that wait
    served: int = 0  # those of them for which the picks are

    @property
    def wanted(self) -> str:
        """One line for status.capacity.wanted."""
        return _line(self)


def picks(
    bought: Sequence[tuple[Candidate, int]], found: Sequence[Candidate], budget: Budget
) -> tuple[Pick, ...]:
    """The picks in the order in which to launch them, with the offers that a call names."""
    made = []
    for candidate, wanted in bought:
        count = min(wanted, CALL_AT_MOST)
        price = candidate.bound
        made.append(
            Pick(
                pool=candidate.pool,
                instance_type=candidate.type,
                count=wanted,
                hourly_cost=None if price is None else price * wanted,
                offers=_ordered(candidate, count, found, budget),
            )
        )
    return tuple(made)


def _ordered(
    candidate: Candidate,
    count: int,
    found: Sequence[Candidate],
    budget: Budget,
) -> tuple[Offer, ...]:
    """The offers of the picked type, then of types that may stand in for it.

    Those hold as much, cost at most half more, and keep the limits if all are of them.
    """
    able = {
        each.type.name: each
        for each in found
        if each.pool == candidate.pool
        and (
            each == candidate
            or (_stands_in(each, candidate) and budget.swaps(candidate, each, count))
        )
    }
    mine = [offer for each in able.values() for offer in each.offers]
    mine.sort(key=lambda offer: _offer_order(offer, candidate, able))
    return tuple(mine[:OFFERS_AT_MOST])


def _stands_in(other: Candidate, candidate: Candidate) -> bool:
    as_large = all(mine >= its for mine, its in zip(other.room, candidate.room, strict=True))
    if other.price is None or candidate.price is None:
        return as_large and other.type.vcpus <= candidate.type.vcpus * _DEARER_AT_MOST
    return as_large and other.price <= candidate.price * _DEARER_AT_MOST


def _offer_order(
    offer: Offer, candidate: Candidate, able: Mapping[str, Candidate]
) -> tuple[bool, Decimal, int, str, str, str]:
    price = offer.price if offer.price is not None else Decimal("Infinity")
    return (
        offer.instance_type != candidate.type.name,
        price,
        able[offer.instance_type].type.vcpus,
        offer.instance_type,
        offer.zone,
        offer.subnet,
    )


def _line(choice: Choice) -> str:
    count = sum(pick.count for pick in choice.picks)
    if count:
        sorts: dict[str, int] = {}
        for pick in choice.picks:
            name = pick.instance_type.name
            sorts[name] = sorts.get(name, 0) + pick.count
        vcpus = sum(pick.vcpus for pick in choice.picks)
        why = f"for {jobs(choice.served)}" if choice.served else "for minInstances"
        text = f"{instances(count)} ({many(vcpus, 'vCPU')}) {why}: {counted(sorts)}"
    elif choice.waiting == 0:
        text = "nothing: no job waits"
    elif not choice.short:
        fit = jobs_do(choice.waiting, "fit into what is there or on its way")
        text = f"nothing more: {fit}"
    else:
        text = "nothing"
    short: dict[str, int] = {}
    for each in choice.short:
        short[each.brief] = short.get(each.brief, 0) + each.need.count
    most = sorted(short.items(), key=lambda row: (-row[1], row[0]))[:_REASONS_SHOWN]
    return "; ".join([text, *(jobs_do(many, brief) for brief, many in most)])
