import time

from awsbatch_operator.engine.clock import SystemClock


def test_the_machines_clock_shows_the_time_and_runs():
    clock = SystemClock()
    assert abs(clock.now().epoch - time.time()) < 5
    first = clock.monotonic()
    assert clock.monotonic() >= first
