"""One life of every kind that makes each call of the operator that changes something in AWS."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support import manifests
from tests.support.cluster import Cluster, is_complete, is_ready
from tests.support.recording import Recording
from tests.support.site import Site

from awsbatch_operator.api.metadata import API_VERSION
from awsbatch_operator.aws.call_table import CALLS

# CancelJob is in the table, and nothing makes it: TerminateJob cancels what has not started, too.
CHANGING = frozenset(call.operation for call in CALLS if call.mutating) - {"CancelJob"}
# Of those, what the whole life of the five kinds needs. The calls for instances are struck in
# tests/integration/crash: a launch of unknown outcome is looked for during two minutes, which are
# too long on a real clock.
IN_A_LIFE = frozenset(
    call.operation for call in CALLS if call.mutating and call.service == "batch"
) - {"CancelJob"}
SECONDS = 120.0
ENVIRONMENT, QUEUE = ("ComputeEnvironment", "pool"), ("JobQueue", "main")
DEFINITION, POLICY = ("JobDefinition", "simulate"), ("SchedulingPolicy", "fair")
SHORT, LONG = ("BatchJob", "short"), ("BatchJob", "long")
LASTING = (ENVIRONMENT, QUEUE, DEFINITION, POLICY)


def named(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    """A manifest."""
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec}


def account(name: str, number: str, namespace: str, **spec: Any) -> dict[str, Any]:
    """An AWSAccount that one namespace may use."""
    role = f"arn:aws:iam::{number}:role/batch-operator"
    served = {"allowedNamespaces": {"names": [namespace]}}
    return named("AWSAccount", name, {"roleArn": role, **served, **spec})


@dataclass(frozen=True, slots=True)
class Life:
    """In a namespace and an AWS account of its own."""

    site: Site
    cluster: Cluster
    recording: Recording
    account: str  # name of the AWSAccount
    number: str  # of the account in AWS

    def live(self) -> None:
        """From the first manifest to the last deletion."""
        self._begin()
        self._change()
        self._end()

    def committed(self, operation: str) -> int:
        """How often AWS did it, whatever the operator was told."""
        calls = self.site.aws.admin("GET", "/_simulator/calls")["calls"]
        return sum(
            call["count"]
            for call in calls
            if call["account"] == self.number
            and call["operation"] == operation
            and call["outcome"] in {"OK", "DroppedAfterCommit"}
        )

    def left(self) -> list[str]:
        """ARNs of what is left in AWS."""
        batch = self.site.client("batch", account=self.number)
        definitions = batch.describe_job_definitions(status="ACTIVE")["jobDefinitions"]
        return [
            *(
                each["computeEnvironmentArn"]
                for each in batch.describe_compute_environments()["computeEnvironments"]
            ),
            *(each["jobQueueArn"] for each in batch.describe_job_queues()["jobQueues"]),
            *(each["jobDefinitionArn"] for each in definitions),
            *(each["arn"] for each in batch.list_scheduling_policies()["schedulingPolicies"]),
        ]

    def _begin(self) -> None:
        here = {"accountRef": {"name": self.account}}
        job = {
            "jobQueueRef": {"name": "main"},
            "jobDefinitionRef": {"name": "simulate"},
            "shareIdentifier": "team",
            **here,
        }
        queue = manifests.queue("pool", schedulingPolicyRef={"name": "fair"})
        profile = f"arn:aws:iam::{self.number}:instance-profile/ecsInstanceRole"
        environment = manifests.environment(instanceRole=profile)
        self.cluster.apply(
            named(*SHORT, job),
            named(*LONG, job),
            named(*QUEUE, {**queue, **here}),
            named(*DEFINITION, {**manifests.definition("first"), "keepRevisions": 1, **here}),
            named(*POLICY, {**manifests.policy(), **here}),
            named(*ENVIRONMENT, {**environment, "tags": {"team": "a"}, **here}),
        )
        self._wait(SHORT, is_complete, "is Complete")
        self._wait(LONG, runs, "runs")
        for each in (SHORT, LONG):
            self.cluster.delete(*each)
        self.cluster.wait_gone(SHORT, LONG, seconds=SECONDS)
        assert not self._jobs_at_work(), "a job outlives its BatchJob"

    def _jobs_at_work(self) -> list[str]:
        """Ids of jobs that have not ended."""
        batch = self.site.client("batch", account=self.number)
        queues = [each["jobQueueArn"] for each in batch.describe_job_queues()["jobQueues"]]
        return [
            each["jobId"]
            for queue in queues
            for state in ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")
            for each in batch.list_jobs(jobQueue=queue, jobStatus=state)["jobSummaryList"]
        ]

    def _change(self) -> None:
        resources = {"maxvCpus": 32}
        spec = {"computeResources": resources, "tags": {"team": None, "project": "b"}}
        self.cluster.edit(*ENVIRONMENT, {"spec": spec})
        self.cluster.edit(*QUEUE, {"spec": {"priority": 20}})
        self.cluster.edit(*POLICY, {"spec": manifests.policy("2.5")})
        self.cluster.edit(*DEFINITION, {"spec": manifests.definition("second")})
        for each in LASTING:
            self._wait(each, is_ready, "is Ready again")
        self._wait(DEFINITION, has_one_revision, "has one revision")

    def _end(self) -> None:
        for each in LASTING:
            self.cluster.delete(*each)
        self.cluster.wait_gone(seconds=SECONDS)

    def _wait(self, each: tuple[str, str], look: Callable[..., object], what: str) -> None:
        self.cluster.wait(*each, look, what, seconds=SECONDS)


def has_one_revision(body: dict[str, Any]) -> bool:
    """Whether what was registered earlier has been deregistered."""
    return len(body["status"]["revisions"]) == 1


def runs(body: dict[str, Any]) -> bool:
    """Whether AWS says that the job runs."""
    return bool(body.get("status", {}).get("awsStatus") == "RUNNING")
