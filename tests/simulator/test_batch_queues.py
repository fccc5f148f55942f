"""Job queues: states, limits and guards, as AWS documents them."""

from typing import Any

import pytest
from tests.simulator.cloud import Cloud, ready, serverless

from awsbatch_simulator.jobscript import JobScript


def described(cloud: Cloud, name: str = "main") -> dict[str, Any]:
    return dict(cloud("DescribeJobQueues", jobQueues=[name])["jobQueues"][0])


def order(*names: str) -> list[dict[str, Any]]:
    return [{"order": number, "computeEnvironment": name} for number, name in enumerate(names)]


def refused(cloud: Cloud, **fields: Any) -> str:
    request = {"jobQueueName": "other", "priority": 1, "computeEnvironmentOrder": order("main")}
    return cloud.refused("CreateJobQueue", **request | fields)


def limit(**fields: Any) -> dict[str, Any]:
    action = {"reason": "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY", "state": "RUNNABLE",
              "maxTimeSeconds": 600, "action": "CANCEL"}  # fmt: skip
    return action | fields


def test_a_queue_is_created_valid_after_a_while():
    cloud = ready()
    cloud("CreateJobQueue", jobQueueName="other", priority=7, computeEnvironmentOrder=order("main"))
    queue = described(cloud, "other")
    assert (queue["status"], queue["state"], queue["priority"]) == ("CREATING", "ENABLED", 7)
    assert queue["computeEnvironmentOrder"] == [
        {
            "order": 0,
            "computeEnvironment": "arn:aws:batch:eu-central-1:111122223333:"
            "compute-environment/main",
        }
    ]
    cloud.step(5)
    queue = described(cloud, "other")
    assert (queue["status"], queue["statusReason"]) == ("VALID", "JobQueue Healthy")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"jobQueueName": "main"}, "Object already exists"),
        ({"jobQueueName": "with space"}, "jobQueueName can be up to 128"),
        ({"priority": 1001}, "priority must be between 0 and 1000"),
        ({"computeEnvironmentOrder": []}, "needs 1 to 3"),
        ({"computeEnvironmentOrder": order("main", "main", "main", "main")}, "needs 1 to 3"),
        ({"computeEnvironmentOrder": order("nobody")}, "nobody does not exist"),
        ({"computeEnvironmentOrder": order("new")}, "is not Valid: its status is CREATING"),
        ({"computeEnvironmentOrder": order("main") * 2}, "the same order twice"),
        ({"computeEnvironmentOrder": order("main", "serverless")}, "can't be mixed"),
        ({"computeEnvironmentOrder": order("main", "arm")}, "share the same architecture"),
        ({"schedulingPolicyArn": "arn:nothing"}, "arn:nothing does not exist"),
        ({"jobStateTimeLimitActions": [limit(maxTimeSeconds=599)]}, "must be 600 to 86400"),
        ({"jobStateTimeLimitActions": [limit(action="TERMINATE")]}, "only supported action"),
    ],
)
def test_what_creation_refuses(fields, message):
    cloud = ready()
    cloud.fargate()
    cloud.environment("arm", instanceTypes=["m7g"])
    cloud.step(10)
    cloud.environment("new")
    assert message in refused(cloud, **fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"jobQueueType": "ECS_FARGATE"}, "jobQueueType ECS_FARGATE does not fit: it is ECS"),
        # docs/simulator.md: what is not simulated answers HTTP 501.
        ({"jobQueueType": "SAGEMAKER_TRAINING"}, "NotImplemented"),
        ({"serviceEnvironmentOrder": [{"order": 1, "serviceEnvironment": "a"}]}, "NotImplemented"),
    ],
)
def test_the_type_of_a_queue_is_that_of_its_environments(fields, message):
    """[bc] CreateJobQueue.jobQueueType: "depending on the compute environment"."""
    assert message in refused(ready(), **fields)


def test_a_queue_that_moves_to_fargate_takes_jobs_for_fargate_only():
    """[bc] JobQueueDetail.jobQueueType; what waits for EC2 goes on waiting."""
    cloud = ready()
    waiting = cloud.submit()
    cloud.fargate()
    cloud("UpdateJobQueue", jobQueue="main", computeEnvironmentOrder=order("serverless"))
    cloud.definition("fargate")
    cloud.step(5)
    assert described(cloud)["jobQueueType"] == "ECS_FARGATE"
    request = {"jobQueue": "main", "jobName": "a", "jobDefinition": "simulate"}
    assert "platform FARGATE" in cloud.refused("SubmitJob", **request)
    taken = cloud.submit(definition="fargate")
    cloud.step(700)
    assert cloud.status(waiting) == "RUNNABLE"
    assert cloud.job(waiting)["statusReason"].startswith("UNDETERMINED")
    assert cloud.status(taken) == "RUNNABLE"  # behind it


