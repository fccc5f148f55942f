"""The work queue: which object is looked at next.

Keys, not events: however often a key is added while it waits, it is taken once, and who takes it
looks at the world as it is then. A key that is added while a worker has it is taken again when that
worker is done with it, so no change is lost and no two workers ever have the same object.
"""

import asyncio
import heapq
import itertools
from collections import OrderedDict, deque
from collections.abc import Hashable
from enum import IntEnum
from random import Random
from typing import Generic, TypeVar

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.engine.backoff import Backoff
from awsbatch_operator.engine.waiting import first_of

K = TypeVar("K", bound=Hashable)

FAIR_SHARE = 8  # every eighth take serves the least urgent lane first, so that nothing starves
SPARE_TIMERS = 100  # cancelled ones that may lie about besides as many as are alive


class Priority(IntEnum):
    """What goes first. A lower number is more urgent."""

    DELETION = 0  # somebody waits for the object to go
    CHANGED = 1  # the newest generation has not been acted on yet
    REST = 2


class WorkQueue(Generic[K]):
    """Keys that wait, are being worked on, or fall due later. For one event loop, no threads."""

    def __init__(self, *, clock: Clock, random: Random, backoff: Backoff | None = None) -> None:
        self._clock = clock
        self._random = random
        self._backoff = backoff or Backoff()
        # Each lane holds the keys in the order in which they came, with the time when they did.
        self._lanes: dict[Priority, OrderedDict[K, float]] = {
            priority: OrderedDict() for priority in Priority
        }
        self._lane_of: dict[K, Priority] = {}
        self._running: set[K] = set()
        self._added_while_running: dict[K, Priority] = {}
        self._due: dict[K, float] = {}
        self._timers: list[tuple[float, int, K]] = []
        self._order = itertools.count()
        self._failures: dict[K, int] = {}
        self._takes = 0
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._timers_changed = asyncio.Event()
        self._closed = False

    def add(self, key: K, priority: Priority = Priority.REST) -> None:
        """Have the key taken as soon as its turn comes; a more urgent priority wins."""
        if key in self._running:
            before = self._added_while_running.get(key, priority)
            self._added_while_running[key] = min(before, priority)
            return
        lane = self._lane_of.get(key)
        if lane is None:
            self._push(key, priority)
        elif priority < lane:
            self._lanes[priority][key] = self._lanes[lane].pop(key)
            self._lane_of[key] = priority

    def add_after(self, key: K, seconds: float) -> None:
        """Have the key added after that time; of several times the earliest counts.

        Whatever takes the key before that cancels it: a turn decides anew when the next is due.
        """
        if seconds <= 0:
            self.add(key)
            return
        when = self._clock.monotonic() + seconds
        if when >= self._due.get(key, float("inf")):
            return
        if len(self._timers) > 2 * len(self._due) + SPARE_TIMERS:
            self._drop_cancelled_timers()
        self._due[key] = when
        timer = (when, next(self._order), key)
        heapq.heappush(self._timers, timer)
        if self._timers[0] is timer:
            self._timers_changed.set()

    def retry(self, key: K, *, floor: float = 0.0) -> float:
        """Count a failure and have the key added after its backoff; returns the delay."""
        failures = self._failures.get(key, 0) + 1
        self._failures[key] = failures
        delay = max(floor, self._backoff.delay(failures, self._random))
        self.add_after(key, delay)
        return delay

    def succeeded(self, key: K) -> None:
        """Forget the failures of a key."""
        self._failures.pop(key, None)

    def forget(self, key: K) -> None:
        """Forget failures and due time of a key whose object is gone."""
        self._failures.pop(key, None)
        self._due.pop(key, None)

    def take_now(self) -> K | None:
        """The next key, or None if none waits. Whoever takes a key must say `done`."""
        lane = self._next_lane()
        if lane is None or self._closed:
            return None
        key, _ = self._lanes[lane].popitem(last=False)
        del self._lane_of[key]
        self._takes += 1
        self._running.add(key)
        self._due.pop(key, None)
        return key

    async def take(self) -> K | None:
        """Wait for the next key; None once the queue is closed."""
        while not self._closed:
            key = self.take_now()
            if key is not None:
                return key
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                self._pass_on(waiter)
                raise
        return None

    def done(self, key: K) -> None:
        """The worker is through with the key; it waits again if it was added meanwhile."""
        self._running.discard(key)
        priority = self._added_while_running.pop(key, None)
        if priority is not None:
            self.add(key, priority)

    def close(self) -> None:
        """Give out no more keys; who waits in `take` gets None."""
        self._closed = True
        while self._waiters:
            self._wake_one()

    def is_running(self, key: K) -> bool:
        """Whether a worker has the key now."""
        return key in self._running

    @property
    def idle(self) -> bool:
        """Whether no key waits or is worked on. Keys that fall due later do not count."""
        return not self._lane_of and not self._running

    @property
    def depth(self) -> int:
        """How many keys wait."""
        return len(self._lane_of)

    @property
    def oldest_age(self) -> float:
        """Seconds that the key which waits longest has waited; 0 if none waits."""
        since = [next(iter(lane.values())) for lane in self._lanes.values() if lane]
        return self._clock.monotonic() - min(since) if since else 0.0

    def release_due(self) -> float | None:
        """Add what has fallen due; seconds until the next key does, None if there is none."""
        now = self._clock.monotonic()
        while self._timers:
            when, _, key = self._timers[0]
            if self._due.get(key) != when:  # cancelled, or replaced by an earlier time
                heapq.heappop(self._timers)
            elif when <= now:
                heapq.heappop(self._timers)
                del self._due[key]
                self.add(key)
            else:
                return when - now
        return None

    async def run_timers(self) -> None:
        """Release keys as they fall due, until cancelled."""
        while True:
            self._timers_changed.clear()
            seconds = self.release_due()
            if seconds is None:
                await self._timers_changed.wait()
            else:
                await first_of(self._clock.sleep(seconds), self._timers_changed.wait())

    def _drop_cancelled_timers(self) -> None:
        self._timers = [(when, next(self._order), key) for key, when in self._due.items()]
        heapq.heapify(self._timers)

    def _push(self, key: K, priority: Priority) -> None:
        self._lanes[priority][key] = self._clock.monotonic()
        self._lane_of[key] = priority
        self._wake_one()

    def _next_lane(self) -> Priority | None:
        order = sorted(self._lanes, reverse=(self._takes + 1) % FAIR_SHARE == 0)
        return next((lane for lane in order if self._lanes[lane]), None)

    def _wake_one(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    def _pass_on(self, waiter: "asyncio.Future[None]") -> None:
        """A waiter that was woken and cancelled at once hands its call to the next."""
        if waiter.done() and not waiter.cancelled():
            self._wake_one()
        elif waiter in self._waiters:
            self._waiters.remove(waiter)
