"""Which reservations a block launches into and cancels: its own object's, and no others."""

from dataclasses import replace

import pytest
from tests.unit.capacity.blocks import END, block_pool, step, view

from awsbatch_operator.capacity.block_record import (
    Block,
    LaunchBlock,
    Phase,
    Release,
    Reservation,
    Reserve,
)
from awsbatch_operator.capacity.blocks import failed
from awsbatch_operator.capacity.faults import classify
from awsbatch_operator.capacity.model import Rung


@pytest.mark.parametrize("fault", ["InsufficientInstanceCapacity", "ReservationCapacityExceeded"])
def test_ones_own_reservation_is_never_cancelled_when_the_launch_into_it_is_refused(fault):
    own = Reservation(
        id="cr-own", instance_type="r7i.large", zone="a", available=2, active=True, ours=False
    )
    mine = block_pool(Rung.OWN_RESERVATION, Rung.UNTIL_DEADLINE)
    seen = view(reservations=[own])
    first = step(None, mine, seen)
    assert first.action.reservation == "cr-own"
    told = step(failed(first.block, classify(fault, "Full.")), mine, seen)
    assert isinstance(told.action, LaunchBlock)
    assert (told.block.rung, told.action.reservation) == (Rung.UNTIL_DEADLINE, "")


def test_a_reservation_that_a_record_names_and_that_is_not_ours_is_neither_cancelled_nor_used():
    other = Reservation(
        id="cr-1", instance_type="r7i.large", zone="a", available=2, active=True, ours=False
    )
    mine = block_pool(Rung.NEW_RESERVATION)
    block = Block(
        request=1,
        phase=Phase.WAITING,
        reservation="cr-2",  # of another team: the view has only what the object may use
        end=END,
        instance_type="r7i.large",
        zone="a",
        tried=((Rung.NEW_RESERVATION, "why"),),
    )
    for name in ("cr-1", "cr-2"):
        told = step(replace(block, reservation=name), mine, view(reservations=[other]))
        assert not isinstance(told.action, Release)
    launching = replace(block, phase=Phase.LAUNCHING, rung=Rung.NEW_RESERVATION, tried=())
    told = step(launching, mine, view(reservations=[other]))
    assert not isinstance(told.action, LaunchBlock)


def test_a_block_whose_reservation_somebody_has_cancelled_goes_on_to_the_next_way():
    mine = block_pool(Rung.NEW_RESERVATION, Rung.UNTIL_DEADLINE)
    launching = Block(
        request=1,
        phase=Phase.LAUNCHING,
        rung=Rung.NEW_RESERVATION,
        reservation="cr-1",
        instance_type="r7i.large",
        zone="a",
        end=END,
    )
    assert step(launching, mine, view(launching=True)).action is None
    told = step(launching, mine, view())
    assert (told.block.rung, told.action.reservation) == (Rung.UNTIL_DEADLINE, "")
    assert "the reservation cr-1 is not there" in told.decision


@pytest.mark.parametrize("ours", [True, False])
def test_what_a_full_reservation_lacks_is_not_launched_into_it_by_the_next_way(ours):
    mine = block_pool(Rung.OWN_RESERVATION, Rung.NEW_RESERVATION, Rung.UNTIL_DEADLINE)
    rung = Rung.NEW_RESERVATION if ours else Rung.OWN_RESERVATION
    full = Reservation(
        id="cr-1", instance_type="r7i.large", zone="a", available=0, active=True, ours=ours
    )
    launching = Block(
        request=1,
        phase=Phase.LAUNCHING,
        rung=rung,
        reservation="cr-1",
        instance_type="r7i.large",
        zone="a",
        end=END,
        tried=((Rung.OWN_RESERVATION, "why"), (Rung.NEW_RESERVATION, "why"))[: int(ours)],
    )
    seen = view(reservations=[full], living=1)
    told = step(failed(launching, classify("ReservationCapacityExceeded", "Full.")), mine, seen)
    if not ours:
        assert isinstance(told.action, Reserve)
        return
    assert (told.block.rung, told.action.reservation) == (Rung.UNTIL_DEADLINE, "")
    assert told.block.reservation == "cr-1"  # an instance is in it
    gone = step(told.block, mine, view(living=1))
    assert (gone.block.rung, gone.action) == (Rung.UNTIL_DEADLINE, told.action)


def test_a_reservation_that_led_nowhere_is_released_before_the_next_way():
    mine = block_pool(Rung.NEW_RESERVATION, Rung.UNTIL_DEADLINE)
    launching = Block(
        request=1,
        phase=Phase.LAUNCHING,
        rung=Rung.NEW_RESERVATION,
        reservation="cr-1",
        instance_type="r7i.large",
        zone="a",
        end=END,
    )
    made = Reservation(
        id="cr-1", instance_type="r7i.large", zone="a", available=2, active=True, ours=True
    )
    seen = view(reservations=[made])
    told = step(failed(launching, classify("InvalidAMIID.NotFound", "Gone.")), mine, seen)
    assert told.action == Release("cr-1")
    assert step(told.block, mine, view()).block.rung is Rung.UNTIL_DEADLINE
