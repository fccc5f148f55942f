"""A job at work in a whole operator, for the tests beside this file that go through all of it."""

from typing import Any

from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import DEFINITION, ENVIRONMENT, QUEUE, SPECS

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_simulator.jobscript import JobScript

JOB = ObjectKey("BatchJob", NAMESPACE, "simulate")
SPEC: dict[str, Any] = {
    "jobQueueRef": {"name": "main"},
    "jobDefinitionRef": {"name": "simulate"},
}
FOR_EVER = 1e6  # seconds


def script(there: Installation, seconds: float, *output: str) -> None:
    """How long jobs run from now on, and what they write."""
    world = there.simulator.world
    scripts = (JobScript(duration_seconds=seconds, output=output),)
    world.change(world.settings.model_copy(update={"job_scripts": scripts}))


async def ready(there: Installation) -> None:
    """Everything that a job needs."""
    for key in (ENVIRONMENT, QUEUE, DEFINITION):
        there.apply(key, SPECS[key])
    await there.until_ready(ENVIRONMENT, QUEUE, DEFINITION, within=900)


async def submitted(there: Installation, seconds: float, *output: str, **spec: Any) -> None:
    """A job was sent to AWS; it will run that long."""
    await ready(there)
    script(there, seconds, *output)
    there.apply(JOB, SPEC | spec)
    await there.clock.run_until(lambda: submits(there) > 0, within=600)


async def running(there: Installation) -> None:
    """A job that runs, and will for a long time."""
    await submitted(there, FOR_EVER)
    await there.clock.run_until(lambda: shown(there, "awsStatus") == "RUNNING", within=3600)


async def finished(there: Installation, **spec: Any) -> None:
    """A job that has succeeded."""
    await submitted(there, 5, **spec)
    await there.until(JOB, "Complete", within=3600)


def lost_answer(there: Installation, times: int = 1) -> None:
    """AWS takes the next submissions, and nobody is told."""
    there.fault(effect="drop_after", service="batch", operation="SubmitJob", times=times)


def hidden(there: Installation, seconds: float, operation: str = "ListJobs") -> None:
    """The operation shows a job only that long after it was submitted."""
    there.fault(effect="hide", service="batch", operation=operation, seconds=seconds)


def shown(there: Installation, field: str) -> Any:
    """A field of the job's status."""
    return there.status(JOB).get(field)


def submits(there: Installation) -> int:
    """How many SubmitJob calls the operator has made."""
    return there.calls.count("batch:SubmitJob")


def jobs(there: Installation) -> list[Any]:
    """All jobs that AWS has ever had, oldest first, past all faults."""
    store = there.simulator.world.region(there.simulator.place).batch
    return sorted(store.jobs.values(), key=lambda job: (job.created_at, job.id))


def alive(there: Installation) -> int:
    """How many jobs in AWS have not ended and are not about to."""
    over = ("SUCCEEDED", "FAILED")
    return sum(job.status.value not in over and not job.terminated for job in jobs(there))
