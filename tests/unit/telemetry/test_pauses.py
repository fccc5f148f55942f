"""The longest pause of the event loop, as the metric shows it."""

from typing import Any

import pytest
from tests.support.clock import SteppedClock

from awsbatch_operator.telemetry.pauses import (
    IDLE_TICK_SECONDS,
    TICK_SECONDS,
    WINDOW_SECONDS,
    LoopPauses,
)


class Timers:
    """An event loop as far as it is watched: it calls in time unless it is `away`."""

    def __init__(self) -> None:
        self.clock = SteppedClock()
        self.worked = 0.0
        self.ticks = 0
        self.timers = 0
        self._due: tuple[float, Any, tuple[Any, ...]] | None = None

    def call_later(self, seconds, call, *arguments):
        self.timers += 1
        self._due = (self.clock.monotonic() + seconds, call, arguments)
        return self

    def cancel(self):
        self.timers -= 1
        self._due = None

    def away(self, seconds):
        self.clock.skip(seconds)

    def work(self, seconds):
        self.worked += seconds
        self.clock.skip(seconds)

    def run(self, seconds):
        end = self.clock.monotonic() + seconds
        while self._due is not None and self._due[0] <= end:
            due, call, arguments = self._due
            self.clock.skip(max(0.0, due - self.clock.monotonic()))
            self.ticks += 1
            self.timers -= 1
            call(*arguments)
        self.clock.skip(max(0.0, end - self.clock.monotonic()))


@pytest.fixture
def loop():
    return Timers()


@pytest.fixture
def pauses(loop):
    made = LoopPauses(loop.clock.monotonic, lambda: loop.worked)
    made.watch(loop)
    return made


def test_a_loop_that_is_never_away_has_no_pause(loop, pauses):
    loop.run(10)
    assert pauses.longest == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("before", [0.0, 0.03, 0.07, 0.0999, 1.0, 1.04])
@pytest.mark.parametrize("seconds", [0.03, 0.06, 0.25])
def test_a_step_that_takes_long_shows_as_a_pause_a_tick_shorter_at_most(
    loop, pauses, before, seconds
):
    loop.run(before)
    loop.work(seconds)
    loop.run(1)
    assert seconds - TICK_SECONDS - 1e-6 <= pauses.longest <= seconds + 1e-6


def test_a_process_that_was_stopped_shows_as_away_an_idle_tick_shorter_at_most(loop, pauses):
    loop.run(1)
    loop.away(0.25)
    loop.run(1)
    assert 0.25 - IDLE_TICK_SECONDS - 1e-6 <= pauses.longest <= 0.25


def test_many_short_steps_are_told_apart_from_a_long_one_once_they_are_seen(loop, pauses):
    loop.run(1)
    for _ in range(30_000):  # far more than the two minutes that a pause is remembered for
        loop.work(0.006)
        loop.run(0.006)
    assert pauses.longest <= TICK_SECONDS


def test_a_burst_of_short_steps_after_an_idle_time_is_no_pause_if_it_is_told(loop, pauses):
    loop.run(1.03)
    for _ in range(40):
        pauses.busy()
        loop.work(0.002)
        loop.run(0.0)
    loop.run(1)
    assert pauses.longest <= 0.004


@pytest.mark.parametrize("seconds", [0.03, 0.06, 0.09, 0.25, 2.0])
def test_a_long_step_just_before_work_is_told_of_is_a_pause_still(loop, pauses, seconds):
    """What the step has made ready comes before the tick that it has delayed."""
    loop.run(1.005)
    loop.work(seconds)
    pauses.busy()
    loop.run(1)
    assert pauses.longest == pytest.approx(seconds, abs=1e-6)


def test_a_process_that_was_stopped_before_work_is_told_of_shows_as_away(loop, pauses):
    loop.run(1.005)
    loop.away(2.0)
    pauses.busy()
    loop.run(1)
    assert 2.0 - IDLE_TICK_SECONDS - 1e-6 <= pauses.longest <= 2.0


def test_work_that_is_told_of_again_and_again_leaves_one_timer(loop, pauses):
    loop.run(1.03)
    for _ in range(5):
        pauses.busy()
    assert loop.timers == 1


def test_a_long_step_that_begins_by_telling_of_work_is_a_pause_a_tick_shorter_at_most(loop, pauses):
    loop.run(1.005)
    pauses.busy()
    loop.work(0.25)
    loop.run(1)
    assert 0.25 - TICK_SECONDS - 1e-6 <= pauses.longest <= 0.25 + 1e-6


def test_work_that_is_told_of_after_the_stop_watches_nothing(loop, pauses):
    loop.run(1)
    pauses.stop()
    pauses.busy()
    loop.away(5)
    loop.run(1)
    assert pauses.longest == 0


def test_who_has_nothing_to_do_is_called_ten_times_a_second(loop, pauses):
    loop.run(1)
    loop.ticks = 0
    loop.run(10)
    assert loop.ticks == pytest.approx(100, abs=1)


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
