"""What AWS's price list says, and what the user says instead. No AWS and no clock in here."""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from awsbatch_operator.api.metadata import Shape

# AWS Billing user guide, "Finding services and products using Price List Query API": the API has
# few endpoints, each of which knows the prices of all regions of its partition.
ENDPOINT_REGION = "us-east-1"
ENDPOINT_REGION_OF_CHINA = "cn-northwest-1"
_SPOT = "Spot:"
_TYPE = re.compile(r"[a-z0-9-]+\.[a-z0-9-]+")
_PLACE = re.compile(r"[a-z0-9-]+")
_DIGITS = 20  # before or after the point: beyond, it is a mistake
# Linux without licences on shared hosts, by the hour (attributes of AmazonEC2 in the price list).
_ON_DEMAND: Mapping[str, str] = {
    "capacitystatus": "Used",
    "marketoption": "OnDemand",
    "operatingSystem": "Linux",
    "preInstalledSw": "NA",
    "tenancy": "Shared",
}


@dataclass(frozen=True, slots=True)
class PriceOverrides:
    """The user's own prices, by market and type; those for one place go before those for all.

    Each is written [Spot:][PLACE/]TYPE=PRICE, e.g. "m5.large=0.08", "eu-west-1/m5.large=0.09",
    "Spot:eu-west-1a/m5.large=0.03". The place of an on-demand price is a region, of a spot price a
    region or a zone.
    """

    prices: Mapping[tuple[bool, str, str], Decimal] = field(default_factory=dict)

    @classmethod
    def parse(cls, texts: Iterable[str]) -> "PriceOverrides":
        """Raises ValueError, which says what is wrong with which of them."""
        return cls(dict(_override(text) for text in texts))

    def on_demand(self, region: str, instance_type: str) -> Decimal | None:
        """The user's on-demand price; None: AWS's counts."""
        return self._first(instance_type, spot=False, places=(region, ""))

    def spot(self, region: str, zone: str, instance_type: str) -> Decimal | None:
        """The user's spot price; None: AWS's counts."""
        return self._first(instance_type, spot=True, places=(zone, region, ""))

    def spot_zones(self, region: str, instance_type: str) -> Collection[str]:
        """The zones of the region for which the user has set a spot price of the type."""
        return {
            place
            for spot, place, name in self.prices
            if spot and name == instance_type and place != region and place.startswith(region)
        }

    def _first(self, instance_type: str, *, spot: bool, places: Iterable[str]) -> Decimal | None:
        found = (self.prices.get((spot, place, instance_type)) for place in places)
        return next((price for price in found if price is not None), None)


def _override(text: str) -> tuple[tuple[bool, str, str], Decimal]:
    left, _, right = text.partition("=")
    spot = left.startswith(_SPOT)
    place, _, name = left.removeprefix(_SPOT).strip().rpartition("/")
    price = price_of(right.strip())
    if not _TYPE.fullmatch(name) or (place and not _PLACE.fullmatch(place)) or price is None:
        raise ValueError(
            f"{text!r} is no price. Write [Spot:][PLACE/]TYPE=PRICE with the price in US dollars "
            "an hour, e.g. m5.large=0.08 or Spot:eu-west-1a/m5.large=0.03."
        )
    return (spot, place, name), price


def price_of(text: object) -> Decimal | None:
    """A price above zero, without the zeros that AWS's lists append; None if it is none."""
    try:
        price = Decimal(str(text))
    except InvalidOperation:
        return None
    if not price.is_finite() or price <= 0 or abs(price.adjusted()) > _DIGITS:
        return None
    return Decimal(f"{price.normalize():f}")


def endpoint_region(region: str) -> str:
    """Where the price list of a region is asked for."""
    return ENDPOINT_REGION_OF_CHINA if region.startswith("cn-") else ENDPOINT_REGION


def products_request(region: str, instance_type: str) -> dict[str, Any]:
    """GetProducts' request for the on-demand price of a type; one a type, as TERM_MATCH needs."""
    wanted = {**_ON_DEMAND, "instanceType": instance_type, "regionCode": region}
    filters = [
        {"Type": "TERM_MATCH", "Field": name, "Value": value}
        for name, value in sorted(wanted.items())
    ]
    return {"ServiceCode": "AmazonEC2", "Filters": filters, "FormatVersion": "aws_v1"}


def hourly(products: Iterable[str | Shape]) -> Decimal | None:
    """The dearest of the hourly on-demand prices in dollars: what may be spent is never told less.

    None if there is none: China's are in another currency.
    """
    found = (
        price_of(dimension.get("pricePerUnit", {}).get("USD"))
        for product in products
        for term in _read(product).get("terms", {}).get("OnDemand", {}).values()
        for dimension in term.get("priceDimensions", {}).values()
        if dimension.get("unit") == "Hrs"
    )
    return max((price for price in found if price is not None), default=None)


def _read(product: str | Shape) -> Shape:
    """AWS sends each product as a JSON text of its own."""
    if not isinstance(product, str):
        return product
    try:
        read = json.loads(product)
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}
