"""EC2's instances, launch templates and placement groups, as container instances need them."""

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


@dataclass(frozen=True, slots=True)
class TemplateVersion:
    """One version of a launch template, which never changes.

    `data` is all of RequestLaunchTemplateData, in model names; with a source version, what it
    inherits is in it.
    """

    number: int
    data: dict[str, Any]
    created_at: float  # epoch seconds
    created_by: str  # an ARN
    description: str | None = None


@dataclass(slots=True, eq=False)
class LaunchTemplate:
    """A launch template. The number of a version that was deleted is not given again."""

    id: str
    name: str
    created_at: float  # epoch seconds
    created_by: str  # an ARN
    tags: dict[str, str]
    versions: dict[int, TemplateVersion] = field(default_factory=dict)
    default: int = 1
    last_number: int = 0

    @property
    def latest(self) -> int:
        """The highest number that there is; the default version cannot be deleted."""
        return max(self.versions)

    def add(
        self, data: dict[str, Any], *, at: float, by: str, description: str | None
    ) -> TemplateVersion:
        """The next version."""
        self.last_number += 1
        version = TemplateVersion(self.last_number, data, at, by, description)
        self.versions[version.number] = version
        return version


@dataclass(slots=True, eq=False)
class PlacementGroup:
    """A placement group."""

    id: str
    name: str
    arn: str
    tags: dict[str, str]
    strategy: str = "cluster"
    partitions: int | None = None  # with the strategy `partition`
    spread_level: str | None = None  # with the strategy `spread`


Tagged = Instance | LaunchTemplate | PlacementGroup
