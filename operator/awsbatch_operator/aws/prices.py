"""PriceBook on the user's prices, the price list and the history of spot prices."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.errors import AwsError
from awsbatch_operator.aws.kept import Kept, by_region
from awsbatch_operator.aws.limits import AccountRegion
from awsbatch_operator.aws.price_list import (
    PriceOverrides,
    endpoint_region,
    hourly,
    price_of,
    products_request,
)
from awsbatch_operator.aws.sender import Sender, Sent
from awsbatch_operator.aws.sessions import Identity

KEPT_SECONDS = 12 * 3600.0
AGAIN_SECONDS = 300.0  # after AWS could not be asked
_TYPES_KEPT = 4000  # types in all regions, of each market
_TYPES_AT_ONCE = 60
_TROUBLES_KEPT = 256

FoundT = TypeVar("FoundT")


class PriceBookAdapter:
    """Prices by market. Implements PriceBook. For one event loop.

    Where AWS cannot be asked (no permission, a network without a way to the price list), the price
    is what it was last, or unknown, and AWS is left alone for some minutes.
    """

    def __init__(self, sender: Sender, clock: Clock, overrides: PriceOverrides) -> None:
        self._sender = sender
        self._clock = clock
        self._overrides = overrides
        self._listed: Kept[Decimal] = Kept(
            self._products, clock, seconds=KEPT_SECONDS, most=_TYPES_KEPT, shared=by_region
        )
        # A zone's name means another zone in another account (EC2 user guide, "AZ IDs").
        self._spot: Kept[Mapping[str, Decimal]] = Kept(
            self._history, clock, seconds=KEPT_SECONDS, most=_TYPES_KEPT, at_once=_TYPES_AT_ONCE
        )
        # By market as well: the one may be denied and the other not.
        self._troubles: dict[tuple[AccountRegion, bool], tuple[AwsError, float]] = {}

    async def on_demand(self, scope: Scope, types: Collection[str]) -> Mapping[str, Decimal]:
        own = {name: self._overrides.on_demand(scope.region, name) for name in types}
        asked = [name for name, price in own.items() if price is None]
        found = await self._asked(scope, self._listed, asked, spot=False)
        return {**found, **{name: price for name, price in own.items() if price is not None}}

    async def spot(self, scope: Scope, types: Collection[str]) -> Mapping[tuple[str, str], Decimal]:
        history = await self._asked(scope, self._spot, types, spot=True)
        prices: dict[tuple[str, str], Decimal] = {}
        for name in types:
            by_zone = history.get(name, {})
            zones = {*by_zone, *self._overrides.spot_zones(scope.region, name)}
            for zone in sorted(zones):
                own = self._overrides.spot(scope.region, zone, name)
                price = own if own is not None else by_zone.get(zone)
                if price is not None:
                    prices[name, zone] = price
        return prices

    def trouble(self, scope: Scope) -> AwsError | None:
        where = AccountRegion(scope.account_id, scope.region)
        found = [
            self._troubles[key] for key in ((where, False), (where, True)) if key in self._troubles
        ]
        return found[0][0] if found else None

    async def _asked(
        self, scope: Scope, kept: Kept[FoundT], names: Collection[str], *, spot: bool
    ) -> Mapping[str, FoundT]:
        """What AWS says, or what it said last."""
        key = (AccountRegion(scope.account_id, scope.region), spot)
        trouble = self._troubles.get(key)
        if trouble is None or self._clock.monotonic() >= trouble[1]:
            try:
                found = await kept.get(scope, names)
            except AwsError as error:
                while len(self._troubles) >= _TROUBLES_KEPT:
                    del self._troubles[next(iter(self._troubles))]
                self._troubles[key] = (error, self._clock.monotonic() + AGAIN_SECONDS)
            else:
                self._troubles.pop(key, None)
                return found
        last = {name: kept.last(scope, name) for name in names}
        return {name: value for name, value in last.items() if value is not None}

    async def _products(self, scope: Scope, names: Sequence[str]) -> Mapping[str, Decimal]:
        """List prices, asked for as the operator itself: they are the same for all accounts."""
        sent = Sent(Identity(), "", endpoint_region(scope.region))
        found = {}
        for name in names:
            request = products_request(scope.region, name)
            answer = await self._sender.call_as(sent, "pricing:GetProducts", request)
            price = hourly(answer.get("PriceList", ()))
            if price is not None:
                found[name] = price
        return found

    async def _history(
        self, scope: Scope, names: Sequence[str]
    ) -> Mapping[str, Mapping[str, Decimal]]:
        """The spot prices of now: with a start of now, AWS answers the last before it."""
        # By filters: a type that EC2 does not know would spoil the whole call otherwise.
        filters = {"instance-type": list(names), "product-description": ["Linux/UNIX"]}
        request = {
            "Filters": [{"Name": name, "Values": values} for name, values in filters.items()],
            "StartTime": self._clock.now().epoch,
        }
        found: dict[str, dict[str, Decimal]] = {}
        seen: dict[tuple[str, str], Any] = {}
        async for page in self._sender.pages(
            scope, "ec2:DescribeSpotPriceHistory", request, "SpotPriceHistory"
        ):
            for each in page:
                name, zone = str(each["InstanceType"]), str(each["AvailabilityZone"])
                price, at = price_of(each.get("SpotPrice")), each["Timestamp"]
                if price is not None and at >= seen.get((name, zone), at):
                    seen[name, zone] = at
                    found.setdefault(name, {})[zone] = price
        return found
