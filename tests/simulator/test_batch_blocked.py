"""Why the head of a line waits, its time limit, and the snapshot of a queue.

AWS's words are those of the user guide's page "Jobs stuck in a RUNNABLE status" and its parts.
"""

from collections.abc import Callable
from typing import Any

import pytest
from tests.simulator.cloud import PROFILE, ROLE, Cloud, ready, serverless

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


def too_large(cloud: Cloud) -> None:
    cloud("UpdateComputeEnvironment", computeEnvironment="main", computeResources={"maxvCpus": 2})
    cloud.definition(vcpus=4)


def of_much_memory(cloud: Cloud) -> None:
    cloud.definition(memory=100_000)


def without_capacity(cloud: Cloud) -> None:
    cloud.fault("insufficient_capacity")


def without_rights(cloud: Cloud) -> None:
    cloud.fault("role_lacks_permissions", computeEnvironment="main")


def without_instance_profile(cloud: Cloud) -> None:
    cloud.known.missing.add(PROFILE)


def disabled(cloud: Cloud) -> None:
    cloud("UpdateComputeEnvironment", computeEnvironment="main", state="DISABLED")


CAPACITY_WORDS = (
    "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - Service cannot fulfill the capacity requested for "
    "instance type [m7i.large]"
)


MAX_RESOURCE_WORDS = (
    "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - CE(s) associated with the job queue "
    "cannot meet the CPU requirement of the job."
)
REQUIREMENT_WORDS = (
    "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - The job resource requirement (vCPU/memory/GPU) is "
    "higher than that can be met by the CE(s) attached to the job queue."
)
PERMISSIONS_WORDS = (
    "MISCONFIGURATION:SERVICE_ROLE_PERMISSIONS \N{EN DASH} Batch service role has a permission "
    "issue."
)
INVALID_WORDS = "ACTION_REQUIRED - CE(s) associated with the job queue are invalid."
UNKNOWN_WORDS = "UNDETERMINED - Batch job is blocked, root cause is undetermined."


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (without_capacity, CAPACITY_WORDS),
        (too_large, MAX_RESOURCE_WORDS),
        (of_much_memory, REQUIREMENT_WORDS),
        (without_rights, PERMISSIONS_WORDS),
        (without_instance_profile, INVALID_WORDS),
        (disabled, UNKNOWN_WORDS),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_blocked_head_has_the_words_of_aws(trouble: Callable[[Cloud], None], words: str):
    cloud = ready()
    trouble(cloud)
    cloud.step(60)
    job_id = cloud.submit()
    cloud.step(300)
    assert (cloud.status(job_id), reason(cloud, job_id)) == ("RUNNABLE", words)
    [listed] = cloud("ListJobs", jobQueue="main", jobStatus="RUNNABLE")["jobSummaryList"]
    assert listed["statusReason"] == words


def test_a_cause_that_is_not_that_of_all_environments_is_undetermined():
    cloud = ready()
    cloud.environment("small", maxvCpus=2)
    cloud.step(10)
    cloud.queue("both", "main", "small")
    cloud.definition(vcpus=4)
    cloud.fault("insufficient_capacity")
    job_id = cloud.submit(jobQueue="both")
    cloud.step(300)
    assert reason(cloud, job_id) == UNKNOWN_WORDS


def test_an_invalid_environment_beside_one_that_can_run_the_job_is_no_cause():
    cloud = ready()
    cloud("CreateComputeEnvironment", computeEnvironmentName="own", type="UNMANAGED",
          serviceRole=ROLE)  # fmt: skip
    cloud.step(10)
    cloud.queue("both", "own", "main")
    cloud.fault("role_vanished", computeEnvironment="own")
    cloud.fault("insufficient_capacity")
    job_id = cloud.submit(jobQueue="both")
    cloud.step(300)
    assert reason(cloud, job_id) == CAPACITY_WORDS


def test_rights_that_come_back_unblock_the_line():
    cloud = ready()
    without_rights(cloud)
    job_id = cloud.submit()
    cloud.step(300)
    assert not cloud.region.ec2.instances
    cloud.world.faults.clear()
    cloud.step(100)
    assert cloud.status(job_id) in {"RUNNING", "SUCCEEDED"}


def test_only_the_head_of_the_line_is_given_a_reason():
    cloud = ready(maxvCpus=2)
    cloud.definition(vcpus=4)
    head, next_ = cloud.submit(), cloud.submit()
    cloud.step(300)
    assert reason(cloud, head)
    assert not reason(cloud, next_)


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
        assert reason(cloud, job_id) == (
            f"Canceled by JobStateTimeLimit action due to reason: {CODE}"
        )
        assert cloud.job(job_id)["isCancelled"]


@pytest.mark.parametrize(
    "code",
    [
        "ACTION_REQUIRED",
        "UNDETERMINED",
        "MISCONFIGURATION:SERVICE_ROLE_PERMISSIONS",
        "stuck",
        CAPACITY_WORDS,
    ],
)
def test_no_action_can_be_configured_for_any_other_reason_than_three_codes(code):
    """The user guide says of the first three "You can't configure a programmable action".

    It lists a "reason used for jobStateTimeLimitActions" for three others; aws/aws-cdk has those.
    """
    limit = {"reason": code, "state": "RUNNABLE", "maxTimeSeconds": 600, "action": "CANCEL"}
    refusal = ready().refused("UpdateJobQueue", jobQueue="main", jobStateTimeLimitActions=[limit])
    assert "Invalid job reason" in refusal


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
