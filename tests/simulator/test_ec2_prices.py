"""The price list. Source: GetProducts in the API reference of the AWS Price List."""

import json
from typing import Any

import pytest
from tests.simulator.instances import Zoned

LINUX = {
    "operatingSystem": "Linux",
    "tenancy": "Shared",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
}


def products(cloud: Zoned, **attributes: str) -> list[dict[str, Any]]:
    filters = [
        {"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in attributes.items()
    ]
    answer = cloud("GetProducts", ServiceCode="AmazonEC2", Filters=filters)
    return [json.loads(each) for each in answer["PriceList"]]


def price(product: dict[str, Any]) -> float:
    [term] = product["terms"]["OnDemand"].values()
    [dimension] = term["priceDimensions"].values()
    return float(dimension["pricePerUnit"]["USD"])


@pytest.mark.parametrize(
    ("name", "region", "dollars"),
    [
        ("r5.large", "us-east-1", 0.126),
        ("m5.xlarge", "us-east-1", 0.192),
        ("r5.large", "eu-central-1", 0.1506),
        ("g4dn.xlarge", "us-east-1", 0.526),
    ],
)
def test_a_type_has_a_price_in_each_region(name, region, dollars):
    [product] = products(Zoned(), instanceType=name, regionCode=region, **LINUX)
    assert price(product) == dollars


def test_without_filters_for_it_a_type_is_sold_in_several_ways():
    found = products(Zoned(), instanceType="m5.large", regionCode="us-east-1")
    assert len(found) == 5
    assert min(map(price, found)) == 0
    assert len({each["product"]["sku"] for each in found}) == 5


def test_settings_change_a_price_or_take_it_away():
    cloud = Zoned(prices={"r5.*": 0.03, "m5.*": 0})
    [product] = products(cloud, instanceType="r5.large", regionCode="eu-central-1", **LINUX)
    assert price(product) == 0.03
    assert products(cloud, instanceType="m5.large", regionCode="eu-central-1") == []


def test_the_list_comes_by_page():
    cloud = Zoned()
    wanted = [
        {"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in LINUX.items()
    ]
    wanted.append({"Type": "TERM_MATCH", "Field": "regionCode", "Value": "eu-central-1"})
    seen: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = cloud("GetProducts", ServiceCode="AmazonEC2", Filters=wanted, **token)
        seen += page["PriceList"]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    names = [json.loads(each)["product"]["attributes"]["instanceType"] for each in seen]
    assert len(names) == len(set(names)) > 200
    wrong = {"ServiceCode": "AmazonEC2", "NextToken": "x"}
    assert cloud.refused("GetProducts", **wrong).startswith("InvalidNextTokenException: ")
