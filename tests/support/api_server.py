"""A plain HTTPS client for the real API server: one connection, the administrator's certificate."""

import http.client
import json
import ssl
import time
from typing import Any, Self

from awsbatch_operator.api.metadata import API_VERSION
from awsbatch_sandbox.controlplane import ControlPlane

Body = dict[str, Any]
TIMEOUT_SECONDS = 20.0
IDLE_SECONDS = 60.0  # kube-apiserver closes a connection that was idle for 90 s
JSON = "application/json"
MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"


def connect(control_plane: ControlPlane) -> http.client.HTTPSConnection:
    """A connection as the administrator."""
    pki = control_plane.layout.pki
    trust = ssl.create_default_context(cafile=str(control_plane.ca_file))
    trust.load_cert_chain(pki / "admin.crt", pki / "admin.key")
    address = control_plane.server.removeprefix("https://")
    return http.client.HTTPSConnection(address, context=trust, timeout=TIMEOUT_SECONDS)


class ApiServer:
    """Asks and returns (HTTP status, answer); a context manager that closes its connection."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self._connection = connect(control_plane)
        self._used = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(
        self, method: str, path: str, body: Body | None = None, *, content_type: str = JSON
    ) -> tuple[int, Body]:
        """One request."""
        if time.monotonic() - self._used > IDLE_SECONDS:
            self._connection.close()  # the next request opens another one
        self._used = time.monotonic()
        self._connection.request(
            method,
            path,
            body=None if body is None else json.dumps(body),
            headers={"Content-Type": content_type},
        )
        answer = self._connection.getresponse()
        text = answer.read()
        try:
            content: Body = json.loads(text)
        except ValueError:  # "404 page not found": a kind that is not served
            content = {"message": text.decode()}
        return answer.status, content

    def create(self, plural: str, body: Body, *, dry_run: bool) -> tuple[int, Body]:
        """Create one of our objects; a field that the schema does not have is refused."""
        return self.ask("POST", f"{_folder(plural, body)}?{_options(dry_run=dry_run)}", body)

    def replace(self, plural: str, body: Body, *, dry_run: bool) -> tuple[int, Body]:
        """Replace one of our objects, which must carry its resourceVersion."""
        name = body["metadata"]["name"]
        path = f"{_folder(plural, body)}/{name}?{_options(dry_run=dry_run)}"
        return self.ask("PUT", path, body)

    def replace_status(self, plural: str, body: Body) -> tuple[int, Body]:
        """Replace the status of one of our objects, which must carry its resourceVersion."""
        path = f"{_folder(plural, body)}/{body['metadata']['name']}/status"
        return self.ask("PUT", path, body)


def messages(answer: Body) -> list[str]:
    """What the API server says about each thing that it refuses."""
    causes = answer.get("details", {}).get("causes", [])
    return [f"{cause.get('field', '')}: {cause['message']}" for cause in causes] or [
        answer.get("message", "")
    ]


def _folder(plural: str, body: Body) -> str:
    namespace = body["metadata"].get("namespace")
    middle = f"namespaces/{namespace}/" if namespace else ""
    return f"/apis/{API_VERSION}/{middle}{plural}"


def _options(*, dry_run: bool) -> str:
    return "fieldValidation=Strict" + ("&dryRun=All" if dry_run else "")
