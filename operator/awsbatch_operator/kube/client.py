"""The Kubernetes port on a real API server."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Self

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import API_VERSION, FIELD_MANAGER, ObjectKey, Shape
from awsbatch_operator.kube import paths
from awsbatch_operator.kube.connection import Location, connect
from awsbatch_operator.kube.errors import Answer, error_of
from awsbatch_operator.kube.listing import ListPage, versions_page, whole_page
from awsbatch_operator.kube.port import (
    PAGE,
    ConflictError,
    DeniedError,
    NotFoundError,
    UnavailableError,
)
from awsbatch_operator.kube.transport import (
    APPLY_PATCH,
    JSON_PATCH,
    LEASE_SECONDS,
    MERGE_PATCH,
    METADATA_LIST,
    PAGE_SECONDS,
    SILENCE_SECONDS,
    Request,
    Transport,
)

_GUARD = ("replace", "/metadata/resourceVersion")


class KubeClient:
    """The adapter of KubePort on kubernetes.aio. Made by `open`; `close` it in the end.

    `namespaces` are the watched ones; empty means all, and needs a ClusterRole.
    """

    def __init__(self, transport: Transport, namespaces: Sequence[str] = ()) -> None:
        self._transport = transport
        self._namespaces = tuple(namespaces)

    @classmethod
    async def open(
        cls,
        location: Location,
        *,
        clock: Clock,
        environ: Mapping[str, str],
        namespaces: Sequence[str] = (),
    ) -> Self:
        """Read the configuration; ConfigurationError if that fails. Nothing is sent yet."""
        connection = await connect(location, clock=clock, environ=environ)
        return cls(Transport(connection, clock), namespaces)

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.close()

    async def get(self, key: ObjectKey) -> Shape | None:
        return await self._read(paths.of_object(key), doing=f"get {key}")

    async def list(self, kind: str) -> AsyncIterator[Shape]:
        for namespace in self._where(kind):
            async for body in self._list(kind, namespace):
                yield body

    async def list_metadata(self, kind: str) -> AsyncIterator[Sequence[Shape]]:
        for namespace in self._where(kind):
            request = replace(_listing(kind, namespace), accept=METADATA_LIST)
            async for page in self._pages(request, versions_page):
                # Each item says that it is a PartialObjectMetadata; what it is of, we know.
                yield [{**item, "kind": kind} for item in page]

    async def apply_status(self, key: ObjectKey, status: Shape, *, resource_version: str) -> Shape:
        body = {
            "apiVersion": API_VERSION,
            "kind": key.kind,
            "metadata": {"name": key.name, "resourceVersion": resource_version},
            "status": status,
        }
        return await self._transport.ask(
            Request(
                method="PATCH",
                path=paths.of_object(key, "status"),
                doing=f"apply the status of {key}",
                query={"fieldManager": FIELD_MANAGER, "force": "true"},
                body=body,
                content_type=APPLY_PATCH,
            )
        )

    async def patch(self, key: ObjectKey, operations: Sequence[Shape]) -> Shape:
        first = operations[0] if operations else {}
        if (first.get("op"), first.get("path")) != _GUARD:
            raise ValueError(f"the first operation must replace {_GUARD[1]}: {operations}")
        return await self._transport.ask(
            Request(
                method="PATCH",
                path=paths.of_object(key),
                doing=f"patch {key}",
                query={"fieldManager": FIELD_MANAGER},
                body=list(operations),
                content_type=JSON_PATCH,
            )
        )

    async def delete(
        self, key: ObjectKey, *, uid: str, resource_version: str | None = None
    ) -> None:
        preconditions = {"uid": uid}
        if resource_version is not None:
            preconditions["resourceVersion"] = resource_version
        request = Request(
            method="DELETE",
            path=paths.of_object(key),
            doing=f"delete {key}",
            body={"preconditions": preconditions, "propagationPolicy": "Background"},
        )
        try:
            await self._transport.ask(request)
        except NotFoundError:
            return
        except ConflictError:
            if resource_version is not None:
                raise
            return  # another object has its name now, so that one is gone

    async def namespace_labels(self, name: str) -> dict[str, str]:
        try:
            body = await self._read(paths.of_namespace(name), doing=f"get namespace {name}")
        except DeniedError:
            return {}
        return dict(body["metadata"].get("labels", {})) if body else {}

    async def config_map(self, namespace: str, name: str) -> Mapping[str, Any] | None:
        path = paths.of_config_map(namespace, name)
        body = await self._read(path, doing=f"get configmap {namespace}/{name}")
        if body is None:
            return None
        return {**dict.fromkeys(body.get("binaryData") or ()), **(body.get("data") or {})}

    async def create_event(self, namespace: str, body: dict[str, Any]) -> Shape:
        return await self._transport.ask(
            Request(
                method="POST",
                path=paths.of_events(namespace),
                doing=f"create an event in {namespace}",
                body=body,
            )
        )

    async def patch_event(self, namespace: str, name: str, body: dict[str, Any]) -> Shape:
        return await self._transport.ask(
            Request(
                method="PATCH",
                path=paths.of_events(namespace, name),
                doing=f"patch event {namespace}/{name}",
                body=body,
                content_type=MERGE_PATCH,
            )
        )

    async def read_lease(self, namespace: str, name: str) -> Shape | None:
        # Not repeated here: the elector decides how long it can wait.
        path = paths.of_leases(namespace, name)
        request = Request(
            method="GET",
            path=path,
            doing=f"get lease {namespace}/{name}",
            seconds=LEASE_SECONDS,
            urgent=True,
        )
        return await self._found(request)

    async def create_lease(self, namespace: str, name: str, spec: Shape) -> Shape:
        return await self._transport.ask(
            Request(
                method="POST",
                path=paths.of_leases(namespace),
                doing=f"create lease {namespace}/{name}",
                body=_lease({"name": name, "namespace": namespace}, spec),
                seconds=LEASE_SECONDS,
                urgent=True,
            )
        )

    async def replace_lease(self, lease: Shape, spec: Shape) -> Shape:
        metadata = lease["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]
        return await self._transport.ask(
            Request(
                method="PUT",
                path=paths.of_leases(namespace, name),
                doing=f"renew lease {namespace}/{name}",
                body=_lease(metadata, spec),
                seconds=LEASE_SECONDS,
                urgent=True,
            )
        )

    async def served_kinds(self) -> frozenset[str]:
        return frozenset(entry["kind"] for entry in await self._discovered())

    async def leaving_kinds(self) -> frozenset[str]:
        # What the API server says of a CRD that has a deletionTimestamp.
        listed = await self._discovered()
        return frozenset(entry["kind"] for entry in listed if "create" not in entry["verbs"])

    async def _discovered(self) -> Sequence[Shape]:
        doing = f"discover {API_VERSION}"
        request = Request(method="GET", path=paths.GROUP_VERSION, doing=doing, repeatable=True)
        answer = await self._transport.answer(request)
        if answer.status == HTTPStatus.NOT_FOUND:
            return ()
        if not answer.ok:
            raise error_of(answer, doing=doing)
        return [entry for entry in answer.json()["resources"] if "/" not in entry["name"]]

    def _where(self, kind: str) -> Sequence[str]:
        """The namespaces to list one after the other; "" means all at once."""
        everywhere = not self._namespaces or kind in paths.CLUSTER_SCOPED
        return ("",) if everywhere else self._namespaces

    async def _list(self, kind: str, namespace: str) -> AsyncIterator[Shape]:
        request = _listing(kind, namespace)
        whole = replace(request, seconds=None, silence_seconds=SILENCE_SECONDS)
        try:
            async for item in self._transport.items(whole):
                yield _listed(kind, item)
        except UnavailableError:
            # An API server ends an answer that takes longer than a minute. Pages have no such end.
            async for page in self._pages(request, whole_page):
                for found in page:
                    yield _listed(kind, found)

    async def _pages(
        self, request: Request, read: Callable[[Answer], ListPage]
    ) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
        token = ""
        while True:
            query: dict[str, str | int] = {"limit": PAGE}
            if token:
                query["continue"] = token
            answer = await self._transport.answer(
                replace(request, query=query, seconds=PAGE_SECONDS)
            )
            token, items = read(answer) if answer.ok else whole_page(answer)
            if answer.ok:
                yield items
            elif answer.status != HTTPStatus.GONE or not token:
                raise error_of(answer, doing=request.doing)
            # 410 with a token: the first page is too old for a consistent list (five minutes);
            # that token goes on from there with what the rest looks like now.
            if not token:
                return

    async def _read(self, path: str, *, doing: str) -> dict[str, Any] | None:
        return await self._found(Request(method="GET", path=path, doing=doing, repeatable=True))

    async def _found(self, request: Request) -> dict[str, Any] | None:
        try:
            return await self._transport.ask(request)
        except NotFoundError:
            return None


def _listing(kind: str, namespace: str) -> Request:
    return Request(
        method="GET",
        path=paths.of_kind(kind, namespace),
        doing=f"list {paths.plural(kind)}" + (f" in {namespace}" if namespace else ""),
        repeatable=True,
    )


def _listed(kind: str, item: Shape) -> Shape:
    """An item of a list, with what the list says once for all of them."""
    return {"apiVersion": API_VERSION, "kind": kind, **item}


def _lease(metadata: Shape, spec: Shape) -> dict[str, Any]:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": metadata,
        "spec": spec,
    }
