"""Flux's kustomize-controller and a program with Argo CD's engine, built from tools/gitops.

Built when they are first needed. Flux's CRDs are read from its own Go modules, where `go` keeps
them, and are copied nowhere.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

from tests.support.argocd import FOLDER

from awsbatch_sandbox.build import Builder, executable
from awsbatch_sandbox.errors import ToolsMissing
from awsbatch_sandbox.paths import GO_REQUIREMENTS, TOOLS_MODULE, cache_directory
from awsbatch_sandbox.pins import find_in, read_module
from awsbatch_sandbox.progress import Progress
from awsbatch_sandbox.toolchain import Go, find_go

MODULE = TOOLS_MODULE / "gitops"
COSTS = "some minutes on two free cores"
CONTROLLER = "github.com/fluxcd/kustomize-controller"
SOURCES = "github.com/fluxcd/source-controller"
# go.sum has the sums of what is compiled. Of this one only the CRDs are needed.
SOURCES_SUM = "h1:PQLzvgHNEYsstl8uATBZg/70b/i0tj63e0IqnYDeJyg="


class GitopsTool(StrEnum):
    """A binary that the tests with GitOps tools run."""

    CONTROLLER = "kustomize-controller"
    JUDGE = "judge"

    @property
    def package(self) -> str:
        """The Go package to build."""
        return CONTROLLER if self is GitopsTool.CONTROLLER else "awsbatch.dev/tools/gitops/judge"


@dataclass(frozen=True, slots=True)
class Built:
    """What is built, and the Go that has built it."""

    directory: Path
    text: str  # go.mod
    go: Go

    def __getitem__(self, tool: GitopsTool) -> Path:
        return self.directory / tool

    def crds(self) -> tuple[Path, ...]:
        """The folders with Flux's CRDs: Kustomizations, and what these can take as a source."""
        controller = version_of(CONTROLLER, self.text)
        sources = version_of(f"{SOURCES}/api", self.text)
        found = (
            self._module(CONTROLLER, controller),
            self._module(SOURCES, sources, total=SOURCES_SUM),
        )
        return tuple(directory / "config" / "crd" / "bases" for directory in found)

    def _module(self, name: str, version: str, *, total: str = "") -> Path:
        """Where a module's files are; `go` compares them with go.sum, or we with a sum of ours."""
        done = subprocess.run(
            [str(self.go.binary), "mod", "download", "-json", f"{name}@{version}"],
            env=self.go.environment(os.environ),
            cwd=MODULE,
            capture_output=True,
            text=True,
            check=False,
        )
        said = json.loads(done.stdout or "{}")
        if "Dir" not in said or (total and said.get("Sum") != total):
            raise ToolsMissing(f"{name} cannot be had: {said.get('Error') or done.stderr}")
        return Path(said["Dir"])


@dataclass(frozen=True, slots=True)
class Judgement:
    """What kstatus and Argo CD say of an object, each in its own words."""

    kstatus: str
    argocd: str
    message: str  # Argo CD's


@dataclass(frozen=True, slots=True)
class Judge:
    """kstatus' library and Argo CD's engine, with the scripts that are delivered in argocd-cm."""

    program: Path

    def __call__(self, bodies: Sequence[Mapping[str, Any]]) -> list[Judgement]:
        """Their judgements of objects, in the same order."""
        settings = FOLDER / "argocd-cm.yaml"
        done = subprocess.run(
            [str(self.program), str(settings)],
            input=json.dumps(bodies),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [
            Judgement(
                each["kstatus"]["status"], each["argocd"]["status"], each["argocd"]["message"]
            )
            for each in json.loads(done.stdout)
        ]


def find(*tools: GitopsTool) -> Built:
    """These tools, made if they are missing. ToolsMissing if that fails."""
    module, cache = read_module(MODULE), cache_directory(os.environ)
    shown = Progress(sys.stderr)
    go = partial(
        find_go,
        module.go,
        environ=os.environ,
        cache=cache,
        requirements=GO_REQUIREMENTS,
        progress=shown,
    )
    built = Built(cache / f"gitops-{module.key}", module.text, go())
    missing = [tool for tool in tools if not executable(built[tool])]
    if missing:
        Builder(MODULE, "-s -w", COSTS, built.directory, os.environ, shown, go).build(missing)
    return built


def version_of(name: str, text: str) -> str:
    """The version that go.mod has of a module."""
    return find_in(rf"^\s+{name} (v\S+)", text, name)


if __name__ == "__main__":
    find(*GitopsTool)
