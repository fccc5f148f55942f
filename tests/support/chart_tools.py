"""The real Helm and kubeconform, built from tools/charts when they are first needed.

And the Prometheus operator's CRDs, from its own Go module. Helm is not in the module of the
sandbox's tools: whoever tries the demo would wait for it, and share its libraries.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

from awsbatch_sandbox.build import Builder, executable
from awsbatch_sandbox.errors import ToolsMissing
from awsbatch_sandbox.paths import GO_REQUIREMENTS, TOOLS_MODULE, cache_directory
from awsbatch_sandbox.pins import find_in, read_module, read_pins
from awsbatch_sandbox.progress import Progress
from awsbatch_sandbox.toolchain import Go, find_go

MODULE = TOOLS_MODULE / "charts"
COSTS = "about 4 minutes on two free cores"
HELM = "helm.sh/helm/v3"
MONITORING = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
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
    module, cache = read_module(MODULE), cache_directory(os.environ)
    built = cache / f"charts-{module.key}"
    shown = Progress(sys.stderr)
    go = partial(
        find_go,
        module.go,
        environ=os.environ,
        cache=cache,
        requirements=GO_REQUIREMENTS,
        progress=shown,
    )
    missing = [tool for tool in ChartTool if not executable(built / tool)]
    if missing:
        linked = linker_flags(version_of(HELM, module.text))
        Builder(MODULE, linked, COSTS, built, os.environ, shown, go).build(missing)
    crds = tuple(built / name for name in CRDS)
    if not all(path.exists() for path in crds):
        fetch(go(), built)
    return Tools(built / ChartTool.HELM, built / ChartTool.KUBECONFORM, crds)


def fetch(go: Go, target: Path) -> None:
    """Take the CRDs of the Prometheus operator out of its module, of which the sum is known."""
    done = subprocess.run(
        [str(go.binary), "mod", "download", "-json", MONITORING],
        env=go.environment(os.environ),
        cwd=target,
        capture_output=True,
        text=True,
        check=False,
    )
    said = json.loads(done.stdout or "{}")
    if said.get("Sum") != MONITORING_SUM:
        raise ToolsMissing(f"{MONITORING} cannot be had: {said.get('Error') or done.stderr}")
    for name in CRDS:
        beside = target / f".{name}.{os.getpid()}"
        shutil.copyfile(Path(said["Dir"]) / "example" / "prometheus-operator-crd" / name, beside)
        beside.replace(target / name)


def version_of(name: str, text: str) -> str:
    """The version that go.mod has of a module."""
    return find_in(rf"^\s+{name} (v\S+)", text, name)


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
