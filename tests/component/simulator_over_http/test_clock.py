"""The simulated clock."""

import pytest

from awsbatch_simulator.clock import SimulatedClock


@pytest.fixture
def clock():
    return SimulatedClock(stepped=True, start=1000.0)


def test_a_stepped_clock_stands_still_until_it_is_stepped(clock):
    assert clock.now() == clock.now() == 1000
    clock.advance(5)
    assert clock.now() == 1005


def test_timers_run_in_the_order_of_their_time_each_at_its_time(clock):
    ran = []
    for delay in (3, 1, 2, 1):
        clock.call_after(delay, lambda delay=delay: ran.append((delay, clock.now())))
    assert clock.advance(2.5) == 3
    assert ran == [(1, 1001), (1, 1001), (2, 1002)]
    assert clock.next_due() == 1003


def test_a_timer_set_by_a_timer_runs_in_the_same_step_if_its_time_comes(clock):
    ran = []
    clock.call_after(1, lambda: clock.call_after(1, lambda: ran.append(clock.now())))
    clock.advance(10)
    assert ran == [1002]


def test_a_cancelled_timer_never_runs(clock):
    ran = []
    timer = clock.call_after(1, lambda: ran.append(1))
    timer.cancel()
    assert clock.next_due() is None
    clock.advance(5)
    assert ran == []


def test_speed_scales_a_live_clock_and_changing_it_does_not_jump():
    clock = SimulatedClock(speed=1.0)
    before = clock.now()
    clock.speed = 100_000.0
    assert 0 <= clock.now() - before < 60_000
    clock.advance(10_000_000)
    assert clock.now() - before >= 10_000_000


def test_a_timer_that_raises_is_told_counted_and_tried_again_until_it_succeeds(
    clock, failed_timers
):
    trouble = [ValueError("one"), ValueError("two")]
    ran = []

    def work():
        if trouble:
            raise trouble.pop(0)
        ran.append(clock.now())

    clock.call_after(1, work)
    clock.call_after(2, ran.append, "another")
    clock.advance(10)
    assert ran == ["another"], "other timers run"
    clock.advance(1000)
    assert ran == ["another", 1000 + 1 + 60 + 120]
    assert clock.failed_timers == len(failed_timers) == 2
    assert "ValueError: one" in failed_timers[0]
    failed_timers.clear()


def test_a_timer_that_raised_can_still_be_cancelled(clock, failed_timers):
    timer = clock.call_after(1, [].pop)
    clock.advance(5)
    timer.cancel()
    assert clock.next_due() is None
    assert clock.failed_timers == len(failed_timers) == 1
    failed_timers.clear()
