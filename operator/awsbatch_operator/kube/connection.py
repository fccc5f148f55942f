"""Where the API server is and who we are there: the one configuration of client and watch.

In a cluster, the address is that of KUBERNETES_SERVICE_HOST, so nothing depends on cluster DNS, and
the token is read again from its file, because the kubelet replaces it well before it expires.
Outside, a kubeconfig says it all; when the API server no longer accepts what it gave (401), it is
read again, which also runs its credential plug-in again.
"""

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
import structlog

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.kube import kubeconfig
from awsbatch_operator.kube.configuration import Configuration, ConfigurationError, tls

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
TOKEN_SECONDS = 60.0  # a token file is trusted for that long; the kubelet rotates hours ahead
CONNECTIONS = 64  # at a time; API priority and fairness queues what is too much for the server
USER_AGENT = "aws-batch-operator"
_LOCAL = "localhost,127.0.0.0/8,::1"
_log = structlog.get_logger(__name__)
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Location:
    """Where the configuration comes from: a kubeconfig, or else the pod's ServiceAccount."""

    kubeconfig: Path | None = None
    context: str | None = None  # of the kubeconfig; None: its current one
    service_account: Path = SERVICE_ACCOUNT

    @classmethod
    def detect(cls, environ: Mapping[str, str], *, home: Path) -> Self:
        """KUBECONFIG if set, else the pod's ServiceAccount if in one, else ~/.kube/config."""
        if environ.get("KUBECONFIG"):
            return cls(kubeconfig=Path(environ["KUBECONFIG"]))
        if environ.get("KUBERNETES_SERVICE_HOST"):
            return cls()
        return cls(kubeconfig=home / ".kube" / "config")


class Connection:
    """The configuration as loaded, for use in one event loop.

    `server` is the address of the API server. Made by `connect`.
    """

    def __init__(self, location: Location, clock: Clock, environ: Mapping[str, str]) -> None:
        self._location = location
        self._clock = clock
        self._environ = environ
        self._token_read = float("-inf")
        self._renewal: asyncio.Future[None] | None = None
        self._awaiting = 0  # how many wait for it
        self._tls: ssl.SSLContext | None = None
        self.configuration = Configuration()

    @property
    def server(self) -> str:
        """The address of the API server."""
        return self.configuration.host

    @property
    def tls(self) -> ssl.SSLContext:
        """The TLS of the configuration as it is now. ConfigurationError if a certificate is none.

        It goes with each request: a session would use that of its beginning for ever.
        """
        if self._tls is None:
            self._tls = tls(self.configuration)
        return self._tls

    async def load(self) -> None:
        """Read the configuration. ConfigurationError if it cannot be read."""
        if self._location.kubeconfig is None:
            self._load_service_account()
        else:
            await self._load_kubeconfig(self._location.kubeconfig)

    async def renew(self, refused: Configuration) -> None:
        """Get a new identity, unless somebody has done so since `refused` was sent.

        A plug-in runs once for all who wait, and to its end though they give up: who renews the
        lease does so after seconds, and would else begin anew each time and never have an answer.
        """
        path = self._location.kubeconfig
        if path is None:
            self._token_read = float("-inf")
        elif self.configuration is refused:
            if self._renewal is None or self._renewal.done():
                self._renewal = asyncio.ensure_future(self._load_kubeconfig(path))
                self._renewal.add_done_callback(self._renewed)
            self._awaiting += 1
            try:
                await asyncio.shield(self._renewal)
            finally:
                self._awaiting -= 1

    def _renewed(self, renewal: asyncio.Future[None]) -> None:
        """Whoever still waits gets the error; if nobody does, it is told here."""
        error = None if renewal.cancelled() else renewal.exception()
        if error is not None and not self._awaiting:
            told = "the identity for the API server could not be renewed"
            _log.warning(told, error=str(error) or type(error).__name__)

    async def authorization(self) -> str | None:
        """The Authorization header to send now; None where a client certificate identifies us."""
        if self._location.kubeconfig is None:
            self._read_token()
        return self.configuration.authorization

    def session(
        self,
        opened: set[asyncio.Transport] | None = None,
        *middlewares: aiohttp.ClientMiddlewareType,
    ) -> aiohttp.ClientSession:
        """A new HTTP session for watches, with our identity in every request; the caller closes it.

        The transports of its connections are put into `opened`, and those that were closed taken
        out of it.
        """

        async def authorized(
            request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
        ) -> aiohttp.ClientResponse:
            header = await self.authorization()
            if header is not None:
                request.headers["Authorization"] = header
            if self.configuration.tls_server_name:
                request.server_hostname = self.configuration.tls_server_name
            return await handler(request)

        return aiohttp.ClientSession(
            # No limit: each watch keeps a connection, and one too many would wait for ever.
            connector=_Connector(opened, limit=0, ssl=self.tls),
            headers={"User-Agent": USER_AGENT},
            middlewares=(*middlewares, authorized),
            proxy=self.configuration.proxy,
        )

    def bare_session(self) -> aiohttp.ClientSession:
        """A new HTTP session that sends no identity by itself; the caller closes it."""
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS, ssl=self.tls),
            headers={"User-Agent": USER_AGENT},
            cookie_jar=aiohttp.DummyCookieJar(),  # else each request looks through a jar
        )

    def _load_service_account(self) -> None:
        try:
            host = self._environ["KUBERNETES_SERVICE_HOST"]
            port = self._environ["KUBERNETES_SERVICE_PORT"]
        except KeyError as error:
            raise ConfigurationError(
                f"{error} is not set, so this is no pod. Set KUBECONFIG to run outside a cluster."
            ) from error
        authority = self._location.service_account / "ca.crt"
        if not authority.is_file():
            raise ConfigurationError(
                f"{authority} does not exist. The pod needs its ServiceAccount token mounted: "
                "automountServiceAccountToken must not be false."
            )
        address = f"[{host}]" if ":" in host else host
        server = f"https://{address}:{port}"
        proxy = proxy_of(server, self._environ)
        self.configuration = Configuration(host=server, authority=authority, proxy=proxy)
        self._read_token()

    def _read_token(self) -> None:
        now = self._clock.monotonic()
        if now - self._token_read < TOKEN_SECONDS:
            return
        path = self._location.service_account / "token"
        try:
            token = path.read_text(encoding="ascii").strip()
        except OSError as error:
            raise ConfigurationError(
                f"The ServiceAccount token cannot be read: {error}. The pod needs it mounted: "
                "automountServiceAccountToken must not be false."
            ) from error
        self.configuration = replace(self.configuration, authorization=f"Bearer {token}")
        self._token_read = now

    async def _load_kubeconfig(self, path: Path) -> None:
        # In a thread: a credential plug-in may take its time.
        found = await asyncio.to_thread(
            kubeconfig.load, str(path), self._location.context, self._environ
        )
        proxy = found.proxy or proxy_of(found.host, self._environ)
        fresh = replace(found, proxy=proxy)
        # Only what can be used counts: while it is replaced, a key may not fit its certificate.
        self._tls = tls(fresh)
        self.configuration = fresh


