"""Array jobs: a parent that waits, and children that run. Source: the user guide's "Array jobs"."""

from dataclasses import replace

from awsbatch_simulator.batch.model import Job, JobStatus
from awsbatch_simulator.batch.transitions import wait_for
from awsbatch_simulator.region import Region


def prepare(region: Region, parent: Job, size: int) -> None:
    """Make a job that was just submitted the parent of an array."""
    parent.array_size = size
    parent.summary = dict.fromkeys(JobStatus, 0)
    parent.summary_at = region.now_ms()


def spawn(region: Region, parent: Job) -> None:
    """Make the children, PENDING until the parent lets them go."""
    dependencies = parent.static["dependsOn"]
    sequential = any(
        each.get("type") == "SEQUENTIAL" and not each.get("jobId") for each in dependencies
    )
    twins = [
        region.batch.jobs.get(each["jobId"])
        for each in dependencies
        if each.get("type") == "N_TO_N"
    ]
    for index in range(parent.array_size):
        child = _child(region, parent, index)
        for twin in twins:
            if twin is not None:
                wait_for(child, twin.children[index] if twin.children else twin)
        if sequential and index:
            wait_for(child, parent.children[index - 1])
        parent.children.append(child)
        region.batch.jobs[child.id] = child
        region.batch.queue_jobs(parent.queue).enter(child)
    parent.summary[JobStatus.PENDING] = parent.array_size
    parent.fragment = None


def _child(region: Region, parent: Job, index: int) -> Job:
    child_id = f"{parent.id}:{index}"
    return replace(
        parent,
        id=child_id,
        arn=region.arn("batch", f"job/{child_id}"),
        created_at=region.now_ms(),
        order=(parent.order[0], index),
        status=JobStatus.PENDING,
        attempts=[],
        outcome={},
        outcomes={},
        waits_for={parent.id},
        dependency_failed=False,
        dependents=[],
        timers=[],
        parent=parent,
        index=index,
        array_size=0,
        children=[],
        summary={},
        fragment=None,
    )
