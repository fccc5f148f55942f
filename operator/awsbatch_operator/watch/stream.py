"""One run of Kopf, in a thread with an event loop of its own.

Why a thread: on its way out Kopf cancels every task of its loop that it did not find there when it
started, which would be the engine's; it takes the signals of the main thread's loop; and while it
reads a long list it holds its loop for a third of a second at a time, which belongs to the lease.
Events are handed over to the loop of whoever made the stream, in order.
"""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import kopf
import uvloop
from kopf._cogs.clients.errors import APINotFoundError
from kopf._cogs.structs.references import Insights

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.kube.connection import Location, connect
from awsbatch_operator.watch import kopf_setup

ROUND = 200  # events taken before other tasks of the home loop have their turn
STOP_SECONDS = 8.0  # for Kopf to end; it gives its own tasks 2 + 5 s


class WatchError(Exception):
    """The watch cannot go on; the message says why."""


class NotServedError(WatchError):
    """The API server does not serve a kind any more: its CRD has been deleted."""


@dataclass(frozen=True, slots=True)
class Target:
    """What is watched, as whom. Empty `namespaces` mean all of them.

    `identity` is our name among replicas. Kopf would else ask the machine for a user name, which
    fails under a user id without an entry in /etc/passwd, as in most clusters.
    """

    location: Location
    environ: Mapping[str, str]
    kinds: Sequence[str]
    namespaces: Sequence[str]
    identity: str


class Stream:
    """Runs once. `on_event` and `on_started` are called in the loop in which it was made."""

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
        self._outbox: list[tuple[str | None, Shape]] = []
        self._inbox: deque[tuple[str | None, Shape]] = deque()
        self._taking = False
        self._away = uvloop.new_event_loop()
        self._stop = asyncio.Event()
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
            self._at_home(self._end, error)
        else:
            self._at_home(self._end, None)

    async def _operate(self) -> None:
        insights = Insights()
        checking = asyncio.ensure_future(self._check(insights))
        before = asyncio.all_tasks()
        try:
            tasks = await kopf.spawn_tasks(
                registry=kopf_setup.registry(self._target.kinds, self._deliver, self._log_in),
                settings=kopf_setup.settings(),
                memories=kopf_setup.NoMemories(),
                insights=insights,
                identity=_identity(self._target.identity),
                clusterwide=not self._target.namespaces,
                namespaces=self._target.namespaces,
                stop_flag=self._stop,
            )
            for task in tasks:
                task.add_done_callback(self._ending)
            await kopf.run_tasks(tasks, ignored=before)
            if checking.done():
                checking.result()
        except APINotFoundError as error:
            raise NotServedError(f"The API server has stopped serving a kind: {error}") from error
        finally:
            checking.cancel()
            await self._close()

    def _ending(self, _: object) -> None:
        """One of Kopf's tasks has ended, so all must. Its own waiter for the flag is among them."""
        if self._stop.is_set():
            return
        self._stop.set()
        # Where one watch fails, Kopf leaves the others be. They would hang for seconds, until it
        # cancels them together with what they wait for, which asyncio complains about.
        for task in asyncio.all_tasks(self._away):
            if task.get_name().startswith(kopf_setup.WATCHER):
                task.cancel()
        hangs = WatchError(f"Kopf has not ended within {STOP_SECONDS} s.")
        self._at_home(self._home.call_later, STOP_SECONDS, self._end, hangs)

    async def _check(self, insights: Insights) -> None:
        """Kopf only warns about kinds that it does not find, and watches nothing. We end."""
        await insights.ready_resources.wait()
        watched = {resource.kind for resource in insights.watched_resources}
        missing = sorted(set(self._target.kinds) - watched)
        if missing:
            self._stop.set()
            raise NotServedError(f"The API server has stopped serving {', '.join(missing)}.")
        self._at_home(self._on_started)

    async def _log_in(self) -> kopf.AiohttpSession:
        """Asked for at the start, and again when the API server refuses who we are."""
        connection = await connect(
            self._target.location, clock=self._clock, environ=self._target.environ
        )
        session = connection.session(self._transports)
        self._sessions = [session, *(old for old in self._sessions if not old.closed)]
        return kopf.AiohttpSession(server=connection.server, aiohttp_session=session)

    async def _close(self) -> None:
        for session in self._sessions:
            await session.close()
        # Kopf has begun to close the watches politely, over the network; the loop ends before that.
        for transport in self._transports:
            transport.abort()
        await asyncio.sleep(0)  # an abort takes effect in the loop's next round

    def _deliver(self, event: str | None, body: Shape) -> None:
        """In Kopf's loop. What comes in one of its rounds is handed over together."""
        self._outbox.append((event, body))
        if len(self._outbox) == 1:
            self._away.call_soon(self._send)

    def _send(self) -> None:
        batch, self._outbox = self._outbox, []
        self._at_home(self._receive, batch)

    def _receive(self, batch: list[tuple[str | None, Shape]]) -> None:
        """In the home loop."""
        self._inbox.extend(batch)
        if not self._taking:
            self._taking = True
            self._take()

    def _take(self) -> None:
        for _ in range(min(ROUND, len(self._inbox))):
            try:
                self._on_event(*self._inbox.popleft())
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

    def _at_home(self, call: Callable[..., object], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the home loop is closed: nobody waits any more
            self._home.call_soon_threadsafe(call, *arguments)

    def _tell_to_stop(self) -> None:
        with contextlib.suppress(RuntimeError):  # the thread has ended already
            self._away.call_soon_threadsafe(self._stop.set)


def _identity(name: str) -> Any:
    return name  # Kopf's Identity is a NewType of str that it does not export