class _Connector(aiohttp.TCPConnector):
    """Makes known which transports it has opened."""

    def __init__(self, opened: set[asyncio.Transport] | None, **options: Any) -> None:
        super().__init__(**options)
        self._opened = opened

    async def connect(self, *arguments: Any, **options: Any) -> aiohttp.connector.Connection:
        connection = await super().connect(*arguments, **options)
        if self._opened is not None and connection.transport is not None:
            closed = [transport for transport in self._opened if transport.is_closing()]
            self._opened.difference_update(closed)
            self._opened.add(connection.transport)
        return connection


def proxy_of(server: str, environ: Mapping[str, str]) -> str | None:
    """The proxy that the environment names for this address; None if there is none.

    NO_PROXY is read as kubectl and the other parts of a cluster read it, networks included: pods
    often get "10.96.0.0/12", and the API server's address in there. Nothing local has a proxy.

    aiohttp would look by itself (`trust_env`): before each request, in two threads, with a .netrc
    read in both. That took a fifth of the operator's processor time, and a .netrc that knows the
    host would have failed every request. Networks it does not know.
    """
    address = urlsplit(server)
    host, port = address.hostname or "", address.port or _PORTS.get(address.scheme)
    proxy = _told(environ, f"{address.scheme}_proxy")
    excepted = f"{_LOCAL},{_told(environ, 'no_proxy')}".lower().split(",")
    if not proxy or any(_covers(entry.strip(), host, port) for entry in excepted):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _told(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name) or environ.get(name.upper()) or ""


def _covers(entry: str, host: str, port: int | None) -> bool:
    """Whether an entry of NO_PROXY is about that host: a network, an address, or a domain."""
    with suppress(ValueError):  # one of the two is no address
        return ip_address(host) in ip_network(entry.strip("[]"), strict=False)
    name, _, of_port = entry.partition(":")
    if of_port not in ("", str(port)):
        return False
    domain = name.removeprefix("*").removeprefix(".")
    return name == "*" or (bool(domain) and f".{host}".endswith(f".{domain}"))


async def connect(location: Location, *, clock: Clock, environ: Mapping[str, str]) -> Connection:
    """Read the configuration. ConfigurationError if it cannot be read."""
    connection = Connection(location, clock, environ)
    await connection.load()
    return connection
