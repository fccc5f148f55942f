"""AWS Price List: GetProducts for instances of EC2.

Sources: GetProducts in the API reference of the Price List; "Reading the price list files" in the
AWS Billing User Guide for the products' form. The service is asked in us-east-1 and knows all
regions; prices are those of `ec2/prices.py`.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from awsbatch_simulator import positions
from awsbatch_simulator.context import Caller
from awsbatch_simulator.ec2 import prices
from awsbatch_simulator.ec2.types import InstanceType, every
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.ports import Handler, World

Fields = dict[str, Any]
SERVICE_CODE = "AmazonEC2"
FORMAT = "aws_v1"
PAGES = range(1, 101)
DEFAULT_REGION = "us-east-1"
_GIB = 1024
_TERM, _RATE = "JRTCKXETXF", "6YS6EN2CT7"  # AWS's codes of on-demand prices an hour
_PUBLISHED = "2026-01-01T00:00:00Z"
_USAGE = {
    "Used": "BoxUsage",
    "UnusedCapacityReservation": "UnusedBox",
    "AllocatedCapacityReservation": "Reservation",
}
# What a type is sold as: system, tenancy, capacity status, and how its price differs.
_KINDS: tuple[tuple[str, str, str, str], ...] = (
    ("Linux", "Shared", "Used", "1"),
    ("Linux", "Shared", "UnusedCapacityReservation", "1"),
    ("Linux", "Shared", "AllocatedCapacityReservation", "0"),
    ("Linux", "Dedicated", "Used", "1.06"),
    ("Windows", "Shared", "Used", "1.9"),
)
_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "TERM_MATCH": lambda have, want: have == want,
    "EQUALS": lambda have, want: have == want,
    "CONTAINS": lambda have, want: want in have,
    "ANY_OF": lambda have, want: have in want.split(","),
    "NONE_OF": lambda have, want: have not in want.split(","),
}


class Pricing:
    """The price list of a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def handlers(self) -> Mapping[str, Handler]:
        return {"GetProducts": self.get_products}

    def get_products(self, _caller: Caller, request: Fields) -> Fields:
        """The products that meet all filters, each as a JSON text; one region at a time."""
        if request["ServiceCode"] != SERVICE_CODE:
            return {"FormatVersion": FORMAT, "PriceList": []}
        filters = request.get("Filters") or []
        for each in filters:
            if each["Type"] not in _TESTS:
                message = f"The filter type {each['Type'][:100]} is not valid"
                raise AwsFailure("InvalidParameterException", message)
        wanted = {each["Field"]: each["Value"] for each in filters if each["Type"] in _LITERAL}
        region = wanted.get("regionCode", DEFAULT_REGION)
        found = [
            product
            for size in every()
            if wanted.get("instanceType") in {None, size.name}
            for product in self._products(size, region)
            if _meets(product["product"]["attributes"], filters)
        ]
        return _page(found, request)

    def _products(self, size: InstanceType, region: str) -> Iterable[Fields]:
        price = prices.on_demand(self._world.settings.market, region, size.name)
        if price is None:
            return
        for system, tenancy, status, factor in _KINDS:
            yield _product(size, region, (system, tenancy, status), price * Decimal(factor))


_LITERAL = frozenset({"TERM_MATCH", "EQUALS"})


def _product(size: InstanceType, region: str, kind: tuple[str, str, str], price: Decimal) -> Fields:
    sku = "".join((size.name, region, *kind)).upper().replace(".", "").replace("-", "")
    return {
        "product": {
            "productFamily": "Compute Instance",
            "sku": sku,
            "attributes": _attributes(size, region, kind),
        },
        "serviceCode": SERVICE_CODE,
        "terms": {"OnDemand": {f"{sku}.{_TERM}": _term(sku, size, price)}},
        "version": "20260101000000",
        "publicationDate": _PUBLISHED,
    }


def _attributes(size: InstanceType, region: str, kind: tuple[str, str, str]) -> dict[str, str]:
    system, tenancy, status = kind
    return {
        "servicecode": SERVICE_CODE,
        "instanceType": size.name,
        "regionCode": region,
        "locationType": "AWS Region",
        "operatingSystem": system,
        "tenancy": tenancy,
        "capacitystatus": status,
        "preInstalledSw": "NA",
        "licenseModel": "No License required",
        "marketoption": "OnDemand",
        "vcpu": str(size.vcpus),
        "memory": f"{size.memory / _GIB:g} GiB",
        "currentGeneration": "Yes" if size.current else "No",
        "operation": "RunInstances" if system == "Linux" else "RunInstances:0002",
        "usagetype": f"{_USAGE[status]}:{size.name}",
    }


def _term(sku: str, size: InstanceType, price: Decimal) -> Fields:
    rate = f"{sku}.{_TERM}.{_RATE}"
    dimension = {
        "unit": "Hrs",
        "beginRange": "0",
        "endRange": "Inf",
        "appliesTo": [],
        "rateCode": rate,
        "description": f"${price} per {size.name} instance hour",
        "pricePerUnit": {"USD": prices.plain(price, 10)},
    }
    return {
        "sku": sku,
        "offerTermCode": _TERM,
        "effectiveDate": _PUBLISHED,
        "termAttributes": {},
        "priceDimensions": {rate: dimension},
    }


def _meets(attributes: Mapping[str, str], filters: Iterable[Fields]) -> bool:
    return all(
        (
            each["Field"] in attributes
            and _TESTS[each["Type"]](attributes[each["Field"]], each["Value"])
        )
        or each["Field"] in {"ServiceCode", "productFamily"}
        for each in filters
    )


def _page(products: list[Fields], request: Fields) -> Fields:
    shown, token = positions.page(
        products,
        request,
        sizes=PAGES,
        wrong_place="InvalidNextTokenException",
        wrong_size="InvalidParameterException",
    )
    answer: Fields = {"FormatVersion": FORMAT, "PriceList": [json.dumps(each) for each in shown]}
    return answer | ({"NextToken": token} if token else {})
