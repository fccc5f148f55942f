"""How long the event loop was away: while one step runs, nothing else does, not even the lease."""

import asyncio
from collections.abc import Callable

# A pause that begins just after a tick is seen as that much shorter than it was.
TICK_SECONDS = 0.02
# While nothing happens, and the processor time up to which nothing does. Twenty milliseconds would
# cost an idle operator a third of all that it does.
IDLE_TICK_SECONDS = 0.1
IDLE_WORK_SECONDS = 0.005
WINDOW_SECONDS = 60.0


class LoopPauses:
    """Has itself called over and over, and notes how much too late it is called.

    `longest` covers the current minute and the one before, so that whoever looks once a minute
    misses nothing. `now` is a monotonic clock and `worked` the processor time of all threads, in
    seconds. A plain timer, because a task that sleeps over and over would cost twice as much.

    After an idle time the ticks are far apart, and a pause may begin and end between two of them.
    But what it took of the processor is known. So as much counts as a pause, although it may have
    been many short steps; from then on the ticks are close to each other. They are from the moment
    on, too, at which somebody says that work begins (`busy`), or each burst that follows an idle
    moment would count as a pause. What is noted is never less than the pause by more than
    TICK_SECONDS, if the pause was work of this process; one for another reason (the process was
    stopped) by up to IDLE_TICK_SECONDS.
    """

    def __init__(self, now: Callable[[], float], worked: Callable[[], float]) -> None:
        self._now = now
        self._worked = worked
        self._began = now()
        self._work = worked()
        self._before = 0.0
        self._current = 0.0
        self._tick_seconds = TICK_SECONDS
        self._due = self._began
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Watch this loop until `stop`."""
        self._loop = loop
        self._again(TICK_SECONDS)

    def stop(self) -> None:
        """Watch no longer."""
        self._loop = None
        if self._timer is not None:
            self._timer.cancel()

    def busy(self) -> None:
        """Work begins in this very step of the loop: look closely."""
        if self._loop is None or self._timer is None or self._tick_seconds == TICK_SECONDS:
            return
        # A long step that has made this work comes before the tick that it has delayed.
        self._timer.cancel()
        self._note(late=max(0.0, self._now() - self._due))
        self._again(TICK_SECONDS)

    @property
    def longest(self) -> float:
        """Seconds of the longest pause in the last one or two minutes."""
        return max(self._before, self._current)

    def _again(self, tick: float) -> None:
        if self._loop is not None:
            self._tick_seconds, self._due = tick, self._now() + tick
            self._timer = self._loop.call_later(tick, self._tick)

    def _tick(self) -> None:
        worked = self._note(late=self._now() - self._due)
        self._again(TICK_SECONDS if worked > IDLE_WORK_SECONDS else IDLE_TICK_SECONDS)

    def _note(self, *, late: float) -> float:
        """Note a pause, if there was one; the processor time since the last time."""
        now, work = self._now(), self._worked()
        if now - self._began >= WINDOW_SECONDS:
            self._before, self._current, self._began = self._current, 0.0, now
        worked, self._work = work - self._work, work
        hidden = 0.0
        if self._tick_seconds > TICK_SECONDS and worked > IDLE_WORK_SECONDS:
            hidden = min(max(worked - late, 0.0), self._tick_seconds)
        self._current = max(self._current, late + hidden)
        return worked
