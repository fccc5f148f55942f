"""What stands beside instances: volumes, spot requests, fleets and capacity reservations."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from awsbatch_simulator.ec2.image_model import Image, Snapshot
from awsbatch_simulator.ec2.model import Instance, Interface, LaunchTemplate, PlacementGroup


@dataclass(slots=True, eq=False)
class Volume:
    """An EBS volume, made with an instance."""

    id: str
    zone: str
    size: int  # GiB
    kind: str
    created_at: float  # epoch seconds
    tags: dict[str, str]
    device: str
    delete_on_termination: bool
    instance_id: str | None  # None: available
    iops: int | None = None
    throughput: int | None = None
    encrypted: bool = False
    kms_key: str = ""  # as it was given; empty: the account's default key
    snapshot_id: str = ""  # that it was made from; empty: it was empty


class SpotState(StrEnum):
    """States of a spot request. Source: SpotInstanceState in EC2's model."""

    ACTIVE = "active"
    CLOSED = "closed"
    CANCELLED = "cancelled"


@dataclass(slots=True, eq=False)
class SpotRequest:
    """The request behind a spot instance."""

    id: str
    instance_id: str
    created_at: float  # epoch seconds
    price: str
    tags: dict[str, str]
    options: dict[str, Any]
    state: SpotState = SpotState.ACTIVE
    code: str = "fulfilled"
    message: str = "Your spot request is fulfilled."
    updated_at: float = 0.0


class FleetState(StrEnum):
    """States of an instant fleet."""

    ACTIVE = "active"
    DELETED_TERMINATING = "deleted_terminating"
    DELETED = "deleted"


@dataclass(slots=True, eq=False)
class Fleet:
    """An instant fleet: what was asked, and what came of it."""

    id: str
    created_at: float  # epoch seconds
    request: dict[str, Any]
    tags: dict[str, str]
    instances: list[dict[str, Any]]  # CreateFleetInstance
    errors: list[dict[str, Any]]  # CreateFleetError
    fulfilled: float
    fulfilled_on_demand: float
    state: FleetState = FleetState.ACTIVE

    @property
    def instance_ids(self) -> list[str]:
        """All instances that it has launched."""
        return [each for group in self.instances for each in group["InstanceIds"]]


class ReservationState(StrEnum):
    """States of a capacity reservation for immediate use."""

    ACTIVE = "active"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


@dataclass(slots=True, eq=False)
class CapacityReservation:
    """Capacity of one type in one zone, paid whether it is used or not."""

    id: str
    type: str
    platform: str
    zone: str
    count: int
    criteria: str  # open or targeted
    created_at: float  # epoch seconds
    tags: dict[str, str]
    tenancy: str = "default"
    ebs_optimized: bool = False
    end_at: float | None = None  # epoch seconds; None: unlimited
    state: ReservationState = ReservationState.ACTIVE
    used_by: set[str] = field(default_factory=set)  # ids of instances

    @property
    def active(self) -> bool:
        """Whether instances can run in it."""
        return self.state is ReservationState.ACTIVE

    @property
    def free(self) -> int:
        """How many more instances it has room for."""
        return max(0, self.count - len(self.used_by)) if self.active else 0


Tagged = (
    Instance
    | LaunchTemplate
    | PlacementGroup
    | Volume
    | SpotRequest
    | Fleet
    | CapacityReservation
    | Interface
    | Image
    | Snapshot
)
