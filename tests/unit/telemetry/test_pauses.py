"""The longest pause of the event loop, as the metric shows it."""

import asyncio
import selectors

import pytest
from tests.support.clock import SteppedClock

from awsbatch_operator.telemetry.pauses import WINDOW_SECONDS, LoopPauses


@pytest.fixture
def clock():
    return SteppedClock()


@pytest.fixture
def pauses(clock):
    return LoopPauses(clock.monotonic)


@pytest.fixture
def run(pauses):
    """Calls each of these in a step of its own."""

    async def steps(calls):
        for call in calls:
            call()
            await asyncio.sleep(0)

    def go(*calls):
        with asyncio.Runner(loop_factory=pauses.loop) as runner:
            runner.run(steps(calls))

    return go


def test_a_loop_that_is_never_away_has_no_pause(pauses, run):
    run(lambda: None, lambda: None)
    assert pauses.longest == 0


def test_the_longest_step_shows_in_full_length(clock, pauses, run):
    run(lambda: clock.skip(0.1), lambda: clock.skip(0.25), lambda: clock.skip(0.2))
    assert pauses.longest == pytest.approx(0.25)


def test_the_time_in_which_the_loop_waits_is_no_pause(clock, pauses, run, monkeypatch):
    def wait(_self, _timeout=None):
        clock.skip(5)
        return []

    monkeypatch.setattr(selectors.DefaultSelector, "select", wait)
    run(lambda: clock.skip(0.1), lambda: None)
    assert pauses.longest == pytest.approx(0.1)


def test_a_pause_is_shown_for_a_minute_at_least_and_then_forgotten(clock, pauses, run):
    run(lambda: clock.skip(5), lambda: clock.skip(WINDOW_SECONDS - 6), lambda: None)
    assert pauses.longest == pytest.approx(WINDOW_SECONDS - 6)
    clock.skip(WINDOW_SECONDS)
    assert pauses.longest == pytest.approx(WINDOW_SECONDS - 6)
    clock.skip(WINDOW_SECONDS)
    assert pauses.longest == 0


def test_one_of_long_ago_is_forgotten_although_nobody_has_looked_since(clock, pauses, run):
    run(lambda: clock.skip(5))
    clock.skip(10 * WINDOW_SECONDS)
    run(lambda: clock.skip(1))
    assert pauses.longest == pytest.approx(1)
