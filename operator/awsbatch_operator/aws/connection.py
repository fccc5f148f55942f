"""Connections to AWS that ask once more before the first byte of a request goes out.

botocore asks (`before-send`) before it looks up the name and connects. The resolver may take as
long as it likes, a name may have many dead addresses, and each of them, the proxy and TLS get the
whole connect timeout: the lease can have gone by then. So the last check stands behind all that,
with an open connection in hand, and connecting to a name gets the timeout once for all addresses.
"""

import socket
import time
from typing import Any, Protocol

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util import connection as urllib3_connection


class Guard(Protocol):
    """Asked by the thread that sends."""

    def connecting(self) -> None:
        """A connection is about to be made: nothing has been sent yet."""

    def leaving(self) -> None:
        """The request goes out now. Raises if it must not."""


class _Guarded:
    """Mixin for urllib3's connections. `guard` is set by `guard_connections`."""

    guard: Guard

    def connect(self) -> None:
        self.guard.connecting()
        super().connect()  # type: ignore[misc]  # of the class that it is mixed into

    def request(self, *args: Any, **kwargs: Any) -> Any:
        # urllib3 connects plain HTTP only when the first byte is sent, which is too late for us.
        if self.is_closed:  # type: ignore[attr-defined]
            self.connect()
        self.guard.leaving()
        return super().request(*args, **kwargs)  # type: ignore[misc]

    def _new_conn(self) -> socket.socket:
        if not self.timeout:  # type: ignore[attr-defined]
            return super()._new_conn()  # type: ignore[misc,no-any-return]
        connected = connect_within(self)
        # The share of the time that this address had; TLS has the whole of it again.
        connected.settimeout(self.timeout)  # type: ignore[attr-defined]
        return connected


def connect_within(wanted: Any) -> socket.socket:
    """Connect to one of the addresses of the name; its timeout is for all of them together.

    Each address gets an even share of the time that is left, so a dead one does not take it all.
    Raises urllib3's NameResolutionError, ConnectTimeoutError and NewConnectionError.
    """
    addresses = _addresses(wanted)
    deadline = time.monotonic() + wanted.timeout
    failure: OSError = OSError("the name has no address")
    for number, address in enumerate(addresses):
        share = (deadline - time.monotonic()) / (len(addresses) - number)
        if share <= 0:
            failure = TimeoutError()
            break
        try:
            return urllib3_connection.create_connection(
                (address, wanted.port),
                share,
                source_address=wanted.source_address,
                socket_options=wanted.socket_options,
            )
        except OSError as error:
            failure = error
    if isinstance(failure, TimeoutError):
        message = f"Connection to {wanted.host} timed out (connect timeout {wanted.timeout} s)"
        raise ConnectTimeoutError(wanted, message) from failure
    raise NewConnectionError(wanted, f"Failed to establish a connection: {failure}") from failure


def _addresses(wanted: Any) -> list[str]:
    family = urllib3_connection.allowed_gai_family()
    try:
        name = str(wanted._dns_host).strip("[]")  # noqa: SLF001 - with the dot at its end, as urllib3 resolves it
        found = socket.getaddrinfo(name, wanted.port, family, socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise NameResolutionError(wanted.host, wanted, error) from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def guard_connections(client: Any, guard: Guard) -> None:
    """Make all connections of a botocore client ask the guard.

    Only this client's: its HTTP session names its own pool classes.
    """
    plain = type("GuardedConnection", (_Guarded, AWSHTTPConnection), {"guard": guard})
    secure = type("GuardedTlsConnection", (_Guarded, AWSHTTPSConnection), {"guard": guard})
    pools = client._endpoint.http_session._pool_classes_by_scheme  # noqa: SLF001 - botocore has no public way
    pools["http"] = type("GuardedPool", (AWSHTTPConnectionPool,), {"ConnectionCls": plain})
    pools["https"] = type("GuardedTlsPool", (AWSHTTPSConnectionPool,), {"ConnectionCls": secure})
