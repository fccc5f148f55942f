"""Which infrastructure update was asked for last, so that none is asked for over and over (pure).

Each one exchanges all instances. Where AWS shows what it was sent in a way that we do not know, or
goes on announcing an image that it was told to take, the difference would never end. So the update
stands in an annotation before its call; that AWS was at work after it, too. What AWS has taken is
not sent again before the difference has been gone in between. A process that dies on the way finds
the record without that second word, and sends the update, which changes nothing if AWS has it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from awsbatch_operator.api.metadata import INFRASTRUCTURE_UPDATE, Resource
from awsbatch_operator.api.names import short_hash

_FLAGS = ("images", "taken", "answered", "left")


@dataclass(frozen=True, slots=True)
class UpdateRecord:
    """What the annotation says.

    `environment` is AWS's own mark of the one that it is about, `request` a hash of what was sent,
    "" once the difference is gone; `fields` are those that it was about. `images`: it takes AWS's
    newest image along. `answered`: what AWS announces of images was asked for, and AWS took it.
    `left`: AWS had announced it before the environment was taken over, which changes nothing.
    """

    environment: str = ""
    request: str = ""
    images: bool = False
    taken: bool = False
    answered: bool = False
    left: bool = False
    fields: tuple[str, ...] = ()

    def is_of(self, mark: str) -> bool:
        """Whether it is about the environment with that mark."""
        return bool(mark) and self.environment == mark

    def asks(
        self, mark: str, request: Mapping[str, Any], fields: Iterable[str], *, images: bool
    ) -> "UpdateRecord":
        """The record to be written before the request is sent, which is about these fields."""
        answered = self.is_of(mark) and self.answered
        about = tuple(sorted({_member(path) for path in fields}))
        return UpdateRecord(mark, hash_of(request), images, answered=answered, fields=about)

    def concerns(self, fields: Iterable[str]) -> bool:
        """Whether one of these fields is one that the update was about.

        Whatever it takes to change them by now: where the spec asks for more than an update, what
        AWS has taken in vain is in vain all the same, once the spec asks for the update alone.
        """
        members = {_member(path) for path in fields}
        about = set(self.fields) or members  # none is recorded by older versions of the operator
        return bool(self.request) and not about.isdisjoint(members)

    def has_taken(self, mark: str, request: Mapping[str, Any]) -> bool:
        """Whether AWS has taken this very request, and the difference was never gone since."""
        return self.is_of(mark) and self.taken and self.request == hash_of(request)

    def at_work(self) -> "UpdateRecord":
        """AWS was seen at work after the call."""
        if not self.request or self.taken:
            return self
        return replace(self, taken=True, answered=self.answered or self.images)

    def settled(self, *, announced: bool) -> "UpdateRecord":
        """Nothing differs any more. An announcement that still stands was answered, if it was."""
        if announced and (self.answered or self.left):
            return UpdateRecord(self.environment, answered=self.answered, left=self.left)
        return UpdateRecord()

    def record(self) -> Mapping[str, str]:
        """The annotation."""
        body: dict[str, object] = {"environment": self.environment, "request": self.request}
        body |= {name: True for name in _FLAGS if getattr(self, name)}
        if self.fields:
            body["fields"] = list(self.fields)
        return {INFRASTRUCTURE_UPDATE: json.dumps(body, separators=(",", ":"))}


def hash_of(request: Mapping[str, Any]) -> str:
    """The same for the same request."""
    return short_hash(json.dumps(request, sort_keys=True), digits=16)


def update_record(resource: Resource) -> UpdateRecord:
    """What was recorded; nothing, too, if somebody has edited it into something else."""
    try:
        body = json.loads(resource.annotations.get(INFRASTRUCTURE_UPDATE, "{}"))
        environment, request = str(body["environment"]), str(body["request"])
        fields = tuple(str(each) for each in body.get("fields", ()))
    except (ValueError, TypeError, KeyError, RecursionError):
        return UpdateRecord()
    flags = {name: body.get(name) is True for name in _FLAGS}
    return UpdateRecord(environment, request, **flags, fields=fields)


def _member(path: str) -> str:
    """The member of the environment, or of its computeResources, that the path leads into."""
    return ".".join(path.split(".")[:2])
