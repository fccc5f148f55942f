"""What is launched for the jobs that wait: enough, by price, and never above a limit."""

import time
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.capacity.values import (
    LARGE,
    NO_LIMITS,
    PRICES,
    TYPES,
    X4,
    XLARGE,
    itype,
    limits_drawn,
    need,
    needs_drawn,
    offers,
    pool,
    pools_drawn,
    types_of,
    used_up,
)

from awsbatch_operator.capacity.choice import CALL_AT_MOST, OFFERS_AT_MOST
from awsbatch_operator.capacity.model import CPU_UNITS, Limits, Market, Room, Usage, Used
from awsbatch_operator.capacity.packing import choose, fit
from awsbatch_operator.capacity.shortfalls import Short


def chosen(needs, *pools, bought=None, used=None, limits=NO_LIMITS, **more):
    mine = pools or (pool(),)
    return choose(
        needs,
        mine,
        more.pop("types", None) or types_of(*mine),
        offers(*mine) if bought is None else bought,
        used=used or Usage(),
        limits=limits,
        **more,
    )


def picked(choice):
    return {(pick.pool, pick.instance_type.name): pick.count for pick in choice.picks}


def launched(choice, start=0):
    return tuple(
        Room(
            instance=f"i-{start}-{pick.pool}-{pick.instance_type.name}-{number}",
            pool=pick.pool,
            vcpus=pick.instance_type.registered_cpu / CPU_UNITS,
            memory_mib=pick.instance_type.registered_mib,
            gpus=pick.instance_type.gpus,
        )
        for pick in choice.picks
        for number in range(pick.count)
    )


def keeps(limits, pools, usage):
    """Whether no limit is exceeded."""
    total = usage.total()
    return (
        (limits.max_vcpus is None or total.vcpus <= limits.max_vcpus)
        and (limits.max_instances is None or total.instances <= limits.max_instances)
        and (limits.max_hourly_cost is None or total.hourly_cost <= limits.max_hourly_cost)
        and all(
            each.max_instances is None or usage.of(each.name).instances <= each.max_instances
            for each in pools
        )
    )


@given(needs=needs_drawn, pools=pools_drawn, limits=limits_drawn)
def test_no_limit_is_exceeded_by_launch_after_launch_even_if_each_gets_its_dearest_offer(
    needs, pools, limits
):
    usage, rooms, by_name = Usage(), (), {each.name: each for each in TYPES}
    for turn in range(3):
        choice = chosen(needs, *pools, used=usage, limits=limits, rooms=rooms)
        usage = used_up(choice, usage)
        rooms += launched(choice, turn)
        assert keeps(limits, pools, usage)
        for pick in choice.picks:
            assert pick.offers[0].instance_type == pick.instance_type.name
            assert len(pick.offers) <= OFFERS_AT_MOST
            count = min(pick.count, CALL_AT_MOST)
            for offer in pick.offers:
                other = by_name[offer.instance_type]
                assert other.registered_mib >= pick.instance_type.registered_mib
                more = Used(
                    vcpus=count * (other.vcpus - pick.instance_type.vcpus),
                    hourly_cost=count * (offer.price - PRICES[pick.instance_type.name]),
                )
                dearest = {**usage.pools, pick.pool: usage.of(pick.pool) + more}
                assert keeps(limits, pools, Usage(pools=dearest))


@given(needs=needs_drawn, pools=pools_drawn, free=st.integers(0, 3))
def test_what_was_launched_serves_all_that_can_be_served_and_nothing_more_is_wanted(
    needs, pools, free
):
    wide = tuple(replace(each, max_instances=None) for each in pools)
    there = tuple(
        Room(instance=f"free-{number}", pool="", vcpus=4, memory_mib=9000) for number in range(free)
    )
    choice = chosen(needs, *wide, rooms=there)
    unfit = {short.need.jobs for short in choice.short}
    assert all(short.reason is Short.NEVER_FITS for short in choice.short), unfit
    rooms = there + launched(choice)
    again = chosen(needs, *wide, used=used_up(choice), rooms=rooms)
    assert not again.picks
    assert again.short == choice.short


