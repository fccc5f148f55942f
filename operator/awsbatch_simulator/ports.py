"""What the simulated services need from the world around them.

The services (`batch/`, `ecs/`, `ec2/`) import these protocols and nothing of the transport, so that
each can be tested with plain objects.
"""

import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from awsbatch_simulator.clock import SimulatedClock, Timer
from awsbatch_simulator.context import Caller, Place
from awsbatch_simulator.faults import Faults
from awsbatch_simulator.host.boots import Boots
from awsbatch_simulator.settings import Settings

if TYPE_CHECKING:
    from awsbatch_simulator.ec2.image_model import Publications
    from awsbatch_simulator.region import Region

Request = dict[str, Any]
Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RawJson:
    """An answer that is JSON already, in model names: the transport sends it as it is."""

    body: bytes


class Shown(dict[str, Any]):
    """A part of an answer that stays as it is; the transport may keep how it is written."""

    __slots__ = ("text",)

    def __init__(self, members: Mapping[str, Any]) -> None:
        super().__init__(members)
        self.text: str | None = None


Handler = Callable[[Caller, Request], "Answer | RawJson"]


class Service(Protocol):
    """One AWS service: its operations by AWS's own names.

    A handler is called with the world's lock held and with parameters that botocore's
    ParamValidator has passed. It answers a plain dict in model names (or RawJson) or raises
    AwsFailure. Times: Batch epoch milliseconds (int), ECS and EC2 aware datetimes.
    """

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """The operations of this service that are ours, by name."""
        ...


class LogSink(Protocol):
    """CloudWatch Logs, as far as a running job writes to it. Callers hold the world's lock."""

    def write(
        self, place: Place, *, group: str, stream: str, events: Sequence[tuple[int, str]]
    ) -> None:
        """Append lines (epoch milliseconds, text); group and stream come into being by it."""
        ...


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """A security group of a VPC."""

    id: str
    name: str
    vpc_id: str


@dataclass(frozen=True, slots=True)
class PublicImage:
    """A machine image that everybody may use."""

    id: str
    name: str
    owner: str  # an account of Amazon's, or of somebody who publishes there
    architecture: str = "x86_64"
    description: str = ""
    root_device: str = "/dev/xvda"
    windows: bool = False


@dataclass(frozen=True, slots=True)
class PublicParameter:
    """A parameter of AWS's own, below `/aws/service/`."""

    name: str
    value: str
    version: int = 1
    changed_at: float = 0.0  # epoch seconds


class Lookup(Protocol):
    """The parts of AWS that the services refer to and do not keep themselves."""

    def role_exists(self, place: Place, role: str) -> bool:
        """Whether IAM has the role (an ARN or a name, path included)."""
        ...

    def instance_profile_exists(self, place: Place, profile: str) -> bool:
        """Whether IAM has the instance profile (an ARN or a name)."""
        ...

    def subnet_zone(self, place: Place, subnet: str) -> str | None:
        """The availability zone of a subnet, None if there is no such subnet."""
        ...

    def subnet_vpc(self, place: Place, subnet: str) -> str | None:
        """The VPC of a subnet, None if there is no such subnet."""
        ...

    def security_group_exists(self, place: Place, group: str) -> bool:
        """Whether the account has the security group."""
        ...

    def security_group(self, place: Place, group: str) -> SecurityGroup | None:
        """The security group of that id."""
        ...

    def security_group_named(self, place: Place, vpc: str, name: str) -> SecurityGroup | None:
        """The security group of that name in a VPC; each has one that is called `default`."""
        ...

    def subnet_network(self, place: Place, subnet: str) -> str | None:
        """The IPv4 block of a subnet (`172.31.0.0/20`), None if there is no such subnet."""
        ...

    def zone_ids(self, place: Place) -> Mapping[str, str]:
        """The availability zones of a region, with the id of each (`euc1-az2`)."""
        ...

    def public_image(self, region: str, image: str) -> PublicImage | None:
        """A public machine image, as AWS has published it; `ec2/public_images.py` knows more."""
        ...

    def public_images(self, region: str) -> Mapping[str, PublicImage]:
        """All of them, by id."""
        ...

    def public_parameters(self, region: str) -> Mapping[str, PublicParameter]:
        """AWS's own parameters, by name."""
        ...

    def key_pair_exists(self, place: Place, name: str) -> bool:
        """Whether the account has the key pair."""
        ...

    def default_subnets(self, place: Place) -> Sequence[str]:
        """The subnets of the default VPC."""
        ...


class Messages(Protocol):
    """Queues that notices go to. Callers hold the world's lock."""

    def send(self, place: Place, queue: str, body: str) -> None:
        """Put a message into the queue of that name; where there is none it is lost."""
        ...


class World(Protocol):
    """Everything that lives in one simulator."""

    lock: threading.RLock
    clock: SimulatedClock
    ids: random.Random
    faults: Faults
    logs: LogSink
    lookup: Lookup
    boots: Boots
    messages: "Messages"
    settings: Settings
    publications: dict[str, "Publications"]  # by region; `ec2/public_images.py` keeps it
    # Called with what EC2 tells by itself: region, EventBridge's detail type, detail.
    ec2_listeners: list[Callable[["Region", str, dict[str, Any]], None]]

    def region(self, place: Place) -> "Region":
        """All that exists in one account and region."""
        ...

    def regions(self) -> "tuple[Region, ...]":
        """All regions that anything has touched."""
        ...

    def post(self, callback: Callable[..., Any], *arguments: Any) -> Timer:
        """Run the callback as soon as the clock can; safe to call from any thread."""
        ...

    def hex_id(self, digits: int = 17) -> str:
        """Random hexadecimal digits."""
        ...

    def uuid(self) -> str:
        """A random UUID (version 4)."""
        ...
