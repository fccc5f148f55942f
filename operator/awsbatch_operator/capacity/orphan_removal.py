"""How things without an owner go: an instance that still serves an environment is drained first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, assert_never

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.capacity import requests
from awsbatch_operator.capacity.orphans import Sort, Thing
from awsbatch_operator.capacity.requests import Call, Service
from awsbatch_operator.capacity.views import MemberView

_RANK = {sort: place for place, sort in enumerate(Sort)}


class Seat(NamedTuple):
    """An instance in a cluster of an environment that AWS still has."""

    cluster: str
    member: MemberView


class End(Enum):
    """What an instance without owner needs next."""

    DRAIN = "Drain"
    WAIT = "Wait"
    TERMINATE = "Terminate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """One call, and what it is about; `ends` is off where it only drains."""

    call: Call
    where: str
    things: tuple[Thing, ...]
    ends: bool = True


Seats = Mapping[tuple[str, str], Sequence[Seat]]
"""The seats of each instance, by place and id; none: it is in no cluster."""


def removals(go: Sequence[Thing], seats: Seats) -> tuple[Removal, ...]:
    """The calls by which these go; an instance whose seats are not known stays for now."""
    made: list[Removal] = []
    ending: dict[str, dict[str, Thing]] = {}
    draining: dict[tuple[str, str], dict[str, Thing]] = {}
    for each in go:
        where, sort, name, _ = each.which
        if sort is not Sort.INSTANCE:
            made.append(Removal(call=_removal(sort, name), where=where, things=(each,)))
            continue
        mine = seats.get((where, name))
        end = End.WAIT if mine is None else end_of(mine)
        if end is End.TERMINATE:
            ending.setdefault(where, {})[name] = each
        for cluster, member in mine or ():
            if end is End.DRAIN and member.status == "ACTIVE":
                draining.setdefault((where, cluster), {})[member.arn] = each
    for where, some in ending.items():
        for call in requests.terminate("", sorted(some)):
            which = tuple(some[name] for name in call.request["InstanceIds"])
            made.append(Removal(call=call, where=where, things=which))
    for (where, cluster), seated in draining.items():
        for call in requests.drain("", cluster, sorted(seated)):
            which = tuple(seated[arn] for arn in call.request["containerInstances"])
            made.append(Removal(call=call, where=where, things=which, ends=False))
    return tuple(sorted(made, key=lambda each: (each.where, _RANK[each.things[0].which.sort])))


def one_by_one(removal: Removal) -> tuple[Removal, ...]:
    """The same, a call for each: EC2 ends none of several instances if it cannot end one."""
    calls = ((each, _removal(each.which.sort, each.which.id)) for each in removal.things)
    return tuple(Removal(call=call, where=removal.where, things=(each,)) for each, call in calls)


def _removal(sort: Sort, name: str) -> Call:
    match sort:
        case Sort.RESERVATION:
            return requests.release("", name)
        case Sort.TEMPLATE:
            return _ec2("DeleteLaunchTemplate", {"LaunchTemplateId": name})
        case Sort.VOLUME:
            return _ec2("DeleteVolume", {"VolumeId": name})
        case Sort.IMAGE:
            return _ec2("DeregisterImage", {"ImageId": name, "DeleteAssociatedSnapshots": True})
        case Sort.SNAPSHOT:
            return _ec2("DeleteSnapshot", {"SnapshotId": name})
        case Sort.CLUSTER:
            return Call(service=Service.ECS, operation="DeleteCluster", request={"cluster": name})
        case Sort.INSTANCE:
            return requests.terminate("", [name])[0]
        case _:
            assert_never(sort)


def _ec2(operation: str, request: Shape) -> Call:
    return Call(service=Service.EC2, operation=operation, request=request)


def end_of(seats: Sequence[Seat]) -> End:
    """What an instance needs that has these seats in clusters of environments that AWS has.

    Draining does not stop the tasks of AWS Batch; none is started any more. In no cluster there is
    nothing to drain: its environment is gone, and its jobs with it, or it never joined.
    """
    if any(seat.member.status == "ACTIVE" for seat in seats):
        return End.DRAIN
    return End.WAIT if any(_busy(seat.member) for seat in seats) else End.TERMINATE


def _busy(member: MemberView) -> bool:
    """Whether it has tasks, or may be given one before it can be drained."""
    return bool(member.tasks) or member.status == "REGISTERING"
