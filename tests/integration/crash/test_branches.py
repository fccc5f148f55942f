"""What goes wrong in a child of a branched day is told by the test, whatever it is."""

import asyncio
import logging
from collections.abc import Callable

import pytest
from tests.integration.crash.branches import Branches, every
from tests.support.crashing import Mode, Points

from awsbatch_simulator import clock

CALLS = ("batch:ListJobs", "batch:SubmitJob", "kube:patch")


async def live(
    branches: Branches, *, in_child: Callable[[], None] = lambda: None, told: int = 1
) -> int:
    """A day of three calls, the rest of which is lived again from the second one on."""
    points = Points()

    async def day() -> None:
        for name in CALLS:
            points.begin(name)
            await asyncio.sleep(0)
        if points.struck:
            in_child()

    return await branches.live(
        day(),
        points,
        at=lambda name: name == "batch:SubmitJob",
        strike=lambda: points.strike_now(Mode.MEANWHILE),
        tell=lambda: told * len(points.struck),
    )


async def test_a_child_tells_what_it_counted_and_the_parent_is_not_struck(branches):
    assert await live(branches, told=3) == 3


async def test_several_children_may_live_on_from_a_call_and_know_which_they_are(branches):
    points = Points()

    async def day() -> None:
        for name in CALLS:
            points.begin(name)
            await asyncio.sleep(0)

    told = await branches.live(
        day(),
        points,
        at=lambda name: 3 * (name == "batch:SubmitJob"),
        strike=lambda: None,
        tell=lambda: 10**branches.turn,
    )
    assert told == 111
    assert branches.chosen == {"batch:SubmitJob": 1}


def fail() -> None:
    raise AssertionError("a job twice")


def break_down() -> None:
    raise KeyError("nobody")


def forget_to_await() -> None:
    asyncio.sleep(0)  # type: ignore[unused-coroutine]


def let_a_timer_fail() -> None:
    clock.logger.log(logging.ERROR, "a timer has failed")


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (fail, "a job twice"),
        (break_down, "KeyError: 'nobody'"),
        (forget_to_await, "was never awaited"),
        (let_a_timer_fail, "a timer has failed"),
    ],
)
async def test_a_day_that_goes_wrong_in_a_child_is_told_with_its_call(branches, trouble, told):
    with pytest.raises(AssertionError) as failed:
        await live(branches, in_child=trouble)
    assert "1 went wrong\ncall 2, batch:SubmitJob (0): " in str(failed.value)
    assert told in str(failed.value)


async def test_a_day_in_which_no_call_is_chosen_fails(branches):
    points = Points()
    with pytest.raises(AssertionError, match="no call was chosen"):
        await branches.live(
            asyncio.sleep(0),
            points,
            at=lambda _: False,
            strike=lambda: None,
            tell=lambda: 0,
        )


def test_every_third_from_the_second_on_of_those_chosen():
    at = every(str.isupper, first=1, step=3)
    assert [name for name in "aABbCDEFg" if at(name)] == ["B", "E"]
