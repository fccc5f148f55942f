"""What must be true of AWS and Kubernetes, whatever happened on the way."""

from collections import Counter
from typing import Any

from tests.support.hard_world import HardWorld
from tests.support.one_process import CLUSTER

from awsbatch_operator.api.conditions import is_true
from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.tags import CLUSTER as CLUSTER_TAG
from awsbatch_operator.api.tags import KIND, NAME, OWNER_UID, RUN
from awsbatch_operator.api.tags import NAMESPACE as NAMESPACE_TAG

MADE_ONCE = ("CreateComputeEnvironment", "CreateJobQueue", "CreateSchedulingPolicy")
TOLD = {"Complete": "SUCCEEDED", "Failed": "FAILED"}


def jobs_of(world: HardWorld, name: str) -> list[Any]:
    """All jobs in AWS that were ever submitted for a BatchJob of that name."""
    return [job for job in submitted(world) if job.tags.get(NAME) == name]


def submitted(world: HardWorld) -> list[Any]:
    """All jobs of ours that AWS has, without the children and the nodes of each."""
    return [
        job
        for job in world.batch.jobs.values()
        if job.tags.get(CLUSTER_TAG) == CLUSTER and job.index is None and job.node is None
    ]


def check_no_twins(world: HardWorld) -> None:
    """No run of a BatchJob was ever submitted twice."""
    runs = Counter((job.tags[OWNER_UID], job.tags[RUN]) for job in submitted(world))
    twice = {run: number for run, number in runs.items() if number > 1}
    assert not twice, f"submitted more than once: {twice}"


def check_truth(world: HardWorld) -> None:
    """What the status of a BatchJob says about its job is so."""
    jobs = world.batch.jobs
    for body in world.kube.objects.of_kind("BatchJob"):
        status = body.get("status", {})
        name, job_id = body["metadata"]["name"], status.get("jobId")
        if job_id is None:
            assert not is_true(status, "Complete"), f"{name} is said to be Complete without a job"
            continue
        assert job_id in jobs, f"{name} names a job that AWS does not have"
        job = jobs[job_id]
        assert job.tags[OWNER_UID] == body["metadata"]["uid"], f"{name} names another one's job"
        for condition, state in TOLD.items():
            assert not is_true(status, condition) or job.status.value == state, (
                f"{name} is said to be {condition}, and its job is {job.status.value}"
            )


def check_readiness(world: HardWorld) -> None:
    """Whatever is Ready for its newest generation is there in AWS."""
    batch = world.batch
    there = {
        "ComputeEnvironment": {each.arn for each in batch.environments.values()},
        "JobQueue": {each.arn for each in batch.queues.values()},
        "SchedulingPolicy": {each.arn for each in batch.policies.values()},
    }
    for kind, arns in there.items():
        for body in world.kube.objects.of_kind(kind):
            status = body.get("status", {})
            if is_true(status, "Ready") and "deletionTimestamp" not in body["metadata"]:
                name = f"{kind} {body['metadata']['name']}"
                assert status.get("arn") in arns, f"{name} is Ready, and AWS does not have it"


def check_all(world: HardWorld) -> None:
    """All that holds at any time."""
    check_no_twins(world)
    check_truth(world)
    check_readiness(world)


def left(world: HardWorld) -> dict[str, ObjectKey]:
    """What AWS has that works, costs or waits, and which object each was made for."""
    batch = world.batch
    revisions = [one for revisions in batch.definitions.values() for one in revisions.values()]
    things = [
        *batch.environments.values(),
        *batch.queues.values(),
        *batch.policies.values(),
        *(revision for revision in revisions if revision.active),
        *(job for job in batch.jobs.values() if not job.status.finished),
    ]
    return {
        thing.arn: ObjectKey(thing.tags[KIND], thing.tags[NAMESPACE_TAG], thing.tags.get(NAME, ""))
        for thing in things
    }


def check_nothing_left(world: HardWorld, *, apart_from: ObjectKey | None = None) -> None:
    """All objects are gone, and AWS has nothing of them.

    `apart_from`: an object whose finalizer somebody took away by hand.
    """
    others = {arn: owner for arn, owner in left(world).items() if owner != apart_from}
    assert not others, f"left in AWS: {others}"


def check_made_once(world: HardWorld, *, revisions: int) -> None:
    """Nothing was made a second time, not even for a moment."""
    wanted = {**dict.fromkeys(MADE_ONCE, 1), "RegisterJobDefinition": revisions}
    made = {operation: world.made(operation) for operation in wanted}
    assert made == wanted, f"made {made}, not {wanted}"
