"""Where the blocking calls of botocore run: in a few threads, or, in tests, right here."""

import asyncio
import contextvars
import heapq
import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from awsbatch_operator.aws.calls import Priority

ResultT = TypeVar("ResultT")


class Runner(Protocol):
    """Runs work that blocks."""

    async def run(self, work: Callable[[], ResultT], *, priority: Priority) -> ResultT:
        """The work's result or error. Cancelling the wait does not stop work that has begun."""

    def close(self) -> None:
        """Take no more work; what has begun goes on."""


class InlineRunner:
    """Runs everything in the caller's thread: the same order each time, for tests."""

    async def run(self, work: Callable[[], ResultT], *, priority: Priority) -> ResultT:  # noqa: ARG002 - nobody ever waits here
        return work()

    def close(self) -> None:
        return


class ThreadRunner:
    """A bounded number of threads; who waits for one goes by priority, then by arrival."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="aws")
        self._free = threads
        self._order = itertools.count()
        self._line: list[tuple[Priority, int, asyncio.Future[None]]] = []

    async def run(self, work: Callable[[], ResultT], *, priority: Priority) -> ResultT:
        await self._slot(priority)
        # The context goes along, so that what is logged in the thread names the object, too.
        context = contextvars.copy_context()
        future = asyncio.get_running_loop().run_in_executor(self._pool, context.run, work)
        future.add_done_callback(lambda _: self._release())
        return await future

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _slot(self, priority: Priority) -> None:
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._line, (priority, next(self._order), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._release()  # it was handed to us at the very moment we gave up
            raise

    def _release(self) -> None:
        while self._line:
            _, _, turn = heapq.heappop(self._line)
            if not turn.done():
                turn.set_result(None)  # the slot goes from hand to hand
                return
        self._free += 1
