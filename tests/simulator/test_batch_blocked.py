"""Why the head of a line waits, its time limit, and the snapshot of a queue."""

from typing import Any

import pytest
from tests.simulator.cloud import Cloud, ready, serverless

from awsbatch_simulator.jobscript import JobScript

CODE = "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE"


def reason(cloud: Cloud, job_id: str) -> str:
    return str(cloud.job(job_id).get("statusReason", ""))


def test_a_job_larger_than_its_environment_says_so_after_a_while():
    cloud = ready(maxvCpus=2)
    cloud.definition(vcpus=4)
    job_id = cloud.submit()
    cloud.step(60)
    assert reason(cloud, job_id) == ""
    cloud.step(150)
    assert reason(cloud, job_id).startswith(f"{CODE} - ")
    cloud("UpdateComputeEnvironment", computeEnvironment="main",
          computeResources={"maxvCpus": 8})  # fmt: skip
    cloud.step(60)
    assert cloud.status(job_id) in {"RUNNING", "SUCCEEDED"}


def test_only_the_head_of_the_line_is_given_a_reason():
    cloud = ready(maxvCpus=2)
    cloud.definition(vcpus=4)
    head, next_ = cloud.submit(), cloud.submit()
    cloud.step(300)
    assert reason(cloud, head)
    assert not reason(cloud, next_)


def test_without_a_usable_environment_action_is_required():
    cloud = ready()
    cloud("UpdateComputeEnvironment", computeEnvironment="main", state="DISABLED")
    job_id = cloud.submit()
    cloud.step(300)
    assert reason(cloud, job_id).startswith("ACTION_REQUIRED")


def test_waiting_for_others_to_end_is_no_reason():
    cloud = serverless(JobScript(duration_seconds=5000), maximum=1)
    cloud.submit()
    job_id = cloud.submit()
    cloud.step(1000)
    assert (cloud.status(job_id), reason(cloud, job_id)) == ("RUNNABLE", "")


@pytest.mark.parametrize(
    ("action", "status"),
    [(CODE, "FAILED"), ("CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY", "RUNNABLE")],
)
def test_a_time_limit_cancels_the_head_that_waits_for_its_reason(action, status):
    limit = {"reason": action, "state": "RUNNABLE", "maxTimeSeconds": 600, "action": "CANCEL"}
    cloud = ready(maxvCpus=2)
    cloud("UpdateJobQueue", jobQueue="main", jobStateTimeLimitActions=[limit])
    cloud.definition(vcpus=4)
    job_id = cloud.submit()
    cloud.step(580)
    assert cloud.status(job_id) == "RUNNABLE"
    cloud.step(60)
    assert cloud.status(job_id) == status
    if status == "FAILED":
        assert reason(cloud, job_id).startswith(
            f"Canceled by JobStateTimeLimit action due to reason: {CODE}"
        )


def front(cloud: Cloud) -> list[dict[str, Any]]:
    return list(cloud("GetJobQueueSnapshot", jobQueue="main")["frontOfQueue"]["jobs"])


def test_a_snapshot_shows_the_line_and_what_is_used():
    cloud = serverless(JobScript(duration_seconds=100), maximum=2)
    jobs = [cloud.submit(f"job-{number}") for number in range(4)]
    cloud.step(20)
    assert [each["jobArn"].rpartition("/")[2] for each in front(cloud)] == jobs[2:]
    usage = cloud("GetJobQueueSnapshot", jobQueue="main")["queueUtilization"]
    assert usage["totalCapacityUsage"] == [{"capacityUnit": "VCPU", "quantity": 2.0}]
    before = front(cloud)[0]["earliestTimeAtPosition"]
    cloud.step(50)
    assert front(cloud)[0]["earliestTimeAtPosition"] == before
    cloud.step(100)
    assert front(cloud) == []


def test_a_snapshot_shows_a_hundred_jobs_at_most():
    cloud = serverless(JobScript(duration_seconds=5000), maximum=1)
    for number in range(130):
        cloud.submit(f"job-{number}")
    cloud.step(10)
    assert len(front(cloud)) == 100
    assert "not found" in cloud.refused("GetJobQueueSnapshot", jobQueue="nobody")
