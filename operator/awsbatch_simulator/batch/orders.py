"""The work order of an attempt: command and environment, as the container sees them."""

import json
import re
from collections.abc import Mapping
from typing import Any

from awsbatch_simulator.batch.model import Job
from awsbatch_simulator.context import Place
from awsbatch_simulator.runners.base import Work

EXITED = "Essential container in task exited"
TIMED_OUT = "Job attempt duration exceeded timeout"
LOG_GROUP = "/aws/batch/job"
OVERRIDE_CHARACTERS = 8192
TOO_LONG = f"Container Overrides length must be at most {OVERRIDE_CHARACTERS}"
_REFERENCE = re.compile(r"Ref::([A-Za-z0-9_-]+)")


def work_order(job: Job, place: Place, *, root_gib: int = 0) -> Work:
    """What a runner needs to know about the attempt that is about to run."""
    container = job.container
    parameters = job.static["parameters"]
    task_id = job.task.id if job.task else ""
    options = (job.container.get("logConfiguration") or {}).get("options") or {}
    prefix = options.get("awslogs-stream-prefix", job.definition.name)
    return Work(
        job_id=job.id,
        job_name=job.name,
        definition=job.definition.name,
        queue=job.queue.name,
        parameters=parameters,
        attempt=job.attempt,
        command=tuple(substituted(word, parameters) for word in container.get("command", ())),
        environment=_environment(job),
        memory_mib=job.memory,
        log_group=options.get("awslogs-group", LOG_GROUP),
        log_stream=f"{prefix}/default/{task_id}",
        log_place=Place(place.account, options.get("awslogs-region") or place.region),
        root_gib=root_gib,
    )


def task_refusal(job: Job) -> str | None:
    """Why ECS does not take the job's task; the job fails with it.

    Source: RunTask's limit of 8,192 characters for overrides, the JSON around them included, seen
    as a job's statusReason in Netflix/metaflow#1482 and ASFHyP3/hyp3#3041.
    """
    too_long = bool(job.overrides) and _overrides_length(job) > OVERRIDE_CHARACTERS
    return TOO_LONG if too_long else None


def _overrides_length(job: Job) -> int:
    """What Batch hands to ECS: the command, and the job's variables beside Batch's own."""
    given = {each.get("name"): each.get("value") for each in job.overrides.get("environment", ())}
    override: Mapping[str, Any] = {
        "name": "default",
        "command": job.overrides.get("command", []),
        "environment": [
            {"name": name, "value": value} for name, value in (given | _own(job)).items()
        ],
    }
    return len(json.dumps({"containerOverrides": [override]}, separators=(",", ":")))


def substituted(word: str, parameters: dict[str, str]) -> str:
    """A word of the command with `Ref::name` replaced; unknown names stay as they are.

    Source: the user guide's "Job definition parameters", Parameters.
    """
    return _REFERENCE.sub(lambda found: parameters.get(found[1], found[0]), word)


def _environment(job: Job) -> dict[str, str]:
    """The definition's variables, then Batch's own. Source: "Job environment variables"."""
    given = {
        each["name"]: each.get("value", "")
        for each in job.container.get("environment", ())
        if each.get("name")
    }
    return given | _own(job)


def _own(job: Job) -> dict[str, str]:
    own = {
        "AWS_BATCH_JOB_ID": job.id,
        "AWS_BATCH_JQ_NAME": job.queue.name,
        "AWS_BATCH_CE_NAME": job.environment.name if job.environment else "",
        "AWS_BATCH_JOB_ATTEMPT": str(job.attempt),
    }
    if job.index is not None:
        own["AWS_BATCH_JOB_ARRAY_INDEX"] = str(job.index)
        own["AWS_BATCH_JOB_ARRAY_SIZE"] = str(job.parent.array_size if job.parent else 0)
    return own
