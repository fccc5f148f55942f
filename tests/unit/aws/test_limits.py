import asyncio
import random

import pytest
from tests.support.clock import SteppedClock

from awsbatch_operator.api.bucket import RESERVED_SECONDS, Rate
from awsbatch_operator.api.scope import NoTokenError
from awsbatch_operator.aws.call_table import CALLS
from awsbatch_operator.aws.limits import AccountRegion, Limit, Limits

HERE = AccountRegion("111122223333", "eu-central-1")
SUBMIT = CALLS["batch:SubmitJob"]
DESCRIBE = CALLS["batch:DescribeJobs"]
LIST = CALLS["batch:ListJobs"]
DELETE = CALLS["batch:DeleteJobQueue"]
TERMINATE = CALLS["batch:TerminateJob"]


def limits_of(clock, *rows: Limit) -> Limits:
    return Limits(clock, published=rows or (Limit("batch", ("*",), Rate(1, 1)),))


async def polled(limits: Limits, order: list[str], name: str) -> None:
    await limits.wait(HERE, LIST)
    order.append(name)


def told(ask) -> float:
    """The seconds after which to come again."""
    with pytest.raises(NoTokenError) as caught:
        ask()
    return caught.value.seconds


def test_a_call_without_a_token_is_told_when_to_come_and_waits_for_nothing():
    clock = SteppedClock()
    limits = limits_of(clock)
    limits.take(HERE, DESCRIBE)
    seconds = told(lambda: limits.take(HERE, DESCRIBE))
    assert seconds == pytest.approx(1.0, abs=0.01)
    clock.skip(seconds)
    limits.take(HERE, DESCRIBE)


def test_all_who_ask_for_one_operation_without_permit_share_its_place():
    clock = SteppedClock()
    limits = limits_of(clock)
    limits.take(HERE, DESCRIBE)
    first = told(lambda: limits.take(HERE, DESCRIBE))
    assert told(lambda: limits.take(HERE, DESCRIBE)) == first
    assert told(lambda: limits.take(HERE, LIST)) == pytest.approx(first + 1, abs=0.01)


def test_permits_of_deletions_go_before_those_of_new_work():
    clock = SteppedClock()
    limits = limits_of(clock)
    limits.take(HERE, DESCRIBE)
    told(lambda: limits.permit(HERE, SUBMIT, "new"))
    told(lambda: limits.permit(HERE, DELETE, "old"))
    clock.skip(1.01)
    assert told(lambda: limits.permit(HERE, SUBMIT, "new")) == pytest.approx(1, abs=0.11)
    limits.permit(HERE, DELETE, "old")


def test_a_permit_keeps_a_token_for_the_call_that_follows():
    clock = SteppedClock()
    limits = limits_of(clock)
    limits.permit(HERE, SUBMIT, "a")
    assert told(lambda: limits.permit(HERE, SUBMIT, "b")) > 0.9
    told(lambda: limits.take(HERE, DESCRIBE))  # reading leaves it alone
    limits.take(HERE, SUBMIT)


def test_a_permit_that_is_given_back_serves_the_next_at_once():
    clock = SteppedClock()
    limits = limits_of(clock)
    permit = limits.permit(HERE, SUBMIT, "a")
    permit.give_back()
    limits.permit(HERE, SUBMIT, "b")


def test_giving_a_permit_back_twice_takes_nobody_elses():
    clock = SteppedClock()
    limits = limits_of(clock, Limit("batch", ("*",), Rate(1, 2)))
    first = limits.permit(HERE, SUBMIT, "a")
    limits.permit(HERE, SUBMIT, "b")
    first.give_back()
    first.give_back()
    limits.take(HERE, SUBMIT)
    limits.permit(HERE, SUBMIT, "c")
    told(lambda: limits.permit(HERE, SUBMIT, "d"))


def test_forty_conflicts_in_a_row_cost_nobody_a_token():
    """Each permit is taken, its record fails, it is given back: nine seconds were lost once."""
    clock = SteppedClock()
    limits = Limits(clock)
    for number in range(40):
        limits.permit(HERE, SUBMIT, number).give_back()
    for number in range(40):
        limits.permit(HERE, SUBMIT, number)
        limits.take(HERE, SUBMIT)


