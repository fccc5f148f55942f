"""What the operator needs of Kubernetes, and nothing else.

Bodies are plain JSON objects. Every write answers with the object as it stands afterwards, so that
the caller can read its own write. Two adapters: `client.py` on kubernetes.aio, and an in-memory
one for tests; a contract suite holds both to the same behaviour.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

from awsbatch_operator.api.metadata import ObjectKey, Shape

PAGE = 250  # objects of a list that are asked for at a time


class KubeError(Exception):
    """The API server refused or did not answer. The base of all below."""


class NotFoundError(KubeError):
    """No such object (404)."""


class ConflictError(KubeError):
    """The object has changed since the version the write was made from (409): look again."""


class DeniedError(KubeError):
    """RBAC forbids it (403); the message names verb, resource and user."""


class InvalidError(KubeError):
    """The body breaks the schema or a rule (400, 422, and 500 'field not declared')."""


class UnavailableError(KubeError):
    """No answer, 429 or 5xx: whether a write happened is unknown. Looking again tells.

    `retry_after`: seconds that the API server asked to wait, if it said so.
    """

    retry_after: float | None = None


class KubePort(Protocol):
    """The calls; each raises a KubeError."""

    async def get(self, key: ObjectKey) -> Shape | None:
        """The live object, read past every cache; None if it is gone."""

    def list(self, kind: str) -> AsyncIterator[Shape]:
        """All objects of a kind (of the watched namespaces), as they come in.

        An object may come twice. A list that cannot be read to its end raises; it is never short.
        """

    def list_metadata(self, kind: str) -> AsyncIterator[Sequence[Shape]]:
        """All objects, in pages of at most PAGE, each read when asked for.

        Of each its kind, and of its metadata what says which object it is, in which version.

        The caller may take its time between them: later pages show the state of the first, or, once
        the API server has forgotten that, the state as it is then. An object may come twice.
        """

    async def apply_status(self, key: ObjectKey, status: Shape, *, resource_version: str) -> Shape:
        """Server-side apply on /status by our field manager, made from that version.

        ConflictError if the object has changed since; NotFoundError if it is gone.
        """

    async def patch(self, key: ObjectKey, operations: Sequence[Shape]) -> Shape:
        """A JSON patch on the object. Its first operation replaces /metadata/resourceVersion.

        ConflictError if the object has changed since that version.
        """

    async def delete(
        self, key: ObjectKey, *, uid: str, resource_version: str | None = None
    ) -> None:
        """Ask for deletion of exactly that object; no error if it is gone already.

        With a `resource_version`, only in that version: ConflictError if it is another one now.
        """

    async def namespace_labels(self, name: str) -> dict[str, str]:
        """The labels of a namespace; empty if it is gone or may not be read."""

    async def config_map(self, namespace: str, name: str) -> Mapping[str, Any] | None:
        """What a ConfigMap has by key: texts, or None for what is no text. None: there is none."""

    async def create_event(self, namespace: str, body: dict[str, Any]) -> Shape:
        """Create an events.k8s.io/v1 Event."""

    async def patch_event(self, namespace: str, name: str, body: dict[str, Any]) -> Shape:
        """Merge-patch an Event's series."""

    async def read_lease(self, namespace: str, name: str) -> Shape | None:
        """The Lease, or None."""

    async def create_lease(self, namespace: str, name: str, spec: Shape) -> Shape:
        """Create the Lease; ConflictError if it exists."""

    async def replace_lease(self, lease: Shape, spec: Shape) -> Shape:
        """Replace the spec of the Lease as read; ConflictError if it has changed since."""

    async def served_kinds(self) -> frozenset[str]:
        """The kinds of our API group that discovery lists now."""

    async def leaving_kinds(self) -> frozenset[str]:
        """Those of them whose CRD is being deleted: no new objects are taken."""


async def only_leaving(kube: KubePort, served: frozenset[str]) -> bool:
    """Whether CRDs are being deleted: of all kinds of ours only these are served, and they go, too.

    The other kinds have then gone. At other times they are still to come, also after a start of
    the API server, and the one that says in which account all others live may be among them.
    """
    return bool(served) and served <= await kube.leaving_kinds()
