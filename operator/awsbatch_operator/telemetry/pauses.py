"""How long the event loop was away: while one step runs, nothing else does, not even the lease."""

from collections.abc import Awaitable, Callable

TICK_SECONDS = 0.05
WINDOW_SECONDS = 60.0


class LoopPauses:
    """Sleeps a little over and over, and notes how much too late it is woken.

    `longest` covers the current minute and the one before, so that whoever looks once a minute
    misses nothing. `now` and `sleep` are those of the loop that is watched, in seconds.
    """

    def __init__(
        self, *, now: Callable[[], float], sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._now = now
        self._sleep = sleep
        self._began = now()
        self._before = 0.0
        self._current = 0.0

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            asleep = self._now()
            await self._sleep(TICK_SECONDS)
            self._note(self._now(), self._now() - asleep - TICK_SECONDS)

    @property
    def longest(self) -> float:
        """Seconds of the longest pause in the last one or two minutes."""
        return max(self._before, self._current)

    def _note(self, now: float, late: float) -> None:
        if now - self._began >= WINDOW_SECONDS:
            self._before, self._current, self._began = self._current, 0.0, now
        self._current = max(self._current, late)
