"""Install our CRDs and the operator's identity and rights, as a cluster administrator would.

From the same kustomizations that people apply to their clusters, so that a permission missing
there is missing here. Left out is only what needs nodes.
"""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from awsbatch_sandbox.errors import SandboxError
from awsbatch_sandbox.kubectl import Kubectl
from awsbatch_sandbox.paths import REPOSITORY

CRDS = REPOSITORY / "crds"
BASE = REPOSITORY / "deploy" / "base"
NEEDS_NODES = ("Deployment", "PodDisruptionBudget")
ESTABLISH_SECONDS = 30
MANAGER = "awsbatch-sandbox"


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """Who the operator is in the cluster."""

    namespace: str
    name: str


def install_crds(kubectl: Kubectl, directory: Path = CRDS) -> None:
    """Apply a kustomization with CRDs and wait until the API server serves and lists them."""
    built = _build(kubectl, directory)
    _apply(kubectl, built)
    crds = [each for each in built if each["kind"] == "CustomResourceDefinition"]
    names = [f"crd/{crd['metadata']['name']}" for crd in crds]
    kubectl("wait", "--for=condition=established", f"--timeout={ESTABLISH_SECONDS}s", *names)
    _wait_until_listed(kubectl, crds)
    # kubectl believes its cache of what there is for hours, categories such as awsbatch included.
    kubectl.forget()


def install_operator_identity(kubectl: Kubectl, directory: Path = BASE) -> ServiceAccount:
    """Apply namespace, ServiceAccount and RBAC of a kustomization; returns the ServiceAccount.

    SandboxError if it holds not exactly one.
    """
    resources = [each for each in _build(kubectl, directory) if each["kind"] not in NEEDS_NODES]
    accounts = [each["metadata"] for each in resources if each["kind"] == "ServiceAccount"]
    if len(accounts) != 1:
        raise SandboxError(f"{directory} must hold one ServiceAccount, not {len(accounts)}.")
    # Namespaces first: kubectl applies a list in its order.
    resources.sort(key=lambda each: each["kind"] != "Namespace")
    _apply(kubectl, resources)
    return ServiceAccount(accounts[0]["namespace"], accounts[0]["name"])


def _build(kubectl: Kubectl, directory: Path) -> list[dict[str, Any]]:
    built = kubectl("kustomize", str(directory)).stdout
    return [each for each in yaml.load_all(built, Loader=yaml.CSafeLoader) if each]


def _apply(kubectl: Kubectl, resources: list[dict[str, Any]]) -> None:
    content = json.dumps({"apiVersion": "v1", "kind": "List", "items": resources})
    kubectl("apply", "--server-side", f"--field-manager={MANAGER}", "--filename=-", input=content)


def _wait_until_listed(kubectl: Kubectl, crds: Iterable[dict[str, Any]]) -> None:
    """Established CRDs are served; the lists of what there is follow a moment later."""
    wanted = {
        (f"/apis/{spec['group']}/{version['name']}", spec["names"]["plural"])
        for spec in (crd["spec"] for crd in crds)
        for version in spec["versions"]
        if version["served"]
    }
    deadline = time.monotonic() + ESTABLISH_SECONDS
    # Asking takes kubectl long enough: no pause is needed between two looks.
    while missing := wanted - _listed(kubectl, {path for path, _ in wanted}):
        if time.monotonic() > deadline:
            raise SandboxError(f"The API server does not list these kinds: {sorted(missing)}.")


def _listed(kubectl: Kubectl, paths: Iterable[str]) -> set[tuple[str, str]]:
    found = set()
    for path in paths:
        answer = kubectl("get", "--raw", path, check=False)
        if answer.returncode == 0:
            resources = json.loads(answer.stdout)["resources"]
            found |= {(path, resource["name"]) for resource in resources}
    return found
