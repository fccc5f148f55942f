"""The HTTP server: one event loop, one socket, and the task that follows the clock."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from aiohttp import web

from awsbatch_simulator.admin import PREFIX, Admin
from awsbatch_simulator.assembly import Simulator
from awsbatch_simulator.listening import ANY, on_all_addresses
from awsbatch_simulator.runners.start import stop_all
from awsbatch_simulator.wire import ConnectionDropped, WireAnswer, WireRequest

HOST = "127.0.0.1"
KEEP_ALIVE = 3600.0  # seconds; a connection that closes unasked would look like a fault
NAMES = ("127.0.0.1", "[::1]", "localhost")


class Server:
    """Serves one simulator. AWS requests and admin requests share the port."""

    def __init__(self, simulator: Simulator, executor: ThreadPoolExecutor) -> None:
        self._world = simulator.world
        self._dispatcher = simulator.dispatcher
        self._admin = Admin(simulator)
        self._executor = executor
        self._hosts: frozenset[str] = frozenset()
        self._clock_moved = asyncio.Event()
        self._sleeping_until: float | None = None

    def listens_on(self, port: int, names: Iterable[str] = ()) -> None:
        """Tell it its port, and names besides the loopback's: the Host headers that it accepts."""
        known = {*NAMES, *(name.lower() for name in names)}
        self._hosts = frozenset({*known, *(f"{name}:{port}" for name in known)})

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """One HTTP request."""
        try:
            if request.headers.get("Host", "").lower() not in self._hosts:
                # A page in a browser that has rebound its own name to this address ends here.
                return web.Response(status=403, text="This is no name of this server.\n")
            wire = await _wire(request)
            answer = await self._answered(wire)
        except ConnectionDropped:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)

    async def follow_clock(self) -> None:
        """Run each timer when it falls due, until cancelled."""
        while True:
            with self._world.lock:
                self._world.clock.run_due()
                self._sleeping_until = self._world.clock.next_due()
                wait = self._seconds_to(self._sleeping_until)
            self._clock_moved.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._clock_moved.wait(), wait)

    def wake(self) -> None:
        """Have the clock's task look at the timers anew; call it in the event loop."""
        self._clock_moved.set()

    async def _answered(self, wire: WireRequest) -> WireAnswer:
        if wire.path.startswith(PREFIX):
            return self._admin.answer(wire)
        admitted = self._dispatcher.admit(wire)
        if isinstance(admitted, WireAnswer):
            return admitted
        if admitted.delay_seconds:
            await asyncio.sleep(admitted.delay_seconds)
        if admitted.bridged:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._executor, self._dispatcher.perform, admitted)
        answer = self._dispatcher.perform(admitted)
        self._wake_if_earlier()
        return answer

    def _wake_if_earlier(self) -> None:
        """A handler may have set a timer before the one that the clock's task sleeps for."""
        due = self._world.clock.next_due()
        if due is not None and (self._sleeping_until is None or due < self._sleeping_until):
            self._clock_moved.set()

    def _seconds_to(self, due: float | None) -> float | None:
        clock = self._world.clock
        if due is None or clock.stepped:
            return None
        return max(0.0, (due - clock.now()) / clock.speed)


@contextlib.asynccontextmanager
async def serving(
    simulator: Simulator, port: int = 0, *, host: str = HOST, names: Iterable[str] = ()
) -> AsyncIterator[str]:
    """Serve as long as the context lasts; gives the URL.

    `names` are further names under which it may be asked: those of a Service, for example.
    """
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="moto") as executor:
        server = Server(simulator, executor)
        low = web.Server(server.handle, access_log=None, keepalive_timeout=KEEP_ALIVE)
        runner = web.ServerRunner(low, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        actual = await _listen(runner, host, port)
        server.listens_on(actual, names)
        simulator.world.wake = partial(_wake, loop, server)
        clock = asyncio.create_task(server.follow_clock())
        try:
            yield _url(host, actual)
        finally:
            clock.cancel()
            await runner.cleanup()
            await asyncio.to_thread(stop_all, simulator.world)


async def _listen(runner: web.ServerRunner, host: str, port: int) -> int:
    """Listen there; the port."""
    if host != ANY:
        site = web.TCPSite(runner, host, port)
        await site.start()
        return site.port
    opened = on_all_addresses(port)
    await web.SockSite(runner, opened).start()
    return int(opened.getsockname()[1])


def _url(host: str, port: int) -> str:
    """Where it is reached from this machine."""
    if host == ANY:
        host = HOST
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _wake(loop: asyncio.AbstractEventLoop, server: Server) -> None:
    """Wake the clock's task from any thread; a loop that has ended needs no waking."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(server.wake)


async def _wire(request: web.BaseRequest) -> WireRequest:
    path, _, query = request.raw_path.partition("?")
    return WireRequest(
        method=request.method,
        path=path,
        query=query,
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await request.read(),
    )
