"""A user with kubectl's rights on a real API server, and kinds and namespaces for tests."""

import json
import subprocess
import time
from collections.abc import Mapping
from typing import Any, Protocol

from awsbatch_operator.api.metadata import API_VERSION, ObjectKey
from awsbatch_operator.kube import paths
from awsbatch_operator.kube.transport import APPLY_PATCH, MERGE_PATCH, Request, Transport

SERVED_SECONDS = 15.0
Body = dict[str, Any]


class Kubectl(Protocol):
    """kubectl as the administrator, as the sandbox's control plane has it."""

    def kubectl(
        self,
        *arguments: str,
        input: str | None = None,  # noqa: A002 - as in subprocess.run
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]: ...


class ServerUser:
    """Applies and deletes over HTTP: the same requests as kubectl, without a process for each."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def apply(self, manifest: Body) -> Body:
        metadata = manifest["metadata"]
        key = ObjectKey(manifest["kind"], metadata.get("namespace", ""), metadata["name"])
        return await self._transport.ask(
            Request(
                method="PATCH",
                path=paths.of_object(key),
                doing=f"apply {key}",
                query={"fieldManager": "kubectl", "force": "true", "fieldValidation": "Strict"},
                body=manifest,
                content_type=APPLY_PATCH,
            )
        )

    async def annotate(self, key: ObjectKey, annotations: Mapping[str, str | None]) -> Body:
        return await self._transport.ask(
            Request(
                method="PATCH",
                path=paths.of_object(key),
                doing=f"annotate {key}",
                body={"metadata": {"annotations": annotations}},
                content_type=MERGE_PATCH,
            )
        )

    async def remove(self, key: ObjectKey) -> None:
        await self._transport.ask(
            Request(method="DELETE", path=paths.of_object(key), doing=f"delete {key}")
        )

    async def write(self, namespace: str, name: str, data: Mapping[str, str], binary: str) -> None:
        await self._transport.ask(
            Request(
                method="POST",
                path=f"/api/v1/namespaces/{namespace}/configmaps",
                doing=f"create configmap {name}",
                body={"metadata": {"name": name}, "data": data, "binaryData": {binary: "AA=="}},
            )
        )

    async def create_namespace(self, name: str, labels: Mapping[str, str]) -> None:
        await self._transport.ask(
            Request(
                method="POST",
                path="/api/v1/namespaces",
                doing=f"create namespace {name}",
                body={"metadata": {"name": name, "labels": labels}},
            )
        )


def install(control_plane: Kubectl, *crds: Body) -> None:
    """Apply CRDs and return once discovery lists their kinds."""
    manifest = json.dumps({"apiVersion": "v1", "kind": "List", "items": crds})
    control_plane.kubectl("apply", "--server-side", "-f", "-", input=manifest)
    wanted = {crd["spec"]["names"]["kind"] for crd in crds}
    deadline = time.monotonic() + SERVED_SECONDS
    while missing := wanted - served(control_plane):
        assert time.monotonic() < deadline, f"the API server does not serve {missing}"
        time.sleep(0.05)


def served(control_plane: Kubectl) -> set[str]:
    """The kinds of our group that discovery lists."""
    answer = control_plane.kubectl("get", "--raw", f"/apis/{API_VERSION}", check=False)
    if answer.returncode != 0:
        return set()
    return {entry["kind"] for entry in json.loads(answer.stdout)["resources"]}
