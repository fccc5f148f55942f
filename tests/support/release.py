"""A release of the operator's chart in a real cluster: what Helm does to it, and jobs meanwhile."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.support import charts
from tests.support.charts import CRDS, Helm
from tests.support.deadline import wait_until
from tests.support.trial import READY
from tests.support.trial_work import Work

from awsbatch_sandbox.kubectl import Kubectl

AT_ONCE, AT_MOST = 3, 45  # jobs of the load that are applied together, and in one roll-out
WAIT = ("--wait", READY)


@dataclass(frozen=True, slots=True)
class Release:
    """Both charts, in a namespace that is there."""

    helm: Helm
    kubectl: Kubectl
    name: str
    namespace: str

    @property
    def deployment(self) -> str:
        """What the chart calls it."""
        return f"{self.name}-{charts.NAME}"

    @property
    def where(self) -> str:
        """The option of kubectl and of Helm."""
        return f"--namespace={self.namespace}"

    def install(self, values: Mapping[str, Any]) -> None:
        """The CRDs, which may be somebody else's by now, and an operator that is Ready."""
        crds = f"{charts.NAME}-crds"
        self.helm("install", crds, str(CRDS), self.where, "--take-ownership")
        chart = str(charts.OPERATOR)
        self.helm("install", self.name, chart, self.where, *WAIT, values=values)

    def uninstall(self) -> None:
        """What is there of it; the CRDs stay in the cluster."""
        self.helm("uninstall", self.name, self.where, *WAIT, "--ignore-not-found")
        self.helm("uninstall", f"{charts.NAME}-crds", self.where, "--ignore-not-found")

    def upgrade(self, values: Mapping[str, Any]) -> None:
        """Have it be otherwise in this; does not wait."""
        chart = str(charts.OPERATOR)
        self.helm("upgrade", self.name, chart, self.where, "--reuse-values", values=values)

    def roll_back(self, revision: str) -> None:
        """Have it as it was; does not wait."""
        self.helm("rollback", self.name, revision, self.where)

    def revision(self) -> str:
        """Which one is in the cluster."""
        return self.helm.revision(self.name, self.where)

    def rolled_out(self) -> bool:
        """Whether all of its replicas are of the revision that was asked for."""
        status = ("rollout", "status", f"deployment/{self.deployment}", "--watch=false")
        return "successfully rolled out" in self.kubectl(*status, self.where).stdout

    def pods(self) -> dict[str, str]:
        """The image of each that is not about to go: a roll-out does not wait for their end."""
        selector = f"--selector=app.kubernetes.io/instance={self.name}"
        asked = self.kubectl("get", "pods", selector, "--output=json", self.where)
        return {
            each["metadata"]["name"]: each["spec"]["containers"][0]["image"]
            for each in json.loads(asked.stdout)["items"]
            if "deletionTimestamp" not in each["metadata"]
        }


def load_until(over: Callable[[], bool], work: Work, name: str) -> list[str]:
    """Jobs, one small burst after the other, until that is so; on a slow machine fewer of them."""
    names: list[str] = []
    while not over():
        if len(names) >= AT_MOST:
            wait_until(over, "the Deployment is rolled out", seconds=180, every=1)
            break
        burst = [f"{name}-{len(names) + number}" for number in range(AT_ONCE)]
        work.submit(burst)
        names += burst
    assert names, "it was over before there was any load"
    return names
