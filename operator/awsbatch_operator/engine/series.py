"""One Kubernetes Event and its repeats, as an object of events.k8s.io/v1."""

import re
from dataclasses import dataclass
from typing import Any, Self

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import API_VERSION, Resource
from awsbatch_operator.api.words import in_characters

CONTROLLER = "awsbatch.dev/operator"
NOTE_BYTES = 1024  # the API server's limits
WORD_LIMIT = 128
NAME_LIMIT = 253
CLUSTER_SCOPED_NAMESPACE = "default"  # where Events about objects without a namespace go


_API_VERSIONS = {"Lease": "coordination.k8s.io/v1"}  # of kinds that are not ours
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class SeriesKey:
    """What makes two events the same. Made by `of`.

    The text is a part of it, with every run of digits as one: another change or another refusal is
    another Event at once, and a count or a time that goes on is not. What differs in digits only
    stays in its series, which shows its latest text (EventRecorder).
    """

    uid: str
    reason: str
    action: str
    warning: bool
    text: str

    @classmethod
    def of(
        cls, resource: Resource, *, reason: str, action: str, warning: bool, message: str
    ) -> Self:
        """The series that such an event belongs to."""
        text = _DIGITS.sub("0", cut(message, NOTE_BYTES))
        return cls(resource.uid, reason, action, warning, text)


@dataclass(slots=True)
class Series:
    """How often an event has happened, and how much of that the API server knows."""

    body: dict[str, Any]  # as last created, without the series
    note: str  # the latest text
    count: int
    last: Instant
    sent_count: int = 0  # 0: the Event has not been created
    events: int = 1  # created for this series, because its text has changed

    @property
    def shows_latest(self) -> bool:
        """Whether the Event as last created has the latest text."""
        return bool(self.body["note"] == self.note)

    def renew(self, name: str) -> None:
        """Go on in a new Event of that name, with the latest text."""
        metadata = {**self.body["metadata"], "name": name}
        time = self.last.rfc3339_micro()
        self.body = {**self.body, "metadata": metadata, "note": self.note, "eventTime": time}

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
            "apiVersion": _API_VERSIONS.get(about.kind, API_VERSION),
            "kind": about.kind,
            "name": about.name,
            "uid": resource.uid,
            "resourceVersion": resource.resource_version,
        }
        | ({"namespace": about.namespace} if about.namespace else {}),
    }


def cut(text: str, limit: int) -> str:
    """The text within that many bytes of UTF-8, with an ellipsis if something is missing."""
    text = in_characters(text)
    encoded = text.encode()
    if len(encoded) <= limit:
        return text
    return encoded[: limit - len("…".encode())].decode(errors="ignore") + "…"
