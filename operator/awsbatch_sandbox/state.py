"""What `up` has started, on disk, so that `down` ends exactly that.

Written before the first process starts and again after each, always whole (a new file renamed over
the old one). A process that is not in it yet when `up` dies is still found by the sandbox's mark.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from awsbatch_sandbox import processes
from awsbatch_sandbox.errors import SandboxError
from awsbatch_sandbox.parts import Part
from awsbatch_sandbox.processes import Identity

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Phase(StrEnum):
    """How far `up` came."""

    STARTING = "Starting"
    READY = "Ready"


@dataclass(frozen=True, slots=True)
class Record:
    """One process that was started, and how, so that it can be started again in the same way."""

    name: str
    pid: int
    start_ticks: int
    grace_seconds: float
    command: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> Identity:
        """Which process it is."""
        return Identity(self.pid, self.start_ticks)


@dataclass(frozen=True, slots=True)
class State:
    """A sandbox that runs in the background."""

    sandbox_id: str
    boot_id: str  # pids and start times mean nothing after the machine has started anew
    phase: Phase = Phase.STARTING
    records: tuple[Record, ...] = ()

    def with_part(self, part: Part) -> "State":
        """The state after that part has been started; it replaces one of the same name."""
        kept = tuple(record for record in self.records if record.name != part.name)
        new = Record(
            part.name,
            part.identity.pid,
            part.identity.start_ticks,
            part.grace_seconds,
            part.command,
            part.environ,
        )
        return replace(self, records=(*kept, new))

    def running(self) -> list[Record]:
        """Those that run now."""
        if self.boot_id != boot_id():
            return []
        return [record for record in self.records if processes.alive(record.identity)]


def boot_id() -> str:
    """Changes whenever the machine starts."""
    return BOOT_ID.read_text(encoding="ascii").strip()


def read(path: Path) -> State | None:
    """The state in that file; None if there is none. SandboxError if it is not ours to read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        records = tuple(
            Record(**record | {"command": tuple(record["command"])})
            for record in found.pop("records")
        )
        return State(**found | {"phase": Phase(found["phase"]), "records": records})
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise SandboxError(
            f"{path} is not what this version writes ({error}). End the processes that carry "
            f"{processes.MARK} in their environment, then remove {path.parent}."
        ) from error


def write(path: Path, state: State) -> None:
    """Replace the file as a whole. Only this user may read it: it holds credentials."""
    beside = path.with_suffix(".new")
    beside.touch(mode=0o600)
    beside.write_text(json.dumps(asdict(state), indent=2) + "\n", encoding="utf-8")
    beside.replace(path)


def end_all(state: State) -> None:
    """End every process of that sandbox: in the reverse order of their start, then by mark."""
    for record in reversed(state.running()):
        end(record)
    processes.end(processes.marked(state.sandbox_id), grace_seconds=0)


def end(record: Record) -> None:
    """End that process if it still runs, and whatever it has started."""
    family = processes.families([record.identity])
    processes.end([record.identity], grace_seconds=record.grace_seconds)
    processes.end(family, grace_seconds=0)
