"""A trial of the whole installation in a real cluster: applied, driven and removed by kubectl."""

import json
import secrets
import string
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import yaml
from tests.support.deadline import wait_until
from tests.support.steps import Steps
from tests.support.trial_work import RESOURCES, Work

from awsbatch_node.clusters import Cluster
from awsbatch_node.images import Images
from awsbatch_sandbox.errors import SandboxError
from awsbatch_sandbox.paths import REPOSITORY

NAMESPACE = "awsbatch-system"
OPERATOR, SIMULATOR = "aws-batch-operator", "aws-batch-simulator"
CRDS = REPOSITORY / "deploy" / "crds"
WITH_DNS = REPOSITORY / "tests" / "e2e" / "with-dns"
WITHOUT_DNS = REPOSITORY / "tests" / "e2e" / "without-dns"
LETTERS = string.ascii_letters + string.digits
# Generous: a test waits for what must happen, and fails when it does not.
READY, TAKEN_OVER = "--timeout=180s", 90.0
PORT = 4566
KEYS = {"AWS_ACCESS_KEY_ID": "access-key-id", "AWS_SECRET_ACCESS_KEY": "secret-access-key"}
# The Service's name, and the address that it asks for where names are not resolved.
NAMED, ADDRESSED = f"{SIMULATOR}.{NAMESPACE}.svc", "10.96.45.66"
ASKED_EVERY = 0.3
NAMED_OPERATOR = f"app.kubernetes.io/name={OPERATOR}"  # a label of its pods, in each namespace
AT_ONCE = "--request-timeout=20s"  # of an API server that does not answer, that is told


