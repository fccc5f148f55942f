"""Plans of blocks, carried out on a model of EC2, ECS and Batch."""

from dataclasses import replace

import pytest
from tests.unit.capacity.cloud_model import Job
from tests.unit.capacity.small_worlds import HOUR, block, world
from tests.unit.capacity.values import LARGE, pool

from awsbatch_operator.api.metadata import LAUNCHES
from awsbatch_operator.capacity.block_record import Block, Phase
from awsbatch_operator.capacity.launch_codec import annotation
from awsbatch_operator.capacity.launches import Launches
from awsbatch_operator.capacity.model import BlockStart, Need, Rung
from awsbatch_operator.capacity.planner import plan_capacity
from awsbatch_operator.capacity.settling import put_block


def test_a_block_is_looked_at_again_when_it_has_to_be_drained():
    made = world(block(count=1, drain_timeout_seconds=120), jobs=1, seconds=10)
    made.run(300)
    [life] = made.observed().lives
    made.now = life.instance.end.plus(-120 - 7)
    assert made.plan().look_again_seconds == pytest.approx(7)
    made.now = life.instance.end.plus(-120)
    assert made.plan().steps


def test_a_block_takes_no_new_job_that_could_not_come_to_its_end_by_its_timeout():
    made = world(block(count=1), jobs=1, seconds=10)
    made.run(300)
    [life] = made.observed().lives
    made.now = life.instance.end.plus(-1200)
    need = Need(vcpus=1.0, memory_mib=1000, count=1, timeout_seconds=1800)
    for needs, drained in (
        ([need], True),
        ([replace(need, timeout_seconds=900)], False),
        ([need, replace(need, timeout_seconds=None)], False),  # one that may end at any time
        ([replace(need, timeout_seconds=90_000)], False),  # no block of the pool would take it
    ):
        seen = replace(made.observed(), needs=needs)
        steps = plan_capacity(made.wish, seen, made.record(), made.now).steps
        operations = {step.action.operation for step in steps}
        assert ("UpdateContainerInstancesState" in operations) == drained, needs


@pytest.mark.parametrize("immediately", [False, True])
def test_nothing_is_launched_where_batch_would_start_no_job(immediately):
    start = BlockStart.IMMEDIATELY if immediately else BlockStart.ON_DEMAND
    made = world(block(start=start), pool("main", LARGE, min_instances=1), jobs=1)
    seen = replace(made.observed(), serves=False)
    assert plan_capacity(made.wish, seen, made.record(), made.now).steps == ()
    assert made.plan().steps


def test_a_block_is_reserved_launched_held_to_its_end_and_never_made_again():
    made = world(block(), jobs=1, seconds=60.0)
    [first] = made.turn().steps
    assert first.note.message.startswith("Reserved 2 x r7i.large for pool block until ")
    made.run(300.0)
    assert len(made.reservations) == 1
    assert len(made.alive()) == 2
    shown = made.plan().announce["capacity"]["pools"][0]["block"]
    assert shown["request"] == 1
    assert "NewReservation" in shown["decision"]
    made.run(2 * HOUR)
    made.jobs.append(Job(1.0, 1000, 60.0))
    made.run(HOUR)
    assert made.alive() == []
    assert made.reservations == {}
    assert len(made.instances) == 2


def test_a_reservation_is_released_as_long_as_it_is_there_once_its_block_is_over_or_its_pool_gone():
    made = world(block(), jobs=1, seconds=60.0)
    made.run(300.0)
    kept = dict(made.reservations)
    assert [step.action.operation for step in made.plan().steps] == []
    wish, made.wish = made.wish, replace(made.wish, pools=())
    made.run(300.0)
    assert made.reservations == {}
    made.wish = wish
    made.run(HOUR)
    assert (made.reservations, made.alive()) == ({}, [])
    made.reservations = kept  # its release came to nothing
    made.run(60.0)
    assert made.reservations == {}
    assert len(made.instances) == 2


def test_a_crash_after_any_step_of_a_block_buys_nothing_twice():
    ladder = (Rung.NEW_RESERVATION, Rung.UNTIL_DEADLINE)
    whole = world(block(fallback=ladder), jobs=1, seconds=60.0)
    whole.run(2.5 * HOUR, each=60.0)
    for number in range(1, whole.events + 1):
        made = world(block(fallback=ladder), jobs=1, seconds=60.0, crash_at=number)
        made.run(2.5 * HOUR, each=60.0)
        assert len(made.instances) == 2, number
        assert made.alive() == [], number
        assert made.reservations == {}, number


def test_a_crash_after_any_step_keeps_no_reservation_that_its_block_needs_no_more():
    """The reservation ends days later: nobody but the operator gives it back in time."""
    ladder = (Rung.NEW_RESERVATION,)
    mine = block(fallback=ladder, seconds=48 * HOUR, release_when_idle=True)
    whole = world(mine, jobs=1, seconds=60.0)
    whole.run(HOUR, each=60.0)
    for number in range(1, whole.events + 1):
        made = world(mine, jobs=1, seconds=60.0, crash_at=number)
        made.run(HOUR, each=60.0)
        assert len(made.instances) == 2, number
        assert (made.alive(), made.reservations) == ([], {}), number


def test_two_pools_of_blocks_do_not_both_begin_for_one_job():
    second = replace(block(), name="other")
    made = world(block(), second, jobs=1, seconds=60.0)
    made.turn()
    assert len(made.reservations) == 1
    made = world(replace(block(), priority=2), second, jobs=1, seconds=60.0)
    [step] = made.turn().steps
    assert step.action.pool == "other"


def test_a_stopped_pool_keeps_no_reservation_of_a_block_that_has_lost_all_instances():
    made = world(block(fallback=(Rung.NEW_RESERVATION,), seconds=48 * HOUR), jobs=1)
    made.run(300.0)
    assert (len(made.alive()), len(made.reservations)) == (2, 1)
    made.instances = {n: replace(x, state="terminated") for n, x in made.instances.items()}
    record = made.record()
    made.annotation = annotation(record.put("block", replace(record.of("block"), stopped="1")))[
        LAUNCHES
    ]
    made.run(120.0)
    assert made.reservations == {}
    assert len(made.instances) == 2


def test_a_reservation_that_a_block_needs_is_kept():
    """Known by its end alone, where the record was lost and the status told of the block."""
    made = world(block(fallback=(Rung.NEW_RESERVATION,)), jobs=1, seconds=9000.0)
    made.run(300.0)
    [found] = made.reservations.values()
    shown = Block(request=1, phase=Phase.HELD, end=found.end)
    kept = put_block(Launches(uid="uid-1"), "block", shown)
    plan = plan_capacity(made.wish, made.observed(), kept, made.now)
    assert "CancelCapacityReservation" not in [step.action.operation for step in plan.steps]


def test_removal_waits_for_a_reservation_that_may_still_come_to_light():
    made = world(block(fallback=(Rung.NEW_RESERVATION,), seconds=48 * HOUR), jobs=1)
    made.reservations_late = 40.0
    made.turn()
    assert made.reservations
    assert made.remove(HOUR)
    assert made.reservations == {}
