import asyncio
from random import Random

import pytest
from tests.support.clock import SteppedClock, settle

from awsbatch_operator.engine.backoff import Backoff
from awsbatch_operator.engine.queue import Priority, WorkQueue


@pytest.fixture
def clock():
    return SteppedClock()


@pytest.fixture
def lanes():
    """The lane of each key, as the cache would say; the rest is REST."""
    return {}


@pytest.fixture
def queue(clock, lanes):
    return WorkQueue[str](
        clock=clock,
        random=Random(1),
        backoff=Backoff(),
        lane=lambda key: lanes.get(key, Priority.REST),
    )


def taken(queue):
    """Everything that can be taken now, each finished at once."""
    keys = []
    while (key := queue.take_now()) is not None:
        keys.append(key)
        queue.done(key)
    return keys


def test_a_key_added_often_is_taken_once(queue):
    for _ in range(3):
        queue.add("a")
    assert taken(queue) == ["a"]


def test_keys_of_one_priority_are_taken_in_the_order_in_which_they_came(queue):
    for key in "cab":
        queue.add(key)
    assert taken(queue) == ["c", "a", "b"]


def test_deletions_come_before_new_generations_and_those_before_the_rest(queue, lanes):
    lanes |= {"changed": Priority.CHANGED, "deleted": Priority.DELETION}
    for key in ("rest", "changed", "deleted"):
        queue.add(key)
    assert taken(queue) == ["deleted", "changed", "rest"]


def test_a_waiting_key_that_has_become_more_urgent_moves_forward(queue, lanes):
    queue.add("first")
    queue.add("second")
    lanes["second"] = Priority.DELETION
    queue.add("second")
    assert taken(queue) == ["second", "first"]


def test_a_waiting_key_that_has_become_less_urgent_does_not_move_back(queue, lanes):
    lanes |= {"second": Priority.CHANGED, "first": Priority.DELETION}
    queue.add("second")
    lanes["second"] = Priority.REST
    for key in ("second", "first", "third"):
        queue.add(key)
    assert taken(queue) == ["first", "second", "third"]


def test_a_key_added_while_a_worker_has_it_is_taken_again_and_not_before(queue):
    queue.add("a")
    assert queue.take_now() == "a"
    queue.add("a")
    assert queue.take_now() is None
    queue.done("a")
    assert queue.take_now() == "a"


def test_a_key_added_while_running_waits_in_the_lane_that_it_has_by_then(queue, lanes):
    lanes["b"] = Priority.CHANGED
    queue.add("a")
    queue.take_now()
    queue.add("a")
    lanes["a"] = Priority.DELETION
    queue.add("b")
    queue.done("a")
    assert taken(queue) == ["a", "b"]


def test_a_deletion_that_is_tried_again_is_still_a_deletion(queue, lanes, clock):
    lanes["deleted"] = Priority.DELETION
    queue.add("deleted")
    queue.take_now()
    queue.retry("deleted", floor=5)
    queue.done("deleted")
    for number in range(10):
        queue.add(f"rest-{number}")
    clock.skip(400)
    queue.release_due()
    assert taken(queue)[0] == "deleted"


async def test_a_key_added_for_later_waits_until_it_is_due(queue, clock):
    timers = asyncio.create_task(queue.run_timers())
    queue.add_after("a", 30)
    await clock.advance(29.9)
    assert queue.take_now() is None
    await clock.advance(0.2)
    assert queue.take_now() == "a"
    timers.cancel()


async def test_an_earlier_time_that_comes_later_wins(queue, clock):
    timers = asyncio.create_task(queue.run_timers())
    queue.add_after("a", 600)
    await clock.advance(1)
    queue.add_after("a", 5)
    queue.add_after("a", 60)
    await clock.advance(5)
    assert taken(queue) == ["a"]
    await clock.advance(700)
    assert taken(queue) == []
    timers.cancel()


async def test_a_turn_for_another_reason_cancels_the_time_that_was_set(queue, clock):
    queue.add_after("a", 10)
    queue.add("a")
    assert taken(queue) == ["a"]
    await clock.advance(20)
    assert queue.release_due() is None
    assert taken(queue) == []


def test_times_that_were_cancelled_do_not_pile_up(queue):
    queue.add_after("patient", 50)
    for _ in range(5000):
        queue.add_after("busy", 600)
        queue.add("busy")
        taken(queue)
    assert len(queue._timers) < 200
    queue._clock.skip(60)
    queue.release_due()
    assert taken(queue) == ["patient"]


async def test_a_key_that_falls_due_while_running_is_taken_again(queue, clock):
    queue.add("a")
    queue.take_now()
    queue.add_after("a", 10)
    await clock.advance(10)
    queue.release_due()
    assert queue.take_now() is None
    queue.done("a")
    assert queue.take_now() == "a"


def test_failures_in_a_row_wait_longer_and_a_success_forgets_them(queue):
    delays = [queue.retry("a") for _ in range(9)]
    assert all(delay <= 2.0**number for number, delay in enumerate(delays))
    assert max(delays) > 8
    queue.succeeded("a")
    assert queue.retry("a") <= 1.0


def test_keys_fail_each_for_themselves(queue):
    for _ in range(9):
        queue.retry("a")
    assert queue.retry("b") <= 1.0


def test_a_retry_waits_at_least_as_long_as_it_was_told(queue):
    assert queue.retry("a", floor=45.0) == 45.0


async def test_a_waiting_worker_gets_the_key_as_soon_as_it_is_added(queue):
    worker = asyncio.create_task(queue.take())
    await settle()
    assert not worker.done()
    queue.add("a")
    assert await worker == "a"


async def test_a_worker_cancelled_at_the_moment_it_is_woken_passes_the_key_on(queue):
    first, second = (asyncio.create_task(queue.take()) for _ in range(2))
    await settle()
    queue.add("a")  # wakes the first
    first.cancel()
    await settle()
    assert first.cancelled()
    assert second.result() == "a"


async def test_a_worker_cancelled_while_it_waits_is_not_woken_in_vain(queue):
    first, second = (asyncio.create_task(queue.take()) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    queue.add("a")
    await settle()
    assert second.result() == "a"


async def test_a_closed_queue_gives_nothing_out_and_lets_waiting_workers_go(queue):
    workers = [asyncio.create_task(queue.take()) for _ in range(3)]
    await settle()
    queue.close()
    queue.add("a")
    assert await asyncio.gather(*workers) == [None, None, None]
    assert await queue.take() is None


async def test_depth_and_age_tell_how_far_the_workers_are_behind(queue, clock, lanes):
    lanes["b"] = Priority.DELETION
    assert (queue.depth, queue.oldest_age, queue.idle) == (0, 0.0, True)
    queue.add("a")
    await clock.advance(7)
    queue.add("b")
    assert (queue.depth, queue.oldest_age, queue.idle) == (2, 7.0, False)
    queue.take_now()
    queue.take_now()
    assert (queue.depth, queue.oldest_age, queue.idle) == (0, 0.0, False)
    queue.done("a")
    queue.done("b")
    assert queue.idle


async def test_a_key_that_is_due_later_does_not_keep_the_queue_busy(queue, clock):
    queue.add_after("a", 60)
    assert queue.idle
