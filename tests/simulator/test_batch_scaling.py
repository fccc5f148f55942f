"""MANAGED environments: instances come for waiting jobs and go when idle; who is placed where."""

from typing import Any

import pytest
from tests.simulator.cloud import Cloud, ready, serverless

from awsbatch_simulator.jobscript import JobScript

SHORT = JobScript(duration_seconds=10)
LONG = JobScript(job_name="long*", duration_seconds=5000)


def instances(cloud: Cloud, *states: str) -> list[dict[str, Any]]:
    filters = [{"Name": "instance-state-name", "Values": list(states or ("pending", "running"))}]
    return [
        instance
        for reservation in cloud("DescribeInstances", Filters=filters)["Reservations"]
        for instance in reservation["Instances"]
    ]


def desired(cloud: Cloud) -> int:
    found = cloud("DescribeComputeEnvironments", computeEnvironments=["main"])
    return int(found["computeEnvironments"][0]["computeResources"]["desiredvCpus"])


def test_nothing_is_started_as_long_as_nothing_waits():
    cloud = ready()
    cloud.step(600)
    assert instances(cloud) == []
    assert desired(cloud) == 0


def test_instances_come_for_waiting_jobs_and_go_when_idle():
    cloud = ready(SHORT)
    ids = [cloud.submit(f"job-{number}") for number in range(4)]
    cloud.step(3)
    assert sum(2 if each["InstanceType"] == "m7i.large" else 4 for each in instances(cloud)) == 4
    assert desired(cloud) == 4
    cloud.step(60)
    assert {cloud.status(job_id) for job_id in ids} == {"SUCCEEDED"}
    assert len(instances(cloud)) == 1
    cloud.step(61)
    assert instances(cloud) == []
    assert desired(cloud) == 0


def test_the_delay_before_scaling_down_begins_with_an_instances_last_job():
    """ComputeScalingPolicy: it is not for instances "that have not yet run any jobs"."""
    cloud = ready(SHORT, scalingPolicy={"minScaleDownDelayMinutes": 20})
    cancelled = cloud.submit()
    cloud.step(3)
    cloud("CancelJob", jobId=cancelled, reason="enough")
    cloud.step(100)
    assert instances(cloud) == []
    job_id = cloud.submit()
    while cloud.status(job_id) != "SUCCEEDED":
        cloud.step(10)
    cloud.step(1180)
    assert len(instances(cloud)) == 1
    cloud.step(30)
    assert instances(cloud) == []


def test_no_more_instances_are_started_than_the_maximum_allows():
    cloud = ready(LONG, maxvCpus=4)
    ids = [cloud.submit(f"long-{number}") for number in range(10)]
    cloud.step(120)
    statuses = [cloud.status(job_id) for job_id in ids]
    assert statuses == ["RUNNING"] * 4 + ["RUNNABLE"] * 6
    assert desired(cloud) == 4


def test_the_minimum_is_kept_even_when_the_environment_is_disabled():
    cloud = ready(minvCpus=4)
    cloud.step(60)
    assert desired(cloud) == 4
    cloud("UpdateComputeEnvironment", computeEnvironment="main", state="DISABLED")
    cloud.step(600)
    assert desired(cloud) == 4


def test_a_disabled_environment_starts_nothing_and_goes_on_when_enabled():
    cloud = ready()
    cloud("UpdateComputeEnvironment", computeEnvironment="main", state="DISABLED")
    cloud.step(5)
    job_id = cloud.submit()
    cloud.step(100)
    assert (cloud.status(job_id), instances(cloud)) == ("RUNNABLE", [])
    cloud("UpdateComputeEnvironment", computeEnvironment="main", state="ENABLED")
    cloud.step(60)
    assert cloud.status(job_id) in {"RUNNING", "SUCCEEDED"}


def test_a_job_is_placed_only_where_its_memory_fits():
    cloud = ready(LONG)
    cloud.definition("big", memory=15_000)
    job_id = cloud.submit("long", definition="big")
    cloud.step(60)
    assert cloud.status(job_id) == "RUNNING"
    assert [each["InstanceType"] for each in instances(cloud)] == ["m7i.xlarge"]


