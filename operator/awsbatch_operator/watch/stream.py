"""One run of Kopf's watches, in a thread with an event loop of its own.

Why a thread: while Kopf reads a long list it holds its loop for a third of a second at a time,
which belongs to the lease. Events are handed over to the loop of whoever made the stream, in order.
"""

import asyncio
import contextlib
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import kopf
import uvloop
from kopf._cogs.clients.errors import APINotFoundError

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.kube.connection import Location, connect
from awsbatch_operator.kube.errors import LOGIN
from awsbatch_operator.kube.paths import CLUSTER_SCOPED
from awsbatch_operator.watch import kopf_setup

ROUND = 200  # events taken before other tasks of the home loop have their turn
WAITING = 2000  # events that may wait in the home loop before a list reads on
ROOM_SECONDS = 0.02
STOP_SECONDS = 8.0  # for the thread to end, which takes a moment
WATCH_SECONDS = 1.0  # from one watch of the same objects to the next
REFUSED_SECONDS = 30.0  # an identity that is refused as often in that time is no good
REFUSED_LOGINS = 2


# What is called in the home loop, with what. All of it keeps its order.
Call = tuple[Callable[..., object], tuple[object, ...]]


class WatchError(Exception):
    """The watch cannot go on; the message says why."""


class NotServedError(WatchError):
    """The API server does not serve a kind any more: its CRD has been deleted."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is watched, as whom. Empty `namespaces` mean all of them."""

    location: Location
    environ: Mapping[str, str]
    kinds: Sequence[str]
    namespaces: Sequence[str]


