"""Processes in namespaces of their own, which all end with the first of them."""

from collections.abc import Sequence
from pathlib import Path

from awsbatch_sandbox import processes
from awsbatch_sandbox.errors import ProcessFailed
from awsbatch_sandbox.parts import Part
from awsbatch_sandbox.processes import Identity

KINDS = ("mnt", "pid", "net")


def words(command: Sequence[str], *, network: bool) -> list[str]:
    """A command as the first process of new namespaces for mounts, pids and, if asked, network.

    The kernel kills what is in a pid namespace with its first process, and that one with the
    `unshare` that has started it.
    """
    kinds = ["--mount", "--pid", *(["--net"] if network else [])]
    return ["unshare", *kinds, "--fork", "--mount-proc", "--kill-child", *command]


def of(pid: int) -> frozenset[str]:
    """The namespaces of a process that a node has to itself, by the kernel's names for them."""
    return frozenset(_links(Path(f"/proc/{pid}/ns")))


def inhabitants(namespaces: frozenset[str]) -> list[int]:
    """The processes that are in any of these namespaces."""
    places = [path for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [int(path.name) for path in places if namespaces & set(_links(path / "ns"))]


def _links(place: Path) -> list[str]:
    try:
        return [str((place / kind).readlink()) for kind in KINDS]
    except OSError:  # it has ended
        return []


def first_process(part: Part) -> Identity:
    """The first process in the namespaces that `words` has made; ProcessFailed if it has ended."""
    pid = part.identity.pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        children = []
    seen = processes.look(int(children[0])) if children else None
    if seen is None:
        raise ProcessFailed(f"{part.name} has ended.{part.last_words()}")
    return seen.identity
