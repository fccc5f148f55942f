"""Updates and deletion of compute environments."""

from typing import Any

import pytest
from tests.simulator.cloud import ROLE, Cloud, ready
from tests.simulator.test_batch_environments import described

from awsbatch_simulator.jobscript import JobScript

LONG = JobScript(duration_seconds=5000)


def update(cloud: Cloud, **fields: Any) -> None:
    cloud("UpdateComputeEnvironment", computeEnvironment="main", **fields)


def refused(cloud: Cloud, **fields: Any) -> str:
    return cloud.refused("UpdateComputeEnvironment", computeEnvironment="main", **fields)


def delete(cloud: Cloud) -> None:
    cloud("DeleteComputeEnvironment", computeEnvironment="main")


def disable_queue(cloud: Cloud) -> None:
    cloud("UpdateJobQueue", jobQueue="main", state="DISABLED")
    cloud.step(3)


def test_an_update_is_seen_at_once_and_over_a_little_later():
    cloud = ready()
    update(cloud, state="DISABLED", computeResources={"maxvCpus": 32})
    environment = described(cloud)
    assert environment["status"] == "UPDATING"
    assert environment["state"] == "DISABLED"
    assert environment["computeResources"]["maxvCpus"] == 32
    assert "Cannot update, resource is being modified" in refused(cloud, state="ENABLED")
    cloud.step(5)
    assert described(cloud)["status"] == "VALID"


def test_desired_vcpus_can_only_rise_between_minimum_and_maximum():
    cloud = ready()
    assert "must be between" in refused(cloud, computeResources={"desiredvCpus": 17})
    update(cloud, computeResources={"desiredvCpus": 8})
    cloud.step(6)
    assert "can only be raised" in refused(cloud, computeResources={"desiredvCpus": 4})
    update(cloud, computeResources={"minvCpus": 12})
    assert described(cloud)["computeResources"]["desiredvCpus"] == 12


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"serviceRole": ROLE}, "cannot be changed between the service-linked role"),
        ({"unmanagedvCpus": 3}, "only supported for UNMANAGED"),
        ({"computeResources": {}}, "computeResources must not be empty"),
        ({"computeResources": {"type": "FARGATE"}}, "cannot be changed between Fargate and EC2"),
        # What EC2 would refuse when the instances are launched. [bc] of ec2: CreateTags, Tag
        ({"computeResources": {"tags": {"aws:name": "a"}}}, "cannot begin with aws:"),
        ({"computeResources": {"tags": dict.fromkeys(map(str, range(51)), "")}}, "up to 50 tags"),
    ],
)
def test_what_an_update_refuses(fields, message):
    assert message in refused(ready(), **fields)


def test_an_infrastructure_update_needs_another_strategy_than_best_fit():
    cloud = ready(allocationStrategy="BEST_FIT")
    refusal = refused(cloud, computeResources={"instanceTypes": ["r7i"]})
    assert "instanceTypes: an infrastructure update needs the service-linked role" in refusal
    update(cloud, computeResources={"maxvCpus": 20})


def test_an_infrastructure_update_replaces_instances_once_their_jobs_have_ended():
    cloud = ready(JobScript(duration_seconds=600))
    job_id = cloud.submit()
    cloud.step(60)
    update(cloud, computeResources={"instanceTypes": ["r7i.large"]})
    cloud.step(300)
    assert described(cloud)["status"] == "UPDATING"
    assert cloud.status(job_id) == "RUNNING"
    cloud.step(330)
    assert cloud.status(job_id) == "SUCCEEDED"
    cloud.step(10)
    assert described(cloud)["status"] == "VALID"
    again = cloud.submit()
    cloud.step(60)
    assert cloud.status(again) == "RUNNING"
    instances = [
        instance
        for reservation in cloud("DescribeInstances")["Reservations"]
        for instance in reservation["Instances"]
    ]
    running = [each["InstanceType"] for each in instances if each["State"]["Name"] == "running"]
    assert running == ["r7i.large"]


def test_an_infrastructure_update_can_end_jobs_at_once():
    cloud = ready(LONG)
    job_id = cloud.submit()
    cloud.step(60)
    update(
        cloud,
        updatePolicy={"terminateJobsOnUpdate": True},
        computeResources={"instanceTypes": ["r7i.large"]},
    )
    cloud.step(10)
    job = cloud.job(job_id)
    assert job["status"] == "FAILED"
    assert job["statusReason"].startswith("Host EC2 (instance i-")
    assert job["statusReason"].endswith(" terminated.")


def test_what_is_empty_is_removed_from_an_environment():
    cloud = ready(imageId="ami-1", ec2KeyPair="key")
    update(cloud, computeResources={"imageId": "", "ec2KeyPair": ""})
    assert not {"imageId", "ec2KeyPair"} & described(cloud)["computeResources"].keys()


