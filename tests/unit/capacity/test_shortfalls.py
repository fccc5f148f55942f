"""Which jobs are left without instances, and what is told of them."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.capacity.values import (
    LARGE,
    TYPES,
    XLARGE,
    chosen,
    itype,
    need,
    offers,
    picked,
    pool,
)

from awsbatch_operator.capacity.model import Limits, Market, Usage, Used
from awsbatch_operator.capacity.shortfalls import Short, never_fits


@pytest.mark.parametrize("wanted", [8192, 7985])
def test_a_job_of_all_the_nominal_memory_never_fits_and_the_message_says_what_lacks(wanted):
    m4 = itype("m4.large", 2, 8)
    mine = pool("main", m4)
    choice = chosen([need(1, wanted)], mine, types={"main": (m4,)}, bought=())
    (short,) = choice.short
    assert short.reason is Short.NEVER_FITS
    assert f"{wanted} MiB; the nearest type, m4.large of pool main, registers" in short.message
    assert "about 7953 of its 8192 MiB with ECS" in short.message
    assert f"{wanted - 7953} too few" in short.message
    assert not chosen([need(1, 7953)], mine, types={"main": (m4,)}, bought=offers(mine)).short


def test_a_job_by_itself_is_told_that_it_never_fits():
    mine = [(pool(), each) for each in TYPES]
    assert never_fits(need(1, 100), mine) is None
    assert "nearest type" in (never_fits(need(99, 100), mine) or "")
    assert "no pool has a type" in (never_fits(need(), []) or "")


def test_a_need_of_more_vcpus_or_gpus_than_any_type_names_the_nearest():
    (short,) = chosen([need(17, 100)]).short
    assert "nearest type, r7i.4xlarge of pool main, has 16 vCPUs" in short.message
    (short,) = chosen([need(1, 100, gpus=2)]).short
    assert "g5.xlarge of pool main, has 1 GPU." in short.message


def test_an_unknown_price_is_ordered_by_vcpus_and_refused_under_a_limit_of_cost():
    mine = pool("main", LARGE, XLARGE)
    unpriced = offers(mine, prices={"r7i.large": Decimal(9)})
    assert picked(chosen([need()], mine, bought=unpriced)) == {("main", "r7i.large"): 1}
    capped = Limits(max_hourly_cost=Decimal(100))
    only = pool("main", XLARGE)
    choice = chosen([need()], only, bought=offers(only, prices={}), limits=capped)
    assert [each.reason for each in choice.short] == [Short.PRICE_UNKNOWN]
    some = pool("main", LARGE, XLARGE, max_price_per_hour=Decimal(1))
    (short,) = chosen([need()], some, bought=unpriced).short
    assert "No price is known of r7i.xlarge, to hold against" in short.message
    priced = chosen([need()], mine, bought=unpriced, limits=capped)
    assert picked(priced) == {("main", "r7i.large"): 1}


def test_nothing_is_bought_under_a_limit_of_cost_while_a_running_price_is_unknown():
    usage = Usage(pools={"main": Used(instances=1, vcpus=2, hourly_cost=None)})
    choice = chosen([need()], used=usage, limits=Limits(max_hourly_cost=Decimal(100)))
    assert not choice.picks
    assert [each.reason for each in choice.short] == [Short.PRICE_UNKNOWN]


def test_spot_above_its_highest_price_is_not_bought_and_its_bound_counts_for_the_limit():
    spot = pool("spot", LARGE, market=Market.SPOT, max_price_per_hour=Decimal("0.05"))
    (short,) = chosen([need()], spot).short
    assert short.reason is Short.PRICE
    assert "costs 0.1 US dollars an hour, above maxPricePerHour" in short.message
    allowed = replace(spot, max_price_per_hour=Decimal("0.50"))
    found = chosen([need(2, 100, 9)], allowed, limits=Limits(max_hourly_cost=Decimal("1.20")))
    assert picked(found) == {("spot", "r7i.large"): 2}


def test_offers_that_are_all_paused_are_told_as_such():
    (short,) = chosen([need()], bought=()).short
    assert short.reason is Short.NO_OFFER


def test_a_stopped_pool_or_one_with_a_canary_launches_no_more_than_it_may():
    (short,) = chosen([need()], at_most={"main": 0}).short
    assert (short.reason, short.message) == (
        Short.HELD,
        "Pool main launches nothing at this moment.",
    )
    both = chosen([need()], pool("one"), pool("two"), at_most={"one": 0, "two": 0})
    assert both.short[0].message == "Pools one, two launch nothing at this moment."
    assert picked(chosen([need(2, 100, 9)], pool("main", LARGE), at_most={"main": 1})) == {
        ("main", "r7i.large"): 1
    }


def test_blocks_are_not_bought_for_demand():
    block = pool("block", LARGE, market=Market.SPOT_BLOCK)
    assert [each.reason for each in chosen([need()], block).short] == [Short.BLOCK]
