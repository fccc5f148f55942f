"""An EC2 instance, as far as container instances need it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from awsbatch_simulator.ports import SecurityGroup


class InstanceState(StrEnum):
    """EC2's states of an instance."""

    PENDING = "pending"
    RUNNING = "running"
    SHUTTING_DOWN = "shutting-down"
    TERMINATED = "terminated"

    @property
    def code(self) -> int:
        """EC2's number for it."""
        return {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48}[self.value]

    @property
    def gone(self) -> bool:
        """Whether it will not come back."""
        return self in {InstanceState.SHUTTING_DOWN, InstanceState.TERMINATED}


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface of an instance."""

    subnet_id: str
    vpc_id: str
    groups: tuple[SecurityGroup, ...]
    address: str = ""  # private, IPv4; empty: not given out yet
    device_index: int = 0
    description: str = ""
    delete_on_termination: bool = True


@dataclass(slots=True, eq=False)
class Instance:
    """One instance. `request` keeps what RunInstances was given, in model names."""

    id: str
    type: str
    image_id: str
    zone: str
    launched_at: float  # epoch seconds
    reservation_id: str
    request: dict[str, Any]
    tags: dict[str, str]
    interfaces: tuple[Interface, ...]  # the primary one first
    spot: bool = False
    client_token: str = ""
    state: InstanceState = InstanceState.PENDING
    state_reason: tuple[str, str] | None = None  # code, message
    transition_reason: str = ""
    cluster_arn: str | None = None  # of a managed environment: joined without user data
    retired: bool = False  # to be replaced by an infrastructure update
    launch_index: int = 0
    extras: dict[str, Any] = field(default_factory=dict)