def test_there_are_at_most_fifty_queues():
    cloud = ready()
    for number in range(49):
        cloud("CreateJobQueue", jobQueueName=f"q{number}", priority=1,
              computeEnvironmentOrder=order("main"))  # fmt: skip
    assert "limit of 50 job queues" in refused(cloud)


def test_an_update_changes_what_it_names_and_nothing_else():
    cloud = ready()
    before = described(cloud)
    cloud("UpdateJobQueue", jobQueue=before["jobQueueArn"], priority=9)
    after = described(cloud)
    assert after == before | {"priority": 9, "status": "UPDATING", "statusReason": ""}
    assert "being modified" in cloud.refused("UpdateJobQueue", jobQueue="main", priority=1)
    cloud.step(3)
    assert described(cloud)["status"] == "VALID"


def test_a_fifo_queue_never_gets_a_policy_and_a_fair_one_keeps_having_one():
    cloud = ready()
    policy = cloud("CreateSchedulingPolicy", name="fair", fairsharePolicy={})["arn"]
    other = cloud("CreateSchedulingPolicy", name="fairer", fairsharePolicy={})["arn"]
    refusal = cloud.refused("UpdateJobQueue", jobQueue="main", schedulingPolicyArn=policy)
    assert "FIFO job queue can't have a scheduling policy" in refusal
    cloud.queue("fair", "main", schedulingPolicyArn=policy)
    refusal = cloud.refused("UpdateJobQueue", jobQueue="fair", schedulingPolicyArn="")
    assert "can be replaced but can't be removed" in refusal
    cloud("UpdateJobQueue", jobQueue="fair", schedulingPolicyArn=other)
    assert described(cloud, "fair")["schedulingPolicyArn"] == other


def test_a_queue_must_be_disabled_before_it_is_deleted():
    cloud = ready()
    refusal = cloud.refused("DeleteJobQueue", jobQueue="main")
    assert refusal.endswith("Cannot delete, job queue state must be DISABLED")
    cloud("UpdateJobQueue", jobQueue="main", state="DISABLED")
    assert "being modified" in cloud.refused("DeleteJobQueue", jobQueue="main")
    cloud.step(3)
    cloud("DeleteJobQueue", jobQueue="main")
    assert described(cloud)["status"] == "DELETING"
    cloud.step(5)
    assert described(cloud)["status"] == "DELETED"


def delete(cloud: Cloud, name: str = "main") -> None:
    cloud("UpdateJobQueue", jobQueue=name, state="DISABLED")
    cloud.step(3)
    cloud("DeleteJobQueue", jobQueue=name)
    cloud.step(5)


def test_a_deleted_queue_is_described_by_name_for_a_while_and_is_nothing_else_any_more():
    """JQStatus has DELETED; Terraform's findJobQueueByID reads it as "not found"."""
    cloud = ready()
    arn = described(cloud)["jobQueueArn"]
    delete(cloud)
    for reference in ("main", arn):
        [queue] = cloud("DescribeJobQueues", jobQueues=[reference])["jobQueues"]
        assert (queue["jobQueueArn"], queue["status"]) == (arn, "DELETED")
    assert cloud("DescribeJobQueues")["jobQueues"] == []
    for operation in ("UpdateJobQueue", "DeleteJobQueue"):
        assert "does not exist" in cloud.refused(operation, jobQueue="main")
    assert "does not exist" in cloud.refused("ListTagsForResource", resourceArn=arn)
    cloud.step(30)
    assert cloud("DescribeJobQueues", jobQueues=["main", arn])["jobQueues"] == []


def test_a_name_is_free_again_as_soon_as_its_queue_is_deleted():
    cloud = ready()
    delete(cloud)
    cloud.step(25)
    cloud("CreateJobQueue", jobQueueName="main", priority=1, computeEnvironmentOrder=order("main"))
    assert described(cloud)["status"] == "CREATING"
    cloud.step(5)
    delete(cloud)
    cloud.step(25)
    assert described(cloud)["status"] == "DELETED", "the earlier one's time is over, not this one's"
    cloud.step(5)
    assert cloud("DescribeJobQueues", jobQueues=["main"])["jobQueues"] == []


def test_a_queue_made_anew_keeps_its_environment_in_use_when_the_old_relation_is_forgotten():
    cloud = ready()
    cloud.delays(relation_lag=60)
    delete(cloud)
    cloud("CreateJobQueue", jobQueueName="main", priority=1, computeEnvironmentOrder=order("main"))
    cloud("UpdateComputeEnvironment", computeEnvironment="main", state="DISABLED")
    cloud.step(120)
    refusal = cloud.refused("DeleteComputeEnvironment", computeEnvironment="main")
    assert "found existing JobQueue relationship" in refusal


