"""Somebody who has ClusterRole admin in one namespace, and nothing else in the cluster."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml
from tests.support.deadline import wait_until

from awsbatch_sandbox.kubectl import Kubectl
from awsbatch_sandbox.paths import REPOSITORY

OVERLAY = REPOSITORY / "deploy" / "overlays" / "namespaced"
REMOVAL = REPOSITORY / "deploy" / "uninstall-namespaced"
NAME = "aws-batch-operator"


class Administered(Protocol):
    """A cluster with its administrator's kubectl."""

    @property
    def kubectl(self) -> Kubectl: ...


@dataclass(frozen=True, slots=True)
class NamespaceAdmin:
    """What such a person does with kubectl."""

    plane: Administered
    namespace: str
    user: str = "alice"

    def appoint(self) -> None:
        """As a cluster administrator: make the namespace, and give it to her."""
        kubectl, here = self.plane.kubectl, f"--namespace={self.namespace}"
        kubectl("create", "namespace", self.namespace)
        role = ("--clusterrole=admin", f"--user={self.user}")
        kubectl("create", "rolebinding", f"{self.user}-is-admin", here, *role)
        role_of_ours = f"clusterrole/{NAME}-namespaced"
        wait_until(lambda: self.may("bind", role_of_ours), "the roles are aggregated")

    def may(self, verb: str, what: str, *options: str, of: str = "") -> bool:
        """kubectl auth can-i, in her namespace or in that of somebody else."""
        where = f"--namespace={of or self.namespace}"
        asked = ("auth", "can-i", verb, what, where, f"--as={self.user}", *options)
        return bool(self.plane.kubectl(*asked, check=False).stdout.strip() == "yes")

    def kustomization(
        self, directory: Path, *, settings: Sequence[str] = (), patches: Sequence[Any] = ()
    ) -> Path:
        """Her own, as documented: the name of the namespace stands in it once."""
        directory.mkdir()
        content = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": self.namespace,
            "resources": [os.path.relpath(OVERLAY, directory.resolve())],
            "configMapGenerator": [
                {
                    "name": f"{NAME}-settings",
                    "behavior": "merge",
                    "literals": [f"cluster-id={self.namespace}", *settings],
                }
            ],
            # With a target, since the overlay beneath has the namespace that stands in it.
            "patches": [
                {
                    "target": {"kind": patch["kind"], "name": patch["metadata"]["name"]},
                    "patch": yaml.safe_dump(patch),
                }
                for patch in patches
            ],
        }
        (directory / "kustomization.yaml").write_text(yaml.safe_dump(content))
        return directory

    def removal(self, directory: Path) -> Path:
        """The same for the Job that lets go."""
        directory.mkdir()
        content = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": self.namespace,
            "resources": [os.path.relpath(REMOVAL, directory.resolve())],
        }
        (directory / "kustomization.yaml").write_text(yaml.safe_dump(content))
        return directory

    def apply(self, directory: Path) -> list[str]:
        """kubectl apply -k; a line for each object."""
        done = self.plane.kubectl("apply", "-k", str(directory), f"--as={self.user}").stdout
        return list(done.splitlines())
