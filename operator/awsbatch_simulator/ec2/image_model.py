"""Machine images and snapshots, and what is published of them for everybody."""

from dataclasses import dataclass, field
from enum import StrEnum

from awsbatch_simulator.host.baking import BakedRoot
from awsbatch_simulator.ports import PublicParameter, Shown

REPORT_DELAY = 86_400.0  # seconds; a launch shows in LastLaunchedTime that much later
EVERYBODY = "all"  # the one group that launch permissions know


@dataclass(frozen=True, slots=True)
class Disk:
    """One block device of an image, or of an instance to be launched."""

    device: str
    size: int  # GiB
    kind: str = "gp2"
    snapshot_id: str = ""  # empty: the volume is made empty
    delete_on_termination: bool = True
    iops: int | None = None
    throughput: int | None = None
    encrypted: bool = False
    kms_key: str = ""  # as it was given; empty: the account's default key
    initialization_rate: int | None = None  # MiB/s


class ImageState(StrEnum):
    """EC2's states of an image, of those that are simulated."""

    PENDING = "pending"
    AVAILABLE = "available"
    FAILED = "failed"
    DISABLED = "disabled"
    DEREGISTERED = "deregistered"


class Protection(StrEnum):
    """Whether an image can be deregistered, in EC2's words."""

    OFF = "disabled"
    ON = "enabled-without-cooldown"
    ON_WITH_COOLDOWN = "enabled-with-cooldown"


@dataclass(slots=True, eq=False)
class Image:
    """A machine image. `disks` has its block devices, the root among them."""

    id: str
    name: str
    owner: str  # account id
    created_at: float  # epoch seconds
    architecture: str
    disks: tuple[Disk, ...]
    root_device: str = "/dev/xvda"
    description: str = ""
    state: ImageState = ImageState.AVAILABLE
    state_reason: tuple[str, str] | None = None  # code, message
    tags: dict[str, str] = field(default_factory=dict)
    permissions: set[str] = field(default_factory=set)  # account ids, ARNs, EVERYBODY
    imds_v2: bool = True  # ImdsSupport v2.0
    windows: bool = False
    source_instance: str = ""
    source_image: str = ""
    source_region: str = ""
    deprecated_at: float | None = None  # epoch seconds
    protection: Protection = Protection.OFF
    protected_until: float = 0.0  # epoch seconds: a cooldown ends
    deregistered_at: float = 0.0  # epoch seconds
    launched_at: float = 0.0  # epoch seconds of the latest launch
    launch_shown: float = 0.0  # epoch seconds of the latest launch that LastLaunchedTime tells
    baked: BakedRoot | None = None  # what its root has besides that of a fresh host
    published: bool = False  # by AWS; nothing about it changes until it is withdrawn
    shown: Shown | None = None  # as it is described, of one that is published

    @property
    def public(self) -> bool:
        """Whether everybody may launch it."""
        return EVERYBODY in self.permissions

    @property
    def snapshots(self) -> frozenset[str]:
        """The ids of the snapshots that it uses."""
        return frozenset(each.snapshot_id for each in self.disks if each.snapshot_id)

    def launched(self, now: float) -> None:
        """An instance is launched with it."""
        self.launch_shown, self.launched_at = self.last_launch(now), now

    def last_launch(self, now: float) -> float:
        """The latest launch that is a day old; 0: none that EC2 tells of."""
        return self.launched_at if self.launched_at <= now - REPORT_DELAY else self.launch_shown


class SnapshotState(StrEnum):
    """EC2's states of a snapshot, of those that are simulated."""

    PENDING = "pending"
    COMPLETED = "completed"
    ERROR = "error"


@dataclass(slots=True, eq=False)
class Snapshot:
    """A snapshot of a volume, made with an image."""

    id: str
    size: int  # GiB
    volume_id: str
    started_at: float  # epoch seconds
    tags: dict[str, str]
    description: str = ""
    encrypted: bool = False
    kms_key: str = ""
    state: SnapshotState = SnapshotState.PENDING
    state_message: str = ""
    completed_at: float | None = None  # epoch seconds
    held_until: float = 0.0  # epoch seconds: still counts as used by `held_by`
    held_by: str = ""  # id of an image that was deregistered


@dataclass(slots=True, eq=False)
class Publications:
    """What is published in a region, for all accounts: what has been asked for, and what is new.

    AWS's own images are kept by `bridge/`; here are those that somebody has looked at.
    """

    images: dict[str, Image] = field(default_factory=dict)
    withdrawn: dict[str, Image] = field(default_factory=dict)
    parameters: dict[str, PublicParameter] = field(default_factory=dict)
    complete: bool = False  # whether `images` has all of AWS's own
