"""The longest pause of the event loop, as the metric shows it."""

import asyncio

import pytest
from tests.support.clock import SteppedClock

from awsbatch_operator.telemetry.pauses import TICK_SECONDS, WINDOW_SECONDS, LoopPauses


@pytest.fixture
def clock():
    return SteppedClock()


@pytest.fixture
async def pauses(clock):
    made = LoopPauses(now=clock.monotonic, sleep=clock.sleep)
    running = asyncio.create_task(made.run())
    await clock.advance(0)
    yield made
    running.cancel()


async def test_a_loop_that_is_never_away_has_no_pause(clock, pauses):
    await clock.advance(10)
    assert pauses.longest == pytest.approx(0, abs=1e-6)


async def test_a_step_that_takes_long_shows_as_a_pause(clock, pauses):
    await clock.advance(1)
    clock.skip(TICK_SECONDS + 0.25)
    await clock.advance(1)
    assert pauses.longest == pytest.approx(0.25 + TICK_SECONDS, abs=2 * TICK_SECONDS)


async def test_a_pause_is_shown_for_a_minute_at_least_and_then_forgotten(clock, pauses):
    clock.skip(5)
    await clock.advance(WINDOW_SECONDS)
    assert pauses.longest > 4
    await clock.advance(2 * WINDOW_SECONDS)
    assert pauses.longest < 1
