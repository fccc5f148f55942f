"""Writes to Kubernetes, each guarded by the version it was made from, and live reads.

The answer of every write goes into the cache, so whoever looks next sees it, however late the watch
is. A refused write changes nothing here; an object that turns out to be gone leaves the cache.
"""

from collections.abc import Awaitable, Mapping, Sequence

import structlog

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import FINALIZER, INSTALLATION, ObjectKey, Resource, Shape
from awsbatch_operator.engine.cache import Cache, Change
from awsbatch_operator.engine.pace import TURNS_A_ROUND, Pace
from awsbatch_operator.engine.packing import trimmed
from awsbatch_operator.engine.undone import Undone
from awsbatch_operator.kube.port import (
    ConflictError,
    DeniedError,
    KubeError,
    KubePort,
    NotFoundError,
    UnavailableError,
)
from awsbatch_operator.telemetry.metrics import Metrics

_log = structlog.get_logger(__name__)


class Store:
    """The one way in which reconcilers change objects. Methods raise KubeError.

    `answers` counts what the API server has answered, refusals included: who has seen it not answer
    can tell by it whether that is over. `undone` knows which of the writes somebody else has
    written over. `installation` is who we are among several in one cluster. `pace` is that of the
    turns, which go on here when their writes are answered.
    """

    def __init__(
        self,
        *,
        kube: KubePort,
        cache: Cache,
        metrics: Metrics,
        clock: Clock,
        installation: str = "",
        pace: Pace | None = None,
    ) -> None:
        self._kube = kube
        self._cache = cache
        self._metrics = metrics
        self._installation = installation
        self.undone = Undone(clock)
        self._versions_went_back = False
        self._confirmed: set[str] = set()  # uids
        self._denied: dict[tuple[str, str], str] = {}  # what was said first, by kind and verb
        self.answers = 0
        self.pace = pace or Pace(TURNS_A_ROUND)
        cache.listen(self._over)
        cache.listen(self.undone.heard)

    def trouble(self) -> str | None:
        """Which rights are missing, as far as writes and reads of objects have shown it."""
        return "\n".join(sorted(self._denied.values())) or None

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
        """Add our finalizer and set the annotations, in one write; none if all stand there.

        The first such write of an object notes, too, which installation serves it. What is noted
        there stays, whoever has written it: a person may be handing the object over.
        """
        if self._installation and not resource.annotations.get(INSTALLATION):
            annotations = {INSTALLATION: self._installation, **annotations}
        operations = [*finalizer_added(resource), *annotations_set(resource, annotations)]
        return await self.patch(resource, operations) if operations else resource

    async def release(self, resource: Resource) -> Resource:
        """Take our finalizer away; no write if it is not there."""
        operations = finalizer_removed(resource)
        return await self.patch(resource, operations) if operations else resource

    def note_undone(self, resource: Resource) -> None:
        """Count that somebody else has written over our write."""
        self._metrics.write_undone(resource.key.kind)

    async def delete(self, resource: Resource, *, unchanged: bool = False) -> None:
        """Ask for the deletion of exactly this object.

        `unchanged`: only as it was read; ConflictError if it has changed since.
        """
        version = resource.resource_version if unchanged else None
        try:
            await self._kube.delete(resource.key, uid=resource.uid, resource_version=version)
        except KubeError as error:
            self._count(resource.key, "delete", error)
            raise
        self._count(resource.key, "delete")

    async def refresh(self, key: ObjectKey) -> Resource | None:
        """Read the live object, all of it, into the cache; None, and out of it, if it is gone.

        What the cache is told while the answer is on its way may be newer than the answer, and
        then stands.
        """
        before = self._cache.held(key)
        try:
            body = await self._kube.get(key)
        except DeniedError as error:
            self._denied.setdefault((key.kind, "get"), str(error))
            raise
        self._denied.pop((key.kind, "get"), None)
        self.answers += 1
        if body is None:
            if before.uid is not None:
                self._cache.drop(key, before.uid)
            return None
        change = self._cache.confirm(body, before)
        if change is not None and change.version < (before.version or 0):
            self._went_back(change)
        return Resource.from_body(trimmed(body))

    async def confirm(self, resource: Resource) -> None:
        """Make sure, once in the life of this process, that the object is as it was read.

        A list or a watch may be answered from the past, by an API server that was restarted or has
        taken over: an object that is long deleted is there, or has its spec of yesterday. A guarded
        write would find that out; but a step that writes nothing down first would be acted upon in
        AWS. ConflictError if the live object is another one, or has changed since.
        """
        if resource.uid in self._confirmed:
            return
        live = await self.refresh(resource.key)
        seen = None if live is None else (live.uid, live.resource_version)
        if seen != (resource.uid, resource.resource_version):
            raise ConflictError(f"{resource.key} was read from the past")
        self._confirmed.add(resource.uid)

    async def whole(self, key: ObjectKey) -> Resource | None:
        """All of an object; None if it is gone. Of a settled one the cache holds only a part."""
        return await self.refresh(key) if self._cache.settled(key) else self._cache.get(key)

    async def _written(self, resource: Resource, verb: str, write: Awaitable[Shape]) -> Resource:
        try:
            body = await write
        except KubeError as error:
            self._count(resource.key, verb, error)
            if isinstance(error, UnavailableError):
                self.undone.unheard(resource)
            else:
                self.answers += 1
            if isinstance(error, NotFoundError):
                self._cache.drop(resource.key, resource.uid)
            raise
        self.answers += 1
        self._count(resource.key, verb)
        self._confirmed.add(resource.uid)
        body = trimmed(body)
        answer = Resource.from_body(body, before=resource)
        if answer.uid != resource.uid:
            # On /status a guarded version is enough for the API server to tell them apart; a
            # different object can only mean that what we read is gone.
            self._cache.put(body, resource=answer)
            raise ConflictError(f"{resource.key} was deleted and created anew")
        if answer.deleting and not answer.finalizers:
            self._cache.drop(resource.key, resource.uid)
            self._confirmed.discard(resource.uid)  # the watch may have been first to say so
        else:
            self.undone.wrote(answer)
            self._cache.put(body, own=True, resource=answer)
        await self.pace.go()  # the answer is taken in: whoever asks sees it, also meanwhile
        return answer

    def _over(self, change: Change) -> None:
        """Nothing more is done for the object's sake: forget that it was confirmed."""
        if change.resource is None or change.settled:
            self._confirmed.discard(change.uid)

    def _went_back(self, change: Change) -> None:
        self._metrics.rewound(change.key.kind)
        if not self._versions_went_back:
            self._versions_went_back = True
            _log.warning(
                "the API server has an older version of an object than was seen before; it seems "
                "to have been restored from a backup, and what it has now counts",
                object=str(change.key),
                version=change.version,
            )

    def _count(self, key: ObjectKey, verb: str, error: KubeError | None = None) -> None:
        self._metrics.kube_write(key.kind, verb, "ok" if error is None else type(error).__name__)
        if isinstance(error, DeniedError):
            self._denied.setdefault((key.kind, verb), str(error))
        elif not isinstance(error, UnavailableError):
            self._denied.pop((key.kind, verb), None)


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


def _pointer(name: str) -> str:
    """A map key as a part of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
