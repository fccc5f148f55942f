"""One Kubernetes Event and its repeats, as an object of events.k8s.io/v1."""

from dataclasses import dataclass
from typing import Any

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import API_VERSION, Resource

CONTROLLER = "awsbatch.dev/operator"
NOTE_BYTES = 1024  # the API server's limits
WORD_LIMIT = 128
NAME_LIMIT = 253
CLUSTER_SCOPED_NAMESPACE = "default"  # where Events about objects without a namespace go


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """What makes two events the same. The message is not part of it: it may hold a number."""

    uid: str
    reason: str
    action: str
    warning: bool


@dataclass(slots=True)
class Series:
    """How often an event has happened, and how much of that the API server knows."""

    body: dict[str, Any]  # as first sent, without the series
    count: int
    last: Instant
    sent_count: int = 0  # 0: the Event has not been created

    @property
    def namespace(self) -> str:
        """Where the Event lives."""
        return str(self.body["metadata"]["namespace"])

    @property
    def name(self) -> str:
        """The name of the Event."""
        return str(self.body["metadata"]["name"])

    def created_body(self) -> dict[str, Any]:
        """The Event to create, with what has been counted until now."""
        return {**self.body, **self.patch_body()} if self.count > 1 else self.body

    def patch_body(self) -> dict[str, Any]:
        """The series as it stands; the API server wants a count of at least 2."""
        return {
            "series": {"count": self.count, "lastObservedTime": self.last.rfc3339_micro()},
        }


def event_body(
    resource: Resource,
    key: SeriesKey,
    *,
    message: str,
    instance: str,
    now: Instant,
    suffix: str,
) -> dict[str, Any]:
    """An Event about the resource; `suffix` makes its name unique."""
    about = resource.key
    stem = about.name[: NAME_LIMIT - len(suffix) - 1].rstrip(".-")
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {
            "name": f"{stem}.{suffix}",
            "namespace": about.namespace or CLUSTER_SCOPED_NAMESPACE,
        },
        "eventTime": now.rfc3339_micro(),
        "type": "Warning" if key.warning else "Normal",
        "reason": key.reason[:WORD_LIMIT],
        "action": key.action[:WORD_LIMIT],
        "note": cut(message, NOTE_BYTES),
        "reportingController": CONTROLLER,
        "reportingInstance": instance[:WORD_LIMIT],
        "regarding": {
            "apiVersion": API_VERSION,
            "kind": about.kind,
            "name": about.name,
            "uid": resource.uid,
            "resourceVersion": resource.resource_version,
        }
        | ({"namespace": about.namespace} if about.namespace else {}),
    }


def cut(text: str, limit: int) -> str:
    """The text within that many bytes of UTF-8, with an ellipsis if something is missing."""
    encoded = text.encode()
    if len(encoded) <= limit:
        return text
    return encoded[: limit - len("…".encode())].decode(errors="ignore") + "…"
