"""What a replica costs until it stands by: processor time from its first instruction to /readyz.

Its API server is this process, which serves all kinds and gives the lease to another replica.
"""

import http.client
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.bench.processes import cpu_seconds
from tests.support.deadline import wait_until
from tests.support.fake_api_server import write_kubeconfig
from tests.support.image import Tree

from awsbatch_operator.api.metadata import API_VERSION
from awsbatch_operator.assembly import kinds
from awsbatch_operator.kube import paths

READY_SECONDS = 120.0
# In a module and not in a function, whose variables would be twice as fast.
LOOP = compile("x = 0\nfor i in range(10_000_000): x += i * i % 7", "calibration", "exec")


def calibration() -> float:
    """Seconds that this machine takes for a loop of additions; 0.95 s on the one of the targets."""
    began = time.process_time()
    exec(LOOP, {})  # noqa: S102 - the text above
    return time.process_time() - began


def cpu_until_ready(tree: Tree, directory: Path) -> float:
    """Start a replica of that tree, end it, and tell what it has used until it was ready."""
    with _api_server() as server, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        environ = {
            "KUBECONFIG": str(write_kubeconfig(directory / "kubeconfig", server)),
            "HOME": str(directory),
            "PATH": os.environ["PATH"],
        }
        words = tree.words(
            "run", "--cluster-id=lab", "--region=eu-central-1", f"--listen-port={port}"
        )
        replica = subprocess.Popen(words, env=environ, stderr=subprocess.PIPE, cwd=directory)
        try:
            wait_until(
                lambda: _is_ready(port, replica),
                "the replica stands by",
                seconds=READY_SECONDS,
                every=0.02,
            )
            return cpu_seconds(replica.pid)
        finally:
            replica.kill()
            replica.communicate()


def _is_ready(port: int, replica: subprocess.Popen[bytes]) -> bool:
    assert replica.poll() is None, f"it has ended with {replica.returncode}"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == HTTPStatus.OK
    except ConnectionError:
        return False
    finally:
        connection.close()


@contextmanager
def _api_server() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = json.dumps(_answer(self.path)).encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _answer(path: str) -> object:
    if path == paths.GROUP_VERSION:
        served = [
            {"name": f"{kind.lower()}s", "kind": kind, "namespaced": True, "verbs": ["watch"]}
            for kind in kinds(())
        ]
        return {"groupVersion": API_VERSION, "resources": served}
    return {
        "metadata": {"name": "aws-batch-operator", "resourceVersion": "1"},
        "spec": {"holderIdentity": "another", "leaseDurationSeconds": 60},
    }
