"""The cgroups of one node's pods, which outlive its processes and have to be removed."""

import time
from collections.abc import Iterator
from pathlib import Path

MOUNTS = Path("/proc/self/mounts")
LOOKS, LOOK_SECONDS = 100, 0.05  # a cgroup can be removed once its killed processes are gone


def hierarchies(mounts: str) -> list[Path]:
    """Where cgroups are mounted: one place with version 2, one a controller with version 1."""
    fields = [line.split() for line in mounts.splitlines()]
    return [Path(field[1]) for field in fields if field[2] in {"cgroup", "cgroup2"}]


def create(name: str) -> None:
    """Make the cgroup of that name everywhere; the kubelet wants it to be there."""
    for place in _places(name):
        place.mkdir(exist_ok=True)


def remove(name: str) -> list[Path]:
    """Remove the cgroup of that name with all below it; returns what could not be removed."""
    for _ in range(LOOKS):
        left = [place for place in _places(name) if place.is_dir() and not _removed(place)]
        if not left:
            break
        time.sleep(LOOK_SECONDS)
    return left


def _places(name: str) -> Iterator[Path]:
    for hierarchy in hierarchies(MOUNTS.read_text(encoding="utf-8")):
        yield hierarchy / name


def _removed(place: Path) -> bool:
    """Remove a cgroup from its leaves up; whether that worked."""
    below = sorted((path for path in place.rglob("*") if path.is_dir()), reverse=True)
    for each in (*below, place):
        try:
            each.rmdir()
        except OSError:
            return False
    return True
