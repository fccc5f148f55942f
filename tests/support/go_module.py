"""Go modules under tools/, whose binaries are built when they are first needed, into the cache.

Each has a module of its own, apart from that of the sandbox: whoever tries the demo would wait for
all of them, and they would have to agree on the versions of their libraries.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from awsbatch_sandbox.build import Buildable, Builder, executable
from awsbatch_sandbox.errors import ToolsMissing
from awsbatch_sandbox.paths import GO_REQUIREMENTS, TOOLS_MODULE, cache_directory
from awsbatch_sandbox.pins import Module, find_in, read_module
from awsbatch_sandbox.progress import Progress
from awsbatch_sandbox.toolchain import Go, find_go


@dataclass(frozen=True, slots=True)
class GoModule:
    """A folder of tools/, by its name; `costs` is what a person is told that building takes."""

    name: str
    costs: str

    @property
    def folder(self) -> Path:
        """Where its go.mod is."""
        return TOOLS_MODULE / self.name

    @property
    def built(self) -> Path:
        """Where its binaries are, or will be: another place for other versions."""
        return cache_directory(os.environ) / f"{self.name}-{self._read().key}"

    def build(self, tools: Sequence[Buildable], linked: str = "-s -w") -> Path:
        """Where these binaries are, made if they are missing; ToolsMissing if that fails.

        `linked`: flags of the linker.
        """
        built = self.built
        missing = [tool for tool in tools if not executable(built / str(tool))]
        if missing:
            shown = Progress(sys.stderr)
            builder = Builder(self.folder, linked, self.costs, built, os.environ, shown, self.go)
            builder.build(missing)
        return built

    def go(self) -> Go:
        """The Go that builds it."""
        return find_go(
            self._read().go,
            environ=os.environ,
            cache=cache_directory(os.environ),
            requirements=GO_REQUIREMENTS,
            progress=Progress(sys.stderr),
        )

    def version_of(self, module: str) -> str:
        """The version that go.mod has of a module."""
        return find_in(rf"^\s+{module} (v\S+)", self._read().text, module)

    def source_of(self, module: str, version: str, *, total: str = "") -> Path:
        """Where the files of that module are, which Go fetches. ToolsMissing if that fails.

        Go compares them with go.sum if it is there; `total` is the sum of one that is not.
        """
        go = self.go()
        done = subprocess.run(
            [str(go.binary), "mod", "download", "-json", f"{module}@{version}"],
            env=go.environment(os.environ),
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        said = json.loads(done.stdout or "{}")
        if "Dir" not in said or (total and said.get("Sum") != total):
            raise ToolsMissing(
                f"{module}@{version} cannot be had: {said.get('Error') or done.stderr}"
            )
        return Path(said["Dir"])

    def _read(self) -> Module:
        return read_module(self.folder)
