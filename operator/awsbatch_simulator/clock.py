"""The one clock that drives everything in the simulator.

States change when a timer falls due, never because someone asked. In a live server the clock
follows the wall clock times `speed`; in a test it stands still until it is stepped.

A timer that raises is a fault of the simulator. It neither stops the clock nor is it lost, since
whatever waits for it (an environment that is UPDATING, say) would wait for ever: it is logged and
counted, and falls due again later, as often as it takes.
"""

import heapq
import itertools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

logger = logging.getLogger(__name__)
AGAIN_SECONDS = 60.0  # simulated, from a timer's failure to its next attempt; then doubled
LONGEST_AGAIN_SECONDS = 86_400.0


@dataclass(slots=True, eq=False)
class Timer:
    """A callback that waits for its moment; `cancel` makes it do nothing."""

    when: float
    callback: Callable[..., Any]
    arguments: tuple[Any, ...] = ()
    cancelled: bool = False
    failures: int = 0

    def cancel(self) -> None:
        """Make sure that the callback never runs; what it would have needed may go at once."""
        self.cancelled, self.arguments = True, ()


class SimulatedClock:
    """Simulated time in epoch seconds, and the timers that wait for it.

    Not thread-safe by itself: callers hold the world's lock.
    """

    def __init__(self, *, speed: float = 1.0, stepped: bool = False, start: float = 0.0) -> None:
        self._speed = speed
        self._stepped = stepped
        self._base = start or time.time()
        self._anchor = time.monotonic()
        self._timers: list[tuple[float, int, Timer]] = []  # equal moments in order of setting
        self._order = itertools.count()
        self.failed_timers = 0  # how often a timer has raised

    @property
    def stepped(self) -> bool:
        """Whether time moves by `advance` only."""
        return self._stepped

    @property
    def speed(self) -> float:
        """Simulated seconds in a real one."""
        return self._speed

    @speed.setter
    def speed(self, value: float) -> None:
        self._base, self._anchor = self.now(), time.monotonic()
        self._speed = value

    def now(self) -> float:
        """Simulated epoch seconds."""
        if self._stepped:
            return self._base
        return self._base + (time.monotonic() - self._anchor) * self._speed

    def call_at(self, when: float, callback: Callable[..., Any], *arguments: Any) -> Timer:
        """Run the callback once `when` (simulated epoch seconds) has come."""
        timer = Timer(when, callback, arguments)
        self._set(timer)
        return timer

    def call_after(self, delay: float, callback: Callable[..., Any], *arguments: Any) -> Timer:
        """Run the callback after `delay` simulated seconds."""
        return self.call_at(self.now() + delay, callback, *arguments)

    def next_due(self) -> float | None:
        """When the earliest living timer falls due, if there is one."""
        while self._timers and self._timers[0][2].cancelled:
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def run_due(self) -> int:
        """Run all timers whose time has come, in order; returns how many ran. Raises nothing."""
        ran = 0
        while (when := self.next_due()) is not None and when <= self.now():
            _, _, timer = heapq.heappop(self._timers)
            self._run(timer)
            ran += 1
        return ran

    def advance(self, seconds: float) -> int:
        """Step the clock, stopping at each timer on the way, as time itself would."""
        end = self.now() + seconds
        ran = 0
        while (when := self.next_due()) is not None and when <= end:
            self._move_to(max(when, self.now()))
            ran += self.run_due()
        self._move_to(max(end, self.now()))
        return ran

    def _set(self, timer: Timer) -> None:
        heapq.heappush(self._timers, (timer.when, next(self._order), timer))

    def _run(self, timer: Timer) -> None:
        try:
            timer.callback(*timer.arguments)
        except Exception:
            delay = min(AGAIN_SECONDS * 2**timer.failures, LONGEST_AGAIN_SECONDS)
            name = getattr(timer.callback, "__qualname__", repr(timer.callback))
            logger.exception("The timer %s failed; it is tried again in %g s", name, delay)
            self.failed_timers += 1
            timer.failures += 1
            timer.when = self.now() + delay
            self._set(timer)

    def _move_to(self, when: float) -> None:
        if self._stepped:
            self._base = when
        else:
            self._base += when - self.now()
