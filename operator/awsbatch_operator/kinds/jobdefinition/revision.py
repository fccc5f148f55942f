"""Revisions as the status shows them, and the record of one that is about to be made."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import REGISTERING, Resource


@dataclass(frozen=True, slots=True)
class ListedRevision:
    """A revision as the status shows it."""

    arn: str
    number: int
    content_hash: str
    registered: Instant


def shown_revisions(resource: Resource) -> tuple[ListedRevision, ...]:
    """All that the status lists."""
    return tuple(
        ListedRevision(
            arn=str(entry["arn"]),
            number=int(entry["revision"]),
            content_hash=str(entry.get("contentHash", "")),
            registered=Instant.read(entry.get("registeredTime")) or resource.created,
        )
        for entry in resource.status.get("revisions", ())
    )


def registering(after: int) -> Mapping[str, str]:
    """The annotation that stands in the object before a revision newer than `after` is registered.

    AWS makes one with each call, under a number that nobody knows before. A repeat of a call that
    AWS has refused has the same text, and so costs no write.
    """
    return {REGISTERING: json.dumps({"after": after}, separators=(",", ":"))}


def is_open(resource: Resource) -> bool:
    """Whether a registration was written down of which the status shows no result.

    So it is, too, if somebody has edited the annotation into something else.
    """
    text = resource.annotations.get(REGISTERING)
    if text is None:
        return False
    try:
        after = int(json.loads(text)["after"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return True
    return max((one.number for one in shown_revisions(resource)), default=0) <= after
