"""Jobs of several containers in one task. [bc] is the text of botocore's model."""

from typing import Any

import pytest
from tests.simulator.cloud import TASK_ROLE, Cloud, ready, serverless

from awsbatch_simulator.jobscript import JobScript

LONG = JobScript(duration_seconds=3600)


def container(name: str, vcpus: str = "1", memory: str = "2048", **fields: Any) -> dict[str, Any]:
    sizes = [{"type": "VCPU", "value": vcpus}, {"type": "MEMORY", "value": memory}]
    made = {"image": "busybox", "command": [name], "resourceRequirements": sizes}
    return made | {"name": name} | fields


def define(cloud: Cloud, *containers: dict[str, Any], **fields: Any) -> None:
    fargate = cloud.platform == "FARGATE"
    role = {"executionRoleArn": TASK_ROLE} if fargate else {}
    cloud(
        "RegisterJobDefinition",
        jobDefinitionName="several",
        type="container",
        ecsProperties={"taskProperties": [{"containers": list(containers), **role}]},
        **({"platformCapabilities": ["FARGATE"]} if fargate else {}),
        **fields,
    )


def defined(cloud: Cloud) -> Cloud:
    """A main container, with one beside it that is not essential."""
    define(cloud, container("main"), container("side", essential=False))
    return cloud


def shown(cloud: Cloud, job_id: str) -> dict[str, dict[str, Any]]:
    """The containers of a job by name."""
    (task,) = cloud.job(job_id)["ecsProperties"]["taskProperties"]
    return {each["name"]: each for each in task["containers"]}


@pytest.mark.parametrize("made", [ready, serverless])
def test_a_job_takes_what_its_containers_take_together_and_is_described_with_each(made):
    cloud = defined(made(JobScript(container="main", duration_seconds=100), LONG))
    job_id = cloud.submit(definition="several")
    cloud.step(80)
    job = cloud.job(job_id)
    assert (job["status"], job["container"]) == ("RUNNING", {})
    assert cloud.region.batch.jobs[job_id].vcpus == 2
    found = shown(cloud, job_id)
    assert found["side"]["command"] == ["side"]
    assert found["main"]["logStreamName"] != found["side"]["logStreamName"]
    cloud.step(100)
    job, found = cloud.job(job_id), shown(cloud, job_id)
    assert job["status"] == "SUCCEEDED"
    assert (found["main"]["exitCode"], found["side"]["exitCode"]) == (0, 137)
    (attempt,) = job["attempts"]
    (task,) = attempt["taskProperties"]
    assert (attempt["container"], task["taskArn"][:12]) == ({}, "arn:aws:ecs:")
    assert [(each["name"], each["exitCode"]) for each in task["containers"]] == [
        ("main", 0),
        ("side", 137),
    ]
    assert attempt["startedAt"] == job["startedAt"]


def test_the_failure_of_an_essential_container_is_that_of_the_attempt_and_may_be_retried():
    broken = JobScript(container="main", attempts=(1,), exit_code=7, reason="OutOfMemoryError")
    cloud = defined(serverless(broken, JobScript(duration_seconds=5)))
    rules = [{"onExitCode": "7", "action": "RETRY"}, {"onExitCode": "*", "action": "EXIT"}]
    strategy = {"attempts": 3, "evaluateOnExit": rules}
    job_id = cloud.submit(definition="several", retryStrategy=strategy)
    cloud.step(60)
    job = cloud.job(job_id)
    assert (job["status"], len(job["attempts"])) == ("SUCCEEDED", 2)
    (task,) = job["attempts"][0]["taskProperties"]
    assert (task["containers"][0]["exitCode"], task["containers"][0]["reason"]) == (
        7,
        "OutOfMemoryError",
    )


def test_the_end_of_a_container_that_is_not_essential_ends_nothing():
    cloud = defined(serverless(JobScript(container="side", exit_code=1), LONG))
    job_id = cloud.submit(definition="several")
    cloud.step(60)
    assert cloud.status(job_id) == "RUNNING"
    assert shown(cloud, job_id)["main"].get("exitCode") is None


@pytest.mark.parametrize(
    ("condition", "exit_code", "starts"),
    [("START", 0, True), ("COMPLETE", 1, True), ("SUCCESS", 0, True), ("SUCCESS", 1, False)],
)
def test_a_container_starts_when_what_it_depends_on_is_as_its_condition_says(
    condition, exit_code, starts
):
    """[bc] TaskContainerDependency.condition."""
    first = JobScript(container="first", duration_seconds=20, exit_code=exit_code)
    cloud = serverless(first, JobScript(duration_seconds=50))
    wish = [{"containerName": "first", "condition": condition}]
    define(cloud, container("main", dependsOn=wish), container("first", essential=False))
    job_id = cloud.submit(definition="several")
    cloud.step(120)
    job = cloud.job(job_id)
    assert job["status"] == ("SUCCEEDED" if starts else "FAILED")
    lasted = (job["stoppedAt"] - job["startedAt"]) / 1000
    waits = 0 if condition == "START" else 20
    assert lasted == pytest.approx(waits + 50 * starts, abs=0.1)


def test_overrides_are_by_the_name_of_the_container():
    cloud = defined(ready(LONG))
    change = {
        "name": "side",
        "command": ["other"],
        "environment": [{"name": "A", "value": "1"}],
        "resourceRequirements": [{"type": "VCPU", "value": "3"}],
    }
    override = {"taskProperties": [{"containers": [change]}]}
    job_id = cloud.submit(definition="several", ecsPropertiesOverride=override)
    found = shown(cloud, job_id)
    assert (found["main"]["command"], found["side"]["command"]) == (["main"], ["other"])
    assert found["side"]["environment"] == [{"name": "A", "value": "1"}]
    assert cloud.region.batch.jobs[job_id].vcpus == 4
    request = {"jobName": "j", "jobQueue": "main", "jobDefinition": "several"}
    unknown = {"taskProperties": [{"containers": [{"name": "nobody"}]}]}
    assert "nobody" in cloud.refused("SubmitJob", ecsPropertiesOverride=unknown, **request)
    own = {"environment": [{"name": "AWS_BATCH_X", "value": "1"}], "name": "main"}
    reserved = {"taskProperties": [{"containers": [own]}]}
    assert "AWS_BATCH_X" in cloud.refused("SubmitJob", ecsPropertiesOverride=reserved, **request)
    other = {"containerOverrides": {"command": ["x"]}}
    assert "cannot be used" in cloud.refused("SubmitJob", **request, **other)


def test_terminating_the_job_ends_all_containers_and_arrays_have_tasks_of_their_own():
    cloud = defined(serverless(LONG))
    job_id = cloud.submit(definition="several", arrayProperties={"size": 2})
    cloud.step(20)
    streams = {shown(cloud, f"{job_id}:{index}")["main"]["logStreamName"] for index in (0, 1)}
    assert len(streams) == 2
    cloud("TerminateJob", jobId=job_id, reason="enough")
    cloud.step(5)
    for index in (0, 1):
        child = cloud.job(f"{job_id}:{index}")
        assert (child["status"], child["statusReason"]) == ("FAILED", "enough")
        assert {each["exitCode"] for each in shown(cloud, child["jobId"]).values()} == {137}
