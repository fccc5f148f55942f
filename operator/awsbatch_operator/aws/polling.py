"""Polls: one task a scope, so that an account that is slow, throttled or denied delays no other.

first used ──► task ──► asleep until due, or hurried ──► poll ──┐
                ▲                 ▲                             │
                │                 └── longer and longer after ◄─┤ failed
                │                     failures                  │
                └── used again ◄── ends when nothing is due ◄───┘
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.aws_settings import Cadence
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.waiting import first_of, until_set

Wake = Callable[[ObjectKey], None]
"""Puts an object into the work queue."""

_AT_ONCE = 500  # objects woken before the event loop gets a turn

_log = structlog.get_logger(__name__)


class Polled(Protocol):
    """Things of one kind that are asked about again and again."""

    @property
    def what(self) -> str:
        """How logs name them."""

    def due(self, scope: Scope) -> float | None:
        """When to poll a scope next, in monotonic seconds; None: there is nothing to poll."""

    async def poll(self, scope: Scope) -> None:
        """Ask AWS about a scope, and move what `due` says. May raise any Exception."""

    def owners(self, scope: Scope) -> Iterable[ObjectKey]:
        """Who would want to say why nothing moves, when AWS denies the poll."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A scope whose polls fail: until when to leave it alone, and for how long the next time."""

    until: float
    delay: float
    denied: bool

    @classmethod
    def after(
        cls, previous: "Trouble | None", *, cadence: Cadence, denied: bool, now: float
    ) -> "Trouble":
        """One more failure."""
        delay = min(cadence.trouble_most, previous.delay * 2) if previous else cadence.trouble
        return cls(now + delay, delay, denied)


@dataclass(slots=True, eq=False)
class _Watched:
    """A scope that is polled."""

    news: asyncio.Event = field(default_factory=asyncio.Event)
    asleep_until: float = float("inf")
    trouble: Trouble | None = None
    task: asyncio.Task[None] | None = None


class Pollers:
    """Runs the polls of all scopes of one kind of thing. For one event loop."""

    def __init__(self, polled: Polled, clock: Clock, cadence: Cadence, wake: Wake) -> None:
        self._polled = polled
        self._clock = clock
        self._cadence = cadence
        self._wake = wake
        self._scopes: dict[Scope, _Watched] = {}
        self._ended: asyncio.Future[None] | None = None  # set while it runs

    @property
    def running(self) -> bool:
        """Whether anything is polled at all."""
        return self._ended is not None

    def in_trouble(self, scope: Scope) -> bool:
        """Whether the last poll of the scope has failed: what was read is getting old."""
        watched = self._scopes.get(scope)
        return watched is not None and watched.trouble is not None

    def look(self, scope: Scope, due: float) -> None:
        """Something is due in the scope at that moment, perhaps earlier than was known."""
        watched = self._scopes.get(scope)
        if watched is None:
            watched = self._scopes[scope] = _Watched()
            if self._ended is not None:
                self._start(scope, watched)
        if watched.trouble is not None:
            due = max(due, watched.trouble.until)
        if due < watched.asleep_until:
            watched.news.set()

    async def run(self) -> None:
        """Poll until cancelled, or until a BaseException that is no Exception; that is raised."""
        self._ended = asyncio.get_running_loop().create_future()
        for scope, watched in list(self._scopes.items()):
            self._start(scope, watched)
        try:
            await self._ended
        finally:
            self._ended = None
            tasks = [watched.task for watched in self._scopes.values() if watched.task]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def wake(self, owners: Iterable[ObjectKey]) -> None:
        """Wake them all, with turns for the event loop in between."""
        for number, owner in enumerate(owners, start=1):
            self._wake(owner)
            if not number % _AT_ONCE:
                await asyncio.sleep(0)

    def _start(self, scope: Scope, watched: _Watched) -> None:
        watched.task = asyncio.get_running_loop().create_task(self._poll(scope, watched))
        watched.task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and self._ended is not None and not self._ended.done():
            self._ended.set_exception(error)

    async def _poll(self, scope: Scope, watched: _Watched) -> None:
        while True:
            watched.news.clear()
            due = self._polled.due(scope)
            if due is None:
                del self._scopes[scope]
                return
            if watched.trouble is not None:
                due = max(due, watched.trouble.until)
            now = self._clock.monotonic()
            if due > now:
                watched.asleep_until = due
                await first_of(self._clock.sleep(due - now), until_set(watched.news))
                watched.asleep_until = float("inf")
                continue
            await asyncio.sleep(0)
            await self._once(scope, watched)

    async def _once(self, scope: Scope, watched: _Watched) -> None:
        """A poll. What one account is answered must not end what all share, however odd it is."""
        try:
            await self._polled.poll(scope)
        except AwsError as error:
            denied = error.kind is ErrorKind.DENIED
            await self._failed(scope, watched, str(error), denied=denied)
        except Exception as error:  # noqa: BLE001 - one account's trouble is not the others'
            said = f"{type(error).__name__}: {error}"
            await self._failed(scope, watched, said, fault=error)
        else:
            if watched.trouble is not None:
                watched.trouble = None
                self._log(_log.info, "polling works again", scope)

    async def _failed(
        self,
        scope: Scope,
        watched: _Watched,
        said: str,
        *,
        denied: bool = False,
        fault: Exception | None = None,
    ) -> None:
        """Leave the scope alone for a while. Owners find out by themselves why AWS denies it.

        `fault` is none of AWS's: a mistake of ours, or an answer that AWS never gives.
        """
        before, now = watched.trouble, self._clock.monotonic()
        watched.trouble = Trouble.after(before, cadence=self._cadence, denied=denied, now=now)
        more = {"error": said, "again": watched.trouble.delay}
        if fault is None:
            self._log(_log.warning, "polling failed", scope, **more)
        else:
            self._log(_log.error, "polling failed", scope, exc_info=fault, **more)
        if denied and not (before and before.denied):
            await self.wake(list(self._polled.owners(scope)))

    def _log(self, tell: Callable[..., Any], event: str, scope: Scope, **more: Any) -> None:
        where = {"account": scope.account_id, "region": scope.region}
        tell(event, what=self._polled.what, **where, **more)
