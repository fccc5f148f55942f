"""The objects of the in-memory Kubernetes: versions, generations, finalizers, deletion, events."""

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.kube.port import ConflictError, InvalidError, NotFoundError

Body = dict[str, Any]
Subscriber = Callable[[str, Body], None]

# What only the API server writes, whatever a write says about it.
_SERVERS = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")


def copied(body: Shape) -> Body:
    """The body as it comes over the wire: a copy that shares nothing."""
    return dict(json.loads(json.dumps(body)))


def key_of(body: Shape) -> ObjectKey:
    """Which object a body is."""
    metadata = body["metadata"]
    return ObjectKey(body["kind"], metadata.get("namespace", ""), metadata["name"])


class Objects:
    """All custom resources. Bodies inside are never changed in place."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._bodies: dict[ObjectKey, Body] = {}
        self._versions = itertools.count(1)
        self._uids = itertools.count(1)
        self._subscribers: list[Subscriber] = []
        self._held: list[tuple[str, Body]] | None = None

    def next_version(self) -> str:
        """A resourceVersion larger than all before."""
        return str(next(self._versions))

    def find(self, key: ObjectKey) -> Body | None:
        return self._bodies.get(key)

    def get(self, key: ObjectKey) -> Body:
        if key not in self._bodies:
            raise NotFoundError(f"{key} not found (404).")
        return self._bodies[key]

    def at_version(self, key: ObjectKey, version: str) -> Body:
        body = self.get(key)
        if body["metadata"]["resourceVersion"] != version:
            raise ConflictError(f"{key} has changed since version {version} (409).")
        return body

    def of_kind(self, kind: str) -> Iterator[Body]:
        """As a list at an API server: ordered by namespace and name, as they are now."""
        yield from [self._bodies[key] for key in sorted(self._bodies) if key.kind == kind]

    def create(self, key: ObjectKey, body: Body) -> Body:
        number = next(self._uids)
        metadata = {
            **body["metadata"],
            "uid": f"{number:08x}-0000-4000-8000-{number:012x}",
            "creationTimestamp": self._clock.now().rfc3339(),
            "generation": 1,
            "resourceVersion": self.next_version(),
        }
        self._bodies[key] = {**body, "metadata": metadata}
        return self._tell("ADDED", key)

    def save(self, key: ObjectKey, body: Body) -> Body:
        """Take over a new state; the last finalizer's removal ends an object that is deleted."""
        before = self._bodies[key]
        metadata = self._metadata(before["metadata"], body["metadata"])
        spec_changed = body.get("spec") != before.get("spec")
        metadata["generation"] = before["metadata"]["generation"] + spec_changed
        after = {**body, "metadata": metadata}
        if after == before:
            return before
        metadata["resourceVersion"] = self.next_version()
        self._bodies[key] = after
        if "deletionTimestamp" in metadata and not metadata.get("finalizers"):
            return self._end(key)
        return self._tell("MODIFIED", key)

    def delete(self, key: ObjectKey) -> None:
        """Remove it, or mark it for deletion while it has finalizers."""
        body = self._bodies[key]
        metadata = body["metadata"]
        if not metadata.get("finalizers"):
            self._end(key)
        elif "deletionTimestamp" not in metadata:
            marked = {
                **metadata,
                "deletionTimestamp": self._clock.now().rfc3339(),
                "deletionGracePeriodSeconds": 0,
                "generation": metadata["generation"] + 1,
                "resourceVersion": self.next_version(),
            }
            self._bodies[key] = {**body, "metadata": marked}
            self._tell("MODIFIED", key)

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)

    def hold(self) -> None:
        self._held = []

    def release(self) -> None:
        held, self._held = self._held or [], None
        for kind, body in held:
            self._deliver(kind, body)

    def _metadata(self, before: Body, wanted: Body) -> Body:
        if wanted.get("name") != before["name"]:
            raise InvalidError(f"the name {before['name']} cannot be changed (422).")
        metadata = {**wanted, "resourceVersion": before["resourceVersion"]}
        for name in _SERVERS:
            metadata.pop(name, None)
            if name in before:
                metadata[name] = before[name]
        for name in ("finalizers", "labels", "annotations"):
            if not metadata.get(name):  # an API server does not keep empty ones
                metadata.pop(name, None)
        added = set(metadata.get("finalizers", ())) - set(before.get("finalizers", ()))
        if added and "deletionTimestamp" in before:
            raise InvalidError(f"{added}: no new finalizers on an object being deleted (422).")
        return metadata

    def _end(self, key: ObjectKey) -> Body:
        body = self._bodies.pop(key)
        gone = {**body, "metadata": {**body["metadata"], "resourceVersion": self.next_version()}}
        self._publish("DELETED", gone)
        return gone

    def _tell(self, kind: str, key: ObjectKey) -> Body:
        body = self._bodies[key]
        self._publish(kind, body)
        return body

    def _publish(self, kind: str, body: Body) -> None:
        if self._held is None:
            self._deliver(kind, body)
        else:
            self._held.append((kind, body))

    def _deliver(self, kind: str, body: Body) -> None:
        for subscriber in tuple(self._subscribers):
            subscriber(kind, copied(body))
