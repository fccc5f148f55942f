"""From what is decided to what AWS is asked: the input of every call about capacity.

A launch is made of its intent alone, besides tags that never change: the same intent is the same
bytes, so that it may be sent again. All else is in the launch template, which is named after its
content; it has one version, 1, for other content is another template.

Tags that are the same for all launches of a pool stand in the template, for volumes, network
interfaces and Spot requests can be tagged nowhere else. Instances get all of theirs with the launch
as well, so that it does not matter whether EC2 adds those to the template's or takes them instead.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.tags import CONTENT, ECS_CLUSTER, END, INTENT, MARKET, Owner
from awsbatch_operator.capacity.block_record import Reserve
from awsbatch_operator.capacity.launches import Intent
from awsbatch_operator.capacity.machines import Template, owned, tagged
from awsbatch_operator.capacity.model import Market

VERSION = 1  # of every launch template of ours
_ENDED_AT_ONCE = 100  # ids in one TerminateInstances: EC2 advises small batches
_DRAINED_AT_ONCE = 10  # UpdateContainerInstancesState: "up to 10"


class Service(StrEnum):
    """Which service takes a call."""

    EC2 = "ec2"
    ECS = "ecs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call. `token` is the launch intent's, or the reservation's; "" of all else.

    `intent` is what a launch was made from: its answer is read by it.
    """

    service: Service
    operation: str
    request: Shape
    pool: str = ""
    token: str = ""
    intent: Intent | None = None


def make_template(pool: str, made: Template) -> Call:
    """CreateLaunchTemplate. One of that name that is there already is the same."""
    return _ec2("CreateLaunchTemplate", made.request, pool=pool)


def delete_template(name: str) -> Call:
    """DeleteLaunchTemplate: instances that it has launched stay."""
    return _ec2("DeleteLaunchTemplate", {"LaunchTemplateName": name})


def launch(owner: Owner, intent: Intent, content: str, cluster: str) -> Call:
    """The call of an intent: CreateFleet, or RunInstances into a reservation.

    `cluster` is the name of the ECS cluster that the template's user data joins.

    A fleet cannot name the reservation that it launches into, as RunInstances can.
    """
    tags = {
        **owned(owner, intent.pool),
        CONTENT: content,
        INTENT: intent.token,
        MARKET: intent.market.value,
        ECS_CLUSTER: cluster,
    }
    if intent.end is not None:
        tags[END] = intent.end.rfc3339()
    operation, request = "CreateFleet", _fleet(intent, tags)
    if intent.reservation:
        operation, request = "RunInstances", _run(intent, tags)
    return Call(
        service=Service.EC2,
        operation=operation,
        request=request,
        pool=intent.pool,
        token=intent.token,
        intent=intent,
    )


def _template_of(intent: Intent) -> Shape:
    key = "LaunchTemplateId" if intent.template.startswith("lt-") else "LaunchTemplateName"
    return {key: intent.template, "Version": str(intent.version)}


def _run(intent: Intent, tags: Mapping[str, str]) -> Shape:
    first = intent.offers[0]
    target = {"CapacityReservationId": intent.reservation}
    return {
        "ClientToken": intent.token,
        "LaunchTemplate": _template_of(intent),
        "InstanceType": first.instance_type,
        "SubnetId": first.subnet,
        "MinCount": intent.minimum,
        "MaxCount": intent.count,
        "CapacityReservationSpecification": {"CapacityReservationTarget": target},
        # Should these take the place of the template's, volumes and interfaces would have no tags
        # of ours, and our policy would forbid the launch.
        "TagSpecifications": [
            tagged(kind, tags) for kind in ("instance", "volume", "network-interface")
        ],
    }


