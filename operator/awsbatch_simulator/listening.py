"""The socket on all addresses of a machine, of both families, whichever of them it has."""

import errno
import socket

ANY = "::"  # the address that means all of them
BACKLOG = 128
_NO_IPV6 = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT})


def on_all_addresses(port: int) -> socket.socket:
    """Listens by IPv6 and IPv4 in one, and by IPv4 alone where the machine has IPv6 switched off.

    asyncio on `::` would take IPv6 only. Raises OSError, as when the port is taken.
    """
    if socket.has_dualstack_ipv6():
        try:
            return socket.create_server(
                (ANY, port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=BACKLOG
            )
        except OSError as error:
            if error.errno not in _NO_IPV6:
                raise
    return socket.create_server(("0.0.0.0", port), backlog=BACKLOG)  # noqa: S104 - asked for