def test_a_permit_that_nobody_uses_runs_out():
    clock = SteppedClock()
    limits = limits_of(clock)
    limits.permit(HERE, SUBMIT, "a")
    clock.skip(RESERVED_SECONDS)
    limits.permit(HERE, SUBMIT, "b")


def test_a_permit_that_ran_out_is_no_free_ride():
    clock = SteppedClock()
    limits = limits_of(clock)
    limits.permit(HERE, SUBMIT, "a")
    clock.skip(RESERVED_SECONDS)
    limits.take(HERE, DESCRIBE)
    told(lambda: limits.take(HERE, SUBMIT))


def test_one_account_and_region_share_a_limit_and_others_do_not():
    limits = limits_of(SteppedClock())
    limits.take(HERE, SUBMIT)
    limits.take(AccountRegion(HERE.account_id, "us-east-1"), SUBMIT)
    limits.take(AccountRegion("444455556666", HERE.region), SUBMIT)
    told(lambda: limits.take(HERE, SUBMIT))


def test_submissions_do_not_slow_down_reading():
    limits = Limits(SteppedClock())
    for _ in range(40):
        limits.take(HERE, SUBMIT)
    told(lambda: limits.take(HERE, SUBMIT))
    limits.take(HERE, DESCRIBE)


@pytest.mark.parametrize("conflicts", [0.0, 0.3])
async def test_a_thousand_submissions_take_the_time_that_aws_allows(conflicts):
    """Turns as the engine takes them; some records fail, and give their permit back."""
    clock, dice = SteppedClock(), random.Random(7)
    limits, done, turns = Limits(clock), [], []

    async def submit(number: int) -> None:
        while True:
            turns.append(number)
            try:
                permit = limits.permit(HERE, SUBMIT, number)
            except NoTokenError as error:
                await clock.sleep(error.seconds + dice.uniform(0, 0.1))
                continue
            await clock.sleep(dice.uniform(0, 0.05))  # the record is written
            if dice.random() < conflicts:
                permit.give_back()
                continue
            limits.take(HERE, SUBMIT)
            done.append(clock.monotonic())
            return

    tasks = [asyncio.create_task(submit(number)) for number in range(1000)]
    seconds = await clock.run_until(lambda: len(done) == 1000)
    await asyncio.gather(*tasks)
    assert seconds <= (19.5 if not conflicts else 23)
    assert len(turns) <= 2100 / (1 - conflicts) ** 2


async def test_polling_goes_before_deletions_and_new_work_within_its_share():
    clock = SteppedClock()
    order: list[str] = []
    limits = limits_of(clock, Limit("batch", ("*",), Rate(10, 10)))
    for _ in range(10):
        limits.take(HERE, DESCRIBE)
    told(lambda: limits.permit(HERE, SUBMIT, "new"))
    told(lambda: limits.permit(HERE, DELETE, "old"))
    waiting = asyncio.create_task(polled(limits, order, "poll"))
    assert await clock.run_until(waiting.done) == pytest.approx(0.1, abs=0.02)
    told(lambda: limits.permit(HERE, DELETE, "old"))
    await clock.advance(0.1)
    told(lambda: limits.permit(HERE, SUBMIT, "new"))
    limits.permit(HERE, DELETE, "old")


async def test_a_crowd_of_deletions_does_not_wait_for_the_looks_that_each_of_them_needs():
    """A turn has its permit, looks at AWS, and ends without the look's token: nobody got on."""
    clock, dice = SteppedClock(), random.Random(7)
    limits, done = Limits(clock), []

    async def end(number: int) -> None:
        while True:
            permit = None
            try:
                permit = limits.permit(HERE, TERMINATE, number)
                limits.take(HERE, DESCRIBE)
                limits.take(HERE, TERMINATE)
            except NoTokenError as error:
                if permit is not None:
                    permit.give_back()
                await clock.sleep(error.seconds + dice.uniform(0, 0.1))
            else:
                done.append(clock.monotonic())
                return

    began = clock.monotonic()
    tasks = [asyncio.create_task(end(number)) for number in range(500)]
    await clock.run_until(lambda: len(done) == 500)
    await asyncio.gather(*tasks)
    # Two tokens each, at fifty a second: no part of them takes much more than its share of 20 s.
    assert done[50] - began <= 4.5
    assert done[250] - began <= 13
    assert done[-1] - began <= 23


