"""The work order of an attempt: command and environment, as the container sees them."""

import json
import re
from collections.abc import Mapping
from typing import Any

from awsbatch_simulator.batch.model import Job
from awsbatch_simulator.context import Place
from awsbatch_simulator.runners.base import Work
from awsbatch_simulator.runners.several import Container

EXITED = "Essential container in task exited"
TIMED_OUT = "Job attempt duration exceeded timeout"
LOG_GROUP = "/aws/batch/job"
OVERRIDE_CHARACTERS = 8192
TOO_LONG = f"Container Overrides length must be at most {OVERRIDE_CHARACTERS}"
_REFERENCE = re.compile(r"Ref::([A-Za-z0-9_-]+)")


def work_order(
    job: Job, place: Place, *, root_gib: int = 0, container: Mapping[str, Any] | None = None
) -> Work:
    """What a runner needs to know about the attempt, or the container, that is about to run."""
    container = job.container if container is None else container
    name = str(container.get("name", "default"))
    parameters = job.static["parameters"]
    task_id = job.task.id if job.task else ""
    options = (container.get("logConfiguration") or {}).get("options") or {}
    prefix = options.get("awslogs-stream-prefix", job.definition.name)
    return Work(
        job_id=job.id,
        job_name=job.name,
        definition=job.definition.name,
        queue=job.queue.name,
        parameters=parameters,
        attempt=job.attempt,
        command=tuple(substituted(word, parameters) for word in container.get("command", ())),
        environment=_environment(job, container),
        memory_mib=job.memory,
        log_group=options.get("awslogs-group", LOG_GROUP),
        log_stream=f"{prefix}/{name}/{task_id}",
        log_place=Place(place.account, options.get("awslogs-region") or place.region),
        root_gib=root_gib,
        index=job.number,
        container=name,
    )


def containers(job: Job, place: Place, *, root_gib: int) -> list[Container]:
    """The same for each container of a job of several."""
    return [
        Container(
            name=each["name"],
            work=work_order(job, place, root_gib=root_gib, container=each),
            essential=each.get("essential", True),
            after=tuple(
                (wish["containerName"], wish["condition"]) for wish in each.get("dependsOn", ())
            ),
        )
        for each in (job.several or {})["containers"]
    ]


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
    if "Ref::" not in word:
        return word
    return _REFERENCE.sub(lambda found: parameters.get(found[1], found[0]), word)


def _environment(job: Job, container: Mapping[str, Any]) -> dict[str, str]:
    """The definition's variables, then Batch's own. Source: "Job environment variables"."""
    given = {
        each["name"]: each.get("value", "")
        for each in container.get("environment", ())
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
    if job.node is not None:
        own |= _own_of_node(job)
    if job.index is not None:
        own["AWS_BATCH_JOB_ARRAY_INDEX"] = str(job.index)
        own["AWS_BATCH_JOB_ARRAY_SIZE"] = str(job.parent.array_size if job.parent else 0)
    return own


def _own_of_node(node: Job) -> dict[str, str]:
    """Source: the user guide's "Environment variables" of multi-node parallel jobs."""
    nodes = node.whole.nodes or {}
    own = {
        "AWS_BATCH_JOB_MAIN_NODE_INDEX": str(node.whole.leading.node),
        "AWS_BATCH_JOB_NODE_INDEX": str(node.node),
        "AWS_BATCH_JOB_NUM_NODES": str(nodes.get("numNodes", 0)),
    }
    if not node.leads:
        address = address_of(node.whole.leading)
        own["AWS_BATCH_JOB_MAIN_NODE_PRIVATE_IPV4_ADDRESS"] = address
    return own


def address_of(node: Job) -> str:
    """The private address of a node that has been placed."""
    interfaces = node.outcome.get("networkInterfaces") or [{}]
    return str(interfaces[0].get("privateIpv4Address", ""))
