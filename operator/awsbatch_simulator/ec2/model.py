"""EC2's instances, launch templates and placement groups, as container instances need them."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from awsbatch_simulator.ec2.image_model import Image
from awsbatch_simulator.ports import SecurityGroup, Shown

if TYPE_CHECKING:
    from awsbatch_simulator.ec2.capacity_model import Volume


class InstanceState(StrEnum):
    """EC2's states of an instance."""

    PENDING = "pending"
    RUNNING = "running"
    SHUTTING_DOWN = "shutting-down"
    TERMINATED = "terminated"
    STOPPING = "stopping"
    STOPPED = "stopped"

    @property
    def code(self) -> int:
        """EC2's number for it."""
        return _CODES[self]

    @property
    def gone(self) -> bool:
        """Whether it will not come back."""
        return self in {InstanceState.SHUTTING_DOWN, InstanceState.TERMINATED}


_CODES = {
    InstanceState.PENDING: 0,
    InstanceState.RUNNING: 16,
    InstanceState.SHUTTING_DOWN: 32,
    InstanceState.TERMINATED: 48,
    InstanceState.STOPPING: 64,
    InstanceState.STOPPED: 80,
}


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
    id: str = ""
    tags: dict[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class ScheduledEvent:
    """What EC2 has planned for an instance, as DescribeInstanceStatus tells it."""

    id: str
    code: str  # instance-reboot, system-reboot, system-maintenance, instance-retirement, …
    description: str
    not_before: float  # epoch seconds
    not_after: float | None = None


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
    image: Image | None = None  # that it was launched with; None: one of Batch's own
    imds_v2: bool = True  # as its image had it then
    spot: bool = False
    client_token: str = ""
    state: InstanceState = InstanceState.PENDING
    state_reason: tuple[str, str] | None = None  # code, message
    transition_reason: str = ""
    cluster_arn: str | None = None  # of a managed environment: joined without user data
    retired: bool = False  # to be replaced by an infrastructure update
    started: bool = False  # again, after a stop
    launch_index: int = 0
    running_since: float | None = None  # epoch seconds; anew after a stop
    counted: bool = False  # against its offer's capacity and its quota
    tagged_at: float = 0.0  # epoch seconds, of its latest tag
    spot_request: str | None = None  # id
    reservation: str | None = None  # id of the capacity reservation that it runs in
    attributes: dict[str, Any] = field(default_factory=dict)  # what ModifyInstanceAttribute changed
    events: list[ScheduledEvent] = field(default_factory=list)
    impaired: dict[str, float] = field(default_factory=dict)  # "instance" or "system", since when
    volumes: list["Volume"] = field(default_factory=list)  # in the order of their devices
    console: list[str] = field(default_factory=list)  # lines
    rebalance_at: float | None = None  # epoch seconds of a rebalance recommendation
    interrupted_at: float | None = None  # epoch seconds at which a spot interruption strikes
    extras: dict[str, Any] = field(default_factory=dict)
    shown: Shown | None = None  # as it is described, until something about it changes

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        if name != "shown":
            object.__setattr__(self, "shown", None)

    def changed(self) -> None:
        """Something in one of its members is another than before."""
        self.shown = None

    @property
    def market(self) -> str:
        """`spot` or `on-demand`."""
        return "spot" if self.spot else "on-demand"

    @property
    def on_shutdown(self) -> str:
        """What a shutdown from inside does: `stop` or `terminate`."""
        return str(self.setting("InstanceInitiatedShutdownBehavior", default="stop"))

    def setting(self, name: str, *, default: Any) -> Any:
        """What the instance was launched with, or what it was changed to since."""
        return self.attributes.get(name, self.request.get(name, default))

    def say(self, text: str) -> None:
        """Write to the console, which GetConsoleOutput shows."""
        self.console.extend(text.splitlines())


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


def part_id(prefix: str, instance_id: str, index: int) -> str:
    """The id of a part of an instance (a volume, an interface): as random as the instance's own."""
    return f"{prefix}-{(number_of(instance_id) + index) % 16**17:017x}"


def number_of(instance_id: str) -> int:
    """The number in an instance's id."""
    return int(instance_id.partition("-")[2], 16)
