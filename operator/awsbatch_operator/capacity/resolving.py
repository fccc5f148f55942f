"""Asks AWS what the specs of pools come to, and tries a launch before it is made.

At rest AWS is asked nothing: the ports keep what they were told, and what is worked out of that is
kept as long as nothing of it differs.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.scope import NoTokenError, Scope
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.aws.capacity_ports import Ec2Port, PriceBook, SsmPort
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.ssm import ecs_image_parameter
from awsbatch_operator.capacity import pool_checks
from awsbatch_operator.capacity.machines import markets
from awsbatch_operator.capacity.model import Market, Pool, Requirements
from awsbatch_operator.capacity.pool_checks import Image, ImageCpus, Places, Source
from awsbatch_operator.capacity.pool_types import (
    Matching,
    Types,
    Wanted,
    matching,
    narrowed,
    undecided,
    unmatched,
    usable,
    without_default_image,
)
from awsbatch_operator.capacity.rehearsing import Rehearsals
from awsbatch_operator.capacity.resolved import (
    Facts,
    Resolved,
    Site,
    imageless,
    refused,
    reserved_mib,
    resolved,
)
from awsbatch_operator.userdata.model import Problem, Refused
from awsbatch_operator.userdata.pools import pool_user_data

_AGAIN_SECONDS = 60.0  # free addresses are looked for, where there were none
_MATCHED_SECONDS = (
    3600.0  # reading all types of a region again takes a thread some ten milliseconds
)
_MATCHINGS = 64
_PRICES_SECONDS = 2.0  # each type has a call of its own: come again when there are tokens for many
_REMEMBERED = 2048  # of all pools of all environments

ValueT = TypeVar("ValueT")


class Resolver:
    """What pools come to in AWS. For one event loop; everything is raised that the ports raise."""

    def __init__(
        self,
        ec2: Ec2Port,
        ssm: SsmPort,
        prices: PriceBook,
        clock: Clock,
        *,
        cluster_id: str,
        ecs_endpoint: str = "",
    ) -> None:
        self._ec2 = ec2
        self._ssm = ssm
        self._prices = prices
        self._clock = clock
        self._cluster_id = cluster_id
        self._ecs_endpoint = ecs_endpoint
        self._rehearsals = Rehearsals(ec2, clock)
        self._made = _Remembered()
        self._matched: OrderedDict[tuple[str, Requirements], tuple[float, Matching]] = OrderedDict()
        self._looked: OrderedDict[Hashable, float] = OrderedDict()  # for free addresses: when

    async def resolve(
        self,
        scope: Scope,
        owner: Owner,
        cluster_arn: str,
        pool: Pool,
        body: Shape,
        *,
        seen_mib: Mapping[str, int],
        fresh: bool = False,
    ) -> Resolved:
        """What the pool can launch now. `body` is the pool of spec.capacity.pools as written.

        `seen_mib` is what ECS has registered of instances, by type. With `fresh` AWS is asked anew
        for what may have changed: subnets, security groups and the image. Raises AwsError,
        NoTokenError.
        """
        if pool_checks.lacks_image(body):
            return imageless(pool, body)
        given = pool_user_data(body)
        if isinstance(given, Refused):
            return refused(pool, given)
        site = Site(
            cluster_id=self._cluster_id,
            environment_uid=owner.uid,
            region=scope.region,
            cluster=cluster_arn.rpartition("/")[2],
            ecs_endpoint=self._ecs_endpoint,
        )
        asking = _Asking(scope, owner.uid, pool, body, fresh)
        facts = await self._facts(asking, reserved_mib(given), seen_mib)
        return self._made.of(
            ("resolved", owner.uid, pool.name),
            (pool, body, given, site, facts),
            lambda: resolved(pool, body, given, site, facts),
        )

    async def rehearsal(
        self, scope: Scope, owner: Owner, resolved: Resolved
    ) -> tuple[Finding, ...]:
        """Why EC2 would refuse the launch that is about to be made; nothing: it would not.

        Nothing is known either where EC2 could not be asked: it is asked again the next time. What
        EC2 has allowed holds for half an hour, a refusal for five minutes, and both only as long as
        the content of the launch stays the same. Raises NoTokenError.
        """
        return await self._rehearsals.of(scope, owner, resolved)

    async def _facts(self, asking: "_Asking", reserved: int, seen_mib: Mapping[str, int]) -> Facts:
        scope, pool = asking.scope, asking.pool
        where = await self._places(asking)
        described, nearest = await self._described(scope, pool)
        source = pool_checks.given_source(asking.body)
        found = None if source is None else await self._image(asking, source)
        wanted = Wanted(
            pool=pool,
            region=scope.region,
            architecture="" if found is None else found.architecture,
            image_cpus=ImageCpus() if found is None else found.cpus,
            reserved_mib=reserved,
            seen_mib=dict(seen_mib),
        )
        types = self._made.of(
            ("types", asking.uid, pool.name),
            (wanted, described),
            lambda: usable(wanted, described),
        )
        wrong: list[Problem] = []
        if pool.requirements is not None and not described:
            wrong.append(unmatched(wanted, nearest))
        if found is None:
            default = _default_image(wanted, types)
            if isinstance(default, Source):
                found = await self._image(asking, default)
            elif default is not None:
                wrong.append(default)
        return await self._bought(asking, types, where, found or Image(), tuple(wrong))

    async def _bought(
        self,
        asking: "_Asking",
        types: Types,
        where: Places,
        found: Image,
        wrong: tuple[Problem, ...],
    ) -> Facts:
        """With zones and prices."""
        scope, pool = asking.scope, asking.pool
        zones = await self._ec2.zones_of(scope, types.usable)
        matched = len(types.usable)
        if pool.requirements is not None:
            types, matched = narrowed(types, zones, where.subnets)
        on_demand, spot = await self._priced(scope, types.usable, markets(pool))
        return Facts(
            types=types,
            described=matched,
            zones=zones,
            places=where,
            image=found,
            wrong=wrong,
            on_demand=on_demand,
            spot=spot,
        )

    async def _priced(
        self, scope: Scope, names: Collection[str], buys: Collection[Market]
    ) -> tuple[Mapping[str, Decimal], Mapping[tuple[str, str], Decimal]]:
        """Prices, on demand and Spot; all of them, for nobody should choose by some."""
        on_demand: Mapping[str, Decimal] = {}
        spot: Mapping[tuple[str, str], Decimal] = {}
        try:
            if Market.ON_DEMAND in buys:
                on_demand = await self._prices.on_demand(scope, names)
            if Market.SPOT in buys:
                spot = await self._prices.spot(scope, names)
        except NoTokenError as error:
            raise NoTokenError(max(error.seconds, _PRICES_SECONDS)) from error
        return on_demand, spot

    async def _places(self, asking: "_Asking") -> Places:
        scope, body = asking.scope, asking.body
        groups = await self._ec2.security_groups(
            scope, body.get("securityGroupIds") or (), fresh=asking.fresh
        )
        subnets = await self._ec2.subnets(scope, body["subnets"], fresh=asking.fresh)
        where = pool_checks.places(asking.pool.name, body, subnets, groups)
        # What EC2 has said of free addresses is kept for a while; instances of others may go.
        if where.checked.short and not asking.fresh and self._is_due(scope, body["subnets"]):
            subnets = await self._ec2.subnets(scope, body["subnets"], fresh=True)
            where = pool_checks.places(asking.pool.name, body, subnets, groups)
        return where

    def _is_due(self, scope: Scope, subnets: Collection[str]) -> bool:
        key, now = (scope, tuple(subnets)), self._clock.monotonic()
        last = self._looked.get(key)
        if last is not None and now < last + _AGAIN_SECONDS:
            return False
        self._looked[key] = now
        _bounded(self._looked, _REMEMBERED)
        return True

    async def _described(self, scope: Scope, pool: Pool) -> tuple[Mapping[str, Shape], str]:
        """The types to choose from; if requirements match none, the nearest in words."""
        wanted = pool.requirements
        if wanted is None:
            return await self._ec2.instance_types(scope, pool.instance_types), ""
        key, now = (scope.region, wanted), self._clock.monotonic()
        known = self._matched.get(key)
        if known is None or now >= known[0]:
            match = matching(wanted, await self._ec2.instance_types(scope))
            known = (now + _MATCHED_SECONDS, match)
            self._matched[key] = known
            _bounded(self._matched, _MATCHINGS)
        return known[1].found, known[1].nearest

    async def _image(self, asking: "_Asking", source: Source) -> Image:
        scope, held, fresh = asking.scope, None, asking.fresh
        if source.parameter:
            try:
                held = await self._ssm.image_parameter(scope, source.parameter, fresh=fresh)
            except AwsError as error:
                if error.kind is not ErrorKind.DENIED or error.obstacle or not source.given:
                    raise
                return pool_checks.unreadable(asking.pool.name, source, error.identity)
        # A parameter may hold anything, a secret too: it is sent on only if it is an image's id.
        image_id = source.image_id or held or ""
        asked = [image_id] if pool_checks.is_image_id(image_id) else ()
        images = await self._ec2.images(scope, asked, fresh=fresh)
        return pool_checks.image(asking.pool.name, source, held, images, self._clock.now())


@dataclass(frozen=True, slots=True)
class _Asking:
    """About what, and how thoroughly, AWS is asked."""

    scope: Scope
    uid: str
    pool: Pool
    body: Shape
    fresh: bool


def _default_image(wanted: Wanted, types: Types) -> Source | Problem | None:
    """The ECS-optimized image for the types; None if there are no types."""
    architectures = types.architectures
    if len(architectures) > 1:
        return undecided(wanted, architectures)
    for architecture in architectures:
        parameter = ecs_image_parameter(architecture, gpu=types.gpu)
        if parameter is None:
            return without_default_image(wanted, architecture)
        return Source(parameter=parameter, given=False)
    return None


class _Remembered:
    """What was made last of some input, by a key; made anew when the input differs."""

    def __init__(self) -> None:
        self._last: OrderedDict[Hashable, tuple[Any, Any]] = OrderedDict()

    def of(self, key: Hashable, given: object, make: Callable[[], ValueT]) -> ValueT:
        """The value for that input. Inputs that are the same objects are compared in no time."""
        last = self._last.get(key)
        if last is None or last[0] != given:
            last = (given, make())
            self._last[key] = last
            _bounded(self._last, _REMEMBERED)
        self._last.move_to_end(key)
        value: ValueT = last[1]
        return value


def _bounded(kept: OrderedDict[Any, Any], most: int) -> None:
    while len(kept) > most:
        kept.popitem(last=False)
