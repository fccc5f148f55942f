"""What EC2 has announced of instances, from all that says so, as what decides who goes (pure).

The interruption queue says it first. Without one, spot requests and status checks say it as well:
they are read once a minute, and only where an environment has what they are about.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.aws.notice_events import AnnouncedKind
from awsbatch_operator.capacity.leaving import Notice

# EC2 User Guide, "Spot Instance request status". What the user or a service of theirs has ended is
# no interruption, and says so by its state.
TAKEN_BACK = frozenset(
    {
        "instance-stopped-by-price",
        "instance-stopped-no-capacity",
        "instance-terminated-by-price",
        "instance-terminated-by-schedule",
        "instance-terminated-launch-group-constraint",
        "instance-terminated-no-capacity",
        "marked-for-stop",
        "marked-for-termination",
    }
)
# A check that fails for so long is no matter of booting (EC2 says "initializing" for that), nor of
# a network that was away for a moment.
IMPAIRED_SECONDS = 300.0

# In this order: the gravest counts.
_NOTICES: Mapping[AnnouncedKind, Notice | None] = {
    AnnouncedKind.INTERRUPTION: Notice.INTERRUPTION,
    AnnouncedKind.RESERVATION: Notice.INTERRUPTION,  # it ends as soon as a Spot instance
    AnnouncedKind.MAINTENANCE: Notice.MAINTENANCE,
    AnnouncedKind.REBALANCE: Notice.REBALANCE,
    AnnouncedKind.STATE_CHANGE: None,  # the instance itself shows its state
}
_GRAVITY = (Notice.INTERRUPTION, Notice.MAINTENANCE, Notice.REBALANCE)
# DescribeInstanceStatus: what has happened, or will not, is described for up to a week more.
_PAST = ("[Completed]", "[Canceled]")


def notices(
    announced: Mapping[str, AnnouncedKind],
    spot_requests: Sequence[Shape],
    troubled: Sequence[Shape],
    ids: Collection[str],
    *,
    now: Instant | None = None,
) -> Mapping[str, Notice]:
    """What holds for each of these instances; those of which nothing is announced are left out.

    `announced` is NoticeBook's, `spot_requests` and `troubled` are Ec2Port's. Without the time no
    status check counts, because it may have failed only just now.
    """
    said: dict[str, list[Notice]] = {}
    for each, kind in announced.items():
        notice = _NOTICES[kind]
        if notice is not None:
            said.setdefault(each, []).append(notice)
    for request in spot_requests:
        if request.get("Status", {}).get("Code") in TAKEN_BACK:
            said.setdefault(str(request.get("InstanceId", "")), []).append(Notice.INTERRUPTION)
    for status in troubled:
        if any(_planned(status)) or any(_impaired(status, now)):
            said.setdefault(str(status.get("InstanceId", "")), []).append(Notice.MAINTENANCE)
    return {each: min(said[each], key=_GRAVITY.index) for each in ids if each in said}


def _planned(status: Shape) -> Iterator[bool]:
    """Whether each event (a stop, a restart, a retirement, maintenance) is still ahead."""
    for event in status.get("Events") or ():
        yield not str(event.get("Description", "")).startswith(_PAST)


def _impaired(status: Shape, now: Instant | None) -> Iterator[bool]:
    """Whether each check has failed for long enough."""
    if now is None:
        return
    for name in ("InstanceStatus", "SystemStatus"):
        for detail in status.get(name, {}).get("Details") or ():
            since = _moment(detail.get("ImpairedSince"))
            if detail.get("Status") == "failed" and since is not None:
                yield now.since(since) >= IMPAIRED_SECONDS


def _moment(value: Any) -> Instant | None:
    if isinstance(value, datetime):
        return Instant(value.timestamp())
    try:
        return None if value is None else Instant.parse(str(value))
    except ValueError:
        return None