def _fleet(intent: Intent, tags: Mapping[str, str]) -> Shape:
    spot = intent.market is Market.SPOT
    options: dict[str, Any] = {"AllocationStrategy": "prioritized"}
    if spot:
        options = {
            "AllocationStrategy": "capacity-optimized-prioritized",
            "InstanceInterruptionBehavior": "terminate",
        }
    if intent.minimum > 1:  # EC2 takes a minimum for one type in one zone only
        options["MinTargetCapacity"] = intent.minimum
        options |= {"SingleInstanceType": True, "SingleAvailabilityZone": True}
    overrides = []
    for place, offer in enumerate(intent.offers):
        one: dict[str, Any] = {
            "InstanceType": offer.instance_type,
            "SubnetId": offer.subnet,
            "Priority": float(place),
        }
        if spot and intent.max_price is not None:
            one["MaxPrice"] = str(intent.max_price)
        overrides.append(one)
    return {
        "Type": "instant",
        "ClientToken": intent.token,
        "LaunchTemplateConfigs": [
            {"LaunchTemplateSpecification": _template_of(intent), "Overrides": overrides}
        ],
        "TargetCapacitySpecification": {
            "TotalTargetCapacity": intent.count,
            "OnDemandTargetCapacity": 0 if spot else intent.count,
            "SpotTargetCapacity": intent.count if spot else 0,
            "DefaultTargetCapacityType": "spot" if spot else "on-demand",
        },
        "SpotOptions" if spot else "OnDemandOptions": options,
        "TagSpecifications": [tagged("fleet", tags), tagged("instance", tags)],
    }


def terminate(pool: str, ids: Sequence[str]) -> tuple[Call, ...]:
    """TerminateInstances."""
    return tuple(
        _ec2("TerminateInstances", {"InstanceIds": list(some)}, pool=pool)
        for some in _some_of(ids, _ENDED_AT_ONCE)
    )


def drain(pool: str, cluster: str, members: Sequence[str]) -> tuple[Call, ...]:
    """UpdateContainerInstancesState DRAINING."""
    return tuple(
        _ecs(
            "UpdateContainerInstancesState",
            {"cluster": cluster, "containerInstances": list(some), "status": "DRAINING"},
            pool,
        )
        for some in _some_of(members, _DRAINED_AT_ONCE)
    )


def deregister(pool: str, cluster: str, members: Iterable[str]) -> tuple[Call, ...]:
    """DeregisterContainerInstance, one member a call. By force: its instance is gone."""
    name = "DeregisterContainerInstance"
    return tuple(
        _ecs(name, {"cluster": cluster, "containerInstance": each, "force": True}, pool)
        for each in members
    )


def reserve(owner: Owner, pool: str, wanted: Reserve) -> Call:
    """CreateCapacityReservation, targeted: nobody else's instances use it up; it has an end."""
    end = wanted.end.rfc3339()
    tags = {**owned(owner, pool), INTENT: wanted.token, END: end}
    request = {
        "ClientToken": wanted.token,
        "InstanceType": wanted.instance_type,
        "InstancePlatform": "Linux/UNIX",
        "AvailabilityZone": wanted.zone,
        "InstanceCount": wanted.count,
        "EndDateType": "limited",
        "EndDate": end,
        "InstanceMatchCriteria": "targeted",
        "TagSpecifications": [tagged("capacity-reservation", tags)],
    }
    return _ec2("CreateCapacityReservation", request, pool=pool, token=wanted.token)


def release(pool: str, reservation: str) -> Call:
    """CancelCapacityReservation: instances in it go on, and are paid as on-demand ones."""
    request = {"CapacityReservationId": reservation}
    return _ec2("CancelCapacityReservation", request, pool=pool)


def _some_of(ids: Sequence[str], most: int) -> Iterable[Sequence[str]]:
    return (ids[start : start + most] for start in range(0, len(ids), most))


def _ec2(operation: str, request: Shape, *, pool: str = "", token: str = "") -> Call:
    return Call(service=Service.EC2, operation=operation, request=request, pool=pool, token=token)


def _ecs(operation: str, request: Shape, pool: str) -> Call:
    return Call(service=Service.ECS, operation=operation, request=request, pool=pool)
