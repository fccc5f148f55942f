"""The real Helm and kubeconform, built from tools/charts when they are first needed.

And the Prometheus operator's CRDs, from its own Go module.
"""

import os
import shutil
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tests.support.go_module import GoModule

from awsbatch_sandbox.paths import TOOLS_MODULE
from awsbatch_sandbox.pins import read_pins

MODULE = GoModule("charts", costs="about 4 minutes on two free cores")
HELM = "helm.sh/helm/v3"
MONITORING = "github.com/prometheus-operator/prometheus-operator", "v0.85.0"
MONITORING_SUM = "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s="
CRDS = tuple(
    f"monitoring.coreos.com_{plural}.yaml" for plural in ("prometheusrules", "servicemonitors")
)


class ChartTool(StrEnum):
    """A binary that the tests of the charts run."""

    HELM = "helm"
    KUBECONFORM = "kubeconform"

    @property
    def package(self) -> str:
        """The Go package to build."""
        return {
            ChartTool.HELM: f"{HELM}/cmd/helm",
            ChartTool.KUBECONFORM: "github.com/yannh/kubeconform/cmd/kubeconform",
        }[self]


@dataclass(frozen=True, slots=True)
class Tools:
    """Where they are."""

    helm: Path
    kubeconform: Path
    monitoring: tuple[Path, ...]  # CRDs


def find() -> Tools:
    """What the tests need, making what is missing. ToolsMissing if that fails."""
    built = MODULE.build(list(ChartTool), linker_flags(MODULE.version_of(HELM)))
    crds = tuple(built / name for name in CRDS)
    if not all(path.exists() for path in crds):
        fetch(built)
    return Tools(built / ChartTool.HELM, built / ChartTool.KUBECONFORM, crds)


def fetch(target: Path) -> None:
    """Take the CRDs of the Prometheus operator out of its module, of which the sum is known."""
    source = MODULE.source_of(*MONITORING, total=MONITORING_SUM)
    for name in CRDS:
        beside = target / f".{name}.{os.getpid()}"
        shutil.copyfile(source / "example" / "prometheus-operator-crd" / name, beside)
        beside.replace(target / name)


def linker_flags(version: str) -> str:
    """Linker flags as Helm's own Makefile sets them: its version, and the Kubernetes it is for."""
    major, minor = read_pins(TOOLS_MODULE).kubernetes.removeprefix("v").split(".")[:2]
    places = ("lint/rules", "chartutil")
    kubernetes = [
        f"-X {HELM}/pkg/{place}.k8sVersion{part}={number}"
        for place in places
        for part, number in (("Major", major), ("Minor", minor))
    ]
    return " ".join(["-s -w", f"-X {HELM}/internal/version.version={version}", *kubernetes])


if __name__ == "__main__":
    find()