@given(needs=needs_drawn, pools=pools_drawn, limits=limits_drawn, data=st.data())
def test_the_order_of_pools_offers_and_rooms_does_not_matter(needs, pools, limits, data):
    mine = offers(*pools)
    rooms = tuple(Room(instance=f"i-{n}", pool="p0", vcpus=n, memory_mib=9000) for n in range(3))
    one = chosen(needs, *pools, bought=mine, limits=limits, rooms=rooms)
    shuffled = data.draw(st.permutations(mine))
    other = chosen(
        needs,
        *data.draw(st.permutations(pools)),
        types=types_of(*pools),
        bought=shuffled,
        limits=limits,
        rooms=data.draw(st.permutations(rooms)),
    )
    assert picked(one) == picked(other)
    assert [each.offers for each in one.picks] == [each.offers for each in other.picks]


@given(needs=needs_drawn)
def test_jobs_are_neither_lost_nor_made_when_room_is_found_for_them(needs):
    rooms = [Room(instance=f"i-{n}", pool="", vcpus=8, memory_mib=32000) for n in range(4)]
    left = fit(needs, rooms)
    cpu = sum(each.cpu * each.count for each in needs) - sum(each.cpu * each.count for each in left)
    assert cpu <= 4 * 8 * CPU_UNITS
    assert sum(each.count for each in left) <= sum(each.count for each in needs)


def test_what_fits_free_room_and_what_is_on_its_way_launches_nothing():
    rooms = [Room(instance="i-1", pool="main", vcpus=2, memory_mib=15000)]
    choice = chosen([need(count=2)], rooms=rooms)
    assert not choice.picks
    assert choice.wanted == "nothing more: 2 waiting jobs fit into what is there or on its way"


def test_a_job_whose_timeout_ends_after_the_instance_is_not_counted_on_it():
    rooms = [Room(instance="i-1", pool="b", vcpus=2, memory_mib=15000, seconds_left=600.0)]
    assert fit([need(timeout_seconds=601)], rooms)
    assert not fit([need(timeout_seconds=600)], rooms)
    assert not fit([need(timeout_seconds=None)], rooms)


def test_the_line_says_what_is_wanted_and_why():
    choice = chosen([need(1, 8000, 41)], pool("main", X4))
    assert choice.wanted == "3 instances (48 vCPUs) for 41 waiting jobs: 3 x r7i.4xlarge"
    assert chosen([]).wanted == "nothing: no job waits"


def test_the_cheapest_per_fitted_job_wins_and_of_equals_the_fewest_instances():
    assert picked(chosen([need(1, 4000, 1)])) == {("main", "r7i.large"): 1}
    assert picked(chosen([need(1, 4000, 16)])) == {("main", "r7i.4xlarge"): 1}
    prices = {**PRICES, "r7i.4xlarge": Decimal("0.81")}
    mine = pool()
    found = chosen([need(1, 4000, 16)], mine, bought=offers(mine, prices=prices))
    assert picked(found) == {("main", "r7i.xlarge"): 4}


def test_the_priority_of_a_pool_goes_before_its_price():
    dear = pool("dear", XLARGE, priority=1)
    cheap = pool("cheap", LARGE, priority=2)
    assert picked(chosen([need()], cheap, dear)) == {("dear", "r7i.xlarge"): 1}
    full = replace(dear, max_instances=0)
    assert picked(chosen([need()], cheap, full)) == {("cheap", "r7i.large"): 1}


def test_a_job_for_a_gpu_gets_one_and_the_others_none():
    wanted = picked(chosen([need(gpus=1), need(1, 4000, 2)]))
    assert wanted[("main", "g5.xlarge")] == 1
    assert picked(chosen([need(1, 4000, 2)])) == {("main", "r7i.large"): 1}


def test_a_limit_serves_the_jobs_that_batch_starts_first():
    first, then = need(2, 3000, 2, jobs=("first",)), need(16, 100, 2, jobs=("then",))
    choice = chosen([first, then], limits=Limits(max_vcpus=8))
    assert {short.need.jobs for short in choice.short} == {("then",)}
    assert choice.short[0].reason is Short.LIMIT
    assert "2 waiting jobs are beyond limits.maxvCpus (8)" in choice.wanted


def test_what_is_in_use_and_open_launches_count_against_the_limits():
    usage = Usage(pools={"gone": Used(instances=1, vcpus=6)})
    choice = chosen([need(2, 100, 9)], used=usage, limits=Limits(max_vcpus=8))
    assert picked(choice) == {("main", "r7i.large"): 1}


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


