"""Which infrastructure update was asked for last, so that none is asked for over and over (pure).

Each one exchanges all instances. Where AWS shows what it was sent in a way that we do not know, or
goes on announcing an image that it was told to take, the difference would never end. So the update
stands in an annotation before its call; that AWS was at work after it, too. What AWS has taken is
not sent again before the difference has been gone in between. A process that dies on the way finds
the record without that second word, and sends the update, which changes nothing if AWS has it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from awsbatch_operator.api.metadata import INFRASTRUCTURE_UPDATE, Resource
from awsbatch_operator.api.names import short_hash


@dataclass(frozen=True, slots=True)
class UpdateRecord:
    """What the annotation says.

    `environment` is AWS's own mark of the one that it is about, `request` a hash of what was sent,
    "" once the difference is gone. `images`: it takes AWS's newest image along. `answered`: what
    AWS announces of images was asked for, and AWS took it.
    """

    environment: str = ""
    request: str = ""
    images: bool = False
    taken: bool = False
    answered: bool = False

    def is_of(self, mark: str) -> bool:
        """Whether it is about the environment with that mark."""
        return bool(mark) and self.environment == mark

    def asks(self, mark: str, request: Mapping[str, Any], *, images: bool) -> "UpdateRecord":
        """The record to be written before the request is sent."""
        answered = self.is_of(mark) and self.answered
        return UpdateRecord(mark, hash_of(request), images, taken=False, answered=answered)

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
        if announced and self.answered:
            return UpdateRecord(self.environment, answered=True)
        return UpdateRecord()

    def record(self) -> Mapping[str, str]:
        """The annotation."""
        body: dict[str, object] = {"environment": self.environment, "request": self.request}
        flags = {"images": self.images, "taken": self.taken, "answered": self.answered}
        body |= {name: True for name, value in flags.items() if value}
        return {INFRASTRUCTURE_UPDATE: json.dumps(body, separators=(",", ":"))}


def hash_of(request: Mapping[str, Any]) -> str:
    """The same for the same request."""
    return short_hash(json.dumps(request, sort_keys=True), digits=16)


def update_record(resource: Resource) -> UpdateRecord:
    """What was recorded; nothing, too, if somebody has edited it into something else."""
    try:
        body = json.loads(resource.annotations.get(INFRASTRUCTURE_UPDATE, "{}"))
        environment, request = str(body["environment"]), str(body["request"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return UpdateRecord()
    flags = {name: body.get(name) is True for name in ("images", "taken", "answered")}
    return UpdateRecord(environment, request, **flags)
