import asyncio
import contextlib
import threading

import pytest

from awsbatch_operator.aws.calls import Priority
from awsbatch_operator.aws.runner import InlineRunner, ThreadRunner
from awsbatch_operator.telemetry.logs import about, name_the_object


@pytest.fixture
def runner():
    made = ThreadRunner(1)
    yield made
    made.close()


async def test_work_runs_in_a_thread_and_its_result_comes_back(runner):
    name = await runner.run(
        lambda: threading.current_thread().name, priority=Priority.READING, account="a"
    )
    assert name.startswith("aws")


async def test_an_error_of_the_work_is_raised_where_it_was_asked_for(runner):
    def fail():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await runner.run(fail, priority=Priority.READING, account="a")


async def test_who_waits_for_a_thread_goes_by_priority(runner):
    order, free = [], threading.Event()
    first = asyncio.create_task(runner.run(free.wait, priority=Priority.READING, account="a"))
    await asyncio.sleep(0)
    rest = [
        asyncio.create_task(
            runner.run(lambda name=name: order.append(name), priority=priority, account="a")
        )
        for name, priority in (("make", Priority.MAKING), ("end", Priority.ENDING))
    ]
    await asyncio.sleep(0)
    free.set()
    await asyncio.gather(first, *rest)
    assert order == ["end", "make"]


async def test_whoever_gives_up_waiting_for_a_thread_takes_none(runner):
    free = threading.Event()
    first = asyncio.create_task(runner.run(free.wait, priority=Priority.READING, account="a"))
    await asyncio.sleep(0)
    given_up = asyncio.create_task(runner.run(lambda: None, priority=Priority.READING, account="a"))
    await asyncio.sleep(0)
    given_up.cancel()
    free.set()
    await first
    assert await runner.run(lambda: 7, priority=Priority.READING, account="a") == 7


async def test_inline_work_is_done_in_the_callers_own_thread():
    name = await InlineRunner().run(
        lambda: threading.current_thread().name, priority=Priority.READING, account="a"
    )
    assert name == threading.current_thread().name


async def test_what_is_logged_in_a_thread_names_the_object_of_its_task(runner):
    with about(kind="BatchJob", namespace="team-a", name="one"):
        seen = await runner.run(
            lambda: name_the_object(None, "", {}), priority=Priority.READING, account="a"
        )
    assert seen == {"kind": "BatchJob", "namespace": "team-a", "name": "one"}


def busy(runner, account: str, count: int, free: threading.Event, begun: list[str]) -> list:
    def work() -> None:
        begun.append(account)
        free.wait(10)

    return [
        asyncio.create_task(runner.run(work, priority=Priority.READING, account=account))
        for _ in range(count)
    ]


async def test_an_account_that_does_not_answer_leaves_threads_for_the_others():
    runner, free = ThreadRunner(8), threading.Event()
    begun: list[str] = []
    hanging = busy(runner, "hangs", 20, free, begun)
    await asyncio.sleep(0)
    others = ("b", "c")
    answers = [runner.run(lambda: 7, priority=Priority.MAKING, account=name) for name in others]
    assert await asyncio.gather(*answers) == [7, 7]
    assert begun.count("hangs") == 4
    free.set()
    await asyncio.gather(*hanging)
    runner.close()


async def test_who_waits_for_a_thread_goes_in_turn_by_account(runner):
    order, free = [], threading.Event()
    first = asyncio.create_task(runner.run(free.wait, priority=Priority.READING, account="a"))
    await asyncio.sleep(0)
    asks = [("a", "a1"), ("a", "a2"), ("a", "a3"), ("b", "b1")]
    rest = [
        asyncio.create_task(
            runner.run(
                lambda name=name: order.append(name), priority=Priority.READING, account=account
            )
        )
        for account, name in asks
    ]
    await asyncio.sleep(0)
    free.set()
    await asyncio.gather(first, *rest)
    assert order.index("b1") <= 1


async def test_whoever_gives_up_on_work_that_has_begun_does_not_free_its_thread(runner):
    started, free = threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        free.wait(10)

    given_up = asyncio.create_task(runner.run(work, priority=Priority.READING, account="a"))
    await asyncio.to_thread(started.wait, 10)
    given_up.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await given_up
    queued = asyncio.create_task(runner.run(lambda: 7, priority=Priority.READING, account="a"))
    await asyncio.sleep(0)
    assert runner._free == 0
    free.set()
    assert await queued == 7
