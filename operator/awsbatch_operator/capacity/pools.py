"""A look at what the pools of an environment can launch now, and at types of what there is."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from awsbatch_operator.api import capacity_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Clock, Instant
from awsbatch_operator.api.scope import NoTokenError
from awsbatch_operator.api.words import sentence
from awsbatch_operator.aws.capacity_ports import Ec2Port, PriceBook
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.capacity.holdings import Prices, TypesByPool
from awsbatch_operator.capacity.instances import Life, Stage, seen_memory
from awsbatch_operator.capacity.machines import Machine
from awsbatch_operator.capacity.memory import Refusal, Remembered
from awsbatch_operator.capacity.model import InstanceType, Market, Offer, Pool
from awsbatch_operator.capacity.rehearsing import REFUSED_SECONDS
from awsbatch_operator.capacity.resolved import Resolved
from awsbatch_operator.capacity.resolving import Resolver
from awsbatch_operator.capacity.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolsSeen:
    """The pools by name, resolved; and types and prices of instances that none would launch now."""

    resolved: Mapping[str, Resolved] = field(default_factory=dict)
    other_types: TypesByPool = field(default_factory=dict)
    other_prices: Prices = field(default_factory=dict)

    @property
    def types(self) -> TypesByPool:
        """Of the pools that could be looked up."""
        return {name: each.types for name, each in self.resolved.items() if each.types}

    @property
    def offers(self) -> Sequence[Offer]:
        """All that may be bought, the paused ones too."""
        return [offer for each in self.resolved.values() for offer in each.offers]

    @property
    def prices(self) -> Prices:
        """Of all types."""
        rows = [row for each in self.resolved.values() for row in each.prices.items()]
        return {**self.other_prices, **dict(rows)}

    @property
    def machines(self) -> Mapping[str, Machine]:
        """Of the pools that may launch."""
        return {name: each.machine for name, each in self.resolved.items() if each.machine}

    @property
    def findings(self) -> Sequence[Finding]:
        """What the pools name and EC2 does not have so."""
        return [finding for each in self.resolved.values() for finding in each.findings]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pools:
    """Looks. Raises AwsError and NoTokenError."""

    ec2: Ec2Port
    resolver: Resolver
    prices: PriceBook
    clock: Clock

    async def look(
        self, subject: Subject, kept: Remembered, current: Sequence[Life], *, fresh: bool
    ) -> PoolsSeen:
        """With `fresh`, what the last plan wants to launch is about to be: EC2 is asked first."""
        resolved = await self._resolved(subject, current, fresh=fresh and kept.asked())
        if fresh:
            await self._rehearse(subject, kept, resolved)
        resolved = _without_refused(resolved, kept, self.clock.now())
        types, prices = await self._others(subject, current, resolved)
        return PoolsSeen(resolved=resolved, other_types=types, other_prices=prices)

    async def _resolved(
        self, subject: Subject, current: Sequence[Life], *, fresh: bool
    ) -> Mapping[str, Resolved]:
        """Each pool with what its spec names. One that cannot be looked up launches nothing."""
        seen = seen_memory(current)

        async def one(pool: Pool) -> Resolved:
            body = subject.bodies[pool.name]
            try:
                return await self.resolver.resolve(
                    subject.scope,
                    subject.owner,
                    subject.cluster,
                    pool,
                    body,
                    seen_mib=seen,
                    fresh=fresh,
                )
            except AwsError as error:
                return _unresolved(pool, error)

        if not subject.cluster:
            return {}
        found = await asyncio.gather(*(one(pool) for pool in subject.wish.pools))
        return {each.pool.name: each for each in found}

    async def _rehearse(
        self, subject: Subject, kept: Remembered, resolved: Mapping[str, Resolved]
    ) -> None:
        """Ask EC2 whether it would launch; what it refuses holds for the looks that follow, too.

        Else each of them would begin a launch that a fresh one takes back.
        """
        for name, each in resolved.items():
            opened = subject.record.of(name).intent is not None
            if each.machine is None or opened or name not in kept.buying:
                continue
            try:
                told = await self.resolver.rehearsal(subject.scope, subject.owner, each)
            except NoTokenError:
                continue  # the launch itself will tell
            kept.refused[name] = Refusal(told, self.clock.now().plus(REFUSED_SECONDS))

    async def _others(
        self, subject: Subject, current: Sequence[Life], resolved: Mapping[str, Resolved]
    ) -> tuple[TypesByPool, dict[tuple[Market, str, str], Decimal]]:
        """Types and prices of instances that their pool would not launch now.

        The spec has changed since, or the pool cannot be looked up: they count against the limits
        all the same.
        """
        wanted: dict[str, set[str]] = {}
        for life in current:
            known = resolved[life.pool].types if life.pool in resolved else {}
            if life.stage is not Stage.GONE and life.instance.instance_type not in known:
                wanted.setdefault(life.pool, set()).add(life.instance.instance_type)
        names = {name for each in wanted.values() for name in each}
        if not names:
            return {}, {}
        described = await self.ec2.instance_types(subject.scope, names)
        types = {name: InstanceType.described(body) for name, body in described.items()}
        found = {
            pool: {name: types[name] for name in each if name in types}
            for pool, each in wanted.items()
        }
        on_demand = await self.prices.on_demand(subject.scope, names)
        zones = {life.instance.zone for life in current}
        return found, {
            (Market.ON_DEMAND, name, zone): price
            for name, price in on_demand.items()
            for zone in zones
        }


def _without_refused(
    resolved: Mapping[str, Resolved], kept: Remembered, now: Instant
) -> Mapping[str, Resolved]:
    """The same, where pools whose launch EC2 would refuse have no machine."""
    return {
        name: each
        if (refusal := kept.refused.get(name)) is None or not refusal.holds(now)
        else replace(each, machine=None, findings=(*each.findings, *refusal.findings))
        for name, each in resolved.items()
    }


def _unresolved(pool: Pool, error: AwsError) -> Resolved:
    words = f"Pool {pool.name} launches nothing: {error.operation}: {error.message}"
    reason = capacity_reasons.POOL_UNRESOLVED
    remedy = ""
    if error.kind is ErrorKind.DENIED:
        remedy = f"Grant {error.action or error.operation} to {error.identity or 'the operator'}."
    return Resolved(
        pool=pool,
        types={},
        offers=(),
        machine=None,
        findings=(Finding(reason, sentence(words), remedy),),
        prices={},
    )
