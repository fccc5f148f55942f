"""How many turns begin, or go on after a write, in one round of the event loop.

A turn computes for a few milliseconds before it waits for anything. With every worker ready at the
same time, as at a start, or when the API server answers many writes at once after a moment of
silence, all of these would come one after the other in one round, and whatever else is due, the
lease above all, would wait for the whole of it.
"""

import asyncio
from collections import deque
from collections.abc import Callable

TURNS_A_ROUND = 8  # of the event loop: some 20 ms


class Pace:
    """Lets `limit` callers of `go` pass in a round of the loop, in the order in which they came.

    Where some of them wait from the round before, up to twice as many pass in one. `busy` is called
    in each round in which one passes, before it does. For one event loop.
    """

    def __init__(self, limit: int, busy: Callable[[], None] = lambda: None) -> None:
        self._limit, self._busy = limit, busy
        self._gone = 0
        # Whoever waits does so in a round that is full: the next one is scheduled.
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def go(self) -> None:
        """Return in this round or in one of the next."""
        if self._gone < self._limit:
            self._let_pass()
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn

    def _let_pass(self) -> None:
        if not self._gone:
            asyncio.get_running_loop().call_soon(self._next_round)
            self._busy()
        self._gone += 1

    def _next_round(self) -> None:
        self._gone = 0
        while self._waiting and self._gone < self._limit:
            turn = self._waiting.popleft()
            if not turn.done():  # else it was given up
                self._let_pass()
                turn.set_result(None)
