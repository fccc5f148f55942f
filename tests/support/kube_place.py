"""Where the contract suite of the Kubernetes port works: a tiny kind, a user and a namespace."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from awsbatch_operator.api.metadata import API_VERSION, FINALIZER, GROUP, ObjectKey, Resource
from awsbatch_operator.kube.port import KubePort

Body = dict[str, Any]

CONDITION = {
    "type": "Ready",
    "status": "True",
    "observedGeneration": 1,
    "lastTransitionTime": "2026-01-01T00:00:00Z",
    "reason": "AsSpecified",
    "message": "All is as specified.",
}
LEASE = {
    "holderIdentity": "one",
    "leaseDurationSeconds": 30,
    "acquireTime": "2026-01-01T00:00:00.000000Z",
    "renewTime": "2026-01-01T00:00:00.000000Z",
    "leaseTransitions": 0,
}
WIDGET_CRD: Body = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": f"widgets.{GROUP}"},
    "spec": {
        "group": GROUP,
        "names": {"kind": "Widget", "plural": "widgets", "singular": "widget"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1alpha1",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {
                                "type": "object",
                                "properties": {
                                    "size": {"type": "integer"},
                                    "colour": {"type": "string", "default": "grey"},
                                },
                            },
                            "status": {
                                "type": "object",
                                "default": {"observedGeneration": -1},
                                "properties": {
                                    "observedGeneration": {"type": "integer"},
                                    "phase": {"type": "string"},
                                    "conditions": {
                                        "type": "array",
                                        "x-kubernetes-list-type": "map",
                                        "x-kubernetes-list-map-keys": ["type"],
                                        "items": {
                                            "type": "object",
                                            "required": ["type"],
                                            "properties": {
                                                name: {"type": "string"}
                                                for name in CONDITION
                                                if name != "observedGeneration"
                                            }
                                            | {"observedGeneration": {"type": "integer"}},
                                        },
                                    },
                                },
                            },
                        },
                    }
                },
            }
        ],
    },
}


class User(Protocol):
    """Who has kubectl."""

    async def apply(self, manifest: Body) -> Body: ...
    async def annotate(self, key: ObjectKey, annotations: Mapping[str, str | None]) -> Body: ...
    async def remove(self, key: ObjectKey) -> None: ...
    async def write(self, namespace: str, name: str, data: Mapping[str, str], binary: str) -> None:
        """A ConfigMap with these texts, and one byte under the key `binary`."""


@dataclass(frozen=True, slots=True)
class Place:
    """An adapter, a user beside it, and a namespace that exists and is empty."""

    kube: KubePort
    user: User
    namespace: str
    labels: Mapping[str, str]

    def key(self, name: str = "one") -> ObjectKey:
        return ObjectKey("Widget", self.namespace, name)

    async def widget(self, name: str = "one", **spec: object) -> Resource:
        body = {
            "apiVersion": API_VERSION,
            "kind": "Widget",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": spec,
        }
        return Resource.from_body(await self.user.apply(body))

    async def see(self, name: str = "one") -> Resource:
        body = await self.kube.get(self.key(name))
        assert body is not None
        return Resource.from_body(body)

    async def held(self, name: str = "one") -> Resource:
        """A widget with our finalizer."""
        widget = await self.widget(name, size=1)
        body = await self.kube.patch(widget.key, add_finalizer(widget))
        return Resource.from_body(body)


def guard(version: str) -> Body:
    return {"op": "replace", "path": "/metadata/resourceVersion", "value": version}


def add_finalizer(widget: Resource, finalizer: str = FINALIZER) -> list[Body]:
    finalizers = [*widget.finalizers, finalizer]
    return [
        guard(widget.resource_version),
        {"op": "add", "path": "/metadata/finalizers", "value": finalizers},
    ]


def drop_finalizers(widget: Resource) -> list[Body]:
    return [guard(widget.resource_version), {"op": "remove", "path": "/metadata/finalizers"}]


def event(widget: Resource) -> Body:
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": f"{widget.key.name}.1", "namespace": widget.key.namespace},
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": f"{GROUP}/operator",
        "reportingInstance": "one",
        "action": "Try",
        "reason": "Tried",
        "regarding": {
            "apiVersion": API_VERSION,
            "kind": widget.key.kind,
            "namespace": widget.key.namespace,
            "name": widget.key.name,
            "uid": widget.uid,
        },
        "note": "It was tried.",
        "type": "Normal",
    }
