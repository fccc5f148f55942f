"""What the schema of `capacity` takes and what the pure core reads of it are the same."""

import re
from decimal import Decimal
from enum import StrEnum

import pytest
from tests.support.crd_cases import capacity as cases
from tests.support.crd_cases.capacity_forms import BOUNDS, FORMS

from awsbatch_operator.capacity import model
from awsbatch_operator.capacity.wish import wish
from awsbatch_operator.kinds.computeenvironment.spec import RESOURCE
from awsbatch_operator.schema.crd import spec_schema

POOL = spec_schema(RESOURCE)["properties"]["capacity"]["properties"]["pools"]["items"]
BLOCK = POOL["properties"]["spotBlock"]
WORDS: list[tuple[dict, str, type[StrEnum]]] = [
    (POOL, "market", model.Market),
    (POOL, "onRebalance", model.OnRebalance),
    (POOL, "replacePolicy", model.ReplacePolicy),
    (BLOCK, "start", model.BlockStart),
    (BLOCK, "renew", model.Renew),
    (BLOCK, "fallback", model.Rung),
]
# By the schema's name: the field of the core's value.
NUMBERS = {
    "priority": "priority",
    "minInstances": "min_instances",
    "idleSeconds": "idle_seconds",
    "registrationTimeoutSeconds": "registration_timeout_seconds",
    "drainTimeoutSeconds": "drain_timeout_seconds",
}


def taken():
    tables = [*cases.CASES.values(), *FORMS.values(), *BOUNDS]
    patches = [patch for each in tables for patch in each.accepts]
    return [patch["capacity"] for patch in patches if patch.get("capacity")]


def test_whatever_the_api_server_takes_can_be_read():
    for capacity in taken():
        assert [pool.name for pool in wish(capacity).pools] == [
            pool["name"] for pool in capacity["pools"]
        ]


@pytest.mark.parametrize("text", ["much", "", "1,5"])
def test_a_price_that_is_none_is_an_error_that_whoever_reads_a_spec_expects(text):
    with pytest.raises(ValueError, match="money"):
        wish(cases.pool(market="Spot", maxPricePerHour=text)["capacity"])


@pytest.mark.parametrize(("schema", "name", "words"), WORDS, ids=lambda value: str(value)[:20])
def test_the_words_are_the_same(schema, name, words):
    node = schema["properties"][name]
    assert set(node.get("items", node)["enum"]) == set(words)


@pytest.mark.parametrize("name", NUMBERS)
def test_the_default_in_the_description_is_the_one_that_is_filled_in(name):
    (pool,) = wish(cases.pool()["capacity"]).pools
    found = re.search(r"Default: (\d+)\.", POOL["properties"][name]["description"])
    assert found
    assert int(found[1]) == getattr(pool, NUMBERS[name])


def test_an_old_name_of_a_duration_means_the_same():
    old = wish(cases.block(durationSeconds=None, blockDurationMinutes=240)["capacity"])
    assert old == wish(cases.block(durationSeconds=14400)["capacity"])


def test_money_is_read_exactly():
    change = cases.pool(market="Spot", maxPricePerHour="0.03")
    (pool,) = wish(change["capacity"]).pools
    assert pool.max_price_per_hour == Decimal("0.03")
