"""Where the blocking calls of botocore run: in a few threads, or, in tests, right here."""

import asyncio
import contextlib
import contextvars
import heapq
import itertools
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, TypeVar

from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.calls import Priority

ResultT = TypeVar("ResultT")


class Runner(Protocol):
    """Runs work that blocks."""

    async def run(
        self, work: Callable[[], ResultT], *, priority: Priority, account: str
    ) -> ResultT:
        """The work's result or error. Cancelling the wait does not stop work that has begun.

        `account` is for whom it is done: threads are shared out between accounts.
        """

    def close(self) -> None:
        """Take no more work; what has begun goes on."""


class InlineRunner:
    """Runs everything in the caller's thread: the same order each time, for tests."""

    async def run(
        self,
        work: Callable[[], ResultT],
        *,
        priority: Priority,  # noqa: ARG002 - nobody ever waits here
        account: str,  # noqa: ARG002
    ) -> ResultT:
        return work()

    def close(self) -> None:
        return


@dataclass(frozen=True, slots=True)
class Aside:
    """Works something out beside the event loop: pure work that may take longer than a turn may.

    Python's threads take turns by the milliseconds, so everybody else goes on meanwhile.
    """

    runner: Runner

    async def work_out(self, scope: Scope, work: Callable[[], ResultT]) -> ResultT:
        """The work's result, or its error. It must not touch what others may change meanwhile."""
        return await self.runner.run(work, priority=Priority.READING, account=scope.account_id)


_Waiting = tuple[Priority, int, asyncio.Future[None]]


class ThreadRunner:
    """A bounded number of threads, shared out between accounts.

    An account may use as many threads as it leaves free: one that does not answer comes to half of
    all threads, the next to half of the rest, and so on, so that there is always a thread for an
    account that has none. (Dynamic thresholds, as switches share their memory: Choudhury and
    Hahne, 1998.)

    Who waits for one goes in turn by account: first the account with the fewest threads at work, of
    equals the one that got a thread longest ago; within an account by priority, then by arrival.
    For one event loop.
    """

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="aws")
        self._free = threads
        self._at_work: Counter[str] = Counter()
        self._order = itertools.count()
        self._got_one: dict[str, int] = {}  # of accounts that wait or are at work: when, in order
        self._lines: defaultdict[str, list[_Waiting]] = defaultdict(list)

    async def run(
        self, work: Callable[[], ResultT], *, priority: Priority, account: str
    ) -> ResultT:
        await self._slot(priority, account)
        loop = asyncio.get_running_loop()
        # The context goes along, so that what is logged in the thread names the object, too.
        context = contextvars.copy_context()
        try:
            begun = self._pool.submit(context.run, work)
        except BaseException:
            self._release(account)
            raise
        # The thread is free when the work is over, not when whoever waits for it gives up.
        begun.add_done_callback(lambda _: _tell(loop, lambda: self._release(account)))
        return await asyncio.wrap_future(begun)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _slot(self, priority: Priority, account: str) -> None:
        if not self._lines.get(account) and self._may_have(account):
            self._occupy(account)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._lines[account], (priority, next(self._order), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._release(account)  # it was handed to us at the very moment we gave up
            raise

    def _may_have(self, account: str) -> bool:
        return self._at_work[account] < self._free

    def _occupy(self, account: str) -> None:
        self._free -= 1
        self._at_work[account] += 1
        self._got_one[account] = next(self._order)

    def _release(self, account: str) -> None:
        self._free += 1
        self._at_work[account] -= 1
        if not self._at_work[account]:
            del self._at_work[account]
            if account not in self._lines:
                self._got_one.pop(account, None)
        self._hand_out()

    def _hand_out(self) -> None:
        """Give free threads to those who wait and may have one."""
        while (account := self._next()) is not None:
            _, _, turn = heapq.heappop(self._lines[account])
            self._occupy(account)
            turn.set_result(None)

    def _next(self) -> str | None:
        """The account whose turn it is; None if nobody waits who may have a thread."""
        for account in list(self._lines):
            line = self._lines[account]
            while line and line[0][2].done():
                heapq.heappop(line)  # it has given up
            if not line:
                del self._lines[account]
                if account not in self._at_work:
                    self._got_one.pop(account, None)
        able = [account for account in self._lines if self._may_have(account)]
        return min(able, key=self._rank, default=None)

    def _rank(self, account: str) -> tuple[int, int, Priority, int]:
        priority, arrival, _ = self._lines[account][0]
        return self._at_work[account], self._got_one.get(account, -1), priority, arrival


def _tell(loop: asyncio.AbstractEventLoop, what: Callable[[], None]) -> None:
    """Call it in the loop; nobody is there to hear it when the loop is closed already."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(what)
