"""Kubernetes in memory: the port for tests that run the whole operator in one process.

It keeps what the operator relies on: resourceVersion and generation, finalizers and deletion, the
status apart from the rest, conflicts, and watch events. A contract suite holds it to the behaviour
of the real API server. Nothing here waits, so a test that steps the clock stays deterministic.
"""

import json
import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any

import jsonpatch
from tests.support.memory_objects import Body, Objects, Subscriber, copied, key_of
from tests.support.structural import Definition

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.kube.port import (
    PAGE,
    ConflictError,
    InvalidError,
    NotFoundError,
    UnavailableError,
)

_VERSION = ("name", "namespace", "uid", "resourceVersion")
_MICRO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


class MemoryKube:
    """KubePort in memory, and what a user does with kubectl (`apply`, `annotate`, `remove` …).

    `definitions` are the served kinds; `namespaces` those that exist, with their labels.
    """

    def __init__(
        self,
        definitions: Iterable[Definition],
        *,
        clock: Clock,
        namespaces: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self.definitions = {definition.kind: definition for definition in definitions}
        self.leaving: set[str] = set()  # kinds whose definition is being deleted
        self.namespaces: dict[str, dict[str, str]] = {
            name: dict(labels) for name, labels in (namespaces or {"default": {}}).items()
        }
        self.config_maps: dict[tuple[str, str], dict[str, str | None]] = {}  # None: binary
        self.objects = Objects(clock)
        self.events: dict[tuple[str, str], Body] = {}
        self.leases: dict[tuple[str, str], Body] = {}

    # What the operator calls.

    async def get(self, key: ObjectKey) -> Shape | None:
        self._definition(key.kind)
        body = self.objects.find(key)
        return None if body is None else copied(body)

    async def list(self, kind: str) -> AsyncIterator[Shape]:
        self._definition(kind)
        for body in self.objects.of_kind(kind):
            yield copied(body)

    async def list_metadata(self, kind: str) -> AsyncIterator[Sequence[Shape]]:
        self._definition(kind)
        listed = [
            {"kind": kind, "metadata": {k: v for k, v in body["metadata"].items() if k in _VERSION}}
            for body in self.objects.of_kind(kind)
        ]
        for start in range(0, max(1, len(listed)), PAGE):
            yield listed[start : start + PAGE]

    async def apply_status(self, key: ObjectKey, status: Shape, *, resource_version: str) -> Shape:
        body = self.objects.at_version(key, resource_version)
        self._check_status(key, status)
        changed = self._definition(key.kind).defaulted({**body, "status": copied(status)})
        return copied(self.objects.save(key, changed))

    async def patch(self, key: ObjectKey, operations: Sequence[Shape]) -> Shape:
        guard = operations[0]
        if (guard["op"], guard["path"]) != ("replace", "/metadata/resourceVersion"):
            raise ValueError("the first operation must replace /metadata/resourceVersion")
        body = self.objects.at_version(key, guard["value"])
        try:
            patched = jsonpatch.apply_patch(copied(body), json.loads(json.dumps(list(operations))))
        except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
            raise InvalidError(f"Cannot patch {key}: {error} (422).") from error
        return copied(self._replace(key, body, patched))

    async def delete(
        self, key: ObjectKey, *, uid: str, resource_version: str | None = None
    ) -> None:
        body = self.objects.find(key)
        if body is None:
            return
        if resource_version not in {None, body["metadata"]["resourceVersion"]}:
            raise ConflictError(f"{key} has changed since version {resource_version} (409).")
        if body["metadata"]["uid"] == uid:
            self.objects.delete(key)

    async def namespace_labels(self, name: str) -> dict[str, str]:
        return dict(self.namespaces.get(name, {}))

    async def config_map(self, namespace: str, name: str) -> Mapping[str, Any] | None:
        found = self.config_maps.get((namespace, name))
        return None if found is None else dict(found)

    async def create_event(self, namespace: str, body: dict[str, Any]) -> Shape:
        self._check_namespace(namespace)
        place = (namespace, body["metadata"]["name"])
        if place in self.events:
            raise ConflictError(f"Event {place} exists (409).")
        self.events[place] = self._stored(body, namespace)
        return copied(self.events[place])

    async def patch_event(self, namespace: str, name: str, body: dict[str, Any]) -> Shape:
        place = (namespace, name)
        if place not in self.events:
            raise NotFoundError(f"Event {place} is gone (404).")
        self.events[place] = self._stored(_merged(self.events[place], body), namespace)
        return copied(self.events[place])

    async def read_lease(self, namespace: str, name: str) -> Shape | None:
        lease = self.leases.get((namespace, name))
        return None if lease is None else copied(lease)

    async def create_lease(self, namespace: str, name: str, spec: Shape) -> Shape:
        self._check_namespace(namespace)
        if (namespace, name) in self.leases:
            raise ConflictError(f"Lease {namespace}/{name} exists (409).")
        return self._save_lease({"name": name, "namespace": namespace}, spec)

    async def replace_lease(self, lease: Shape, spec: Shape) -> Shape:
        metadata = lease["metadata"]
        place = (metadata["namespace"], metadata["name"])
        held = self.leases.get(place)
        if held is None:
            raise NotFoundError(f"Lease {place} is gone (404).")
        if held["metadata"]["resourceVersion"] != metadata["resourceVersion"]:
            raise ConflictError(f"Lease {place} has changed (409).")
        return self._save_lease(metadata, spec)

    async def served_kinds(self) -> frozenset[str]:
        return frozenset(self.definitions)

    async def leaving_kinds(self) -> frozenset[str]:
        return frozenset(self.leaving & self.definitions.keys())

    # What the watch does.

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """Call it with (type, body) for every change from now on, at once; returns how to stop."""
        return self.objects.subscribe(subscriber)

    def hold_events(self) -> None:
        """Let the watch fall behind: nothing is delivered until `release_events`."""
        self.objects.hold()

    def release_events(self) -> None:
        """Deliver what was held, in order, and everything at once from then on."""
        self.objects.release()

    # What a user does.

    def apply(self, manifest: Shape) -> Body:
        """kubectl apply: create, or set spec, labels and annotations. InvalidError as at a server.

        Fields that the manifest leaves out are removed from spec; labels and annotations stay.
        """
        body = copied(manifest)
        key, definition = key_of(body), self._definition(body["kind"])
        if definition.namespaced:
            self._check_namespace(key.namespace)
        if unknown := definition.undeclared("spec", body.get("spec", {})):
            raise InvalidError(f"Cannot apply {key}: strict decoding error: {unknown} (400).")
        before = self.objects.find(key)
        if before is None:
            body.pop("status", None)
            return copied(self.objects.create(key, definition.defaulted(body)))
        wanted = body.get("metadata", {})
        metadata = dict(before["metadata"])
        for part in ("labels", "annotations"):
            if part in wanted:
                metadata[part] = {**metadata.get(part, {}), **wanted[part]}
        changed = {**before, "metadata": metadata, "spec": body.get("spec", {})}
        return copied(self._replace(key, before, changed))

    def annotate(self, key: ObjectKey, **annotations: str | None) -> Body:
        """kubectl annotate --overwrite; None removes. Names as keywords: use ** for real ones."""
        before = self.objects.get(key)
        merged = _merged(before, {"metadata": {"annotations": annotations}})
        return copied(self._replace(key, before, merged))

    def remove(self, key: ObjectKey) -> None:
        """kubectl delete, without waiting for it. NotFoundError if it is gone."""
        self.objects.get(key)
        self.objects.delete(key)

    def strip_finalizers(self, key: ObjectKey) -> None:
        """What people do to objects that are stuck."""
        before = self.objects.get(key)
        metadata = {**before["metadata"], "finalizers": []}
        self._replace(key, before, {**before, "metadata": metadata})

    def see(self, key: ObjectKey) -> Body:
        """kubectl get. NotFoundError if it is gone."""
        return copied(self.objects.get(key))

    def exists(self, key: ObjectKey) -> bool:
        """Whether the object is there."""
        return self.objects.find(key) is not None

    def _replace(self, key: ObjectKey, before: Body, after: Body) -> Body:
        """Write all but the status and what only the server may write."""
        kept = {**after, "kind": before["kind"], "apiVersion": before["apiVersion"]}
        if "status" in before:
            kept["status"] = before["status"]
        return self.objects.save(key, self._definition(key.kind).defaulted(kept))

    def _definition(self, kind: str) -> Definition:
        if kind not in self.definitions:
            raise UnavailableError(f"The API server does not serve {kind} (404).")
        return self.definitions[kind]

    def _check_status(self, key: ObjectKey, status: Shape) -> None:
        if unknown := self._definition(key.kind).undeclared("status", status):
            raise InvalidError(
                f"Cannot apply the status of {key}: {unknown}: field not declared in schema (500)."
            )
        if nulls := [path for path, value in _leaves(status, "status") if value is None]:
            raise InvalidError(f"Cannot apply the status of {key}: {nulls}: null (422).")

    def _check_namespace(self, namespace: str) -> None:
        if namespace not in self.namespaces:
            raise NotFoundError(f"Namespace {namespace!r} not found (404).")

    def _save_lease(self, metadata: Shape, spec: Shape) -> Shape:
        for name in ("acquireTime", "renewTime"):
            if spec.get(name) is not None and not _MICRO_TIME.fullmatch(spec[name]):
                raise InvalidError(f"Lease: {name} must have six digits of microseconds (400).")
        place = (metadata["namespace"], metadata["name"])
        lease = self._stored({"metadata": metadata, "spec": spec}, place[0])
        self.leases[place] = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", **lease}
        return copied(self.leases[place])

    def _stored(self, body: Shape, namespace: str) -> Body:
        stored = copied(body)
        stored["metadata"]["namespace"] = namespace
        stored["metadata"]["resourceVersion"] = self.objects.next_version()
        return stored


def _merged(before: Any, patch: Any) -> Any:
    """RFC 7386."""
    if not isinstance(patch, Mapping):
        return json.loads(json.dumps(patch))
    base = dict(before) if isinstance(before, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            base.pop(name, None)
        else:
            base[name] = _merged(base.get(name), value)
    return base


def _leaves(value: Any, path: str) -> Iterable[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}")
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{index}]")
    else:
        yield path, value
