"""The operator's own HTTP endpoints: /livez, /readyz and /metrics."""

import errno
import socket
from collections.abc import Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

EVERYWHERE = "::"
_NO_IPV6 = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
Trouble = Callable[[], str | None]
"""What is wrong, in words for a person; None if nothing is. Must answer at once."""


def _nothing() -> None:
    return None


class Endpoints:
    """A small server for probes and metrics.

    `not_ready` answers for /readyz, `not_alive` for /livez: the process is restarted when that says
    something, so it should only say what a restart mends.
    """

    def __init__(
        self, *, registry: CollectorRegistry, not_ready: Trouble, not_alive: Trouble = _nothing
    ) -> None:
        self._registry = registry
        self._not_ready = not_ready
        self._not_alive = not_alive
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port, which the system chooses when it is 0. OSError if taken.

        `::` is every address, of IPv4 as well; where the node knows no IPv6, those of IPv4.
        """
        application = web.Application()
        application.router.add_get("/livez", self._livez)
        application.router.add_get("/readyz", self._readyz)
        application.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = (
            web.SockSite(self._runner, _everywhere(port))
            if host == EVERYWHERE
            else web.TCPSite(self._runner, host, port)
        )
        await site.start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _livez(self, _: web.Request) -> web.Response:
        return _verdict(self._not_alive())

    async def _readyz(self, _: web.Request) -> web.Response:
        return _verdict(self._not_ready())

    async def _metrics(self, _: web.Request) -> web.Response:
        text = generate_latest(self._registry)
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_LATEST})


def _everywhere(port: int) -> socket.socket:
    """A socket for both families, in pods of one alone, too. OSError if the port is taken."""
    # asyncio would restrict a socket that it makes for :: to IPv6.
    if socket.has_dualstack_ipv6():
        try:
            return socket.create_server(
                (EVERYWHERE, port), family=socket.AF_INET6, dualstack_ipv6=True
            )
        except OSError as error:
            if error.errno not in _NO_IPV6:
                raise
    return socket.create_server(("", port))


def _verdict(trouble: str | None) -> web.Response:
    if trouble is None:
        return web.Response(text="ok\n")
    return web.Response(status=503, text=f"{trouble}\n")
