"""Flux's kustomize-controller at work on a control plane, and an artifact server in its place.

Flux's source-controller would fetch a repository and offer it as an archive over HTTP; here a test
says what is in it. All else is as with Flux: the controller looks at the GitRepository, fetches the
archive, applies what its kustomizations make, waits, and prunes.
"""

import functools
import hashlib
import io
import secrets
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self, TypeVar

import yaml
from tests.support.api_server import APPLY, ApiServer, Body
from tests.support.deadline import wait_until

from awsbatch_operator.api.conditions import condition
from awsbatch_sandbox.controlplane import ControlPlane
from awsbatch_sandbox.parts import Launcher, Part
from awsbatch_sandbox.paths import EXAMPLES

SOURCES = "source.toolkit.fluxcd.io/v1"
KUSTOMIZE = "kustomize.toolkit.fluxcd.io/v1"
INTERVAL = "2s"  # people have minutes
READY_SECONDS = 90.0  # it looks at what it waits for every 5 s
FLAGS = (
    "--watch-all-namespaces=true",
    "--metrics-addr=0",
    "--health-addr=0",
    "--http-retry=1",
    "--concurrent=16",  # one that waits for its objects occupies a worker
    "--log-encoding=json",
)
Files = Mapping[str, str]
Value = TypeVar("Value")


def files_of(folder: str) -> dict[str, str]:
    """An example, as a repository would hold it."""
    root = EXAMPLES / folder
    return {
        str(path.relative_to(root)): path.read_text(encoding="utf-8")
        for path in sorted(root.rglob("*.yaml"))
    }


def as_files(*bodies: Body) -> dict[str, str]:
    """Objects without a kustomization: Flux makes one of all files."""
    return {"objects.yaml": yaml.safe_dump_all(bodies)}


class Archives:
    """What can be fetched: by path, the archive."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}
        handler = functools.partial(_Handler, self._kept)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def offer(self, files: Files) -> dict[str, str]:
        """Keep an archive of files; what a source's status says of it."""
        content = _archive(files)
        digest = hashlib.sha256(content).hexdigest()
        path = f"/{digest}.tar.gz"
        self._kept[path] = content
        return {
            "path": path,
            "url": f"http://127.0.0.1:{self._server.server_address[1]}{path}",
            "digest": f"sha256:{digest}",
            "revision": f"main@sha1:{digest[:40]}",
            "lastUpdateTime": "2027-01-15T08:00:00Z",
        }


def _archive(files: Files) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(text.encode()), 0o644
            archive.addfile(member, io.BytesIO(text.encode()))
    return written.getvalue()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, kept: Mapping[str, bytes], *rest: Any) -> None:
        self._kept = kept
        super().__init__(*rest)

    def do_GET(self) -> None:
        content = self._kept.get(self.path)
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


class Flux:
    """A repository in a namespace, and the Kustomization that applies it there."""

    def __init__(self, api: ApiServer, archives: Archives, namespace: str) -> None:
        self._api, self._archives, self._namespace = api, archives, namespace

    def push(self, files: Files) -> str:
        """The repository has these files from now on; its revision."""
        artifact = self._archives.offer(files)
        spec = {"url": "https://git.example/science.git", "interval": "10m"}
        self._apply(SOURCES, "GitRepository", {"spec": spec})
        ready = {
            "type": "Ready",
            "status": "True",
            "reason": "Succeeded",
            "message": "stored",
            "lastTransitionTime": artifact["lastUpdateTime"],
        }
        status = {"artifact": artifact, "conditions": [ready], "observedGeneration": 1}
        self._apply(SOURCES, "GitRepository", {"status": status}, part="/status")
        return artifact["revision"]

    def follow(self, **more: Any) -> None:
        """Apply the repository to the namespace, now and at each interval, and prune."""
        spec = {
            "sourceRef": {"kind": "GitRepository", "name": "science"},
            "targetNamespace": self._namespace,
            "interval": INTERVAL,
            "retryInterval": INTERVAL,
            "timeout": "5m",
            "wait": True,
            "prune": True,
        }
        self._apply(KUSTOMIZE, "Kustomization", {"spec": spec | more})

    def kustomization(self) -> Body:
        """As it is now; {} if it is gone."""
        status, body = self._api.ask("GET", self._path(KUSTOMIZE, "Kustomization"))
        return body if status < 300 else {}

    def rounds(self) -> int:
        """How often it was reconciled so far."""
        history = self.kustomization().get("status", {}).get("history", ())
        return sum(int(each["totalReconciliations"]) for each in history)

    def wait_applied(self, revision: str, *, seconds: float = READY_SECONDS) -> Body:
        """The Kustomization once it is Ready with that revision."""

        def applied() -> Body:
            body = self.kustomization()
            status = body.get("status", {})
            found = condition(status, "Ready")
            fine = found is not None and found["status"] == "True"
            return body if fine and status.get("lastAppliedRevision") == revision else {}

        return self._wait(applied, f"{revision} is applied and healthy", seconds)

    def wait_refused(self, reason: str, *, seconds: float = READY_SECONDS) -> str:
        """What the Kustomization says once it is not Ready for that reason."""

        def refused() -> str:
            found = condition(self.kustomization().get("status", {}), "Ready")
            wanted = found is not None and (found["status"], found["reason"]) == ("False", reason)
            return str(found["message"]) if wanted and found else ""

        return self._wait(refused, f"not Ready because of {reason}", seconds)

    def remove(self, *, seconds: float = READY_SECONDS) -> None:
        """Delete the Kustomization, and with it what it has applied; return when it is gone."""
        self._api.ask("DELETE", self._path(KUSTOMIZE, "Kustomization"))
        self._wait(lambda: not self.kustomization(), "the Kustomization is gone", seconds)

    def _wait(self, look: Callable[[], Value], what: str, seconds: float) -> Value:
        try:
            return wait_until(look, what, seconds=seconds, every=0.2)
        except AssertionError as error:
            shown = yaml.safe_dump(self.kustomization().get("status"))
            raise AssertionError(f"{error}; it is\n{shown}") from None

    def _apply(self, version: str, kind: str, body: Body, *, part: str = "") -> None:
        whole = {"apiVersion": version, "kind": kind, "metadata": {"name": "science"}, **body}
        path = f"{self._path(version, kind)}{part}?fieldManager=test&force=true"
        status, answer = self._api.ask("PATCH", path, whole, content_type=APPLY)
        assert status < 300, answer

    def _path(self, version: str, kind: str) -> str:
        plural = {"GitRepository": "gitrepositories", "Kustomization": "kustomizations"}[kind]
        return f"/apis/{version}/namespaces/{self._namespace}/{plural}/science"


@contextmanager
def running(program: Path, control_plane: ControlPlane, directory: Path) -> Iterator[Part]:
    """The controller, as an administrator, until the end of the block."""
    launcher = Launcher(secrets.token_hex(4), directory)
    part = launcher.start(
        "kustomize-controller",
        [str(program), *FLAGS],
        environ={"KUBECONFIG": str(control_plane.kubeconfig), "RUNTIME_NAMESPACE": "default"},
        directory=directory,
    )
    try:
        yield part
    finally:
        part.kill()
