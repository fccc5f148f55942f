"""How long the event loop was away: while one step runs, nothing else does, not even the lease."""

import asyncio
from collections.abc import Callable

# A pause that begins just after a tick is seen as that much shorter than it was.
TICK_SECONDS = 0.02
WINDOW_SECONDS = 60.0


class LoopPauses:
    """Has itself called over and over, and notes how much too late it is called.

    `longest` covers the current minute and the one before, so that whoever looks once a minute
    misses nothing. `now` is a monotonic clock, in seconds. A plain timer, because a task that
    sleeps over and over would be a third of what an idle operator does.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._began = now()
        self._before = 0.0
        self._current = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Watch this loop until `stop`."""
        due = self._now() + TICK_SECONDS
        self._timer = loop.call_later(TICK_SECONDS, self._tick, loop, due)

    def stop(self) -> None:
        """Watch no longer."""
        if self._timer is not None:
            self._timer.cancel()

    @property
    def longest(self) -> float:
        """Seconds of the longest pause in the last one or two minutes."""
        return max(self._before, self._current)

    def _tick(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        now = self._now()
        if now - self._began >= WINDOW_SECONDS:
            self._before, self._current, self._began = self._current, 0.0, now
        self._current = max(self._current, now - due)
        self.watch(loop)
