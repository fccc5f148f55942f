"""Every version of every object of a namespace or of all, as the real API server's watches tell."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self

from tests.support.api_server import connect
from tests.support.cluster import Look
from tests.support.deadline import wait_until

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.assembly import CLUSTER_SCOPED, KINDS
from awsbatch_operator.kube import paths
from awsbatch_sandbox.controlplane import ControlPlane


@dataclass(frozen=True, slots=True)
class Change:
    """One event of a watch."""

    at: float  # monotonic seconds when it came in here
    event: str  # ADDED, MODIFIED or DELETED
    kind: str
    body: Shape

    @property
    def name(self) -> str:
        """The object's name."""
        return str(self.body["metadata"]["name"])


class Recording:
    """Records from its start to its end; a context manager.

    Namespace "" is the whole cluster, with what is in no namespace.
    `on_change` is called with the number of changes so far, from the thread that got the change,
    before anything else is done with it.
    """

    def __init__(
        self,
        control_plane: ControlPlane,
        namespace: str,
        *,
        kinds: Sequence[str] = KINDS,
        on_change: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._control_plane = control_plane
        self._paths = {
            kind: paths.of_kind(kind, namespace)
            for kind in kinds
            if not namespace or kind not in CLUSTER_SCOPED
        }
        self._on_change = on_change
        self._lock = threading.Lock()
        self._changes: list[Change] = []
        self._connections: list[http.client.HTTPSConnection] = []
        self._threads: list[threading.Thread] = []
        self._stopping = False
        self._broken = False

    def __enter__(self) -> Self:
        for kind, path in self._paths.items():
            answer = self._begin(path)
            thread = threading.Thread(target=self._read, args=(kind, path, answer), daemon=True)
            self._threads.append(thread)
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping = True
        for connection in self._connections:
            if connection.sock is not None:
                connection.sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        for connection in self._connections:
            connection.close()
        assert not self._broken, "a watch has ended too early"

    @property
    def changes(self) -> list[Change]:
        """All so far."""
        with self._lock:
            return list(self._changes)

    def since(self, number: int) -> list[Change]:
        """All after the first so many."""
        with self._lock:
            return self._changes[number:]

    def of(self, kind: str, name: str) -> list[Change]:
        """All of one object so far."""
        return [each for each in self.changes if (each.kind, each.name) == (kind, name)]

    def reasons(self, kind: str, name: str, *, deleting: bool = False) -> set[str]:
        """Every reason that ever stood in a condition of the object that was True.

        With `deleting`, only while it was being deleted.
        """
        return {
            str(each["reason"])
            for change in self.of(kind, name)
            if not deleting or "deletionTimestamp" in change.body["metadata"]
            for each in change.body.get("status", {}).get("conditions", ())
            if each["status"] == "True"
        }

    def first(self, kind: str, name: str, look: Look) -> Change:
        """When the object looked so for the first time; AssertionError if it never did."""
        for change in self.of(kind, name):
            if look(dict(change.body)):
                return change
        raise AssertionError(f"{kind} {name} never looked so")

    def _begin(self, path: str, after: str = "") -> http.client.HTTPResponse:
        """A watch of all that there is, or of what came after that version."""
        connection = connect(self._control_plane)
        self._connections.append(connection)
        asked = f"{path}?watch=true&timeoutSeconds=600"
        asked += f"&resourceVersion={after}" if after else ""
        answer = wait_until(partial(_begun, connection, asked), f"the watch of {path} begins")
        assert answer is not None
        return answer

    def _read(self, kind: str, path: str, answer: http.client.HTTPResponse) -> None:
        """A watch that ends goes on behind what it has told last, so that nothing is missed.

        The API server ends those of a CRD that it has just taken up, when it has read it once more.
        """
        version = ""
        try:
            while True:
                version = self._told(kind, answer) or version
                if self._stopping or self._broken:
                    return
                answer = self._begin(path, version)
        except (AssertionError, OSError, http.client.HTTPException):
            self._broken = self._broken or not self._stopping

    def _told(self, kind: str, answer: http.client.HTTPResponse) -> str:
        """Read the watch to its end; the version that it has told last, "" if it has told none."""
        version = ""
        try:
            while line := answer.readline():
                told = json.loads(line)
                if told["type"] == "ERROR":  # that version is too old: something was missed
                    self._broken = True
                    break
                self._take(kind, told)
                version = told["object"]["metadata"]["resourceVersion"]
        except (OSError, ValueError, http.client.HTTPException):
            pass  # the connection has been shut down, in the middle of a line perhaps
        return version

    def _take(self, kind: str, told: dict[str, Any]) -> None:
        change = Change(time.monotonic(), told["type"], kind, told["object"])
        with self._lock:
            self._changes.append(change)
            number = len(self._changes)
        self._on_change(number)


def _begun(connection: http.client.HTTPSConnection, path: str) -> http.client.HTTPResponse | None:
    """The answer of a watch: from here on nothing is missed. None: it cannot begin yet."""
    connection.request("GET", path)
    answer = connection.getresponse()
    if answer.status == http.HTTPStatus.TOO_MANY_REQUESTS:  # while the CRD is still new
        answer.read()
        return None
    assert answer.status == http.HTTPStatus.OK, answer.read()
    assert connection.sock is not None
    connection.sock.settimeout(None)  # nothing may happen for long
    return answer
