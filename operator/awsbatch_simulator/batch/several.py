"""Jobs of several containers in one task (ecsProperties): what they are, and how they are shown.

Sources: EcsTaskProperties, TaskPropertiesOverride, EcsTaskDetails, AttemptEcsTaskDetails.
"""

from collections.abc import Mapping
from typing import Any

from awsbatch_simulator.batch.container_rules import check_sizes, requirements
from awsbatch_simulator.batch.limits import refusal
from awsbatch_simulator.batch.model import FARGATE, Job
from awsbatch_simulator.batch.overriding import merged_container
from awsbatch_simulator.runners.base import Ended

Fields = dict[str, Any]


def merged(properties: Mapping[str, Any], override: Mapping[str, Any], *, platform: str) -> Fields:
    """The task of a job: that of its definition, with the overrides of its containers by name.

    A container without a name is called by its place.
    """
    tasks = override.get("taskProperties") or [{}]
    if len(tasks) != 1:
        raise refusal("taskProperties is limited to one task")
    changes = {each.get("name"): each for each in tasks[0].get("containers") or ()}
    task = dict(properties["taskProperties"][0])
    named = [
        {"name": f"container-{place}", "resourceRequirements": []} | each
        for place, each in enumerate(task["containers"])
    ]
    if unknown := changes.keys() - {each["name"] for each in named}:
        raise refusal(f"ecsPropertiesOverride names containers that there are not: {unknown}")
    task["containers"] = [
        merged_container(each, _of_container(changes.get(each["name"], {})), platform=platform)
        for each in named
    ]
    return task


def _of_container(change: Mapping[str, Any]) -> Fields:
    return {name: value for name, value in change.items() if name != "name"}


def give_size(job: Job) -> None:
    """The job takes what its containers take together."""
    sizes = [requirements(each) for each in (job.several or {})["containers"]]
    total = {
        kind: sum(float(each[kind]) for each in sizes if kind in each)
        for kind in ("VCPU", "MEMORY", "GPU")
        if any(kind in each for each in sizes)
    }
    whole = job.queue.platform != FARGATE
    check_sizes(
        {
            kind: f"{value:g}" if kind == "VCPU" and not whole else str(int(value))
            for kind, value in total.items()
        },
        job.queue.platform,
    )
    job.vcpus, job.memory = total["VCPU"], int(total["MEMORY"])
    job.gpus = int(total.get("GPU", 0))


def described(job: Job) -> Fields:
    """EcsPropertiesDetail."""
    task = job.several or {}
    containers = [
        {**each, "networkInterfaces": [], **job.outcomes.get(each["name"], {})}
        for each in task["containers"]
    ]
    return {"taskProperties": [{**task, **job.outcome, "containers": containers}]}


def ended(job: Job, parts: Mapping[str, Ended]) -> list[Fields]:
    """AttemptEcsTaskDetails, once; empty: the job has a single container."""
    if job.several is None:
        return []
    for name, each in parts.items():
        outcome = job.outcomes.setdefault(name, {})
        if each.exit_code is not None:
            outcome["exitCode"] = each.exit_code
        if each.reason:
            outcome["reason"] = each.reason[:255]
    containers = [
        {"name": each["name"], "networkInterfaces": [], **job.outcomes.get(each["name"], {})}
        for each in job.several["containers"]
    ]
    return [{**job.outcome, "containers": containers}]
