"""What EC2 and ECS show of instances, as values; read from the answers of their APIs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.tags import CONTENT, ECS_CLUSTER, END, INTENT, MARKET, OWNER_UID, POOL
from awsbatch_operator.capacity.block_record import Reservation
from awsbatch_operator.capacity.faults import RESERVATION_GONE
from awsbatch_operator.capacity.model import Market

_TEMPLATE = ("aws:ec2launchtemplate:id", "aws:ec2launchtemplate:version")  # EC2's own tags


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceView:
    """An instance as EC2 shows it. What only tags say is "" until they are visible."""

    id: str
    instance_type: str
    zone: str
    state: str  # pending, running, shutting-down, terminated, stopping, stopped
    launched: Instant
    pool: str = ""
    market: Market = Market.ON_DEMAND
    intent: str = ""  # the token of its launch
    content: str = ""  # of what its launch template was made: image, user data, type …
    end: Instant | None = None  # the tag awsbatch.dev/end
    cluster: str = ""  # name of the ECS cluster that its user data joins
    reason: str = ""  # the code of why it is in its state, where EC2 says one


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberView:
    """A container instance as ECS shows it."""

    arn: str
    instance: str  # the id of its EC2 instance
    status: str  # ACTIVE, DRAINING, REGISTERING, DEREGISTERING, REGISTRATION_FAILED
    connected: bool
    tasks: int  # running and pending
    registered: Instant
    cpu_left: int  # CPU units
    memory_left: int  # MiB
    gpus_left: int = 0
    memory_mib: int = 0  # registered; 0: unknown
    cpu: int = 0  # registered CPU units
    gpus: int = 0  # registered


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """An instance that an answer of EC2 has named, before EC2 lists it with its tags.

    Its state is pending, or shutting-down once EC2 has taken its end.
    """

    id: str
    pool: str
    instance_type: str
    zone: str
    market: Market
    launched: Instant
    intent: str = ""
    content: str = ""
    end: Instant | None = None
    state: str = "pending"

    def view(self) -> InstanceView:
        """As EC2 would show it."""
        return InstanceView(
            id=self.id,
            instance_type=self.instance_type,
            zone=self.zone,
            state=self.state,
            launched=self.launched,
            pool=self.pool,
            market=self.market,
            intent=self.intent,
            content=self.content,
            end=self.end,
        )


def instance_view(body: Shape) -> InstanceView:
    """Read an Instance of DescribeInstances; KeyError if it is none."""
    tags = {str(each["Key"]): str(each["Value"]) for each in body.get("Tags", ())}
    bought = Market.SPOT if body.get("InstanceLifecycle") == "spot" else Market.ON_DEMAND
    return InstanceView(
        id=str(body["InstanceId"]),
        instance_type=str(body["InstanceType"]),
        zone=str(body.get("Placement", {}).get("AvailabilityZone", "")),
        state=str(body["State"]["Name"]),
        launched=_moment(body["LaunchTime"]),
        pool=tags.get(POOL, ""),
        market=_market(tags.get(MARKET), bought),
        intent=tags.get(INTENT, ""),
        content=tags.get(CONTENT) or ":".join(tags[key] for key in _TEMPLATE if key in tags),
        end=_end(tags.get(END)),
        cluster=tags.get(ECS_CLUSTER, ""),
        reason=str((body.get("StateReason") or {}).get("Code", "")),
    )


def _market(tag: str | None, bought: Market) -> Market:
    try:
        return bought if tag is None else Market(tag)
    except ValueError:
        return bought


def _end(tag: str | None) -> Instant | None:
    """An end that somebody edited into something else is none."""
    try:
        return None if tag is None else Instant.parse(tag)
    except ValueError:
        return None


def member_view(body: Shape) -> MemberView:
    """Read a ContainerInstance of DescribeContainerInstances; KeyError if it is none."""
    left, total = (
        {str(each["name"]): each for each in body.get(name, ())}
        for name in ("remainingResources", "registeredResources")
    )
    return MemberView(
        arn=str(body["containerInstanceArn"]),
        instance=str(body.get("ec2InstanceId", "")),
        status=str(body["status"]),
        connected=bool(body.get("agentConnected")),
        tasks=int(body.get("runningTasksCount", 0)) + int(body.get("pendingTasksCount", 0)),
        registered=_moment(body["registeredAt"]),
        cpu_left=_amount(left.get("CPU")),
        memory_left=_amount(left.get("MEMORY")),
        gpus_left=len(left.get("GPU", {}).get("stringSetValue", ())),
        memory_mib=_amount(total.get("MEMORY")),
        cpu=_amount(total.get("CPU")),
        gpus=len(total.get("GPU", {}).get("stringSetValue", ())),
    )


def _amount(resource: Mapping[str, Any] | None) -> int:
    return 0 if resource is None else int(resource.get("integerValue", 0))


def _moment(value: object) -> Instant:
    """A time as boto3 reads it, or as text."""
    if isinstance(value, datetime):
        return Instant(value.timestamp())
    return Instant.parse(str(value))


def reservation_view(body: Shape, owner_uid: str) -> Reservation | None:
    """Read a CapacityReservation; None if it is none that this owner may launch into.

    So is one that we have made for another owner, and one for another platform or tenancy.
    """
    tags = {str(each["Key"]): str(each.get("Value", "")) for each in body.get("Tags", ())}
    ours = tags.get(OWNER_UID) == owner_uid
    usual = body.get("InstancePlatform") == "Linux/UNIX" and body.get("Tenancy") == "default"
    if not ours and (OWNER_UID in tags or not usual):
        return None
    return Reservation(
        id=str(body["CapacityReservationId"]),
        instance_type=str(body["InstanceType"]),
        zone=str(body.get("AvailabilityZone", "")),
        available=int(body.get("AvailableInstanceCount", 0)),
        active=body.get("State") == "active",
        gone=state if (state := str(body.get("State", ""))) in RESERVATION_GONE else "",
        ours=ours,
        token=tags.get(INTENT, "") if ours else "",
        pool=tags.get(POOL, "") if ours else "",
        end=_moment(body["EndDate"]) if body.get("EndDate") else None,
    )
