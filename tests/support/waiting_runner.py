"""A runner whose work waits before it runs: for a free thread, as it does under load.

So time passes between what the operator has decided and recorded, and what it sends. The time is
the stepped clock's, and how much of it is drawn from seeded dice; the work itself runs at once, in
the caller's thread.

A process that seems dead may only be frozen (a suspended machine, a stopped container). When it is
thawed, its threads go on with the next instruction, long before anybody tells it that another one
leads: so its waiting work may run after all, and only the fence keeps it from the wire.
"""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from tests.support.clock import SteppedClock
from tests.support.simulated_lease import Term

from awsbatch_operator.aws.calls import Priority

ResultT = TypeVar("ResultT")

LONG = (30.0, 90.0)  # seconds; longer than a lease, and around the time that a submission settles
AROUND_THE_END = (-12.0, 4.0)  # seconds from the moment at which the lease runs out


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """How often work waits how long; the rest runs at once."""

    short: float = 0.25  # up to a third of a second
    long: float = 0.0
    outlasting: float = 0.0  # until about the end of the lease, which is not renewed meanwhile


class WaitingRunner:
    """A Runner for one life of the operator. For one event loop."""

    def __init__(
        self,
        clock: SteppedClock,
        dice: Random,
        waits: Waits,
        term: Term,
    ) -> None:
        self._clock = clock
        self._dice = dice
        self._waits = waits
        self._term = term
        self._numbers = itertools.count()
        self._cut_short: dict[int, Callable[[], object]] = {}

    @property
    def cut_short(self) -> tuple[Callable[[], object], ...]:
        """The work whose wait was cancelled, in the order in which it came."""
        return tuple(self._cut_short[number] for number in sorted(self._cut_short))

    async def run(
        self, work: Callable[[], ResultT], *, priority: Priority, account: str
    ) -> ResultT:
        """The work's result or error, after a wait. If that is cancelled, see `cut_short`."""
        del account  # whoever waits does so at random
        number = next(self._numbers)
        seconds = self._seconds(rare=priority is not Priority.POLLING)
        try:
            if seconds > 0:
                await self._clock.sleep(seconds)
        except asyncio.CancelledError:
            self._cut_short[number] = work
            raise
        return work()

    def close(self) -> None:
        return

    def _seconds(self, *, rare: bool) -> float:
        waits, drawn = self._waits, self._dice.random()
        if drawn < waits.short:
            return self._dice.uniform(0, 1 / 3)
        if rare and drawn < waits.short + waits.long:
            return self._dice.uniform(*LONG)
        if rare and drawn < waits.short + waits.long + waits.outlasting:
            seconds = self._term.left + self._dice.uniform(*AROUND_THE_END)
            self._term.stall(seconds)
            return seconds
        return 0.0
