"""How many turns begin, or go on after a write, in one round of the event loop.

A turn computes for a few milliseconds before it waits for anything. With every worker ready at the
same time, as at a start, or when the API server answers many writes at once after a moment of
silence, all of these would come one after the other in one round, and whatever else is due, the
lease above all, would wait for the whole of it.
"""

import asyncio
from collections.abc import Callable

TURNS_A_ROUND = 8  # of the event loop: some 20 ms


class Pace:
    """Lets at most `limit` callers of `go` pass in each round of the loop. For one event loop.

    `busy` is called in each round in which one passes, before it does.
    """

    def __init__(self, limit: int, busy: Callable[[], None] = lambda: None) -> None:
        self._limit, self._busy = limit, busy
        self._gone = 0

    async def go(self) -> None:
        """Return in this round or in one of the next."""
        while self._gone >= self._limit:  # noqa: ASYNC110 - the next round is what is waited for
            await asyncio.sleep(0)
        if not self._gone:
            asyncio.get_running_loop().call_soon(self._next_round)
            self._busy()
        self._gone += 1

    def _next_round(self) -> None:
        self._gone = 0
