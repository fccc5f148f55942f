"""What stands on the disk of a host that has stopped, for the images that are made of it.

A boot from such an image starts with all of it, and what its own boot changes comes on top: the
difference is always to the fresh root that every host has without an image, so layers add up.
"""

import base64
import hashlib
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from awsbatch_simulator.host.guest import kernel, packages, units

if TYPE_CHECKING:
    from awsbatch_simulator.region import Region

AGENT_DATA = "/var/lib/ecs/data/"


@dataclass(frozen=True, slots=True)
class BakedFile:
    """A file, a directory (without content) or a symbolic link (the content is its target)."""

    mode: int  # st_mode: the kind is in it
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class FileSystem:
    """What `mkfs` has made on a volume."""

    kind: str  # xfs, ext4, …
    uuid: str
    label: str = ""
    size: int = 0  # bytes; a volume may be larger than what lies on it


@dataclass(frozen=True, slots=True)
class BakedRoot:
    """A disk; without arguments a fresh one.

    `files`, `removed` and `file_systems` are what a boot starts with. The rest is read out of them.
    """

    files: Mapping[str, BakedFile] = field(default_factory=dict)  # that differ from a fresh root
    removed: tuple[str, ...] = ()  # paths that a fresh root has
    omitted: tuple[str, ...] = ()  # files that were too large to be kept
    file_systems: Mapping[str, FileSystem] = field(default_factory=dict)  # by device: /dev/sdf
    packages: tuple[str, ...] = tuple(sorted(packages.INSTALLED))
    kernel_arguments: tuple[str, ...] = kernel.USUAL  # all of the next boot
    container_images: tuple[str, ...] = ()  # references that docker knows
    enabled: tuple[str, ...] = units.ENABLED  # such as `ecs.service`
    masked: tuple[str, ...] = ()

    @property
    def agent_state(self) -> tuple[str, ...]:
        """What an ECS agent has kept of itself; no image for other hosts may have it."""
        return tuple(path for path in self.files if path.startswith(AGENT_DATA))


def baked_of(region: "Region", instance_id: str) -> BakedRoot | None:
    """What stands on an instance's disk: as its last boot has left it, else as its image has it.

    None: nothing but what every image has, or the instance is not known.
    """
    instance = region.ec2.instances.get(instance_id)
    host = region.hosts.hosts.get(instance_id)
    disk = None if instance is None else baked_in(region, instance.image_id)
    if host is not None and host.outcome is not None and host.outcome.disk is not None:
        disk = host.outcome.disk
    if instance is None or not region.ecs.of_host(instance_id):
        return disk
    disk = disk or BakedRoot()
    state = {f"{AGENT_DATA}agent.db": BakedFile(stat.S_IFREG | 0o600, instance_id.encode())}
    return replace(disk, files={**disk.files, **state})


def baked_in(region: "Region", image_id: str) -> BakedRoot | None:
    """What an image has that was made here; None for all others."""
    images: Any = getattr(region, "images", None)
    image = None if images is None else images.get(image_id)
    found: BakedRoot | None = None if image is None else image.baked
    return found


def read(told: Mapping[str, Any]) -> BakedRoot:
    """A disk as the report of a boot has it."""
    return BakedRoot(
        files={
            path: BakedFile(mode, base64.b64decode(content))
            for path, (mode, content) in told["files"].items()
        },
        removed=tuple(told["removed"]),
        omitted=tuple(told["omitted"]),
        file_systems={name: FileSystem(**each) for name, each in told["fileSystems"].items()},
        packages=tuple(told["packages"]),
        kernel_arguments=tuple(told["kernelArguments"]),
        container_images=tuple(told["containerImages"]),
        enabled=tuple(told["enabled"]),
        masked=tuple(told["masked"]),
    )


def written(disk: BakedRoot | None) -> dict[str, Any]:
    """A disk as the order for a boot has it."""
    if disk is None:
        return {"files": {}, "removed": []}
    files = {
        path: (each.mode, base64.b64encode(each.content).decode())
        for path, each in disk.files.items()
    }
    return {"files": files, "removed": list(disk.removed)}


def digest(disk: BakedRoot | None) -> str:
    """Equal disks have equal ones."""
    return "" if disk is None else hashlib.sha256(repr(disk).encode()).hexdigest()


def text_of(disk: BakedRoot | None, path: str) -> str:
    """A file's text; empty if there is none."""
    found = None if disk is None else disk.files.get(path)
    return "" if found is None else found.content.decode("utf-8", "replace")