class Stream:
    """Runs once. `on_event` and `on_started` are called in the loop in which it was made.

    `on_started` is called once, when the watch has told of all objects that there are.
    """

    def __init__(
        self,
        target: Target,
        *,
        clock: Clock,
        on_event: Callable[[str | None, Shape], None],
        on_started: Callable[[], None],
    ) -> None:
        self._target = target
        self._clock = clock
        self._on_event = on_event
        self._on_started = on_started
        self._home = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._home.create_future()
        self._outbox: list[Call] = []
        self._inbox: deque[Call] = deque()
        self._taking = False
        self._delivered = self._taken = 0  # each written by one thread, and read by the other
        self._away = uvloop.new_event_loop()
        self._stop = asyncio.Event()
        self._unlisted: set[tuple[str, str | None]] = set()
        self._watched: dict[str, float] = {}  # by path: when it was asked for last
        self._logins: deque[float] = deque(maxlen=REFUSED_LOGINS)
        self._sessions: list[aiohttp.ClientSession] = []
        self._transports: set[asyncio.Transport] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Watch until `stop` is set. Raises what ends the watch before that.

        An error of `on_event` ends it, too: an event that got lost must not go unnoticed.
        """
        thread = threading.Thread(target=self._in_thread, name="watch", daemon=True)
        thread.start()
        stopping: asyncio.Future[Any] = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait({stopping, self._ended}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            self._tell_to_stop()
            await asyncio.wait({self._ended}, timeout=STOP_SECONDS)
        if self._ended.done():
            self._ended.result()
        if not stop.is_set():
            raise WatchError("The watch has ended without an error.")

    def _in_thread(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._away) as runner:
                runner.run(self._operate())
        except BaseException as error:  # noqa: BLE001 - handed over to the loop that waits for it
            self._at_home(self._receive, [(self._end, (error,))])
        else:
            self._at_home(self._receive, [(self._end, (None,))])

    async def _operate(self) -> None:
        stopping = asyncio.ensure_future(self._stop.wait())
        settings = kopf_setup.settings()
        tasks = {stopping, kopf_setup.logged_in(self._log_in, settings)}
        self._unlisted = {(kind, place) for kind in self._target.kinds for place in self._of(kind)}
        tasks |= {asyncio.ensure_future(self._follow(*each, settings)) for each in self._unlisted}
        try:
            # One that fails ends them all: what is not watched must not go unnoticed.
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in ended if stopping not in ended else ():
                task.result()
        except APINotFoundError as error:
            raise NotServedError(f"The API server has stopped serving a kind: {error}") from error
        finally:
            # Whatever below may hang: a watch that has broken must not pass for one that watches.
            self._at_home(self._home.call_later, STOP_SECONDS, self._end, sys.exc_info()[1])
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._close()

    def _of(self, kind: str) -> Sequence[str | None]:
        """The namespaces in which a kind is watched; None: all of them, or it has none."""
        return [None] if kind in CLUSTER_SCOPED else self._target.namespaces or [None]

    async def _follow(
        self, kind: str, namespace: str | None, settings: kopf.OperatorSettings
    ) -> None:
        async for event in kopf_setup.events(kind, namespace, settings):
            if event is not None:
                self._deliver(self._on_event, *event)
                # Not while watching: Kopf's time limit of a watch would run out here, as a cancel.
                while event[0] is None and self._waiting() >= WAITING:  # noqa: ASYNC110 - two threads
                    await asyncio.sleep(ROOM_SECONDS)
            elif (kind, namespace) in self._unlisted:
                self._unlisted.remove((kind, namespace))
                if not self._unlisted:
                    self._deliver(self._on_started)

    def _waiting(self) -> int:
        return self._delivered - self._taken

    async def _log_in(self) -> kopf.AiohttpSession:
        """Asked for at the start, and again when the API server refuses who we are.

        Kopf would ask without end and without a pause, and nobody would hear of it.
        """
        now, logins = self._clock.monotonic(), self._logins
        if len(logins) == REFUSED_LOGINS and now - logins[0] < REFUSED_SECONDS:
            refused = "The API server refuses who we are (401), also after a new login."
            raise WatchError(f"{refused} {LOGIN}")
        connection = await connect(
            self._target.location, clock=self._clock, environ=self._target.environ
        )
        session = connection.session(self._transports, self._paced)
        logins.append(now)
        self._sessions = [session, *(old for old in self._sessions if not old.closed)]
        return kopf.AiohttpSession(server=connection.server, aiohttp_session=session)

    async def _paced(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Send it, but a watch only a moment after the one before.

        An API server or a proxy may end watches as they begin. Kopf would ask again at once.
        """
        if "watch" in request.url.query:
            path, now = request.url.path, self._clock.monotonic()
            pause = self._watched.get(path, float("-inf")) + WATCH_SECONDS - now
            if pause > 0:
                await self._clock.sleep(pause)
            self._watched[path] = self._clock.monotonic()
        return await handler(request)

    async def _close(self) -> None:
        # Kopf has begun to close the watches politely, over the network, and sessions would do so
        # with their idle connections: half a minute, where nobody answers any more.
        for transport in self._transports:
            transport.abort()
        for session in self._sessions:
            await session.close()
        await asyncio.sleep(0)  # an abort takes effect in the loop's next round

    def _deliver(self, call: Callable[..., object], *arguments: object) -> None:
        """In Kopf's loop. What comes in one of its rounds is handed over together."""
        self._outbox.append((call, arguments))
        self._delivered += 1
        if len(self._outbox) == 1:
            self._away.call_soon(self._send)

    def _send(self) -> None:
        batch, self._outbox = self._outbox, []
        self._at_home(self._receive, batch)

    def _receive(self, batch: list[Call]) -> None:
        """In the home loop. The end comes this way, too: whoever begins anew has taken all else."""
        self._inbox.extend(batch)
        if not self._taking:
            self._taking = True
            self._take()

    def _take(self) -> None:
        for _ in range(min(ROUND, len(self._inbox))):
            call, arguments = self._inbox.popleft()
            self._taken += 1
            try:
                call(*arguments)
            except BaseException as error:  # noqa: BLE001 - raised by run(); nothing is taken after
                self._end(error)
                return
        self._taking = bool(self._inbox)
        if self._taking:
            self._home.call_soon(self._take)

    def _end(self, error: BaseException | None) -> None:
        if self._ended.done():
            return
        if error is None:
            self._ended.set_result(None)
        else:
            self._ended.set_exception(error)
            self._ended.exception()  # seen: whoever ran this may have been cancelled

    def _at_home(self, call: Callable[..., object], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the home loop is closed: nobody waits any more
            self._home.call_soon_threadsafe(call, *arguments)

    def _tell_to_stop(self) -> None:
        with contextlib.suppress(RuntimeError):  # the thread has ended already
            self._away.call_soon_threadsafe(self._stop.set)
