"""How many turns begin in one round of the event loop.

A turn computes for a few milliseconds before it waits for anything. With every worker ready at the
same time, as at a start, all of these would come one after the other in one round, and whatever
else is due, the lease above all, would wait for the whole of it.
"""

import asyncio


class Pace:
    """Lets at most `limit` callers of `go` pass in each round of the loop. For one event loop."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._gone = 0

    async def go(self) -> None:
        """Return in this round or in one of the next."""
        while self._gone >= self._limit:  # noqa: ASYNC110 - the next round is what is waited for
            await asyncio.sleep(0)
        if not self._gone:
            asyncio.get_running_loop().call_soon(self._next_round)
        self._gone += 1

    def _next_round(self) -> None:
        self._gone = 0
