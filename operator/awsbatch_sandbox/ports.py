"""A free TCP port that nobody else can take between choosing it and using it."""

import socket
from types import TracebackType
from typing import Self

LOOPBACK = "127.0.0.1"


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
