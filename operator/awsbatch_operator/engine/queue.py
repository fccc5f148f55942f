"""The work queue: which object is looked at next.

Keys, not events: however often a key is added while it waits, it is taken once, and who takes it
looks at the world as it is then. A key that is added while a worker has it is taken again when that
worker is done with it, so no change is lost and no two workers ever have the same object.
"""

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Callable, Hashable
from enum import IntEnum
from random import Random
from typing import Generic, TypeVar

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.engine.backoff import Backoff
from awsbatch_operator.engine.shares import Shares
from awsbatch_operator.waiting import first_of

K = TypeVar("K", bound=Hashable)

SPARE_TIMERS = 100  # cancelled ones that may lie about besides as many as are alive


class Priority(IntEnum):
    """What goes first. A lower number is more urgent."""

    DELETION = 0  # somebody waits for the object to go
    CHANGED = 1  # the newest generation has not been acted on yet
    REST = 2


# One round of an account's takes, four to two to one. Each lane is sure of its places; a place
# whose lane is empty goes to the most urgent lane that is not.
ROUND = (
    Priority.DELETION,
    Priority.CHANGED,
    Priority.DELETION,
    Priority.REST,
    Priority.DELETION,
    Priority.CHANGED,
    Priority.DELETION,
)


def _rest(_: Hashable) -> Priority:
    return Priority.REST


def _one_account(_: Hashable) -> Hashable:
    return ""


class WorkQueue(Generic[K]):
    """Keys that wait, are being worked on, or fall due later. For one event loop, no threads.

    `lane` and `account` say how urgent a key is and whose it is. They are asked when the key begins
    to wait, not when somebody wished for it: a deletion that falls due again is a deletion still.
    Accounts take turns, and leave some of the `takers` (workers) to those that have no work yet.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        random: Random,
        backoff: Backoff | None = None,
        lane: Callable[[K], Priority] = _rest,
        account: Callable[[K], Hashable] = _one_account,
        takers: int | None = None,
    ) -> None:
        self._clock = clock
        self._random = random
        self._backoff = backoff or Backoff()
        self._lane = lane
        self._account = account
        self._waiting = Shares[K](ROUND, takers=takers)
        self._running: dict[K, Hashable] = {}  # with the account that each was taken for
        self._added_while_running: set[K] = set()
        self._due: dict[K, float] = {}
        self._timers: list[tuple[float, int, K]] = []
        self._order = itertools.count()
        self._failures: dict[K, int] = {}
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._timers_changed = asyncio.Event()
        self._closed = False

    def add(self, key: K) -> None:
        """Have the key taken as soon as its turn comes. One that waits can only become more urgent.

        A key that a worker has is remembered, and begins to wait when the worker is done with it.
        """
        if key in self._running:
            self._added_while_running.add(key)
        elif self._waiting.put(key, self._account(key), self._lane(key), self._clock.monotonic()):
            self._wake_one()

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

    def discard(self, key: K) -> None:
        """Forget everything about a key that no worker has: it is not taken unless added again."""
        self.forget(key)
        self._waiting.discard(key)

    def take_now(self) -> K | None:
        """The next key, or None if none may be taken. Whoever takes a key must say `done`."""
        taken = None if self._closed else self._waiting.take()
        if taken is None:
            return None
        key, account = taken
        self._running[key] = account
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
        if key in self._running:
            self._waiting.end(self._running.pop(key))
        if key in self._added_while_running:
            self._added_while_running.discard(key)
            self.add(key)
        if self._waiting:
            self._wake_one()  # an account may hold more keys now than this one

    def close(self) -> None:
        """Give out no more keys; who waits in `take` gets None."""
        self._closed = True
        while self._waiters:
            self._wake_one()

    @property
    def idle(self) -> bool:
        """Whether no key waits or is worked on. Keys that fall due later do not count."""
        return not self._waiting and not self._running

    @property
    def depth(self) -> int:
        """How many keys wait."""
        return len(self._waiting)

    @property
    def oldest_age(self) -> float:
        """Seconds that the key which waits longest has waited; 0 if none waits."""
        since = self._waiting.oldest
        return 0.0 if since is None else self._clock.monotonic() - since

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
