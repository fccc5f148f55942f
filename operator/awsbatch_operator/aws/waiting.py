"""How the pollers wait, and how they stay out of the way of trouble."""

import asyncio
from dataclasses import dataclass
from typing import Any

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.aws.settings import Cadence


async def pause(clock: Clock, seconds: float | None, news: asyncio.Event) -> None:
    """Return after that many seconds (None: never by itself), or at once when there is news."""
    loop = asyncio.get_running_loop()
    waiters: list[asyncio.Task[Any]] = [loop.create_task(news.wait())]
    if seconds is not None:
        waiters.append(loop.create_task(clock.sleep(seconds)))
    try:
        await asyncio.wait(waiters, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for waiter in waiters:
            waiter.cancel()


@dataclass(frozen=True, slots=True)
class Trouble:
    """A scope whose polls fail: until when to leave it alone, and for how long the next time."""

    until: float
    delay: float
    denied: bool  # its owners were told, so that they can say why nothing moves

    @classmethod
    def after(
        cls, previous: "Trouble | None", *, cadence: Cadence, denied: bool, now: float
    ) -> "Trouble":
        """One more failure."""
        delay = min(cadence.trouble_most, previous.delay * 2) if previous else cadence.trouble
        return cls(now + delay, delay, denied)
