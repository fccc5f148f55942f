"""Wait for a condition with a deadline, in place of sleeping and hoping."""

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")
POLL_SECONDS = 0.02


def wait_until(
    condition: Callable[[], Value],
    what: str,
    *,
    seconds: float = 40,
    every: float = POLL_SECONDS,
) -> Value:
    """The first true value of the condition; AssertionError, saying what, when time is up."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(every)
    return value