def test_deletion_wants_it_disabled_and_without_queues():
    cloud = ready()
    refusal = cloud.refused("DeleteComputeEnvironment", computeEnvironment="main")
    assert refusal.endswith("Cannot delete, compute environment state must be DISABLED")
    update(cloud, state="DISABLED")
    refusal = cloud.refused("DeleteComputeEnvironment", computeEnvironment="main")
    assert refusal.endswith("Cannot delete, resource is being modified")
    cloud.step(5)
    refusal = cloud.refused("DeleteComputeEnvironment", computeEnvironment="main")
    assert refusal.endswith("Cannot delete, found existing JobQueue relationship")


def test_a_deleted_environment_is_described_by_name_for_a_while_and_its_name_is_free():
    """CEStatus has DELETED; Terraform reads it as "not found" when it asks by name."""
    cloud = Cloud()
    arn = cloud.environment()

    def statuses() -> list[str]:
        found = cloud("DescribeComputeEnvironments", computeEnvironments=["main", arn])
        return [str(each["status"]) for each in found["computeEnvironments"]]

    def delete() -> None:
        cloud.step(10)
        cloud("UpdateComputeEnvironment", computeEnvironment="main", state="DISABLED")
        cloud.step(5)
        cloud("DeleteComputeEnvironment", computeEnvironment="main")
        cloud.step(10)

    delete()
    assert statuses() == ["DELETED"]
    assert cloud("DescribeComputeEnvironments")["computeEnvironments"] == []
    for operation in ("UpdateComputeEnvironment", "DeleteComputeEnvironment"):
        assert "does not exist" in cloud.refused(operation, computeEnvironment="main")
    assert "does not exist" in cloud.refused("ListTagsForResource", resourceArn=arn)
    cloud.environment()
    assert statuses() == ["CREATING"]
    delete()
    cloud.step(10)
    assert statuses() == ["DELETED"], "the earlier one's time is over, not this one's"
    cloud.step(20)
    assert statuses() == []


def test_a_deleted_queue_keeps_its_environments_in_use_for_a_while():
    cloud = ready()
    disable_queue(cloud)
    update(cloud, state="DISABLED")
    cloud("DeleteJobQueue", jobQueue="main")
    cloud.step(5)
    assert cloud("DescribeJobQueues")["jobQueues"] == []
    refusal = cloud.refused("DeleteComputeEnvironment", computeEnvironment="main")
    assert refusal.endswith("found existing JobQueue relationship")
    cloud.step(5)
    delete(cloud)
    assert described(cloud)["status"] == "DELETING"
    cloud.step(10)
    assert described(cloud)["status"] == "DELETED"
    assert "does not exist" in cloud.refused("DeleteComputeEnvironment", computeEnvironment="main")


def test_the_lag_of_the_relation_can_be_stretched():
    cloud = ready()
    cloud.fault("relation_lag", seconds=300, computeEnvironment="main")
    disable_queue(cloud)
    cloud("DeleteJobQueue", jobQueue="main")
    update(cloud, state="DISABLED")
    cloud.step(290)
    assert "relationship" in cloud.refused("DeleteComputeEnvironment", computeEnvironment="main")
    cloud.step(20)
    delete(cloud)


def test_deleting_an_environment_ends_its_instances_and_its_cluster():
    cloud = ready(minvCpus=4)
    cloud.step(60)
    cluster = described(cloud)["ecsClusterArn"]
    disable_queue(cloud)
    cloud("DeleteJobQueue", jobQueue="main")
    update(cloud, state="DISABLED")
    cloud.step(20)
    delete(cloud)
    cloud.step(10)
    assert cloud("DescribeClusters", clusters=[cluster])["clusters"][0]["status"] == "INACTIVE"
    cloud.step(20)
    states = {
        instance["State"]["Name"]
        for reservation in cloud("DescribeInstances")["Reservations"]
        for instance in reservation["Instances"]
    }
    assert states == {"terminated"}


def test_an_environment_whose_role_is_gone_cannot_be_deleted_until_it_has_one_again():
    cloud = Cloud()
    cloud("CreateComputeEnvironment", computeEnvironmentName="main", type="UNMANAGED",
          serviceRole=ROLE)  # fmt: skip
    cloud.step(10)
    cloud.known.missing.add(ROLE)
    update(cloud, state="DISABLED")
    cloud.step(5)
    assert described(cloud)["status"] == "INVALID"
    delete(cloud)
    cloud.step(10)
    assert described(cloud)["status"] == "INVALID"
    update(cloud, serviceRole=f"{ROLE}2")
    cloud.step(5)
    assert described(cloud)["status"] == "VALID"
    delete(cloud)
    cloud.step(10)
    assert described(cloud)["status"] == "DELETED"