def test_a_queue_is_invalid_while_all_its_environments_are():
    """JQStatus has INVALID; when a queue is that, AWS does not say."""
    cloud = ready()
    cloud.environment("second")
    cloud.step(10)
    cloud.queue("both", "main", "second")
    cloud.fault("role_vanished", computeEnvironment="main")
    cloud.step(60)
    assert (described(cloud)["status"], described(cloud, "both")["status"]) == ("INVALID", "VALID")
    assert "compute environments of the job queue are INVALID" in described(cloud)["statusReason"]
    cloud.fault("role_vanished", computeEnvironment="second")
    cloud.step(60)
    assert described(cloud, "both")["status"] == "INVALID"
    cloud("UpdateJobQueue", jobQueue="both", priority=5)
    cloud.step(3)
    assert described(cloud, "both")["status"] == "INVALID", "no update changes that"
    cloud.world.faults.clear()
    cloud.step(60)
    healthy = ("VALID", "JobQueue Healthy")
    for name in ("main", "both"):
        queue = described(cloud, name)
        assert (queue["status"], queue["statusReason"]) == healthy


def test_an_invalid_queue_takes_jobs_as_long_as_it_is_enabled():
    """JobQueueDetail.state: "If the job queue state is ENABLED, it can accept jobs"."""
    cloud = ready()
    cloud.fault("role_vanished")
    cloud.step(60)
    assert described(cloud)["status"] == "INVALID"
    job_id = cloud.submit()
    cloud.world.faults.clear()
    cloud.step(150)
    assert cloud.status(job_id) == "SUCCEEDED"


def test_a_queue_is_invalid_when_no_instance_joins_its_environment():
    cloud = ready()
    cloud.fault("agent_never_joins")
    cloud.submit()
    cloud.step(1000)
    assert described(cloud)["status"] == "INVALID"


def test_deleting_a_queue_terminates_its_jobs_and_takes_that_long():
    cloud = serverless(JobScript(duration_seconds=5000), maximum=1)
    running, waiting = cloud.submit(), cloud.submit()
    cloud.step(20)
    assert (cloud.status(running), cloud.status(waiting)) == ("RUNNING", "RUNNABLE")
    cloud("UpdateJobQueue", jobQueue="main", state="DISABLED")
    cloud.step(3)
    cloud("DeleteJobQueue", jobQueue="main")
    cloud.step(0.5)
    assert described(cloud)["status"] == "DELETING"
    cloud.step(10)
    assert {cloud.status(running), cloud.status(waiting)} == {"FAILED"}
    assert cloud("DescribeJobQueues")["jobQueues"] == []


def test_a_disabled_queue_takes_no_jobs_and_finishes_those_it_has():
    cloud = serverless()
    job_id = cloud.submit()
    cloud("UpdateJobQueue", jobQueue="main", state="DISABLED")
    refusal = cloud.refused("SubmitJob", jobName="a", jobQueue="main", jobDefinition="simulate")
    assert "is DISABLED" in refusal
    cloud.step(30)
    assert cloud.status(job_id) == "SUCCEEDED"


def test_an_environment_leaves_a_queue_only_after_the_lag():
    cloud = ready()
    cloud.environment("second")
    cloud.step(10)
    cloud("UpdateJobQueue", jobQueue="main", computeEnvironmentOrder=order("second"))
    cloud("UpdateComputeEnvironment", computeEnvironment="main", state="DISABLED")
    cloud.step(4.9)
    assert cloud.region.batch.relations[cloud.region.batch.environments["main"].arn]
    cloud.step(1)
    cloud("DeleteComputeEnvironment", computeEnvironment="main")


def test_a_queue_is_deleted_although_a_job_of_it_waits_for_one_of_another_queue():
    cloud = serverless(JobScript(duration_seconds=5000))
    cloud.queue("other", "serverless")
    first = cloud.submit("first")
    second = cloud.submit("second", jobQueue="other", dependsOn=[{"jobId": first}])
    cloud.step(10)
    cloud("UpdateJobQueue", jobQueue="other", state="DISABLED")
    cloud.step(3)
    cloud("DeleteJobQueue", jobQueue="other")
    cloud.step(10)
    assert described(cloud, "other")["status"] == "DELETED"
    job = cloud.job(second)
    assert (job["status"], job["statusReason"]) == ("FAILED", "The job queue was deleted")
    assert cloud.status(first) == "RUNNING"
