"""A clock that moves only when a test steps it."""

import asyncio
import heapq
import itertools
from collections.abc import Callable

from awsbatch_operator.api.instant import Instant

START = 1_800_000_000.0  # some moment in 2027


class SteppedClock:
    """A Clock without time of its own. For one event loop.

    `monotonic` starts at an arbitrary number, as the real one does, so that nobody takes it for a
    wall clock.
    """

    def __init__(self, *, start: float = START, monotonic: float = 5_000.0) -> None:
        self._elapsed = 0.0
        self._start = start
        self._monotonic = monotonic
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now(self) -> Instant:
        return Instant(self._start + self._elapsed)

    def monotonic(self) -> float:
        return self._monotonic + self._elapsed

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        sleeper = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._order), sleeper))
        await sleeper

    def next_due(self) -> float | None:
        """Seconds until the first sleeper wakes; None if nobody sleeps."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] - self._elapsed if self._sleepers else None

    def skip(self, seconds: float) -> None:
        """Let that time pass without waking anybody, for tests that have no event loop."""
        self._elapsed += seconds

    async def advance(self, seconds: float) -> None:
        """Let that time pass, stopping at each sleeper on the way until all it causes is done."""
        end = self._elapsed + seconds
        await settle()
        while (due := self.next_due()) is not None and self._elapsed + due <= end:
            self._wake_next()
            await settle()
        self._elapsed = max(self._elapsed, end)
        await settle()

    async def run_until(self, condition: Callable[[], bool], *, within: float = 3600.0) -> float:
        """Let time pass until the condition holds; returns the seconds that it took.

        AssertionError when it does not hold within that many seconds, or nobody sleeps any more.
        """
        began = self._elapsed
        await settle()
        while not condition():
            due = self.next_due()
            if due is None or self._elapsed + due > began + within:
                raise AssertionError(f"not within {within} s (at {self._elapsed - began} s)")
            self._wake_next()
            await settle()
        return self._elapsed - began

    def _wake_next(self) -> None:
        when, _, sleeper = heapq.heappop(self._sleepers)
        self._elapsed = max(self._elapsed, when)
        if not sleeper.done():
            sleeper.set_result(None)


async def settle() -> None:
    """Let every task go on until all of them wait for something outside the event loop.

    What waits for a thread or a socket is not waited for.
    """
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
    await asyncio.sleep(0)
    while ready:  # noqa: ASYNC110 - the loop itself is what is waited for
        await asyncio.sleep(0)
