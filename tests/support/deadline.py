"""Wait for a condition with a deadline, in place of sleeping and hoping."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")
POLL_SECONDS = 0.02
WITHIN_SECONDS = 40.0


def wait_until(
    condition: Callable[[], Value],
    what: str,
    *,
    seconds: float = WITHIN_SECONDS,
    every: float = POLL_SECONDS,
) -> Value:
    """The first true value of the condition; AssertionError, saying what, when time is up."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(every)
    return value


async def until(
    condition: Callable[[], object],
    what: str = "what the test waits for",
    *,
    seconds: float = WITHIN_SECONDS,
    every: float = POLL_SECONDS,
) -> None:
    """The same while other tasks of the loop go on."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        await asyncio.sleep(every)
