"""The record of a block, and that whatever EC2 answers none is bought twice."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.capacity.blocks import END, SHORT, block_pool, step, view
from tests.unit.capacity.values import NOW, PRICES

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import RecordError
from awsbatch_operator.capacity.block_record import (
    Block,
    LaunchBlock,
    Phase,
    Release,
    Reservation,
    Reserve,
    block_body,
    block_of,
    block_shown,
)
from awsbatch_operator.capacity.blocks import failed
from awsbatch_operator.capacity.faults import classify
from awsbatch_operator.capacity.model import Rung

moments = st.none() | st.integers(1, 2**33).map(lambda quarter: Instant(quarter / 4))


@given(
    st.builds(
        Block,
        request=st.integers(0, 9),
        renewal=st.integers(0, 2),
        phase=st.sampled_from(list(Phase)),
        rung=st.none() | st.sampled_from(list(Rung)),
        attempt=st.integers(0, 2),
        failures=st.integers(0, 2),
        not_before=moments,
        tried=st.lists(st.tuples(st.sampled_from(list(Rung)), st.just("why")), max_size=2).map(
            tuple
        ),
        instance_type=st.sampled_from(["", "r7i.large"]),
        zone=st.sampled_from(["", "a"]),
        reservation=st.sampled_from(["", "cr-1"]),
        mark=st.sampled_from(["", "1/x"]),
        end=moments,
        price=st.none() | st.sampled_from([Decimal(0), Decimal("0.03")]),
    )
)
def test_the_record_of_a_block_comes_back_as_it_was(block):
    assert block_of(block_body(block)) == block


def test_a_damaged_record_is_an_error_and_a_lost_one_is_not_bought_again():
    assert block_of({}) is None
    with pytest.raises(RecordError):
        block_of({"request": 1, "phase": "Sleeping"})
    shown = block_shown({"request": 3, "decision": "x", "endTime": END.rfc3339()})
    assert shown == Block(request=3, phase=Phase.HELD, end=END)
    assert block_shown({}) is None
    assert block_shown({"request": "x", "endTime": END.rfc3339()}) is None


@given(
    fallback=st.permutations(list(Rung)),
    price=st.none() | st.sampled_from(["0.05", "0.10", "0.15"]),
    answers=st.lists(st.sampled_from(["made", "short", "quota", "lost"]), max_size=12),
)
def test_whatever_ec2_answers_no_request_is_bought_twice_nor_above_its_price(
    fallback, price, answers
):
    mine, block, now, living = block_pool(*fallback, price=price), None, NOW, 0
    reservations: dict[str, Reservation] = {}
    for answer in answers:
        now = now.plus(3700)
        seen = view(living=living, reservations=list(reservations.values()))
        told = step(block, mine, seen, now=now)
        block = told.block
        if told.action is None:
            continue
        match told.action, answer:
            case Reserve() as asked, "made" | "lost":
                assert price is None or PRICES[asked.instance_type] <= Decimal(price)
                made = Reservation(
                    id=f"cr-{asked.token}",
                    instance_type=asked.instance_type,
                    zone=asked.zone,
                    available=asked.count,
                    active=True,
                    ours=True,
                    token=asked.token,
                )
                reservations[asked.token] = made
            case LaunchBlock() as asked, "made":
                assert asked.offers
                prices = [PRICES[each.instance_type] for each in asked.offers]
                assert price is None or max(prices) <= Decimal(price)
                living += asked.count
            case Release() as asked, _:
                reservations.pop(asked.reservation.removeprefix("cr-"), None)
            case _, "short":
                block = failed(block, SHORT)
            case _, "quota":
                block = failed(block, classify("VcpuLimitExceeded"))
            case _:
                pass
        assert living <= 2
        assert len(reservations) <= 1
