"""The quickstart, told while it goes on.

Applies examples/quickstart as a user would, waits until its jobs have ended, and shows what
kubectl shows of them.
"""

from dataclasses import dataclass
from typing import Any, Self

from awsbatch_sandbox.errors import SandboxError
from awsbatch_sandbox.paths import EXAMPLES
from awsbatch_sandbox.stage import Seen, Stage

QUICKSTART = EXAMPLES / "quickstart"
JOB_SECONDS = 180.0  # about 15 s when all goes well


def quickstart(stage: Stage) -> None:
    """Tell it."""
    stage.show("apply", f"--kustomize={QUICKSTART}")
    stage.say("")
    jobs = wait_for_jobs(stage)
    stage.show("get", "awsbatch")
    for job in jobs:
        stage.show("events", f"--for=batchjob/{job.name}")
        stage.say(f"\nThe last lines that {job.name} printed (status.logs.lastLines):")
        stage.say("\n".join(f"  {line}" for line in job.last_lines))
    failed = [job.name for job in jobs if not job.complete]
    if failed:
        raise SandboxError(f"Not all jobs are Complete: {', '.join(failed)} failed.")


@dataclass(frozen=True, slots=True)
class Job:
    """What the demos read of a BatchJob."""

    name: str
    stage: str  # AWS's status, or why there is none yet
    id: str  # AWS's; "" as long as there is none
    complete: bool
    failed: bool
    last_lines: tuple[str, ...]

    @classmethod
    def read(cls, body: dict[str, Any]) -> Self:
        """Read it from what the API server has."""
        status = body.get("status", {})
        true = [each for each in status.get("conditions", []) if each["status"] == "True"]
        types = {each["type"] for each in true}
        waiting = next((each["message"] for each in true), "not seen by the operator yet")
        return cls(
            name=body["metadata"]["name"],
            stage=status.get("awsStatus") or waiting,
            id=status.get("jobId", ""),
            complete="Complete" in types,
            failed="Failed" in types,
            last_lines=tuple(status.get("logs", {}).get("lastLines", [])),
        )


def wait_for_jobs(stage: Stage) -> list[Job]:
    """Wait until every BatchJob has ended, telling each change; returns them."""
    jobs: list[Job] = []

    def look() -> Seen:
        jobs[:] = [Job.read(body) for body in stage.objects("batchjobs")]
        lines = [
            (f"{each.name} {each.stage}", f"batchjob/{each.name}: {each.stage}") for each in jobs
        ]
        over = bool(jobs) and all(job.complete or job.failed for job in jobs)
        return Seen(lines, over)

    stage.follow(look, seconds=JOB_SECONDS, what="The jobs have not ended")
    return jobs
