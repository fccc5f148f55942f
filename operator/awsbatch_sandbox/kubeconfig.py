"""Write kubeconfig files: for the administrator by certificate, for a ServiceAccount by token."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from awsbatch_sandbox.certificates import KeyPair, write_private

CONTEXT = "awsbatch-sandbox"


@dataclass(frozen=True, slots=True)
class Cluster:
    """How to reach a control plane and how to know that it is the right one."""

    server: str  # https://127.0.0.1:port
    ca_file: Path


def write_with_certificate(path: Path, cluster: Cluster, *, user: str, pair: KeyPair) -> Path:
    """A kubeconfig that holds the client certificate and key themselves."""
    credentials = {
        "client-certificate-data": _encoded(pair.certificate),
        "client-key-data": _encoded(pair.key),
    }
    return _write(path, cluster, user=user, credentials=credentials, namespace="default")


def write_with_token(
    path: Path, cluster: Cluster, *, user: str, token: str, namespace: str
) -> Path:
    """A kubeconfig that holds a bearer token."""
    return _write(path, cluster, user=user, credentials={"token": token}, namespace=namespace)


def _write(
    path: Path, cluster: Cluster, *, user: str, credentials: Mapping[str, str], namespace: str
) -> Path:
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": CONTEXT,
        "clusters": [
            {
                "name": CONTEXT,
                "cluster": {
                    "server": cluster.server,
                    "certificate-authority-data": _encoded(cluster.ca_file),
                },
            }
        ],
        "users": [{"name": user, "user": dict(credentials)}],
        "contexts": [
            {
                "name": CONTEXT,
                "context": {"cluster": CONTEXT, "user": user, "namespace": namespace},
            }
        ],
    }
    # JSON is YAML too, and needs no quoting rules of our own.
    write_private(path, json.dumps(content, indent=2).encode())
    return path


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