class Trial:
    """The operator and a simulated AWS in a cluster."""

    def __init__(self, cluster: Cluster, steps: Steps) -> None:
        self.cluster = cluster
        self.kubectl = cluster.kubectl
        self._steps = steps
        self._kinds = self._operator = self._work = False  # what of it is there
        self.may_be_left = False  # whether something has to be removed

    @property
    def endpoint(self) -> str:
        """Where operators find the simulated AWS."""
        return f"http://{NAMED if self.cluster.resolves_services else ADDRESSED}:{PORT}"

    def work(self, namespace: str = "default", installation: str = "") -> Work:
        """The quickstart in a namespace, served by whoever comes first or by that installation."""
        return Work(self.kubectl, namespace, installation)

    # --- there and gone ---

    def ensure(self) -> None:
        """Have all of it, whatever the test before has removed."""
        if not (self._kinds and self._operator):
            with self._steps.step("installed by kustomize: operator and simulator Ready"):
                self._install_all()
        if not self._work:
            with self._steps.step("quickstart Complete"):
                self.work().start()
                self._work = True

    def _install_all(self) -> None:
        """The API server establishes CRDs after some seconds, in which pods start already."""
        if not self._kinds:
            self.install_kinds()
        if not self._operator:
            self.install()
        self.wait_until_established()
        self.wait_until_ready(SIMULATOR)
        self.wait_until_ready(OPERATOR)

    def forget(self) -> None:
        """It is about to be removed: the next test needs all of it anew."""
        self._kinds = self._operator = self._work = False

    def install_kinds(self) -> None:
        """SandboxError in a cluster that is somebody's: all of theirs would go in the end."""
        if not self.may_be_left and (theirs := self.left()):
            raise SandboxError(
                f"The cluster has {', '.join(theirs)}. The tests remove all of this at their end, "
                "with everybody's objects and what these have in AWS. Take a cluster without an "
                "operator, or remove it first (docs/removal.md)."
            )
        self._kinds = self.may_be_left = True
        self.kubectl("apply", "--server-side", f"--kustomize={CRDS}")

    def wait_until_established(self) -> None:
        made = yaml.safe_load_all(self.kubectl("kustomize", str(CRDS)).stdout)
        kinds = [
            f"crd/{body['metadata']['name']}"
            for body in made
            if body["kind"] == "CustomResourceDefinition"
        ]
        self.kubectl("wait", "--for=condition=Established", *kinds, READY)

    def install(self) -> None:
        """As deploy/overlays/simulator says: a namespace, the keys, then everything."""
        self._operator = self.may_be_left = True
        self.kubectl("create", "namespace", NAMESPACE)
        keys = {
            "access-key-id": "AKIA" + drawn(string.ascii_uppercase + "234567", 16),
            "secret-access-key": drawn(LETTERS, 40),
            "admin-token": drawn(LETTERS, 64),
        }
        self._keep_secret(NAMESPACE, {"stringData": keys})
        self.kubectl("apply", "--filename=-", input=self.manifests())

    def give_keys(self, namespace: str, *options: str) -> None:
        """Let operators of another namespace reach this AWS, too, with `environment`."""
        found = json.loads(self._in_namespace("get", f"secret/{SIMULATOR}", "--output=json"))
        keys = {name: found["data"][name] for name in KEYS.values()}
        self._keep_secret(namespace, {"data": keys}, *options)

    def _keep_secret(self, namespace: str, content: Mapping[str, Any], *options: str) -> None:
        """Not by arguments: everybody on the machine sees those, and whoever reads of a failure."""
        metadata = {"name": SIMULATOR, "namespace": namespace}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, **content}
        self.kubectl("create", "--filename=-", *options, input=json.dumps(secret))

    def environment(self) -> list[dict[str, Any]]:
        """What operators of other namespaces have in their containers: nothing but this AWS."""
        fixed = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }
        secret = [
            {"name": name, "valueFrom": {"secretKeyRef": {"name": SIMULATOR, "key": key}}}
            for name, key in KEYS.items()
        ]
        return [*({"name": name, "value": value} for name, value in fixed.items()), *secret]

    def manifests(self) -> str:
        overlay = WITH_DNS if self.cluster.resolves_services else WITHOUT_DNS
        return self.with_images(self.kubectl("kustomize", str(overlay)).stdout)

    def with_images(self, text: str) -> str:
        """Manifests with the names that the images have in this cluster."""
        ours, theirs = Images(), self.cluster.images
        for old, new in ((ours.operator, theirs.operator), (ours.simulator, theirs.simulator)):
            text = text.replace(f"image: {old}\n", f"image: {new}\n")
        return text

    def remove(self) -> None:
        """In the order that the documentation names: objects, operator, kinds.

        The objects in all namespaces: what a test that has failed left in its own would hold on.
        """
        if self._kinds:
            self.kubectl("delete", RESOURCES, "--all", "--all-namespaces", READY)
        self.forget()
        self.remove_operator()
        self.remove_kinds()
        self.may_be_left = False

    def remove_operator(self) -> None:
        self.kubectl("delete", "--filename=-", "--ignore-not-found", READY, input=self.manifests())

    def remove_kinds(self, *options: str) -> None:
        self.kubectl("delete", f"--kustomize={CRDS}", "--ignore-not-found", READY, *options)

    def left(self) -> list[str]:
        """What the cluster has of an operator, ours or another one, outside of namespaces."""
        kinds = "crds,namespaces,clusterroles,clusterrolebindings"
        names = self.kubectl("get", kinds, "--output=name").stdout.split()
        return [name for name in names if "awsbatch" in name.replace("-", "")]

    # --- its replicas ---

    def wait_until_ready(self, deployment: str) -> None:
        self._in_namespace("rollout", "status", f"deployment/{deployment}", READY)

    def holder(self) -> str:
        """Who holds the lease: the pod's name and something of its own; empty for nobody."""
        path = "--output=jsonpath={.spec.holderIdentity}"
        return self._in_namespace("get", f"lease/{OPERATOR}", path)

    def leader(self) -> str:
        """The pod that leads."""
        return self.holder().rpartition("_")[0]

    def container_of(self, pod: str) -> str:
        """The id of a pod's container in the runtime."""
        path = "--output=jsonpath={.status.containerStatuses[0].containerID}"
        return self._in_namespace("get", f"pod/{pod}", path).rpartition("//")[2]

    def restarts(self) -> dict[str, int]:
        """How often the container of each pod has been started again."""
        path = (
            "--output=jsonpath={range .items[*]}{.metadata.name} "
            "{.status.containerStatuses[0].restartCount}{'\\n'}{end}"
        )
        lines = self._in_namespace("get", "pods", path).splitlines()
        return {name: int(count) for name, count in (line.split() for line in lines)}

    def ready_replicas(self, deployment: str) -> int:
        path = "--output=jsonpath={.status.readyReplicas}"
        return int(self._in_namespace("get", f"deployment/{deployment}", path) or 0)

    def delete_pod(self, pod: str) -> None:
        self._in_namespace("delete", f"pod/{pod}", "--wait=false")

    @contextmanager
    def drained(self) -> Iterator[subprocess.CompletedProcess[str]]:
        """The only node without those replicas that may be evicted; usable again afterwards."""
        (node,) = self.kubectl("get", "nodes", "--output=name").stdout.split()
        pods = f"--pod-selector={NAMED_OPERATOR}"
        limits = ("--delete-emptydir-data", "--timeout=8s")  # what is refused is tried every 5 s
        try:
            yield self.kubectl("drain", node, pods, *limits, check=False)
        finally:
            self.kubectl("uncordon", node)

    def wait_for_another_holder(self, before: str) -> None:
        wait_until(
            lambda: self.holder() not in {before, ""},
            "another replica leads",
            seconds=TAKEN_OVER,
            every=ASKED_EVERY,
        )

    def what_is_there(self) -> str:
        """For whoever reads of a failure: the objects, and each operator with its last words."""
        everywhere, operators = "--all-namespaces", f"--selector={NAMED_OPERATOR}"
        path = "--output=jsonpath={.items[*].metadata.namespace}"
        found = self.kubectl("get", "pods", everywhere, operators, path, AT_ONCE, check=False)
        logs = ("logs", "--prefix", "--tail=60")
        asked = [
            ("get", "awsbatch", everywhere, "--output=wide"),
            ("get", "pods", everywhere, "--output=wide"),
            (*logs, f"deployment/{SIMULATOR}", f"--namespace={NAMESPACE}"),
        ]
        for namespace in sorted({NAMESPACE, *found.stdout.split()}):
            where = f"--namespace={namespace}"
            asked += [("describe", "pods", where), (*logs, operators, where)]
        answers = (self.kubectl(*words, AT_ONCE, check=False) for words in asked)
        return "\n".join(f"{done.stdout}{done.stderr}" for done in answers)

    def _in_namespace(self, *words: str) -> str:
        return self.kubectl(*words, f"--namespace={NAMESPACE}").stdout


def drawn(letters: str, length: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(length))
