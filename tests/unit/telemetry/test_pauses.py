"""The longest pause of the event loop, as the metric shows it."""

from typing import Any

import pytest
from tests.support.clock import SteppedClock

from awsbatch_operator.telemetry.pauses import TICK_SECONDS, WINDOW_SECONDS, LoopPauses


class Timers:
    """An event loop as far as it is watched: it calls in time unless it is `away`."""

    def __init__(self) -> None:
        self.clock = SteppedClock()
        self._due: tuple[float, Any, tuple[Any, ...]] | None = None

    def call_later(self, seconds, call, *arguments):
        self._due = (self.clock.monotonic() + seconds, call, arguments)
        return self

    def cancel(self):
        self._due = None

    def away(self, seconds):
        self.clock.skip(seconds)

    def run(self, seconds):
        end = self.clock.monotonic() + seconds
        while self._due is not None and self._due[0] <= end:
            due, call, arguments = self._due
            self.clock.skip(max(0.0, due - self.clock.monotonic()))
            call(*arguments)
        self.clock.skip(max(0.0, end - self.clock.monotonic()))


@pytest.fixture
def loop():
    return Timers()


@pytest.fixture
def pauses(loop):
    made = LoopPauses(loop.clock.monotonic)
    made.watch(loop)
    return made


def test_a_loop_that_is_never_away_has_no_pause(loop, pauses):
    loop.run(10)
    assert pauses.longest == pytest.approx(0, abs=1e-6)


def test_a_step_that_takes_long_shows_as_a_pause_a_tick_shorter_at_most(loop, pauses):
    loop.run(1)
    loop.away(0.25)
    loop.run(1)
    assert 0.25 - TICK_SECONDS - 1e-6 <= pauses.longest <= 0.25


def test_a_pause_is_shown_for_a_minute_at_least_and_then_forgotten(loop, pauses):
    loop.away(5)
    loop.run(WINDOW_SECONDS)
    assert pauses.longest > 4
    loop.run(2 * WINDOW_SECONDS)
    assert pauses.longest < 1


def test_nobody_is_called_any_more_after_the_stop(loop, pauses):
    pauses.stop()
    loop.away(5)
    loop.run(1)
    assert pauses.longest == 0
