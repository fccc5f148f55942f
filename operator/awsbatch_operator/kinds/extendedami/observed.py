"""What AWS has of an ExtendedAMI: images, builders and verifiers, snapshots, the base."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.api.tags import (
    ATTEMPT,
    BASE_IMAGE,
    BASE_SOURCE,
    BUILD,
    CONTENT,
    INTENT,
    ORIGIN,
    ROLE,
    VERDICT,
)
from awsbatch_operator.kinds.extendedami.record import Build
from awsbatch_operator.userdata.images.model import Console

BY_ITSELF = "Client.InstanceInitiatedShutdown"  # EC2 API reference, StateReason


class Role(StrEnum):
    """What an instance of ours is for, as its tag says."""

    BUILDER = "builder"
    VERIFIER = "verifier"


class Verdict(StrEnum):
    """What came of an image, as its tag says; without one it is not finished."""

    VERIFIED = "Verified"
    UNVERIFIED = "Unverified"  # used without a test, as the spec says
    REJECTED = "Rejected"


_NEVER = Instant(0.0)


SETTLING_SECONDS = 120.0  # facts of EC2: half a minute has been seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """An instance that carries the object's uid."""

    id: str
    role: str
    token: str
    state: str
    reason_code: str = ""
    reason: str = ""

    @property
    def costs(self) -> bool:
        """Whether it is there and nobody has ended it."""
        return self.state in {"pending", "running", "stopping", "stopped"}

    @property
    def there(self) -> bool:
        """Whether anything of it is left."""
        return self.state != "terminated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image that carries the object's uid."""

    id: str
    name: str
    state: str
    reason: str = ""
    build: str = ""
    content: str = ""
    base: str = ""
    source: str = ""  # of the base, as the spec had it
    attempt: int = 0
    verdict: str = ""
    created: Instant = _NEVER
    snapshots: tuple[str, ...] = ()
    architecture: str = ""
    deprecated: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def available(self) -> bool:
        """Whether instances can be launched of it."""
        return self.state == "available"

    @property
    def accepted(self) -> bool:
        """Whether it may be used."""
        return self.available and self.verdict in {Verdict.VERIFIED, Verdict.UNVERIFIED}

    @property
    def adopted(self) -> bool:
        """Whether it was there before an object of ours took it over."""
        return ORIGIN in self.tags


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The image that a build starts from, as DescribeImages has it."""

    id: str
    name: str = ""
    architecture: str = ""
    root_device: str = ""
    detail: Shape = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Text:
    """The text that a ConfigMap has for a script, or why there is none; never shown to anybody."""

    content: str = field(default="", repr=False)
    missing: str = ""


class Refused(StrEnum):
    """Why EC2 did not launch."""

    CAPACITY = "Capacity"  # none of that type in that subnet, or a quota
    TOKEN = "Token"  # noqa: S105  it has launched by that token before, and ended that
    OTHER = "Other"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What EC2 answered to a launch."""

    why: Refused
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """All of it.

    `looked` says that instances were looked for. `since` is the last moment at which a call of ours
    may have gone out that the record does not tell the time of: when this process won the lease, or
    when it sent one. `refused` and `answered` are by token, `users` by image; `unsent` are the
    tokens of launches that this process has written down and not sent. `console` is that of
    the instance in hand; `named` is the image that has the name which CreateImage was refused.
    `pace` is of looks: below 1 where AWS is simulated in fast motion, above 1 where calls are few.
    """

    key: ObjectKey
    uid: str
    record: Build | None
    mark: str
    base: Base | None
    earlier_base: Base | None = None  # that of the attempt under way, if it is another one
    images: tuple[Image, ...] = ()
    machines: tuple[Machine, ...] = ()
    looked: bool = False
    since: Instant | None = None
    snapshots: tuple[str, ...] = ()  # of ours, and of no image
    copies: Mapping[str, tuple[Image, ...]] = field(default_factory=dict)  # by region
    copied_snapshots: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # of no image
    console: Console | None = None
    joined: bool = False
    cluster: bool = False
    lost: tuple[str, ...] = ()  # container instances in the cluster whose instances are gone
    named: Image | None = None
    name_taken: bool = False
    image_answered: bool = False
    refused: Mapping[str, Refusal] = field(default_factory=dict)
    answered: Mapping[str, str] = field(default_factory=dict)
    unsent: frozenset[str] = frozenset()
    tried: frozenset[str] = frozenset()  # calls that EC2 would allow, by what they try
    users: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    shown: str = ""  # the image in use, as the status has it
    shown_template: str = ""  # likewise
    claimable: Image | None = None  # has no owner, and is what the spec says
    unclaimable: Image | None = None  # has the name of the next image, and may not be taken over
    templates: tuple[Shape, ...] = ()  # launch templates of ours
    foreign_template: Shape | None = None  # has the name of ours, and is not the object's
    templates_used: frozenset[str] = frozenset()  # names and ids that environments in AWS name
    parameters: Mapping[str, Shape] = field(default_factory=dict)  # that are there, by name
    texts: Mapping[tuple[str, str], Text] = field(default_factory=dict)  # by ConfigMap and key
    pace: float = 1.0

    @property
    def called(self) -> str:
        """What people call that which is about to be taken over; "" where nothing is."""
        found = self.claimable
        return "" if found is None else f"the image {found.id} ({found.name})"

    @property
    def settling(self) -> float:
        """Seconds after a call until EC2 shows all that has come of it."""
        return SETTLING_SECONDS * self.motion

    @property
    def motion(self) -> float:
        """How long AWS takes of its usual time, which no pause between looks makes longer."""
        return min(self.pace, 1.0)

    def look_in(self, seconds: float) -> float:
        """A look at that moment, and not sooner or later for the pace at which all are taken."""
        return max(seconds, self.motion) / self.pace

    def machine(self, token: str) -> Machine | None:
        """The instance of a launch."""
        return next((each for each in self.machines if each.token == token), None)

    def image(self, name: str) -> Image | None:
        """The image of that id."""
        return next((each for each in self.images if each.id == name), None)

    def with_image(self, made: Image) -> "Observed":
        """The same with an image that AWS may not list yet."""
        return replace(self, images=(*(each for each in self.images if each.id != made.id), made))


