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
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
import yaml
from kubernetes.aio.client import Configuration
from kubernetes.aio.client.rest import RESTClientObject
from kubernetes.aio.config import ConfigException, load_kube_config

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.kube.port import UnavailableError

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
TOKEN_SECONDS = 60.0  # a token file is trusted for that long; the kubelet rotates hours ahead
CONNECTIONS = 64  # at a time; API priority and fairness queues what is too much for the server
USER_AGENT = "aws-batch-operator"
_TOKEN = "BearerToken"  # noqa: S105 - the name of the security scheme in the client, no secret
_LOCAL = "localhost,127.0.0.0/8,::1"
_PORTS = {"https": 443, "http": 80}


class ConfigurationError(UnavailableError):
    """It cannot be known where the API server is or who we are; the message says how to mend it."""


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
        self._loading = asyncio.Lock()
        self.configuration = Configuration()

    @property
    def server(self) -> str:
        """The address of the API server."""
        return str(self.configuration.host)

    async def load(self) -> None:
        """Read the configuration. ConfigurationError if it cannot be read."""
        if self._location.kubeconfig is None:
            self._load_service_account()
        else:
            await self._load_kubeconfig(self._location.kubeconfig)
        self.configuration.connection_pool_maxsize = CONNECTIONS

    async def renew(self, refused: str | None) -> None:
        """Get a new token, unless somebody has done so since `refused` was sent."""
        async with self._loading:
            if self._location.kubeconfig is None:
                self._token_read = float("-inf")
            elif self.configuration.api_key.get(_TOKEN) == refused:
                await self._load_kubeconfig(self._location.kubeconfig)

    async def authorization(self) -> str | None:
        """The Authorization header to send now; None where a client certificate identifies us."""
        if self._location.kubeconfig is None:
            self._read_token()
        value = self.configuration.api_key.get(_TOKEN)
        return None if value is None else str(value)

    def session(self, opened: set[asyncio.Transport] | None = None) -> aiohttp.ClientSession:
        """A new HTTP session that sends our identity with every request; the caller closes it.

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
            connector=_Connector(opened, limit=CONNECTIONS, ssl=self._tls()),
            headers={"User-Agent": USER_AGENT},
            middlewares=(authorized,),
            proxy=self.configuration.proxy,
        )

    def bare_session(self) -> aiohttp.ClientSession:
        """A new HTTP session that sends no identity by itself; the caller closes it."""
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS, ssl=self._tls()),
            headers={"User-Agent": USER_AGENT},
            cookie_jar=aiohttp.DummyCookieJar(),  # else each request looks through a jar
        )

    def _tls(self) -> ssl.SSLContext:
        made: ssl.SSLContext = RESTClientObject(self.configuration).ssl_context
        return made

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
        self.configuration.host = f"https://{address}:{port}"
        self.configuration.ssl_ca_cert = str(authority)
        self.configuration.proxy = proxy_of(self.server, self._environ)
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
        self.configuration.api_key[_TOKEN] = f"Bearer {token}"
        self._token_read = now

    async def _load_kubeconfig(self, path: Path) -> None:
        fresh = Configuration()
        try:
            await load_kube_config(
                config_file=str(path),
                context=self._location.context,
                client_configuration=fresh,
                persist_config=False,
            )
        except (ConfigException, yaml.YAMLError, OSError, TypeError, ValueError) as error:
            raise ConfigurationError(
                f"The kubeconfig {path} cannot be used: {error}. "
                "Point KUBECONFIG to one that `kubectl` works with."
            ) from error
        self._adopt(fresh)

    def _adopt(self, fresh: Any) -> None:
        for name in (
            "host",
            "api_key",
            "ssl_ca_cert",
            "cert_file",
            "key_file",
            "verify_ssl",
            "tls_server_name",
            "proxy",
        ):
            setattr(self.configuration, name, getattr(fresh, name))
        if fresh.proxy is None:
            self.configuration.proxy = proxy_of(self.server, self._environ)


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