def test_all_of_an_instances_nominal_memory_is_too_much():
    cloud = ready(instanceTypes=["m7i.large"])
    cloud.definition("whole", memory=8192)
    job_id = cloud.submit(definition="whole")
    cloud.step(200)
    job = cloud.job(job_id)
    assert job["status"] == "RUNNABLE"
    assert job["statusReason"].startswith("MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT")


@pytest.mark.parametrize("names", [["optimal"], ["default_x86_64"], ["c7i"], ["r6i", "c5.large"]])
def test_bundles_families_and_types_can_be_mixed(names):
    cloud = ready(SHORT, instanceTypes=names)
    job_id = cloud.submit()
    cloud.step(60)
    assert cloud.status(job_id) == "SUCCEEDED"


def test_another_type_is_taken_when_one_is_not_to_be_had():
    cloud = ready(SHORT)
    cloud.fault("insufficient_capacity", instanceType="m7i.large")
    cloud.submit()
    cloud.step(3)
    assert [each["InstanceType"] for each in instances(cloud)] == ["m7i.xlarge"]


def test_best_fit_waits_for_the_one_type_that_fits_best():
    cloud = ready(SHORT, allocationStrategy="BEST_FIT")
    cloud.fault("insufficient_capacity", instanceType="m7i.large")
    job_id = cloud.submit()
    cloud.step(200)
    assert instances(cloud) == []
    assert cloud.job(job_id)["statusReason"].startswith("CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY")
    cloud.world.faults.clear()
    cloud.step(120)
    assert cloud.status(job_id) == "SUCCEEDED"


def test_spot_instances_are_marked_as_such():
    cloud = ready(SHORT, type="SPOT", allocationStrategy="SPOT_CAPACITY_OPTIMIZED")
    cloud.fault("insufficient_capacity", market="on-demand")
    cloud.submit()
    cloud.step(3)
    assert [each["InstanceLifecycle"] for each in instances(cloud)] == ["spot"]


def test_the_second_environment_is_used_when_the_first_has_no_capacity():
    cloud = Cloud(SHORT)
    cloud.environment("first", instanceTypes=["m7i.large"])
    cloud.environment("second", instanceTypes=["c7i.large"])
    cloud.step(10)
    cloud.queue("main", "first", "second")
    cloud.definition()
    cloud.fault("insufficient_capacity", instanceType="m7i.*")
    cloud.submit()
    cloud.step(30)
    assert [each["InstanceType"] for each in instances(cloud)] == ["c7i.large"]


def test_an_instance_whose_agent_never_joins_runs_nothing():
    cloud = ready(SHORT)
    cloud.fault("agent_never_joins", instanceType="m7i.large")
    job_id = cloud.submit()
    cloud.step(120)
    assert cloud.status(job_id) == "RUNNABLE"
    assert len(instances(cloud, "running")) == 1


def test_a_terminated_instance_takes_its_jobs_with_it_and_they_are_retried():
    cloud = ready(JobScript(duration_seconds=100))
    job_id = cloud.submit(retryStrategy={"attempts": 2})
    cloud.step(60)
    [instance] = instances(cloud)
    cloud("TerminateInstances", InstanceIds=[instance["InstanceId"]])
    attempt = cloud.job(job_id)["attempts"][0]
    assert attempt["statusReason"] == f"Host EC2 (instance {instance['InstanceId']}) terminated."
    assert "exitCode" not in attempt["container"]
    cloud.step(200)
    assert cloud.status(job_id) == "SUCCEEDED"


def test_jobs_of_the_queue_with_the_higher_priority_go_first():
    cloud = serverless(SHORT, maximum=1)
    cloud.queue("urgent", "serverless", priority=10)
    first, low = cloud.submit("first"), cloud.submit("low")
    high = cloud.submit("high", jobQueue="urgent")
    cloud.step(30)
    started = [cloud.job(job_id).get("startedAt", float("inf")) for job_id in (high, first, low)]
    assert started == sorted(started)