def test_a_need_of_more_vcpus_or_gpus_than_any_type_names_the_nearest():
    (short,) = chosen([need(17, 100)]).short
    assert "nearest type, r7i.4xlarge of pool main, has 16 vCPUs" in short.message
    (short,) = chosen([need(1, 100, gpus=2)]).short
    assert "g5.xlarge of pool main, has 1 GPUs" in short.message


def test_an_unknown_price_is_ordered_by_vcpus_and_refused_under_a_limit_of_cost():
    mine = pool("main", LARGE, XLARGE)
    unpriced = offers(mine, prices={"r7i.large": Decimal(9)})
    assert picked(chosen([need()], mine, bought=unpriced)) == {("main", "r7i.large"): 1}
    capped = Limits(max_hourly_cost=Decimal(100))
    only = pool("main", XLARGE)
    choice = chosen([need()], only, bought=offers(only, prices={}), limits=capped)
    assert [each.reason for each in choice.short] == [Short.PRICE_UNKNOWN]
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
    assert "0.10 US dollars an hour, above maxPricePerHour" in short.message
    allowed = replace(spot, max_price_per_hour=Decimal("0.50"))
    found = chosen([need(2, 100, 9)], allowed, limits=Limits(max_hourly_cost=Decimal("1.20")))
    assert picked(found) == {("spot", "r7i.large"): 2}


def test_offers_that_are_all_paused_are_told_as_such():
    (short,) = chosen([need()], bought=()).short
    assert short.reason is Short.NO_OFFER


def test_a_pool_with_an_open_launch_or_a_canary_launches_no_more_than_it_may():
    assert [each.reason for each in chosen([need()], at_most={"main": 0}).short] == [Short.HELD]
    assert picked(chosen([need(2, 100, 9)], pool("main", LARGE), at_most={"main": 1})) == {
        ("main", "r7i.large"): 1
    }


def test_a_pool_keeps_its_minimum_and_gets_replacements_for_what_it_loses():
    mine = pool("main", LARGE, min_instances=2)
    usage = Usage(pools={"main": Used(instances=1, vcpus=2)})
    assert picked(chosen([], mine, used=usage)) == {("main", "r7i.large"): 1}
    assert picked(chosen([need(2, 100, 3)], mine, used=usage)) == {("main", "r7i.large"): 3}
    full = Usage(pools={"main": Used(instances=2, vcpus=4)})
    assert picked(chosen([], mine, used=full, extra={"main": 2})) == {("main", "r7i.large"): 2}


def test_blocks_are_not_bought_for_demand():
    block = pool("block", LARGE, market=Market.SPOT_BLOCK)
    assert [each.reason for each in chosen([need()], block).short] == [Short.BLOCK]


def test_a_thousand_jobs_of_one_vcpu_are_few_launch_calls():
    choice = chosen([need(1, 2000, 1000)], pool("main", LARGE, XLARGE, X4))
    calls = sum(-(-pick.count // CALL_AT_MOST) for pick in choice.picks)
    assert calls <= 3
    assert sum(pick.vcpus for pick in choice.picks) <= 1016


def test_cpu_options_halve_what_a_type_takes():
    half = replace(X4, registered_cpu=8 * CPU_UNITS)
    mine = pool("main", X4)
    choice = chosen([need(1, 100, 16)], mine, types={"main": (half,)})
    assert picked(choice) == {("main", "r7i.4xlarge"): 2}
    assert choice.picks[0].vcpus == 32


def test_packing_is_fast_by_the_sorts_of_jobs_and_not_by_their_number():
    started = time.process_time()
    chosen([need(1, 2000, 100_000)], limits=Limits(max_vcpus=512))
    alike = time.process_time() - started
    assert alike < 0.05
    many = tuple(itype(f"m{n}.x", 2 + n % 30, 8 + n) for n in range(50))
    mine = pool("main", *many)
    prices = {each.name: Decimal(each.vcpus) / 20 + each.memory_mib // 1024 for each in many}
    needs = [need(0.25 * (1 + n % 40), 500 + 17 * n, 1) for n in range(500)]
    started = time.process_time()
    choice = chosen(needs, mine, types={"main": many}, bought=offers(mine, prices=prices))
    assert time.process_time() - started < 0.5
    assert choice.served == 500
