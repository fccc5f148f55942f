"""The charts as Helm renders them, kustomizations as kubectl does, and what of both is the same."""

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from awsbatch_sandbox.kubectl import Kubectl
from awsbatch_sandbox.parts import base_environment
from awsbatch_sandbox.paths import REPOSITORY

DEPLOY = REPOSITORY / "deploy"
OPERATOR = DEPLOY / "charts" / "aws-batch-operator"
CRDS = DEPLOY / "charts" / "aws-batch-operator-crds"
NAMESPACE = "awsbatch-system"
NAME = "aws-batch-operator"
INSTANCE = "app.kubernetes.io/instance"

LAB = {"settings": {"clusterId": "lab"}}
REGISTRY = "registry.example.com/aws-batch-operator"
DIGEST = f"sha256:{'0a' * 32}"
# What each option that is no flag may be set to, all at once.
EVERYTHING: dict[str, Any] = {
    **LAB,
    "image": {"repository": REGISTRY, "digest": DIGEST, "pullPolicy": "Always"},
    "imagePullSecrets": [{"name": "registry"}],
    "replicas": 3,
    "serviceAccount": {"name": "batch", "roleArn": "arn:a", "annotations": {"a": "b"}},
    "priorityClassName": "system-cluster-critical",
    "nodeSelector": {"kubernetes.io/arch": "arm64"},
    "tolerations": [{"key": "infra", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
    ],
    "podLabels": {"team": "infra"},
    "podAnnotations": {"linkerd.io/inject": "disabled"},
    "podSecurityContext": {"runAsNonRoot": True, "runAsUser": 1001},
    "extraEnv": [{"name": "AWS_CA_BUNDLE", "value": "/ca/ca.crt"}],
    "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
    "extraVolumeMounts": [{"name": "ca", "mountPath": "/ca"}],
    "service": {"annotations": {"a": "b"}},
    "networkPolicy": {"metricsFrom": [{"podSelector": {}}]},
    "podDisruptionBudget": {"maxUnavailable": "50%"},
    "serviceMonitor": {"enabled": True, "interval": "1m", "labels": {"release": "prometheus"}},
    "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
    "dashboards": {"enabled": True, "labels": {"a": "b"}, "annotations": {"folder": "Batch"}},
    "fullnameOverride": "batch",
}
NOTHING = {
    **LAB,
    "serviceAccount": {"create": False, "name": "mine"},
    "rbac": {"create": False},
    **{name: {"enabled": False} for name in ("service", "networkPolicy", "podDisruptionBudget")},
}

Body = dict[str, Any]
Key = tuple[str, str]  # kind, name


@dataclass(frozen=True, slots=True)
class Helm:
    """The real Helm, with one cluster or none, and with nothing of the person's own."""

    binary: Path
    home: Path
    kubeconfig: Path = Path(os.devnull)
    prefix: tuple[str, ...] = ()  # what stands before the command where the cluster is elsewhere
    seconds: float = 50.0

    def __call__(
        self, *arguments: str, values: Mapping[str, Any] | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run it; AssertionError with its own words if it fails."""
        given = [] if values is None else ["--values", "-"]
        done = subprocess.run(
            [*self.prefix, str(self.binary), *arguments, *given],
            input="" if values is None else json.dumps(values),
            capture_output=True,
            text=True,
            env=base_environment()
            | {
                "KUBECONFIG": str(self.kubeconfig),
                "KUBECACHEDIR": str(self.home / "discovery"),
                **{f"HELM_{part}_HOME": str(self.home) for part in ("CACHE", "CONFIG", "DATA")},
            },
            timeout=self.seconds,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr or done.stdout
        return done

    def revision(self, release: str, *where: str) -> str:
        """Which revision of a release is in the cluster."""
        status = json.loads(self("status", release, *where, "--output=json").stdout)
        return str(status["version"])

    def render(
        self,
        values: Mapping[str, Any],
        *options: str,
        chart: Path = OPERATOR,
        release: str = NAME,
    ) -> list[Body]:
        """What the chart makes of these values."""
        where = ("--namespace", NAMESPACE)
        made = self("template", release, str(chart), *where, *options, values=values)
        return documents(made.stdout)


def documents(text: str) -> list[Body]:
    """The objects of a file."""
    return [each for each in yaml.load_all(text, yaml.CSafeLoader) if each]


def built(kubectl: Kubectl, folder: Path) -> list[Body]:
    """What a kustomization makes."""
    return documents(kubectl("kustomize", str(folder)).stdout)


def composed(
    kubectl: Kubectl, folder: Path, *, components: Sequence[str] = (), **parts: Any
) -> list[Body]:
    """What a kustomization of somebody's own, in a new folder, makes of the base."""
    folder.mkdir(parents=True)
    content = {
        "resources": [os.path.relpath(DEPLOY / "base", folder)],
        "components": [
            os.path.relpath(DEPLOY / "components" / each, folder) for each in components
        ],
        **parts,
    }
    (folder / "kustomization.yaml").write_text(json.dumps(content))
    return built(kubectl, folder)


def compared(bodies: Sequence[Body]) -> dict[Key, Body]:
    """The objects by kind and name, without what is the business of Helm or kustomize alone.

    - which of the two made it, and of which chart,
    - that a chart's selectors also name the release, of which a namespace may have several,
    - how other settings are made to be other pods: a ConfigMap of another name, or an annotation;
      and its labels, which kustomize's generator gives none,
    - in which order rights stand,
    - the namespace, which Helm makes itself (--create-namespace).
    """
    found = {}
    for body in json.loads(re.sub(r"(-settings)-[a-z0-9]{10}\b", r"\1", json.dumps(bodies))):
        key = (body["kind"], body["metadata"]["name"])
        assert key not in found, key
        found[key] = _plain(body)
    return {key: body for key, body in found.items() if key[0] != "Namespace"}


def _plain(body: Body) -> Body:
    made: Body = _without_tools(body)
    if made["kind"] == "ConfigMap":
        made["metadata"].pop("labels", None)
    if "rules" in made:
        made["rules"] = sorted(json.dumps(rule, sort_keys=True) for rule in made["rules"])
    if made["kind"] == "Deployment":
        annotations = made["spec"]["template"]["metadata"].get("annotations", {})
        annotations.pop("checksum/settings", None)
        if not annotations:
            made["spec"]["template"]["metadata"].pop("annotations", None)
    return made


def _without_tools(node: Any, *, place: str = "") -> Any:
    if isinstance(node, list):
        return [_without_tools(each) for each in node]
    if not isinstance(node, Mapping):
        return node
    left_out = {"labels": {"app.kubernetes.io/managed-by", "helm.sh/chart"}}.get(place, set())
    if place in {"matchLabels", "selector"}:
        left_out = {INSTANCE}
    return {
        name: _without_tools(value, place=name)
        for name, value in node.items()
        if name not in left_out
    }


def only(bodies: Sequence[Body], kind: str) -> Body:
    """The one object of a kind."""
    [found] = [body for body in bodies if body["kind"] == kind]
    return found


def pod(bodies: Sequence[Body]) -> Body:
    """What the Deployment's pods are."""
    spec: Body = only(bodies, "Deployment")["spec"]["template"]["spec"]
    return spec
