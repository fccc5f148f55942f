"""Identity and content of a Kubernetes object, as far as the operator reads it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, NamedTuple, Self, TypeVar

from awsbatch_operator.api.instant import Instant

GROUP = "awsbatch.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
FINALIZER = f"{GROUP}/finalizer"
FIELD_MANAGER = "awsbatch-operator"

PAUSED = f"{GROUP}/paused"
RECONCILE_AT = f"{GROUP}/reconcile-at"
RESOLVED = f"{GROUP}/resolved"
SUBMISSION = f"{GROUP}/submission"
REGISTERING = f"{GROUP}/registering"
DEFINITIONS = f"{GROUP}/definitions"
TAG_KEYS = f"{GROUP}/tag-keys"
REMAKING = f"{GROUP}/remaking"
REPLACING = f"{GROUP}/replacing"
LAUNCHES = f"{GROUP}/launches"
TEMPLATE_VERSIONS = f"{GROUP}/template-versions"
INFRASTRUCTURE_UPDATE = f"{GROUP}/infrastructure-update"
PLACEMENT_GROUP = f"{GROUP}/placement-group"
BUILD = f"{GROUP}/build"
TTL_WITH_GITOPS = f"{GROUP}/ttl-with-gitops"
CONFIRM_ORPHANS = f"{GROUP}/confirm-orphans"
INSTALLATION = f"{GROUP}/installation"

RECORDS = (
    RESOLVED,
    SUBMISSION,
    REGISTERING,
    DEFINITIONS,
    TAG_KEYS,
    REMAKING,
    REPLACING,
    LAUNCHES,
    TEMPLATE_VERSIONS,
    INFRASTRUCTURE_UPDATE,
    PLACEMENT_GROUP,
    BUILD,
)
"""The annotations that the operator alone writes. INSTALLATION is written by people, too."""

Shape = Mapping[str, Any]
"""A JSON object: a Kubernetes body or an AWS structure. Never changed in place."""


class RecordError(Exception):
    """An annotation is there and says nothing that we would have written. `remedy` mends it."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class ObjectKey(NamedTuple):
    """Which object: kind, namespace ("" for a cluster-scoped kind) and name.

    A tuple, because each event looks keys up dozens of times, and tuples are hashed and compared
    without a line of Python.
    """

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        place = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {place}{self.name}"


@dataclass(frozen=True, slots=True)
class Resource:
    """One custom resource as last seen. `spec` and `status` are shared: read them only.

    `managers` are the tools beside us that write its fields, as far as the cache keeps them.
    """

    key: ObjectKey
    uid: str
    generation: int
    resource_version: str
    created: Instant
    deleting: bool = False
    deleted_at: Instant | None = None  # when its deletion was asked for
    finalizers: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    managers: tuple[str, ...] = ()
    spec: Shape = field(default_factory=dict)
    status: Shape = field(default_factory=dict)
    _kept: dict[object, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    _of_spec: dict[object, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def from_body(cls, body: Shape, *, before: "Resource | None" = None) -> Self:
        """Read a body as the API server sends it (kind included); KeyError if it is none.

        `before` is another version of it, if one is at hand: what was read of its spec serves here
        as well while the spec is the same.
        """
        metadata = body["metadata"]
        deleted = metadata.get("deletionTimestamp")
        made = cls(
            key=ObjectKey(body["kind"], metadata.get("namespace", ""), metadata["name"]),
            uid=metadata["uid"],
            generation=metadata.get("generation", 0),
            resource_version=metadata["resourceVersion"],
            created=Instant.parse(metadata["creationTimestamp"]),
            deleting=deleted is not None,
            deleted_at=None if deleted is None else Instant.parse(deleted),
            finalizers=tuple(metadata.get("finalizers", ())),
            labels=metadata.get("labels", {}),
            annotations=metadata.get("annotations", {}),
            managers=tuple(each.get("manager", "") for each in metadata.get("managedFields", ())),
            spec=body.get("spec", {}),
            status=body.get("status", {}),
        )
        if before is not None and made._is_specified_as(before):
            made._of_spec.update(before._of_spec)  # noqa: SLF001 - one class
        return made

    def _is_specified_as(self, other: "Resource") -> bool:
        # The generation tells also of an edit from 1 to true, which are equal in Python.
        return (self.key, self.generation, self.spec) == (other.key, other.generation, other.spec)

    @property
    def paused(self) -> bool:
        """Whether a person asked that nothing be changed in AWS.

        The words are "true" and "false". Whoever writes anything else there meant something by it,
        and to hold back what can be done later is the safer guess; the condition Paused says so.
        """
        text = self.annotations.get(PAUSED)
        return text is not None and text.strip().lower() != "false"

    @property
    def served_by(self) -> str:
        """Which installation of the operator serves it, by the place of its Lease; "": none yet.

        The annotation is written with the first record, or by a person who hands the object over.
        The status says it before there is a record, and after somebody took the annotation away.
        """
        said = self.annotations.get(INSTALLATION, "").strip()
        return said or str(self.status.get("installation", ""))

    def is_served_elsewhere(self, installation: str) -> bool:
        """Whether another installation than this one serves it."""
        return self.served_by not in {"", installation}

    @property
    def held(self) -> bool:
        """Whether our finalizer keeps the object until AWS is clean."""
        return FINALIZER in self.finalizers


Made = TypeVar("Made")

_UNKNOWN = object()


def kept(read: Callable[[Resource], Made]) -> Callable[[Resource], Made]:
    """Have a pure function of an object alone called once for each version of it that is read.

    A turn asks the same of an object dozens of times. What comes of it is shared, so it must be
    read only, as the object is. An error is not kept: the function is called again.
    """

    @wraps(read)
    def once(resource: Resource) -> Made:
        return _known(resource._kept, read, resource)  # noqa: SLF001 - one module

    return once


def kept_of_spec(read: Callable[[Resource], Made]) -> Callable[[Resource], Made]:
    """The same of a pure function of nothing but an object's key and spec: once for each spec.

    Each of our own writes makes another version of an object, and none of them touches the spec.
    """

    @wraps(read)
    def once(resource: Resource) -> Made:
        return _known(resource._of_spec, read, resource)  # noqa: SLF001 - one module

    return once


def _known(
    readings: dict[object, Any], read: Callable[[Resource], Made], resource: Resource
) -> Made:
    known: Made = readings.get(read, _UNKNOWN)
    if known is _UNKNOWN:
        known = readings[read] = read(resource)
    return known