def machine_of(shape: Shape) -> Machine:
    """From DescribeInstances."""
    tags = tags_by_key(shape)
    reason = shape.get("StateReason") or {}
    return Machine(
        id=str(shape["InstanceId"]),
        role=tags.get(ROLE, ""),
        token=tags.get(INTENT, "") or str(shape.get("ClientToken") or ""),
        state=str(shape["State"]["Name"]),
        reason_code=str(reason.get("Code") or ""),
        reason=str(reason.get("Message") or ""),
    )


def image_of(shape: Shape) -> Image:
    """From DescribeImages."""
    tags = tags_by_key(shape)
    attempt, created = tags.get(ATTEMPT, ""), str(shape.get("CreationDate") or "")
    disks: list[Any] = [each.get("Ebs") or {} for each in shape.get("BlockDeviceMappings", ())]
    return Image(
        id=str(shape["ImageId"]),
        name=str(shape.get("Name") or ""),
        state=str(shape.get("State") or ""),
        reason=str((shape.get("StateReason") or {}).get("Message") or ""),
        build=tags.get(BUILD, ""),
        content=tags.get(CONTENT, "") or tags.get(BUILD, ""),
        base=tags.get(BASE_IMAGE, ""),
        source=tags.get(BASE_SOURCE, ""),
        attempt=int(attempt) if attempt.isascii() and attempt.isdigit() else 0,
        verdict=tags.get(VERDICT, ""),
        created=Instant.parse(created) if created else Instant(0.0),
        snapshots=tuple(str(each["SnapshotId"]) for each in disks if each.get("SnapshotId")),
        architecture=str(shape.get("Architecture") or ""),
        deprecated=str(shape.get("DeprecationTime") or ""),
        tags=tags,
    )


def tags_by_key(shape: Shape) -> Mapping[str, str]:
    """The tags of a thing of EC2."""
    return {str(each["Key"]): str(each.get("Value", "")) for each in shape.get("Tags", ())}
