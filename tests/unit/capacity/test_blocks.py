"""A block is made once, by the user's ladder, never above the price, and ends in time."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.unit.capacity.blocks import END, HOURS, SHORT, block_pool, bought, step, view
from tests.unit.capacity.values import NOW

from awsbatch_operator.capacity.block_record import (
    ALLOWANCE_SECONDS,
    Block,
    LaunchBlock,
    Phase,
    Reservation,
    Reserve,
)
from awsbatch_operator.capacity.blocks import failed
from awsbatch_operator.capacity.faults import classify
from awsbatch_operator.capacity.model import (
    BlockStart,
    Limits,
    Market,
    Renew,
    Rung,
)

OWN = Reservation(
    id="cr-own", instance_type="r7i.large", zone="a", available=2, active=True, ours=False
)


def test_a_block_on_demand_begins_when_a_job_first_waits_for_it():
    mine = block_pool(Rung.UNTIL_DEADLINE, start=BlockStart.ON_DEMAND)
    told = step(None, mine, view())
    assert (told.block.phase, told.action) == (Phase.WAITING, None)
    assert isinstance(step(told.block, mine, view(waiting=1)).action, LaunchBlock)
    eager = block_pool(Rung.UNTIL_DEADLINE)
    assert isinstance(step(None, eager, view()).action, LaunchBlock)


def test_ones_own_reservation_comes_first_and_must_last_until_the_end():
    own = replace(OWN, instance_type="r7i.xlarge", zone="b")
    told = step(None, block_pool(), view(reservations=[own]))
    action = told.action
    assert isinstance(action, LaunchBlock)
    assert (action.reservation, action.count, action.end) == ("cr-own", 2, END)
    assert {(each.instance_type, each.zone) for each in action.offers} == {("r7i.xlarge", "b")}
    for unfit in (
        replace(own, available=1),
        replace(own, active=False),
        replace(own, ours=True),
        replace(own, end=END.plus(-1)),
        replace(own, instance_type="m5.large"),
    ):
        assert isinstance(step(None, block_pool(), view(reservations=[unfit])).action, Reserve)


def test_a_new_reservation_carries_the_end_and_is_asked_for_by_one_token_until_it_is_seen():
    mine = block_pool()
    told = step(None, mine, view())
    reserve = told.action
    assert isinstance(reserve, Reserve)
    assert (reserve.instance_type, reserve.count, reserve.end) == ("r7i.large", 2, END)
    later = step(told.block, mine, view(), now=NOW.plus(500))
    assert later.action == reserve  # the answer was lost: EC2 knows the token and makes none
    made = Reservation(
        id="cr-1",
        instance_type="r7i.large",
        zone="a",
        available=2,
        active=True,
        ours=True,
        token=reserve.token,
    )
    told = step(later.block, mine, view(reservations=[made]), now=NOW.plus(600))
    assert isinstance(told.action, LaunchBlock)
    assert (told.action.reservation, told.action.end) == ("cr-1", END)
    held = step(told.block, mine, view(reservations=[made], living=2))
    assert (held.block.phase, held.action) == (Phase.HELD, None)
    assert "2 x r7i.large in a until" in held.decision
    over = step(held.block, mine, view(reservations=[made]), now=END)
    assert (over.block.phase, over.action) == (Phase.OVER, None)  # what nobody needs is released


def test_the_ladder_is_climbed_down_and_spot_is_used_only_if_it_is_listed():
    mine = block_pool(Rung.NEW_RESERVATION, Rung.UNTIL_DEADLINE)
    told = step(None, mine, view())
    quota = classify("ReservationQuota", "Too many reservations.")
    told = step(failed(told.block, quota), mine, view())
    assert (told.block.rung, told.action.market) == (Rung.UNTIL_DEADLINE, Market.ON_DEMAND)
    assert "NewReservation: Too many reservations." in told.decision
    assert told.block.guaranteed
    none = step(failed(told.block, quota), mine, view())
    assert none.action is None
    assert none.again == NOW.plus(60)
    listed = block_pool(Rung.SPOT)
    spot = step(None, listed, view())
    assert spot.action.market is Market.SPOT
    assert not spot.block.guaranteed
    assert "EC2 may take back" in spot.decision


def test_an_offer_that_is_short_is_followed_by_the_next_cheapest_before_the_next_way():
    mine = block_pool(Rung.NEW_RESERVATION)
    first = step(None, mine, view())
    left = tuple(each for each in bought() if (each.instance_type, each.zone) != ("r7i.large", "a"))
    told = step(failed(first.block, SHORT), mine, view(offers=left))
    assert (told.action.instance_type, told.action.zone) == ("r7i.large", "b")
    assert told.action.token != first.action.token


def test_a_refused_reservation_pauses_nothing_and_yet_each_offer_is_tried_once():
    """Fewer instances may well be had of the same offers: the next way begins with the cheapest."""
    mine = block_pool(Rung.NEW_RESERVATION, Rung.UNTIL_DEADLINE)
    told, tried = step(None, mine, view()), []
    while isinstance(told.action, Reserve):
        tried.append((told.action.instance_type, told.action.zone))
        told = step(failed(told.block, SHORT), mine, view())
    assert tried == [(name, zone) for name in ("r7i.large", "r7i.xlarge") for zone in "ab"]
    assert (told.block.rung, told.block.instance_type) == (Rung.UNTIL_DEADLINE, "r7i.large")
    assert "NewReservation: EC2 is short of all that is offered" in told.decision


def test_the_time_that_the_ladder_takes_is_not_taken_from_the_duration():
    mine = block_pool(Rung.NEW_RESERVATION, Rung.UNTIL_DEADLINE)
    first = step(None, mine, view())
    later = NOW.plus(1800)
    told = step(failed(first.block, SHORT), mine, view(), now=later)
    assert told.action.end == later.plus(HOURS + ALLOWANCE_SECONDS)
    assert told.action.token != first.action.token  # another end is another request


def test_all_ways_closed_are_tried_again_later_and_later_never_in_a_hot_loop():
    mine, block, waits, now = block_pool(Rung.UNTIL_DEADLINE), None, [], NOW
    for _ in range(8):
        told = step(block, mine, view(offers=()), now=now)
        assert told.action is None
        later = step(told.block, mine, view(), now=now.plus(1))
        assert later.action is None
        # It is told all the time, not only in the moment in which it is found out.
        assert "OnDemandUntilDeadline: nothing is offered now" in later.decision
        assert told.again.rfc3339() in later.decision
        waits.append(told.again.since(now) / 60)
        block, now = told.block, told.again
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert "OnDemandUntilDeadline: nothing is offered now" in told.decision


def test_a_changed_spec_is_tried_at_once_however_long_the_block_was_to_wait():
    dear = block_pool(Rung.UNTIL_DEADLINE, price="0.03")
    told = step(None, dear, view(mark="1"))
    cheap = block_pool(Rung.UNTIL_DEADLINE, price="0.10")
    assert step(told.block, cheap, view(mark="1"), now=NOW.plus(5)).action is None
    again = step(told.block, cheap, view(mark="2"), now=NOW.plus(5))
    assert isinstance(again.action, LaunchBlock)
    still = step(told.block, dear, view(mark="2"), now=NOW.plus(5))
    assert (still.action, still.block.mark) == (None, "2")  # which waits again


def test_a_block_is_never_above_its_price_and_an_unknown_price_is_none():
    told = step(None, block_pool(price="0.03"), view())
    assert told.action is None
    assert "r7i.large costs 0.10, above maxPricePerHour 0.03" in told.decision
    unpriced = step(None, block_pool(price="0.03"), view(offers=bought(prices={})))
    assert unpriced.action is None
    assert "the price of r7i.large is unknown" in unpriced.decision
    allowed = step(None, block_pool(price="0.10"), view())
    assert allowed.action.instance_type == "r7i.large"
    assert allowed.cost == Decimal("0.82")  # 2 x 0.10 for 4 h and 5 min


def test_a_block_keeps_the_limits_of_all_pools():
    told = step(None, block_pool(), view(), limits=Limits(max_vcpus=3))
    assert told.action is None
    assert "limits.maxvCpus (3)" in told.decision


def test_spot_of_a_block_counts_for_the_limit_of_cost_with_the_highest_price():
    mine = block_pool(Rung.SPOT, price="0.50")
    short = step(None, mine, view(), limits=Limits(max_hourly_cost=Decimal("0.99")))
    assert short.action is None
    assert "limits.maxHourlyCost (0.99) does not allow all of it" in short.decision
    able = step(None, mine, view(), limits=Limits(max_hourly_cost=Decimal("1.00")))
    assert able.action.market is Market.SPOT


def test_a_request_is_fulfilled_once_and_a_higher_number_makes_the_next():
    mine = block_pool(Rung.UNTIL_DEADLINE)
    over = Block(request=1, phase=Phase.OVER)
    assert step(over, mine, view(waiting=5)).action is None
    higher = block_pool(Rung.UNTIL_DEADLINE, request=2)
    assert step(over, higher, view()).block.request == 2
    held = Block(request=1, phase=Phase.HELD, end=END)
    assert step(held, higher, view(living=2)).block == held
    lower = block_pool(Rung.UNTIL_DEADLINE, request=1)
    assert step(Block(request=2, phase=Phase.OVER), lower, view(waiting=1)).action is None


def test_what_is_lost_of_a_held_block_is_not_bought_again():
    mine = block_pool(Rung.UNTIL_DEADLINE)
    held = Block(request=1, phase=Phase.HELD, rung=Rung.UNTIL_DEADLINE, end=END)
    assert step(held, mine, view(living=1)).action is None
    assert step(held, mine, view()).block.phase is Phase.OVER


def test_a_block_renews_only_while_jobs_wait_and_with_another_token():
    mine = block_pool(Rung.NEW_RESERVATION, renew=Renew.WHILE_DEMAND)
    over = Block(request=1, phase=Phase.OVER, rung=Rung.NEW_RESERVATION)
    told = step(over, mine, view())
    assert told.action is None
    assert told.decision == "Request 1 is over. It is renewed when a job waits for it."
    again = step(over, mine, view(waiting=1))
    assert again.block.renewal == 1
    assert again.action.token != step(None, mine, view()).action.token


def test_a_part_that_was_launched_is_kept_and_the_rest_asked_for_by_the_next_way():
    mine = block_pool(Rung.UNTIL_DEADLINE, Rung.SPOT)
    first = step(None, mine, view())
    moved = failed(first.block, classify("VcpuLimitExceeded", "Quota."))
    rest = step(moved, mine, view(living=1))
    assert (rest.action.count, rest.action.market, rest.action.end) == (1, Market.SPOT, END)
    end = step(failed(rest.block, classify("VcpuLimitExceeded", "Quota.")), mine, view(living=1))
    assert (end.block.phase, end.action) == (Phase.HELD, None)
    assert end.decision.startswith("1 of 2 instances")


@pytest.mark.parametrize("living", [0, 1])
def test_a_reservation_of_ones_own_is_never_released_nor_used_by_another_way(living):
    mine = block_pool(Rung.OWN_RESERVATION, Rung.UNTIL_DEADLINE)
    first = step(None, mine, view(reservations=[OWN]))
    assert first.action.reservation == OWN.id
    full = classify("ReservationCapacityExceeded", "It is full.")
    told = step(failed(first.block, full), mine, view(reservations=[OWN], living=living))
    assert isinstance(told.action, LaunchBlock)
    assert (told.block.rung, told.action.reservation) == (Rung.UNTIL_DEADLINE, "")
    assert told.action.count == 2 - living


@pytest.mark.parametrize(
    "code", ["RequestLimitExceeded", "InternalError", "", "InvalidLaunchTemplateId.NotFound"]
)
def test_what_says_nothing_about_the_way_leaves_the_block_as_it_is(code):
    block = Block(request=1, phase=Phase.SECURING, rung=Rung.NEW_RESERVATION)
    assert failed(block, classify(code)) == block


@pytest.mark.parametrize("phase", [Phase.SECURING, Phase.LAUNCHING])
def test_nothing_is_bought_for_a_block_whose_end_has_come_before_it_was_made(phase):
    """The operator was away for longer than the block was to last."""
    mine = block_pool(Rung.UNTIL_DEADLINE)
    late = Block(
        request=1,
        phase=phase,
        rung=Rung.UNTIL_DEADLINE,
        instance_type="r7i.large",
        zone="a",
        end=END,
    )
    told = step(late, mine, view(waiting=1), now=END)
    assert (told.block.phase, told.action) == (Phase.OVER, None)
    assert "spotBlock.request" in told.decision
    some = step(late, mine, view(living=1), now=END)
    assert (some.block.phase, some.action) == (Phase.HELD, None)


def test_an_open_launch_is_awaited():
    mine = block_pool(Rung.UNTIL_DEADLINE)
    told = step(None, mine, view())
    assert step(told.block, mine, view(launching=True)).action is None
