"""Flux's kustomize-controller and a program with Argo CD's engine, built from tools/gitops.

Built when they are first needed. Flux's CRDs are read from its own Go modules, where `go` keeps
them, and are copied nowhere.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from tests.support.argocd import FOLDER
from tests.support.go_module import GoModule

MODULE = GoModule("gitops", costs="some minutes on two free cores")
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


def crds() -> tuple[Path, ...]:
    """The folders with Flux's CRDs: Kustomizations, and what these can take as a source."""
    found = (
        MODULE.source_of(CONTROLLER, MODULE.version_of(CONTROLLER)),
        MODULE.source_of(SOURCES, MODULE.version_of(f"{SOURCES}/api"), total=SOURCES_SUM),
    )
    return tuple(directory / "config" / "crd" / "bases" for directory in found)


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


def find(tool: GitopsTool) -> Path:
    """This tool, made if it is missing. ToolsMissing if that fails."""
    return MODULE.build([tool]) / tool


if __name__ == "__main__":
    MODULE.build(list(GitopsTool))
