"""How long the event loop was away: while one step runs, nothing else does, not even the lease."""

import asyncio
import selectors
from collections.abc import Callable

WINDOW_SECONDS = 60.0


class LoopPauses:
    """Notes how long each step of an event loop takes, from waking up to waiting again.

    `longest` covers the current minute and the one before, so that whoever looks once a minute
    misses nothing. `now` is a monotonic clock, in seconds.

    A task that sleeps a little over and over, and looks how late it is woken, would tell the same
    and would be a third of what an idle operator does.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self._began = now()
        self._before = 0.0
        self._current = 0.0

    def loop(self) -> asyncio.AbstractEventLoop:
        """A new event loop, the steps of which are noted here."""
        return asyncio.SelectorEventLoop(_Timed(self))

    @property
    def longest(self) -> float:
        """Seconds of the longest step in the last one or two minutes."""
        self._turn(self.now())
        return max(self._before, self._current)

    def step(self, began: float, ended: float) -> None:
        """A step is over."""
        self._turn(began)
        self._current = max(self._current, ended - began)

    def _turn(self, moment: float) -> None:
        """Begin a new minute if the current one is over at that moment."""
        minutes = (moment - self._began) // WINDOW_SECONDS
        if minutes >= 1:
            self._before = self._current if minutes < 2 else 0.0  # noqa: PLR2004 - the one before
            self._current, self._began = 0.0, moment


class _Timed(selectors.DefaultSelector):
    """The loop comes by here between any two steps."""

    def __init__(self, pauses: LoopPauses) -> None:
        super().__init__()
        self._pauses = pauses
        self._woken = pauses.now()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._pauses.step(self._woken, self._pauses.now())
        try:
            return super().select(timeout)
        finally:
            self._woken = self._pauses.now()
