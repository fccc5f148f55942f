"""etcd behind the control plane, for tests that need very many objects at once.

What is written here passes the API server by, which sees it through its own watch: no defaults, no
checks, so only copies of what an API server has stored are written.
"""

import base64
import http.client
import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

from awsbatch_operator.api.metadata import GROUP, ObjectKey
from awsbatch_operator.kube import paths
from awsbatch_sandbox import flags
from awsbatch_sandbox.controlplane import ControlPlane

WRITERS = 4  # connections at a time
SECONDS = 20.0


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("etcd", timeout=SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(SECONDS)
        self.sock.connect(str(self._path))


class Etcd:
    """One connection to etcd's JSON gateway; a context manager that closes it."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self._connection = _UnixConnection(control_plane.layout.etcd / flags.CLIENT_SOCKET)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def read(self, key: ObjectKey) -> str:
        """An object as it is stored; IndexError if it is not there."""
        found = self._ask("range", {"key": _stored_at(key)}).get("kvs", [])
        return base64.b64decode(found[0]["value"]).decode()

    def write(self, key: ObjectKey, stored: str) -> None:
        """Store it."""
        self._ask("put", {"key": _stored_at(key), "value": _encoded(stored)})

    def _ask(self, call: str, body: dict[str, Any]) -> dict[str, Any]:
        self._connection.request("POST", f"/v3/kv/{call}", body=json.dumps(body))
        answer = self._connection.getresponse()
        content = answer.read()
        assert answer.status == http.HTTPStatus.OK, content
        return dict(json.loads(content))


def copy_many(control_plane: ControlPlane, example: ObjectKey, names: list[str]) -> None:
    """Copies of an object under these names, each with a uid of its own wherever it stands."""
    with Etcd(control_plane) as etcd:
        stored = etcd.read(example)
    uid = json.loads(stored)["metadata"]["uid"]

    def some(share: list[tuple[int, str]]) -> None:
        with Etcd(control_plane) as etcd:
            for number, name in share:
                copy = stored.replace(uid, f"{number:08x}-0000-4000-8000-{number:012x}")
                copy = copy.replace(f'"{example.name}"', f'"{name}"')
                etcd.write(ObjectKey(example.kind, example.namespace, name), copy)

    numbered = list(enumerate(names, start=1))
    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(some, [numbered[each::WRITERS] for each in range(WRITERS)]))


def _stored_at(key: ObjectKey) -> str:
    return _encoded(f"/registry/{GROUP}/{paths.plural(key.kind)}/{key.namespace}/{key.name}")


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
