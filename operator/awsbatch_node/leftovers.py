"""What nodes have left whose process was killed before it could clear up.

A node holds the lock of its directory as long as it lives; the kernel frees it with the process.
"""

import fcntl
import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from awsbatch_node import cgroups, namespaces

DIRECTORIES = Path("/var/tmp")  # noqa: S108 - on a disk; mkdtemp makes the name
PREFIX = "awsbatch-node-"
LOCK = "lock"
MADE = "made.json"
MOUNTS = Path("/proc/self/mounts")


@contextmanager
def held(root: Path) -> Iterator[None]:
    """Hold a node's directory, so that nobody takes it for a leftover."""
    beside = root / f"{LOCK}.new"
    with beside.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        beside.rename(root / LOCK)  # a lock that is there and that nobody holds is a dead node's
        yield


def sweep(directories: Path = DIRECTORIES) -> list[Path]:
    """Remove what dead nodes have left: directories and cgroups; returns those directories."""
    dead = [root for root in directories.glob(f"{PREFIX}*") if not _is_held(root)]
    for root in dead:
        clear(root)
    return dead


def make(root: Path, places: Iterable[Path]) -> None:
    """Make those of these directories of the machine that are not there, noted down for `clear`."""
    missing = [place for place in places if not place.exists()]
    (root / MADE).write_text(json.dumps([str(place) for place in missing]), encoding="utf-8")
    for place in missing:
        place.mkdir(exist_ok=True)  # another node may be making it, too


def clear(root: Path) -> None:
    """Remove what outlives the processes of a node."""
    cgroups.remove(root.name)
    made = _made(root)
    shutil.rmtree(root, ignore_errors=True)
    # To another node, which has found them there, they must not be lost.
    if not any(_is_held(other) for other in root.parent.glob(f"{PREFIX}*")):
        for place in made:
            with suppress(OSError):  # somebody has put something there
                place.rmdir()


def left(root: Path, spaces: frozenset[str]) -> list[str]:
    """What is there of a node that has ended and was cleared up, in words: there must be nothing.

    A cgroup cannot be removed while processes are in it, so this finds those of its pods, too.
    """
    mounts = MOUNTS.read_text(encoding="utf-8").splitlines()
    return [
        *(f"process {pid}" for pid in namespaces.inhabitants(spaces)),
        *(f"mount {line.split()[1]}" for line in mounts if root.name in line),
        *(f"cgroup {place}" for place in cgroups.remove(root.name)),
        *([f"directory {root}"] if root.exists() else []),
    ]


def _made(root: Path) -> list[Path]:
    try:
        return [Path(name) for name in json.loads((root / MADE).read_text(encoding="utf-8"))]
    except (OSError, ValueError):
        return []


def _is_held(root: Path) -> bool:
    try:
        handle = (root / LOCK).open("r")
    except OSError:  # removed meanwhile, or not there yet: its node has only begun
        return True
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
