"""A trial of the whole installation in a real cluster: applied, driven and removed by kubectl."""

import secrets
import string
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import yaml

from awsbatch_node.clusters import Cluster
from awsbatch_node.images import Images
from awsbatch_sandbox.paths import EXAMPLES, REPOSITORY

NAMESPACE = "awsbatch-system"
OPERATOR, SIMULATOR = "aws-batch-operator", "aws-batch-simulator"
CRDS = REPOSITORY / "deploy" / "crds"
WITH_DNS = REPOSITORY / "deploy" / "overlays" / "simulator"
WITHOUT_DNS = REPOSITORY / "tests" / "e2e" / "without-dns"
QUICKSTART = EXAMPLES / "quickstart"
LETTERS = string.ascii_letters + string.digits
# Generous: a test waits for what must happen, and fails when it does not.
READY, COMPLETE, TAKEN_OVER = "--timeout=180s", "--timeout=180s", 60.0


class Trial:
    """The operator and a simulated AWS in a cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.kubectl = cluster.kubectl

    def install_kinds(self) -> None:
        self.kubectl("apply", "--server-side", f"--kustomize={CRDS}")
        made = yaml.safe_load_all(self.kubectl("kustomize", str(CRDS)).stdout)
        kinds = [
            f"crd/{body['metadata']['name']}"
            for body in made
            if body["kind"] == "CustomResourceDefinition"
        ]
        self.kubectl("wait", "--for=condition=Established", *kinds, READY)

    def install(self) -> None:
        """As deploy/overlays/simulator says: a namespace, the keys, then everything."""
        self.kubectl("create", "namespace", NAMESPACE)
        keys = {
            "access-key-id": "AKIA" + drawn(string.ascii_uppercase + "234567", 16),
            "secret-access-key": drawn(LETTERS, 40),
            "admin-token": drawn(LETTERS, 64),
        }
        literals = [f"--from-literal={name}={value}" for name, value in keys.items()]
        self._in_namespace("create", "secret", "generic", SIMULATOR, *literals)
        self.kubectl("apply", "--filename=-", input=self.manifests())

    def manifests(self) -> str:
        overlay = WITH_DNS if self.cluster.resolves_services else WITHOUT_DNS
        text, ours = self.kubectl("kustomize", str(overlay)).stdout, Images()
        theirs = self.cluster.images
        for old, new in ((ours.operator, theirs.operator), (ours.simulator, theirs.simulator)):
            text = text.replace(f"image: {old}\n", f"image: {new}\n")
        return text

    def wait_until_ready(self, deployment: str) -> None:
        self._in_namespace("rollout", "status", f"deployment/{deployment}", READY)

    def run_quickstart(self) -> None:
        self.kubectl("apply", f"--kustomize={QUICKSTART}")
        self.wait_until_complete("first-run")

    def run_job(self, name: str) -> None:
        """The quickstart's job once more, under another name."""
        text = (QUICKSTART / "job.yaml").read_text().replace("first-run", name)
        self.kubectl("apply", "--filename=-", input=text)
        self.wait_until_complete(name)

    def wait_until_complete(self, job: str) -> None:
        self.kubectl("wait", "--for=condition=Complete", f"batchjob/{job}", COMPLETE)

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

    def restarts_of(self, pod: str) -> int:
        path = "--output=jsonpath={.status.containerStatuses[0].restartCount}"
        return int(self._in_namespace("get", f"pod/{pod}", path))

    def ready_replicas(self, deployment: str) -> int:
        path = "--output=jsonpath={.status.readyReplicas}"
        return int(self._in_namespace("get", f"deployment/{deployment}", path) or 0)

    def delete_pod(self, pod: str) -> None:
        self._in_namespace("delete", f"pod/{pod}", "--wait=false")

    @contextmanager
    def drained(self) -> Iterator[subprocess.CompletedProcess[str]]:
        """The only node without those replicas that may be evicted; usable again afterwards."""
        (node,) = self.kubectl("get", "nodes", "--output=name").stdout.split()
        pods = f"--pod-selector=app.kubernetes.io/name={OPERATOR}"
        limits = ("--delete-emptydir-data", "--timeout=15s")
        try:
            yield self.kubectl("drain", node, pods, *limits, check=False)
        finally:
            self.kubectl("uncordon", node)

    def wait_for_another_holder(self, before: str) -> str:
        deadline = time.monotonic() + TAKEN_OVER
        while (now := self.holder()) in {before, ""}:
            assert time.monotonic() < deadline, f"still {now or 'nobody'} after {TAKEN_OVER:.0f} s"
        return now

    def remove(self) -> None:
        """In the order that the documentation names: objects, operator, kinds."""
        self.kubectl("delete", "batchjobs", "--all", READY)
        self.kubectl("delete", f"--kustomize={QUICKSTART}", "--ignore-not-found", READY)
        self.kubectl("delete", "--filename=-", "--ignore-not-found", READY, input=self.manifests())
        self.kubectl("delete", f"--kustomize={CRDS}", "--ignore-not-found", READY)

    def what_is_there(self) -> str:
        """For whoever reads of a failure."""
        asked = (
            ("get", "awsbatch", "--all-namespaces", "--output=wide"),
            ("get", "pods", "--all-namespaces", "--output=wide"),
            ("describe", "pods", f"--namespace={NAMESPACE}"),
            ("logs", f"--namespace={NAMESPACE}", f"deployment/{OPERATOR}", "--tail=60"),
            ("logs", f"--namespace={NAMESPACE}", f"deployment/{SIMULATOR}", "--tail=20"),
        )
        answers = (self.kubectl(*words, check=False) for words in asked)
        return "\n".join(f"{done.stdout}{done.stderr}" for done in answers)

    def _in_namespace(self, *words: str) -> str:
        return self.kubectl(*words, f"--namespace={NAMESPACE}").stdout


def drawn(letters: str, length: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(length))
