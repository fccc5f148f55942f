"""What a host is made of, and what it is asked and answers."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import zip_longest
from pathlib import Path
from typing import Any

LARGEST_RECORD = 262_144  # characters of calls that are written down
GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ends."""

    code: int = 0
    out: str = ""
    err: str = ""
    # What the shell does then: `never` (waits for what never comes, or until a `timeout` is up),
    # `alarm` (a `timeout` is up), `limit` (waits for the timer that switches its host off) or `off`
    # (waits until it is ended, for its host goes off).
    then: str = ""


OK = Answer()


@dataclass(slots=True)
class FileSystem:
    """What lies on a device."""

    kind: str
    uuid: str
    label: str = ""
    size: int = 0  # bytes

    def stored(self) -> dict[str, Any]:
        """As it goes into the report of a boot."""
        return {"kind": self.kind, "uuid": self.uuid, "label": self.label, "size": self.size}


@dataclass(slots=True)
class Disk:
    """A volume or a partition of one, as the kernel names it."""

    name: str  # nvme1n1, nvme0n1p1, xvdf
    size: int  # bytes
    mapping: str = ""  # EC2's device name, /dev/sdf; of volumes only
    serial: str = ""  # the volume's id
    parent: str = ""  # of partitions
    file_system: FileSystem | None = None


@dataclass(slots=True)
class Mounted:
    """A mounted file system."""

    source: str
    target: str
    kind: str
    options: str = "rw,relatime"


@dataclass(slots=True)
class CommandFault:
    """A command that is to fail."""

    id: str
    command: str  # globs
    arguments: str
    code: int
    words: str
    skip: int
    left: int | None  # None: as often as it is called
    seen: int = 0
    struck: int = 0

    def strikes(self, name: str, words: list[str]) -> bool:
        """Count a match; whether the fault applies to it."""
        if not fnmatchcase(name, self.command):
            return False
        if not fnmatchcase(" ".join(words), self.arguments):
            return False
        self.seen += 1
        if self.seen <= self.skip or (self.left is not None and self.struck >= self.left):
            return False
        self.struck += 1
        return True


@dataclass(slots=True)
class Guest:
    """One host during its boot."""

    about: Mapping[str, Any]  # what the order says of it, see host/execution.py
    root: Path = Path("/")
    calls: list[list[str]] = field(default_factory=list)
    faults: list[CommandFault] = field(default_factory=list)
    disks: list[Disk] = field(default_factory=list)
    mounted: list[Mounted] = field(default_factory=list)
    active: set[str] = field(default_factory=set)  # units that run
    slept: dict[str, float] = field(default_factory=dict)  # simulated seconds, by `timeout`
    failed: list[str] = field(default_factory=list)  # scripts of cloud-init
    off: bool = False  # it is being switched off, or restarted
    restarts: bool = False  # what is being switched off comes up again
    ending: bool = False  # and its processes have been asked to end
    last: float = 0.0  # simulated seconds that were slept since then
    elapsed: float = 0.0  # simulated seconds that its scripts have slept
    called: str = ""  # the command that is being answered
    timeout: str = ""  # of the environment of the call: PID:SECONDS of the `timeout` around it
    docker_config: str = ""  # the same: DOCKER_CONFIG
    silent: bool = False  # calls are not written down any more
    recorded: int = 0
    made: int = 0  # file systems

    def path(self, name: str) -> Path:
        """A path of the host."""
        return self.root / name.lstrip("/")

    def read(self, name: str) -> str:
        """A file's text; empty if there is none."""
        try:
            return self.path(name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def write(self, name: str, text: str) -> None:
        """Raises OSError, such as for a full disk; then the file is what it was."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.new")
        try:
            beside.write_text(text, encoding="utf-8")
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)

    def record(self, call: list[str]) -> None:
        """Write a call down, as far as there is room."""
        self.recorded += sum(map(len, call))
        if not self.silent and self.recorded <= LARGEST_RECORD:
            self.calls.append(call)

    def reaches(self, host: str) -> bool:
        """Whether there is a way to a host of the internet."""
        return not any(fnmatchcase(host, glob) for glob in self.about.get("unreachable", ()))

    def uuid(self) -> str:
        """A new one, the same at each repetition."""
        self.made += 1
        text = hashlib.sha256(f"{self.about.get('instanceId')} {self.made}".encode()).hexdigest()
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:32]}"


Command = Callable[[Guest, list[str]], Answer]  # the words after the command's name


def fail(text: str, code: int = 1) -> Answer:
    """An error with its words."""
    return Answer(code, err=f"{text}\n")


def plain(words: list[str], valued: frozenset[str] = frozenset()) -> list[str]:
    """The words that are neither options nor values of `valued` options."""
    found, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word in valued:
            skip = True
        elif not word.startswith("-"):
            found.append(word)
    return found


def unglued(words: list[str], valued: str = "") -> list[str]:
    """Short options one by one: `-bdno SIZE` is `-b -d -n -o SIZE`; `valued` ones take the rest."""
    found: list[str] = []
    for word in words:
        if len(word) < 3 or word[0] != "-" or word[1] == "-":  # noqa: PLR2004 - one option
            found.append(word)
            continue
        for at, letter in enumerate(word[1:], start=2):
            found.append(f"-{letter}")
            if letter in valued:
                found += [word[at:]] if word[at:] else []
                break
    return found


def option(words: list[str], *names: str) -> str:
    """The value of an option (`--name value`, `--name=value`); the last one counts."""
    found = ""
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        if word in names:
            found = following
        for name in names:
            if name.startswith("--") and word.startswith(f"{name}="):
                found = word.partition("=")[2]
    return found