def test_jobs_of_one_queue_go_in_the_order_of_their_submission():
    cloud = serverless(SHORT, maximum=1)
    ids = [cloud.submit(f"job-{number}") for number in range(4)]
    cloud.step(100)
    started = [cloud.job(job_id)["startedAt"] for job_id in ids]
    assert started == sorted(started)


def test_a_retried_job_goes_back_to_its_place_in_the_line():
    cloud = serverless(
        JobScript(job_name="first", attempts=(1,), exit_code=1, duration_seconds=1),
        SHORT,
        maximum=1,
    )
    first = cloud.submit("first", retryStrategy={"attempts": 2})
    second = cloud.submit("second")
    cloud.step(100)
    assert cloud.job(first)["startedAt"] < cloud.job(second)["startedAt"]


def test_fargate_never_uses_more_than_its_maximum():
    cloud = serverless(LONG, maximum=4)
    cloud.definition("two", vcpus=2)
    ids = [cloud.submit(f"long-{number}", definition="two") for number in range(3)]
    cloud.step(20)
    assert [cloud.status(job_id) for job_id in ids] == ["RUNNING", "RUNNING", "RUNNABLE"]


def test_jobs_overflow_into_the_second_environment_when_the_first_is_full():
    cloud = Cloud(LONG)
    cloud.environment("first", instanceTypes=["m7i.large"], maxvCpus=2)
    cloud.environment("second", instanceTypes=["c7i.large"], maxvCpus=2)
    cloud.step(10)
    cloud.queue("main", "first", "second")
    cloud.definition()
    for number in range(6):
        cloud.submit(f"long-{number}")
    cloud.step(60)
    assert sorted(each["InstanceType"] for each in instances(cloud)) == ["c7i.large", "m7i.large"]


def environment(cloud: Cloud) -> dict[str, Any]:
    found = cloud("DescribeComputeEnvironments", computeEnvironments=["main"])
    return dict(found["computeEnvironments"][0])


def test_an_environment_of_which_no_instance_joins_becomes_invalid_until_it_is_updated():
    cloud = ready(SHORT)
    cloud.fault("agent_never_joins")
    job_id = cloud.submit()
    cloud.step(900)
    assert environment(cloud)["status"] == "VALID"
    cloud.step(60)
    found = environment(cloud)
    assert found["status"] == "INVALID"
    assert "none of the instances joined the underlying ECS Cluster" in found["statusReason"]
    assert instances(cloud) == []
    cloud.step(300)
    assert environment(cloud)["status"] == "INVALID"
    cloud.world.faults.clear()
    cloud("UpdateComputeEnvironment", computeEnvironment="main", state="ENABLED")
    cloud.step(80)
    assert cloud.status(job_id) == "SUCCEEDED"


def test_thousands_of_waiting_jobs_are_no_problem():
    cloud = ready(SHORT, maxvCpus=1000, instanceTypes=["m7i"])
    ids = [cloud.submit(f"job-{number}") for number in range(2000)]
    cloud.step(200)
    assert {cloud.status(job_id) for job_id in ids[::100]} == {"SUCCEEDED"}


def test_instances_of_batch_register_less_than_they_have_and_32_mib_less_than_that():
    cloud = ready(minvCpus=2, instanceTypes=["m4.large"])
    cloud.step(60)
    environment = cloud("DescribeComputeEnvironments")["computeEnvironments"][0]
    where = {"cluster": environment["ecsClusterArn"]}
    arns = cloud("ListContainerInstances", **where)["containerInstanceArns"]
    [one] = cloud("DescribeContainerInstances", **where, containerInstances=arns)[
        "containerInstances"
    ]
    registered = {each["name"]: each["integerValue"] for each in one["registeredResources"]}
    assert registered == {"CPU": 2048, "MEMORY": 7985 - 32}
    fits = cloud.submit(definition=cloud.definition("fits", memory=7953))
    cloud.step(60)
    assert cloud.status(fits) == "SUCCEEDED"
    too_large = cloud.submit(definition=cloud.definition("large", memory=7954))
    cloud.step(900)
    assert cloud.status(too_large) == "RUNNABLE"