def test_calls_that_make_sense_only_together_get_their_tokens_together():
    clock = SteppedClock()
    limits = limits_of(clock, Limit("batch", ("*",), Rate(10, 10)))
    limits.prepay(HERE, LIST, 6)
    seconds = told(lambda: limits.prepay(HERE, LIST, 6))
    assert seconds == pytest.approx(0.2, abs=0.01)
    told(lambda: limits.take(HERE, DESCRIBE))  # it stands behind all six
    clock.skip(seconds)
    paid = limits.prepay(HERE, LIST, 6)
    assert [paid.use() for _ in range(7)] == [True] * 6 + [False]


def test_tokens_of_calls_that_were_not_made_come_back():
    limits = limits_of(SteppedClock(), Limit("batch", ("*",), Rate(10, 10)))
    paid = limits.prepay(HERE, LIST, 6)
    paid.use()
    paid.close()
    limits.prepay(HERE, LIST, 9)
    told(lambda: limits.take(HERE, DESCRIBE))


async def test_polls_go_in_the_order_in_which_they_came():
    clock = SteppedClock()
    order: list[str] = []
    limits = limits_of(clock)
    tasks = [asyncio.create_task(polled(limits, order, str(number))) for number in range(5)]
    await clock.run_until(lambda: len(order) == 5)
    await asyncio.gather(*tasks)
    assert order == ["0", "1", "2", "3", "4"]


async def test_a_poll_that_is_given_up_leaves_its_token_to_the_next():
    clock = SteppedClock()
    order: list[str] = []
    limits = limits_of(clock)
    limits.take(HERE, SUBMIT)
    first = asyncio.create_task(polled(limits, order, "first"))
    second = asyncio.create_task(polled(limits, order, "second"))
    await clock.advance(0.5)
    first.cancel()
    assert await clock.run_until(second.done, within=6) <= 6
    assert order == ["second"]


async def test_polling_takes_at_most_its_share_of_a_rate():
    clock = SteppedClock()
    order: list[str] = []
    limits = limits_of(clock, Limit("batch", ("*",), Rate(10, 10)))
    tasks = [asyncio.create_task(polled(limits, order, "poll")) for _ in range(200)]
    await clock.advance(10)
    assert len(order) <= 3 + 10 * 3 + 1  # its burst, its rate
    assert len(order) >= 10 * 3
    for task in tasks:
        task.cancel()


def test_throttling_slows_the_limit_down_for_all_its_calls():
    limits = limits_of(SteppedClock(), Limit("batch", ("*",), Rate(10, 10)))
    assert limits.throttled(HERE, LIST) == 0.5
    assert 0.19 <= told(lambda: limits.take(HERE, DESCRIBE)) <= 0.21


def test_throttling_that_goes_on_is_told_once_a_minute():
    clock = SteppedClock()
    limits, told_at = Limits(clock), []
    for second in range(600):
        if limits.throttled(HERE, LIST) is not None:
            told_at.append(second)
        clock.skip(1.0)
    assert told_at == list(range(0, 600, 60))


async def test_throttling_slows_polling_down_with_everything_else():
    clock = SteppedClock()
    order: list[str] = []
    limits = limits_of(clock, Limit("batch", ("*",), Rate(10, 10)))
    limits.throttled(HERE, LIST)
    tasks = [asyncio.create_task(polled(limits, order, "poll")) for _ in range(50)]
    await clock.advance(10)
    assert len(order) <= 10 * 3 * 0.6  # half of its share, and a little recovered
    for task in tasks:
        task.cancel()
