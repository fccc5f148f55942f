"""The quickstart's objects in a namespace of a real cluster, more jobs of it, and what AWS has."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import quickstart

from awsbatch_operator.api.metadata import INSTALLATION
from awsbatch_sandbox.kubectl import Kubectl

GONE, COMPLETE = "--timeout=180s", "--timeout=180s"
# Where the simulated AWS is asked: in its pod.
SIMULATOR = ("--namespace=awsbatch-system", "--stdin", "deployment/aws-batch-simulator")
SCRIPT = Path(__file__).with_name("in_simulator.py")
NOT_OBSERVED = -1  # the observedGeneration of an object that nobody has looked at
RESOURCES = "batchjobs,jobqueues,jobdefinitions,computeenvironments"

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Work:
    """What somebody has an operator do in one namespace."""

    kubectl: Kubectl
    namespace: str
    installation: str = ""  # who shall serve it: said in each object

    def start(self) -> None:
        """Apply the quickstart, and wait for its job."""
        self.apply(quickstart.bodies())
        self.wait_complete([quickstart.JOB[1]])

    def run(self, name: str) -> None:
        """The quickstart's job once more, under another name, to its end."""
        self.submit([name])
        self.wait_complete([name])

    def submit(self, names: Iterable[str]) -> None:
        """More such jobs."""
        (job,) = [body for body in quickstart.bodies() if body["kind"] == quickstart.JOB[0]]
        self.apply([{**job, "metadata": {**job["metadata"], "name": name}} for name in names])

    def apply(self, bodies: Iterable[Body]) -> None:
        """Apply objects here."""
        items = [self._here(body) for body in bodies]
        listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
        self.kubectl("apply", "--filename=-", input=listed)

    def _here(self, body: Body) -> Body:
        noted = {INSTALLATION: self.installation} if self.installation else {}
        metadata = {**body["metadata"], "namespace": self.namespace, "annotations": noted}
        return {**body, "metadata": metadata}

    def wait_complete(self, names: Iterable[str]) -> None:
        """Return when all of these jobs are Complete."""
        jobs = [f"batchjob/{name}" for name in names]
        self.kubectl("wait", "--for=condition=Complete", *jobs, COMPLETE, self._where)

    def objects(self) -> list[Body]:
        """Everything of it, as it is now."""
        listed = self.kubectl("get", RESOURCES, "--output=json", self._where).stdout
        items: list[Body] = json.loads(listed)["items"]
        return items

    def servers(self) -> set[str | None]:
        """Who serves the objects here, by their status; one made just now does not say it yet."""
        told = [body.get("status", {}) for body in self.objects()]
        return {
            status.get("installation")
            for status in told
            if status.get("observedGeneration", NOT_OBSERVED) != NOT_OBSERVED
        }

    def submitted(self, names: Sequence[str]) -> list[str]:
        """Those of these jobs whose id in AWS is known."""
        found = {body["metadata"]["name"]: body.get("status", {}) for body in self.objects()}
        return [name for name in names if found.get(name, {}).get("jobId")]

    def times_in_aws(self, names: Iterable[str]) -> dict[str, int]:
        """How many jobs AWS has of each of these, of whatever run; the names are a test's own."""
        jobs = in_aws(self.kubectl)["jobs"]
        return {
            name: sum(times for full, times in jobs.items() if full.rpartition("-")[0] == name)
            for name in names
        }

    def left_in_aws(self) -> list[str]:
        """Queues, environments and definitions of this namespace that AWS still has."""
        found = in_aws(self.kubectl)
        names = [*found["queues"], *found["environments"], *found["definitions"]]
        return [name for name in names if name.startswith(f"{self.namespace}-")]

    def delete(self) -> None:
        """Take all of it away, and wait until it is gone."""
        self.kubectl("delete", RESOURCES, "--all", GONE, self._where)

    @property
    def _where(self) -> str:
        return f"--namespace={self.namespace}"


def in_aws(kubectl: Kubectl) -> dict[str, Any]:
    """What the simulated AWS has, as AWS's own client is told in the simulator's pod."""
    asked = kubectl("exec", *SIMULATOR, "--", "python", "-", input=SCRIPT.read_text())
    found: dict[str, Any] = json.loads(asked.stdout)
    return found
