"""What is launched for the jobs that wait: enough, by price, and never above a limit."""

import time
from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.capacity.values import (
    LARGE,
    PRICES,
    TYPES,
    X4,
    XLARGE,
    chosen,
    itype,
    limits_drawn,
    need,
    needs_drawn,
    offers,
    picked,
    pool,
    pools_drawn,
    types_of,
    used_up,
)

from awsbatch_operator.capacity.budget import Budget, Candidate, never_worse
from awsbatch_operator.capacity.choice import CALL_AT_MOST, OFFERS_AT_MOST
from awsbatch_operator.capacity.model import CPU_UNITS, Limits, Room, Usage, Used
from awsbatch_operator.capacity.packing import fit
from awsbatch_operator.capacity.shortfalls import Short


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
def test_the_order_of_pools_and_offers_does_not_matter(needs, pools, limits, data):
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
        rooms=rooms,
    )
    assert picked(one) == picked(other)
    assert [each.offers for each in one.picks] == [each.offers for each in other.picks]


@given(
    needs=needs_drawn,
    sizes=st.lists(
        st.tuples(st.integers(1, 16), st.integers(1000, 120000)), min_size=1, max_size=5
    ),
)
def test_room_that_is_added_leaves_no_more_jobs_without_than_before(needs, sizes):
    rooms = [
        Room(instance=f"i-{n}", pool="", vcpus=vcpus, memory_mib=mib)
        for n, (vcpus, mib) in enumerate(sizes)
    ]
    left = [sum(each.count for each in fit(needs, rooms[:n])) for n in range(len(rooms) + 1)]
    assert left == sorted(left, reverse=True)


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


def test_a_pool_keeps_its_minimum():
    mine = pool("main", LARGE, min_instances=2)
    usage = Usage(pools={"main": Used(instances=1, vcpus=2)})
    assert picked(chosen([], mine, used=usage)) == {("main", "r7i.large"): 1}
    assert picked(chosen([need(2, 100, 3)], mine, used=usage)) == {("main", "r7i.large"): 3}
    full = Usage(pools={"main": Used(instances=2, vcpus=4)})
    assert picked(chosen([], mine, used=full)) == {}


def test_a_thousand_jobs_of_one_vcpu_are_few_launch_calls():
    choice = chosen([need(1, 2000, 1000)], pool("main", LARGE, XLARGE, X4))
    calls = sum(-(-pick.count // CALL_AT_MOST) for pick in choice.picks)
    assert calls <= 3
    assert sum(pick.vcpus for pick in choice.picks) <= 1016


def test_what_is_spent_already_counts_against_the_limit_of_cost():
    usage = Usage(pools={"main": Used(instances=10, vcpus=20, hourly_cost=Decimal("1.00"))})
    capped = Limits(max_hourly_cost=Decimal("1.25"))
    choice = chosen([need(2, 100, 9)], pool("main", LARGE), used=usage, limits=capped)
    assert picked(choice) == {("main", "r7i.large"): 2}


def test_cpu_options_halve_what_a_type_takes():
    half = replace(X4, registered_cpu=8 * CPU_UNITS)
    mine = pool("main", X4)
    choice = chosen([need(1, 100, 16)], mine, types={"main": (half,)})
    assert picked(choice) == {("main", "r7i.4xlarge"): 2}
    assert choice.picks[0].vcpus == 32


def test_a_type_stands_in_only_where_the_limits_hold_if_all_are_of_it():
    picked_one, other = itype("a.large", 2, 16), itype("b.xlarge", 4, 16)
    mine = pool("main", picked_one, other)
    prices = {"a.large": Decimal("0.10"), "b.xlarge": Decimal("0.14")}

    def named(**limits):
        bought = offers(mine, prices=prices)
        types = {"main": (picked_one, other)}
        needs = [need(2, 14000, 4)]
        [pick] = chosen(needs, mine, types=types, bought=bought, limits=Limits(**limits)).picks
        return {offer.instance_type for offer in pick.offers}

    assert named(max_vcpus=16) == named(max_hourly_cost=Decimal("0.56")) == {"a.large", "b.xlarge"}
    assert named(max_vcpus=15) == named(max_hourly_cost=Decimal("0.55")) == {"a.large"}


def test_a_pool_keeps_its_minimum_though_another_pool_has_all_its_types():
    pools = pool("p0"), pool("p1", min_instances=1)
    assert picked(chosen([], *pools)) == {("p1", "r7i.large"): 1}


def candidate(about, price="1", bound="1"):
    return Candidate(pool="main", type=about, offers=(), price=Decimal(price), bound=Decimal(bound))


def test_a_type_is_left_out_only_where_another_is_in_no_way_worse():
    budget = Budget.of([pool("main", X4)], Usage(), Limits(), {})
    one = candidate(itype("one", 4, 16))
    cheaper = candidate(itype("two", 4, 16), price="0.9")
    assert never_worse([one, cheaper], budget) == [cheaper]
    worse = (
        candidate(itype("less.memory", 4, 8), price="0.9"),
        candidate(itype("less.cpu", 2, 16), price="0.9"),
        candidate(itype("more.vcpus", 8, 16), price="0.9"),
        candidate(itype("dearer.at.most", 4, 16), price="0.9", bound="2"),
    )
    for other in worse:
        assert set(never_worse([one, other], budget)) == {one, other}, other


def test_a_small_job_is_served_though_the_first_one_is_beyond_the_limit():
    choice = chosen([need(16, 100, 1), need(2, 100, 1)], limits=Limits(max_vcpus=8))
    assert picked(choice) == {("main", "r7i.large"): 1}


def test_packing_is_fast_by_the_sorts_of_jobs_and_not_by_their_number():
    started = time.process_time()
    chosen([need(1, 2000, 100_000)], limits=Limits(max_vcpus=512))
    alike = time.process_time() - started
    assert alike < 0.05
    many = tuple(itype(f"m{n}.x", 2 + n % 30, 8 + n) for n in range(50))
    mine = pool("main", *many)
    prices = {each.name: Decimal(each.vcpus) / 20 + each.memory_mib // 1024 for each in many}
    needs = [need(0.25 * (1 + n % 40), 500 + 17 * n, 1) for n in range(250)]
    started = time.process_time()
    choice = chosen(needs, mine, types={"main": many}, bought=offers(mine, prices=prices))
    assert time.process_time() - started < 0.25
    assert choice.served == 250
