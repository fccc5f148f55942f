"""What EC2 announces of instances, read from EventBridge's events (pure).

Sources: EC2 User Guide "Spot Instance interruption notices", "EC2 instance rebalance
recommendations", "Amazon EC2 instance state change events" and "Monitor interruptible Capacity
Reservations"; AWS Health User Guide "Amazon EventBridge event schema"; EventBridge User Guide
"Event structure".

Whoever may send to the queue can send anything. Nothing of an event but these kinds, times and
well-formed ids goes any further.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from awsbatch_operator.api.encoding import decoded
from awsbatch_operator.api.metadata import Shape

BODY_LIMIT = 1024 * 1024  # characters; an event has 256 KiB at most (EventBridge quotas)
_INSTANCE = re.compile(r"i-[0-9a-f]{8,32}")
_ACCOUNT = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z0-9-]{5,32}")


NoticeObserver = Callable[[str, float], None]
"""(what was announced, seconds since it was sent): of each message that says something new."""


class AnnouncedKind(StrEnum):
    """What is announced of an instance, the gravest first."""

    INTERRUPTION = "Interruption"  # EC2 takes a Spot instance back, mostly in two minutes
    RESERVATION = "Reservation"  # its capacity reservation ends, or is wanted back
    MAINTENANCE = "Maintenance"  # EC2 is going to stop, retire or restart it
    REBALANCE = "Rebalance"  # an interruption is likelier than before
    STATE_CHANGE = "StateChange"


_BY_DETAIL_TYPE: Mapping[tuple[str, str], AnnouncedKind] = {
    ("aws.ec2", "EC2 Spot Instance Interruption Warning"): AnnouncedKind.INTERRUPTION,
    (
        "aws.ec2",
        "EC2 Capacity Reservation Instance Interruption Warning",
    ): AnnouncedKind.RESERVATION,
    ("aws.health", "AWS Health Event"): AnnouncedKind.MAINTENANCE,
    ("aws.ec2", "EC2 Instance Rebalance Recommendation"): AnnouncedKind.REBALANCE,
    ("aws.ec2", "EC2 Instance State-change Notification"): AnnouncedKind.STATE_CHANGE,
}


@dataclass(frozen=True, slots=True)
class Announcement:
    """One event: what it announces, where, and of which instances."""

    kind: AnnouncedKind
    account_id: str
    region: str
    instances: frozenset[str]


def announcement_of(body: object) -> Announcement | None:
    """Read the body of a message; None if it is no event that concerns instances."""
    if not isinstance(body, str) or len(body) > BODY_LIMIT:
        return None
    try:
        event = decoded(body.encode())
    except (ValueError, RecursionError):  # no JSON, half a character, or nested without end
        return None
    if not isinstance(event, dict):
        return None
    kind = _BY_DETAIL_TYPE.get((_text(event, "source"), _text(event, "detail-type")))
    account_id, region, detail = (
        _text(event, "account"),
        _text(event, "region"),
        event.get("detail"),
    )
    where = _ACCOUNT.fullmatch(account_id) and _REGION.fullmatch(region)
    if kind is None or not where or not isinstance(detail, dict):
        return None
    named = _of_health(detail) if kind is AnnouncedKind.MAINTENANCE else [detail.get("instance-id")]
    instances = frozenset(
        each for each in named if isinstance(each, str) and _INSTANCE.fullmatch(each)
    )
    return Announcement(kind, account_id, region, instances) if instances else None


def _of_health(detail: Shape) -> Iterator[Any]:
    """The instances of a change that is scheduled; what is over, or of another service, has none.

    Issues and notices of AWS Health announce nothing that has a time.
    """
    planned = (
        detail.get("service") == "EC2" and detail.get("eventTypeCategory") == "scheduledChange"
    )
    entities = detail.get("affectedEntities")
    if not planned or detail.get("statusCode") == "closed" or not isinstance(entities, list):
        return
    for each in entities:
        if isinstance(each, dict) and each.get("status") != "RESOLVED":
            yield each.get("entityValue")


def _text(event: Shape, name: str) -> str:
    value = event.get(name)
    return value if isinstance(value, str) else ""
