"""TCP ports of 127.0.0.1 that two sandboxes at the same time cannot both get.

A server that can, chooses its own (port 0), and `listening_port` finds out which; for one that
cannot, `ReservedPort` holds a port until the server has it.
"""

import socket
from pathlib import Path
from types import TracebackType
from typing import Self

from awsbatch_sandbox.processes import PROC

LOOPBACK = "127.0.0.1"
_LOCAL, _STATE, _INODE = 1, 3, 9  # columns of /proc/<pid>/net/tcp
_LISTEN = "0A"


class ReservedPort:
    """A port of 127.0.0.1 that is ours as long as this object lives.

    The socket is bound with SO_REUSEPORT and never listens. The kernel gives its port to nobody
    who asks for a free one, but lets a server of the same user bind it that asks for SO_REUSEPORT
    too (kube-apiserver: --permit-port-sharing); connections go to the one that listens.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._socket.bind((LOOPBACK, 0))
        self.number: int = self._socket.getsockname()[1]

    def release(self) -> None:
        """Give the port back."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def listening_port(pid: int) -> int | None:
    """The TCP (IPv4) port on which a process of ours listens; None if it does not, or is gone.

    The kernel lists the listening sockets by inode, and the process's open files name theirs.
    """
    process = PROC / str(pid)
    try:
        table = (process / "net" / "tcp").read_text(encoding="ascii").splitlines()[1:]
        opened = {_target(link) for link in (process / "fd").iterdir()}
    except OSError:
        return None
    rows = (line.split() for line in table)
    ports = (
        int(row[_LOCAL].rpartition(":")[2], 16)
        for row in rows
        if row[_STATE] == _LISTEN and f"socket:[{row[_INODE]}]" in opened
    )
    return next(ports, None)


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:  # closed meanwhile
        return ""
