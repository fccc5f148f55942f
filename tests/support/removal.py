"""The Job of deploy/uninstall, run as its pod would run it: same arguments, same rights, no AWS."""

import re
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, Self

import yaml

from awsbatch_sandbox.controlplane import ControlPlane
from awsbatch_sandbox.parts import base_environment
from awsbatch_sandbox.paths import REPOSITORY

PAGE = REPOSITORY / "docs" / "removal.md"
UNINSTALL = REPOSITORY / "deploy" / "uninstall"


@dataclass(frozen=True, slots=True)
class Job:
    """What `kubectl apply -k deploy/uninstall` makes, on a control plane without nodes."""

    plane: ControlPlane
    body: dict[str, Any]

    @classmethod
    def apply(cls, plane: ControlPlane) -> Self:
        """Apply it, as docs/removal.md says."""
        plane.kubectl("apply", "-k", str(UNINSTALL))
        built = yaml.safe_load_all(plane.kubectl("kustomize", str(UNINSTALL)).stdout)
        return cls.made_by(plane, list(built))

    @classmethod
    def made_by(cls, plane: ControlPlane, built: list[dict[str, Any]]) -> Self:
        """The Job among what a kustomization makes, which was applied already."""
        [body] = [each for each in built if each["kind"] == "Job"]
        return cls(plane, body)

    @property
    def pod(self) -> dict[str, Any]:
        """The spec of its pods."""
        spec: dict[str, Any] = self.body["spec"]["template"]["spec"]
        return spec

    @property
    def namespace(self) -> str:
        """Where it runs."""
        return str(self.body["metadata"]["namespace"])

    def run(self) -> subprocess.CompletedProcess[str]:
        """What its container does."""
        kubeconfig = self.plane.service_account_kubeconfig(
            self.namespace, self.pod["serviceAccountName"]
        )
        [container] = self.pod["containers"]
        words = [each.replace("$(POD_NAMESPACE)", self.namespace) for each in container["args"]]
        return subprocess.run(
            [sys.executable, "-m", "awsbatch_operator", *words],
            env=base_environment()
            | {
                "PYTHONPATH": str(REPOSITORY / "operator"),
                "KUBECONFIG": str(kubeconfig),
                "POD_NAMESPACE": self.namespace,
            },
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def delete(self) -> None:
        """Delete the Job, so that it can be applied anew."""
        name = self.body["metadata"]["name"]
        self.plane.kubectl("delete", "job", name, f"--namespace={self.namespace}", check=False)


def orders() -> dict[tuple[str, ...], tuple[str, str]]:
    """The table of docs/removal.md: how each order ends, and what is in AWS then."""
    rows = re.findall(
        r"^\| (\w+, \w+, \w+, \w+) \| (.+) \| (.+) \|$", PAGE.read_text(), re.MULTILINE
    )
    return {tuple(order.split(", ")): (ends, aws) for order, ends, aws in rows}
