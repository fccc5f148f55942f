"""Writes to Kubernetes, each guarded by the version it was made from, each read back.

The answer of every write goes into the cache, so whoever looks next sees it, however late the watch
is. A refused write changes nothing here; an object that turns out to be gone leaves the cache.
"""

from collections.abc import Awaitable, Mapping, Sequence

from awsbatch_operator.api.metadata import FINALIZER, ObjectKey, Resource, Shape
from awsbatch_operator.engine.cache import Cache
from awsbatch_operator.engine.packing import trimmed
from awsbatch_operator.kube.port import ConflictError, KubeError, KubePort, NotFoundError
from awsbatch_operator.telemetry.metrics import Metrics


class Store:
    """The one way in which reconcilers change objects. Methods raise KubeError."""

    def __init__(self, *, kube: KubePort, cache: Cache, metrics: Metrics) -> None:
        self._kube = kube
        self._cache = cache
        self._metrics = metrics

    async def write_status(self, resource: Resource, status: Shape) -> Resource:
        """Apply the whole status unless it stands there already; the object as it is then.

        ConflictError if the object has changed since `resource` was read; NotFoundError if it is
        gone.
        """
        if status == resource.status:
            return resource
        write = self._kube.apply_status(
            resource.key, status, resource_version=resource.resource_version
        )
        return await self._written(resource, "apply_status", write)

    async def patch(self, resource: Resource, operations: Sequence[Shape]) -> Resource:
        """Send a JSON patch, guarded by the version of `resource`; the object as it is then.

        ConflictError if the object has changed since; NotFoundError if it is gone. When the patch
        took the last finalizer of a deleted object away, the object is out of the cache afterwards.
        """
        guard = {
            "op": "replace",  # unlike a failed `test`, a stale replace answers a clean 409
            "path": "/metadata/resourceVersion",
            "value": resource.resource_version,
        }
        write = self._kube.patch(resource.key, (guard, *operations))
        return await self._written(resource, "patch", write)

    async def hold(self, resource: Resource, annotations: Mapping[str, str]) -> Resource:
        """Add our finalizer and set the annotations, in one write; none if all stand there."""
        operations = [*finalizer_added(resource), *annotations_set(resource, annotations)]
        return await self.patch(resource, operations) if operations else resource

    async def release(self, resource: Resource) -> Resource:
        """Take our finalizer away; no write if it is not there."""
        operations = finalizer_removed(resource)
        return await self.patch(resource, operations) if operations else resource

    async def delete(self, resource: Resource) -> None:
        """Ask for the deletion of exactly this object."""
        try:
            await self._kube.delete(resource.key, uid=resource.uid)
        except KubeError as error:
            self._count(resource.key, "delete", type(error).__name__)
            raise
        self._count(resource.key, "delete", "ok")

    async def refresh(self, key: ObjectKey) -> Resource | None:
        """Read the live object into the cache; None, and out of the cache, if it is gone."""
        body = await self._kube.get(key)
        if body is not None:
            self._cache.put(body)
            return self._cache.get(key)
        cached = self._cache.get(key)
        if cached is not None:
            self._cache.drop(key, cached.uid)
        return None

    async def _written(self, resource: Resource, verb: str, write: Awaitable[Shape]) -> Resource:
        try:
            body = await write
        except NotFoundError:
            self._count(resource.key, verb, "NotFoundError")
            self._cache.drop(resource.key, resource.uid)
            raise
        except KubeError as error:
            self._count(resource.key, verb, type(error).__name__)
            raise
        self._count(resource.key, verb, "ok")
        answer = Resource.from_body(trimmed(body))
        if answer.uid != resource.uid:
            # On /status a guarded version is enough for the API server to tell them apart; a
            # different object can only mean that what we read is gone.
            self._cache.put(body)
            raise ConflictError(f"{resource.key} was deleted and created anew")
        if answer.deleting and not answer.finalizers:
            self._cache.drop(resource.key, resource.uid)
        else:
            self._cache.put(body, own=True)
        return answer

    def _count(self, key: ObjectKey, verb: str, outcome: str) -> None:
        self._metrics.kube_write(key.kind, verb, outcome)


def finalizer_added(resource: Resource) -> list[Shape]:
    """The JSON patch operations that add our finalizer; none if it is there."""
    if resource.held:
        return []
    if resource.finalizers:
        return [{"op": "add", "path": "/metadata/finalizers/-", "value": FINALIZER}]
    return [{"op": "add", "path": "/metadata/finalizers", "value": [FINALIZER]}]


def finalizer_removed(resource: Resource) -> list[Shape]:
    """The JSON patch operations that remove our finalizer; none if it is not there."""
    if not resource.held:
        return []
    rest = [name for name in resource.finalizers if name != FINALIZER]
    return [{"op": "replace", "path": "/metadata/finalizers", "value": rest}]


def annotations_set(resource: Resource, annotations: Mapping[str, str]) -> list[Shape]:
    """The JSON patch operations that set these annotations; none for what stands there already."""
    changed = {
        name: value
        for name, value in annotations.items()
        if resource.annotations.get(name) != value
    }
    if not changed:
        return []
    if not resource.annotations:  # the parent has to be there before a member can be added
        return [{"op": "add", "path": "/metadata/annotations", "value": changed}]
    return [
        {"op": "add", "path": f"/metadata/annotations/{_pointer(name)}", "value": value}
        for name, value in changed.items()
    ]


def annotations_removed(resource: Resource, names: Sequence[str]) -> list[Shape]:
    """The JSON patch operations that remove these annotations, as far as they are there."""
    return [
        {"op": "remove", "path": f"/metadata/annotations/{_pointer(name)}"}
        for name in names
        if name in resource.annotations
    ]


def _pointer(name: str) -> str:
    """A map key as a part of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
