"""Build the pinned tools with Go into our cache: whole or not at all, one builder at a time."""

import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from awsbatch_sandbox.errors import ToolsMissing
from awsbatch_sandbox.locks import exclusive
from awsbatch_sandbox.parts import Launcher, Part
from awsbatch_sandbox.progress import Progress, duration
from awsbatch_sandbox.toolchain import Go

LOOK_SECONDS = 0.2
# Where Kubernetes' binaries keep their version; without it kubectl refuses to compare versions.
VERSION_PACKAGES = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")


class Buildable(Protocol):
    """A tool: its text is the binary's name."""

    @property
    def package(self) -> str:
        """The Go package to build."""
        ...


def linker_flags(version: str) -> str:
    """Linker flags that leave symbols out and set Kubernetes' version ("v1.36.3")."""
    major, minor = version.removeprefix("v").split(".")[:2]
    values = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
    variables = [
        f"-X {package}.{name}={value}"
        for package in VERSION_PACKAGES
        for name, value in values.items()
    ]
    return " ".join(["-s", "-w", *variables])


@dataclass(frozen=True)
class Builder:
    """Builds tools from a Go module into a directory that is named after what it pins."""

    module: Path
    linked: str  # flags of the linker
    costs: str  # what a person is told that it takes
    directory: Path
    environ: Mapping[str, str]
    progress: Progress
    find_go: Callable[[], Go]

    def build(self, tools: Sequence[Buildable]) -> None:
        """Build those of these tools that are not there yet. ToolsMissing if one cannot be."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with exclusive(self.directory / ".lock", on_wait=self._say_wait):
            # Another process may have built some while we waited for the lock.
            missing = [tool for tool in tools if not (self.directory / str(tool)).exists()]
            if not missing:
                return
            go = self.find_go()
            names = ", ".join(map(str, missing))
            self.progress.say(
                f"Building {names} with {go.version} into {self.directory}.\n"
                f"Once per version: {self.costs}."
            )
            for number, tool in enumerate(missing, start=1):
                self._build(tool, go, f"{tool} ({number} of {len(missing)})")

    def _say_wait(self) -> None:
        self.progress.say("Another process is building the tools; waiting for it …")

    def _build(self, tool: Buildable, go: Go, title: str) -> None:
        started = time.monotonic()
        beside = self.directory / f".{tool}.new"
        log = self.directory / f"build-{tool}.log"
        for left in (log, beside):  # by a builder that was killed; go would not write over it
            left.unlink(missing_ok=True)
        launcher = Launcher(f"build-{secrets.token_hex(4)}", self.directory)
        command = [str(go.binary), "build", "-v", "-o", str(beside)]
        part = launcher.start(
            log.stem,
            [*command, "-ldflags", self.linked, tool.package],
            environ=go.environment(self.environ),
            directory=self.module,
        )
        try:
            while part.running():
                self._show(title, part, time.monotonic() - started)
                part.wait(LOOK_SECONDS)
            if part.exit_code() != 0:
                raise ToolsMissing(
                    f"{tool} cannot be built.{part.last_words()}\n"
                    "What was built so far is kept. If the network is the cause, set HTTPS_PROXY "
                    "or GOPROXY; if the disk is full, make 5 GB of room; then run this again."
                )
            beside.replace(self.directory / str(tool))
        finally:
            part.kill()
            beside.unlink(missing_ok=True)
        self.progress.say(f"  {title}: built in {duration(time.monotonic() - started)}")

    def _show(self, title: str, part: Part, seconds: float) -> None:
        """What `go build -v` has printed so far: a line a download, a line a package."""
        lines = part.log.read_text(encoding="utf-8", errors="replace").splitlines()
        downloads = sum(line.startswith("go: downloading") for line in lines)
        packages = len(lines) - downloads
        doing = f"{packages} packages compiled" if packages else f"{downloads} modules downloaded"
        self.progress.live(f"  {title}: {doing}, {duration(seconds)}")


def executable(path: Path) -> bool:
    """Whether there is a file that we may run."""
    return path.is_file() and os.access(path, os.X_OK)
