"""The values of this package: what an image is made of, and what a console told.

Names, paths and words come out of a spec that has patterns for them; the texts made of them are
safe for any text all the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

# Part of the hash of a build: it changes when the same recipe gives another image.
RECIPE_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Volume:
    """A further volume: found by EC2's name, formatted if it is blank, mounted by its UUID."""

    name: str
    device: str  # EC2's name, such as /dev/sdf; in a Nitro instance it is called otherwise
    file_system: str  # "xfs" or "ext4"; empty: left as it is
    mount_path: str  # empty: not mounted
    size_gib: int


@dataclass(frozen=True, slots=True)
class Mount:
    """A network file system of all hosts: in fstab, and never mounted while the image is built."""

    name: str
    type: str  # "efs" or "nfs"
    source: str  # efs: fs-…; nfs: a host
    path: str  # the folder there that is mounted; with an access point its root counts
    mount_path: str
    access_point_id: str  # efs only; empty: none
    iam: bool  # efs only
    tls: bool  # efs only; iam and an access point need it, and bring it along
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class File:
    """A file of the image."""

    path: str
    mode: str  # octal, such as 0644
    content: str


@dataclass(frozen=True, slots=True)
class Script:
    """A script of the user's, run while the image is built."""

    name: str
    content: str
    timeout_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What makes an image out of its base."""

    root_gib: int | None = None  # None: as large as the base's
    volumes: tuple[Volume, ...] = ()
    mounts: tuple[Mount, ...] = ()
    packages: tuple[str, ...] = ()  # as dnf takes them, with or without a version
    files: tuple[File, ...] = ()
    scripts: tuple[Script, ...] = ()
    kernel_arguments: tuple[str, ...] = ()
    no_smt: bool = False  # one thread of each core: the kernel's `nosmt`
    max_cpus: int | None = None  # the kernel's `nr_cpus`
    container_images: tuple[str, ...] = ()
    ecs_config: Mapping[str, str] = field(default_factory=dict)


class Verdict(Enum):
    """What a builder or a verifier says of itself in the end."""

    OK = "OK"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """What the console of a builder or a verifier told, as far as it is seen."""

    verdict: Verdict | None = None  # None: none yet, or it was lost
    step: str = ""  # the last that began; after a failure the one that failed
    exit_code: int | None = None  # of what failed
    message: str = ""  # the last words of what failed, secrets masked
    measured: Mapping[str, Any] = field(default_factory=dict)  # empty: nothing was measured
    tail: tuple[str, ...] = ()  # the last lines of others, secrets masked


class UserDataTooLongError(ValueError):
    """The user data is over EC2's limit even compressed."""

    def __init__(self, *, size: int, limit: int, largest: str) -> None:
        """`size` and `limit` in bytes; `largest` names the longest text in it, as in the spec."""
        super().__init__(
            f"What the builder runs makes {size:,} bytes even compressed, and EC2 takes {limit:,}. "
            f"Most of it is {largest}"
        )
        self.size = size
        self.limit = limit
        self.largest = largest
