"""What the demo of capacity looks at: an environment, its job and its instances."""

from dataclasses import dataclass
from typing import Any

from awsbatch_sandbox.account import Account, Instance
from awsbatch_sandbox.quickstart_demo import Job
from awsbatch_sandbox.stage import Stage


@dataclass(frozen=True, slots=True)
class View:
    """One look at an environment and its job: in Kubernetes, in AWS, and inside the instances."""

    status: dict[str, Any]
    job: Job
    job_status: str
    instances: list[Instance]
    members: list[dict[str, Any]]

    @property
    def ready(self) -> bool:
        """Whether the environment is Ready."""
        return self.condition("Ready") is not None

    @property
    def pools(self) -> list[dict[str, Any]]:
        """The rows of status.capacity.pools."""
        return list(self.status.get("capacity", {}).get("pools", ()))

    @property
    def wanted(self) -> str:
        """In a line, what the operator wants and why."""
        return str(self.status.get("capacity", {}).get("wanted", ""))

    def condition(self, kind: str) -> dict[str, Any] | None:
        """The condition of that type, if it is True."""
        true = [each for each in self.status.get("conditions", ()) if each["status"] == "True"]
        return next((each for each in true if each["type"] == kind), None)

    def said(self) -> str:
        """What a person wants to know if nothing goes on."""
        words = [f"{each['type']}: {each['message']}" for each in self.status.get("conditions", ())]
        there = [f"{each.id} is {each.state}" for each in self.instances]
        return " ".join([*words, f"wanted: {self.wanted}.", f"The job: {self.job.stage}.", *there])


def look_at(stage: Stage, account: Account) -> View:
    """Look at the one environment and the one job that there are."""
    [environment] = stage.objects("computeenvironments")
    [job] = [Job.read(each) for each in stage.objects("batchjobs")]
    status = environment.get("status", {})
    cluster = status.get("ecsClusterArn")
    return View(
        status=status,
        job=job,
        job_status=account.job_status(job.id),
        instances=account.instances(environment["metadata"]["name"]),
        members=account.members(cluster) if cluster else [],
    )
