"""What the next look must show of the steps that AWS took.

EC2 and ECS show some changes seconds late. A step whose expectation is unmet is repeated by later
turns, more and more rarely; without one it would be repeated at every look.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from awsbatch_operator.capacity.instances import HAS_JOINED, LIVING
from awsbatch_operator.capacity.observed import Observed
from awsbatch_operator.capacity.requests import Call


@dataclass(frozen=True, slots=True)
class Shown:
    """What is expected of a call, by what it names."""

    operation: str
    names: frozenset[str]

    def met(self, seen: Observed) -> bool:
        """Whether a look shows it."""
        match self.operation:
            case "TerminateInstances":
                return self.names.isdisjoint(life.id for life in seen.lives if life.stage in LIVING)
            case "UpdateContainerInstancesState":
                return self.names.isdisjoint(
                    life.member.arn
                    for life in seen.lives
                    if life.member is not None and life.stage in HAS_JOINED
                )
            case "DeregisterContainerInstance":
                return self.names.isdisjoint(member.arn for member in seen.members)
            case "CreateCapacityReservation":
                return self.names <= {each.token for each in seen.reservations}
            case "CancelCapacityReservation":
                return self.names.isdisjoint(each.id for each in seen.reservations if each.active)
            case _:
                return self.names.isdisjoint(seen.templates)


def expected(call: Call) -> Shown | None:
    """What must be seen of the call; None of launches, whose answers name what comes late."""
    if call.intent is not None or call.operation not in _NAMED:
        return None
    named = call.request[_NAMED[call.operation]]
    names = frozenset([named] if isinstance(named, str) else named)
    return Shown(call.operation, names)


_NAMED: Mapping[str, str] = {
    "TerminateInstances": "InstanceIds",
    "UpdateContainerInstancesState": "containerInstances",
    "DeregisterContainerInstance": "containerInstance",
    "CreateCapacityReservation": "ClientToken",
    "CancelCapacityReservation": "CapacityReservationId",
    "DeleteLaunchTemplate": "LaunchTemplateName",
}
