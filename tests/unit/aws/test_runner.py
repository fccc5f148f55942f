import asyncio
import threading

import pytest
from structlog.contextvars import bound_contextvars, get_contextvars

from awsbatch_operator.aws.calls import Priority
from awsbatch_operator.aws.runner import InlineRunner, ThreadRunner


@pytest.fixture
def runner():
    made = ThreadRunner(1)
    yield made
    made.close()


async def test_work_runs_in_a_thread_and_its_result_comes_back(runner):
    name = await runner.run(lambda: threading.current_thread().name, priority=Priority.READING)
    assert name.startswith("aws")


async def test_an_error_of_the_work_is_raised_where_it_was_asked_for(runner):
    def fail():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await runner.run(fail, priority=Priority.READING)


async def test_who_waits_for_a_thread_goes_by_priority(runner):
    order, free = [], threading.Event()
    first = asyncio.create_task(runner.run(free.wait, priority=Priority.READING))
    await asyncio.sleep(0)
    rest = [
        asyncio.create_task(runner.run(lambda name=name: order.append(name), priority=priority))
        for name, priority in (("make", Priority.MAKING), ("end", Priority.ENDING))
    ]
    await asyncio.sleep(0)
    free.set()
    await asyncio.gather(first, *rest)
    assert order == ["end", "make"]


async def test_whoever_gives_up_waiting_for_a_thread_takes_none(runner):
    free = threading.Event()
    first = asyncio.create_task(runner.run(free.wait, priority=Priority.READING))
    await asyncio.sleep(0)
    given_up = asyncio.create_task(runner.run(lambda: None, priority=Priority.READING))
    await asyncio.sleep(0)
    given_up.cancel()
    free.set()
    await first
    assert await runner.run(lambda: 7, priority=Priority.READING) == 7


async def test_inline_work_is_done_in_the_callers_own_thread():
    name = await InlineRunner().run(
        lambda: threading.current_thread().name, priority=Priority.READING
    )
    assert name == threading.current_thread().name


async def test_what_is_logged_in_a_thread_names_the_object_of_its_task(runner):
    with bound_contextvars(kind="BatchJob", name="one"):
        seen = await runner.run(get_contextvars, priority=Priority.READING)
    assert seen == {"kind": "BatchJob", "name": "one"}
