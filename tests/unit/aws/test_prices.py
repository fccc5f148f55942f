"""Prices: the user's before AWS's, unknown ones left out, AWS asked twice a day."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.support.stub_aws import ASSUMED, Refused

from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.errors import ErrorKind
from awsbatch_operator.aws.price_list import PriceOverrides, endpoint_region, hourly, price_of

SCOPE = Scope("111122223333", "eu-central-1", "arn:aws:iam::111122223333:role/r")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def product(*prices: str, currency: str = "USD", unit: str = "Hrs") -> str:
    dimensions = {
        str(number): {"unit": unit, "pricePerUnit": {currency: price}}
        for number, price in enumerate(prices)
    }
    return json.dumps({"terms": {"OnDemand": {"sku": {"priceDimensions": dimensions}}}})


def spot(zone: str, price: str, *, name: str = "m5.large", hours: float = 0) -> dict[str, Any]:
    return {
        "InstanceType": name,
        "AvailabilityZone": zone,
        "SpotPrice": price,
        "Timestamp": NOW - timedelta(hours=hours),
    }


@pytest.fixture
def priced(bench: Any) -> Any:
    listed = {"m5.large": "0.0960000000", "r5.large": "0.1260000000"}

    def products(asked: dict) -> dict:
        wanted = {each["Field"]: each["Value"] for each in asked["Filters"]}
        assert wanted["regionCode"] == "eu-central-1"
        price = listed.get(wanted["instanceType"])
        return {"PriceList": [product(price)] if price else []}

    bench.stub.answers["GetProducts"] = products
    bench.stub.answers["DescribeSpotPriceHistory"] = lambda _: {
        "SpotPriceHistory": [spot("eu-central-1a", "0.031"), spot("eu-central-1b", "0.033")]
    }
    return bench


async def on_demand(bench: Any, *types: str) -> dict[str, Decimal]:
    return dict(await bench.aws.prices.on_demand(SCOPE, types))


async def test_an_on_demand_price_is_what_the_price_list_says_and_unknown_ones_are_left_out(priced):
    found = await on_demand(priced, "m5.large", "no.such")
    assert found == {"m5.large": Decimal("0.096")}
    await on_demand(priced, "m5.large", "no.such")
    assert priced.stub.operations() == ["GetProducts"] * 2
    await priced.clock.advance(12 * 3600)
    await on_demand(priced, "m5.large")
    assert priced.stub.operations() == ["GetProducts"] * 3


async def test_the_price_list_is_asked_as_the_operator_where_it_is_served(priced):
    await on_demand(priced, "m5.large")
    [request] = priced.stub.requests
    assert request.url.startswith("https://api.pricing.us-east-1.amazonaws.com")
    assert "AssumeRole" not in priced.stub.operations()
    assert endpoint_region("cn-north-1") == "cn-northwest-1"


async def test_the_spot_price_of_now_is_told_by_zone(bench, assumes):
    history = [
        spot("eu-central-1a", "0.040", hours=3),
        spot("eu-central-1a", "0.031", hours=1),
        spot("eu-central-1a", "0.050", hours=2),
        spot("eu-central-1b", "0.033"),
        spot("eu-central-1b", "0.070", name="r5.large"),
    ]
    bench.stub.answers["DescribeSpotPriceHistory"] = lambda _: {"SpotPriceHistory": history}
    found = await bench.aws.prices.spot(SCOPE, ["m5.large", "r5.large", "no.such"])
    assert found == {
        ("m5.large", "eu-central-1a"): Decimal("0.031"),
        ("m5.large", "eu-central-1b"): Decimal("0.033"),
        ("r5.large", "eu-central-1b"): Decimal("0.070"),
    }
    [asked] = [request for operation, request in bench.stub.sent if "Spot" in operation]
    assert asked["Filters"][0]["Values"] == ["m5.large", "no.such", "r5.large"]


@pytest.fixture
def assumes(bench: Any) -> None:
    bench.stub.answers["AssumeRole"] = lambda _: ASSUMED.format(
        account="111122223333", name="r", session="s", number=1, expires="2030-01-01T00:00:00Z"
    )


async def test_the_users_prices_go_before_awss(make_bench):
    own = PriceOverrides.parse(
        ["m5.large=0.08", "eu-central-1/r5.large=0.1", "eu-west-1/c5.large=9", "x1.large=2"]
    )
    bench = make_bench(prices=own)
    bench.stub.answers["GetProducts"] = lambda _: {"PriceList": [product("0.085")]}
    assert await on_demand(bench, "m5.large", "r5.large", "c5.large") == {
        "m5.large": Decimal("0.08"),
        "r5.large": Decimal("0.1"),
        "c5.large": Decimal("0.085"),
    }
    assert bench.stub.operations() == ["GetProducts"]


async def test_the_users_spot_prices_are_of_a_zone_or_of_all(make_bench):
    scope = Scope("111122223333", "eu-central-1")
    own = PriceOverrides.parse(
        ["Spot:m5.large=0.02", "Spot:eu-central-1b/m5.large=0.03", "Spot:eu-central-1c/r5.large=1"]
    )
    bench = make_bench(prices=own)
    history = {"SpotPriceHistory": [spot("eu-central-1a", "0.5"), spot("eu-central-1b", "0.5")]}
    bench.stub.answers["DescribeSpotPriceHistory"] = lambda _: history
    assert await bench.aws.prices.spot(scope, ["m5.large", "r5.large"]) == {
        ("m5.large", "eu-central-1a"): Decimal("0.02"),
        ("m5.large", "eu-central-1b"): Decimal("0.03"),
        ("r5.large", "eu-central-1c"): Decimal(1),
    }


async def test_a_price_list_that_cannot_be_asked_leaves_prices_unknown_and_says_why(priced):
    def denied(_):
        raise Refused("AccessDeniedException", "User: a is not authorized", 400)

    await on_demand(priced, "m5.large")
    priced.stub.answers["GetProducts"] = denied
    await priced.clock.advance(12 * 3600)
    assert await on_demand(priced, "m5.large", "r5.large") == {"m5.large": Decimal("0.096")}
    trouble = priced.aws.prices.trouble(SCOPE)
    assert trouble.kind is ErrorKind.DENIED
    assert trouble.action == "pricing:GetProducts"
    asked = len(priced.stub.sent)
    await on_demand(priced, "m5.large", "r5.large")
    assert len(priced.stub.sent) == asked, "AWS is left alone for some minutes"
    priced.stub.answers["GetProducts"] = lambda _: {"PriceList": [product("0.2")]}
    await priced.clock.advance(300)
    assert await on_demand(priced, "m5.large") == {"m5.large": Decimal("0.2")}
    assert priced.aws.prices.trouble(SCOPE) is None


@pytest.mark.parametrize(
    ("products", "price"),
    [
        ([], None),
        ([product("0.10"), product("0.12")], Decimal("0.12")),
        ([product("0.0000000000")], None),
        ([product("0.7", currency="CNY")], None),
        ([product("70", unit="Quantity"), product("0.1")], Decimal("0.1")),
        (["no JSON", "[]", "{}"], None),
        ([json.loads(product("0.3"))], Decimal("0.3")),
    ],
)
def test_the_dearest_hourly_price_in_dollars_counts(products, price):
    assert hourly(products) == price


@pytest.mark.parametrize(
    ("text", "said"), [("0.1506000000", "0.1506"), ("100.00", "100"), ("1E+2", "100"), ("3", "3")]
)
def test_a_price_is_said_without_the_zeros_that_awss_lists_append(text, said):
    assert str(price_of(text)) == said


@pytest.mark.parametrize(
    "text",
    [
        "",
        "m5.large",
        "m5.large=",
        "m5.large=x",
        "m5.large=0",
        "m5.large=-1",
        "=1",
        "m5=1",
        "m5.large=nan",
        "m5.large=1e999999",
        "A/m5.large=1",
        "a/b/m5.large=1",
        "spot:m5.large=1",
    ],
)
def test_what_is_no_price_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match=r"m5\.large=0\.08"):
        PriceOverrides.parse([text])
