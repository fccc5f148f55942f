import asyncio

from tests.support.clock import SteppedClock

from awsbatch_operator.aws.bucket import Rate
from awsbatch_operator.aws.call_table import CALLS
from awsbatch_operator.aws.calls import Priority
from awsbatch_operator.aws.limits import Limit, Limits, Place

HERE = Place("111122223333", "eu-central-1")
SUBMIT = CALLS["batch:SubmitJob"]
DESCRIBE = CALLS["batch:DescribeJobs"]
LIST = CALLS["batch:ListJobs"]
DELETE = CALLS["batch:DeleteJobQueue"]


def limits_of(clock, *rows: Limit) -> Limits:
    return Limits(clock, published=rows or (Limit("batch", ("*",), Rate(1, 1)),))


async def taken(limits: Limits, order: list[str], name: str, call, priority) -> None:
    await limits.take(HERE, call, priority)
    order.append(name)


async def test_a_token_in_hand_costs_no_time():
    clock = SteppedClock()
    await limits_of(clock).take(HERE, SUBMIT, Priority.MAKING)
    assert clock.next_due() is None


async def test_deletions_overtake_new_work_and_new_work_overtakes_polling():
    clock = SteppedClock()
    order: list[str] = []
    limits = limits_of(clock)
    await limits.take(HERE, SUBMIT, Priority.MAKING)
    tasks = [
        asyncio.create_task(taken(limits, order, "poll", LIST, Priority.POLLING)),
        asyncio.create_task(taken(limits, order, "make", SUBMIT, Priority.MAKING)),
        asyncio.create_task(taken(limits, order, "end", DELETE, Priority.ENDING)),
    ]
    await clock.advance(10)
    await asyncio.gather(*tasks)
    assert order == ["end", "make", "poll"]


async def test_equals_go_in_the_order_in_which_they_came():
    clock = SteppedClock()
    order: list[str] = []
    limits = limits_of(clock)
    tasks = [
        asyncio.create_task(taken(limits, order, str(number), SUBMIT, Priority.MAKING))
        for number in range(5)
    ]
    await clock.advance(10)
    await asyncio.gather(*tasks)
    assert order == ["0", "1", "2", "3", "4"]


async def test_whoever_gives_up_waiting_leaves_the_line_to_the_next():
    clock = SteppedClock()
    order: list[str] = []
    limits = limits_of(clock)
    await limits.take(HERE, SUBMIT, Priority.MAKING)
    first = asyncio.create_task(taken(limits, order, "first", SUBMIT, Priority.MAKING))
    second = asyncio.create_task(taken(limits, order, "second", SUBMIT, Priority.MAKING))
    await clock.advance(0.5)
    first.cancel()
    assert await clock.run_until(second.done, within=1) <= 0.51
    assert order == ["second"]


async def test_polling_takes_at_most_its_share_of_a_rate():
    clock = SteppedClock()
    order: list[str] = []
    limits = limits_of(clock, Limit("batch", ("*",), Rate(10, 10)))
    tasks = [
        asyncio.create_task(taken(limits, order, "poll", LIST, Priority.POLLING))
        for _ in range(200)
    ]
    await clock.advance(10)
    assert len(order) <= 3 + 10 * 3 + 1  # its burst, its rate
    assert len(order) >= 10 * 3
    for task in tasks:
        task.cancel()


async def test_a_permit_keeps_a_token_for_the_call_that_follows():
    clock = SteppedClock()
    limits = limits_of(clock)
    await limits.permit(HERE, SUBMIT)
    other = asyncio.create_task(limits.permit(HERE, SUBMIT))
    await clock.advance(0.5)
    assert not other.done()
    await limits.take(HERE, SUBMIT, Priority.MAKING)
    assert clock.next_due() is not None  # only the other one still waits
    other.cancel()


async def test_one_account_and_region_share_a_limit_and_others_do_not():
    clock = SteppedClock()
    limits = limits_of(clock)
    await limits.take(HERE, SUBMIT, Priority.MAKING)
    for elsewhere in (Place(HERE.account_id, "us-east-1"), Place("444455556666", HERE.region)):
        await limits.take(elsewhere, SUBMIT, Priority.MAKING)
    same = asyncio.create_task(limits.take(HERE, SUBMIT, Priority.MAKING))
    await clock.advance(0.5)
    assert not same.done()
    same.cancel()


async def test_submissions_do_not_slow_down_reading():
    clock = SteppedClock()
    limits = Limits(clock)
    for _ in range(40):
        await limits.take(HERE, SUBMIT, Priority.MAKING)
    await limits.take(HERE, DESCRIBE, Priority.READING)
    assert clock.next_due() is None


async def test_a_thousand_submissions_take_the_time_that_aws_allows():
    clock = SteppedClock()
    order: list[str] = []
    limits = Limits(clock)
    tasks = [
        asyncio.create_task(taken(limits, order, "", SUBMIT, Priority.MAKING)) for _ in range(1000)
    ]
    seconds = await clock.run_until(lambda: len(order) == 1000)
    await asyncio.gather(*tasks)
    assert 19 <= seconds <= 20  # 50 a second, after a burst


async def test_throttling_slows_the_limit_down_for_all_its_calls():
    clock = SteppedClock()
    limits = limits_of(clock, Limit("batch", ("*",), Rate(10, 10)))
    assert limits.throttled(HERE, LIST) == 0.5
    waiting = asyncio.create_task(limits.take(HERE, DESCRIBE, Priority.READING))
    assert 0.19 <= await clock.run_until(waiting.done) <= 0.21


async def test_throttling_slows_polling_down_with_everything_else():
    clock = SteppedClock()
    order: list[str] = []
    limits = limits_of(clock, Limit("batch", ("*",), Rate(10, 10)))
    limits.throttled(HERE, LIST)
    tasks = [
        asyncio.create_task(taken(limits, order, "poll", LIST, Priority.POLLING)) for _ in range(50)
    ]
    await clock.advance(10)
    assert len(order) <= 10 * 3 * 0.6  # half of its share, and a little recovered
    for task in tasks:
        task.cancel()


async def test_a_permit_is_for_changes_and_reading_leaves_it_alone():
    clock = SteppedClock()
    limits = limits_of(clock)
    await limits.permit(HERE, DELETE)
    reading = asyncio.create_task(limits.take(HERE, DESCRIBE, Priority.READING))
    await clock.advance(0.5)
    assert not reading.done()
    await limits.take(HERE, DELETE, Priority.ENDING)
    reading.cancel()
