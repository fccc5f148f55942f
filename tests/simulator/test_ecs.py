"""ECS: clusters, container instances and tasks, as the agent and the operator use them."""

import json
from typing import Any

import pytest
from tests.simulator.cloud import ROLE, Cloud

from awsbatch_simulator.jobscript import JobScript

LONG = JobScript(job_name="long*", duration_seconds=5000)


@pytest.fixture
def cloud() -> Cloud:
    """An UNMANAGED environment with the queue `main`."""
    made = Cloud(LONG, JobScript())
    made("CreateComputeEnvironment", computeEnvironmentName="own", type="UNMANAGED",
         serviceRole=ROLE)  # fmt: skip
    made.step(10)
    made.queue("main", "own")
    made.definition()
    return made


def cluster(cloud: Cloud) -> str:
    environment = cloud("DescribeComputeEnvironments")["computeEnvironments"][0]
    return str(environment["ecsClusterArn"])


def launched(cloud: Cloud) -> str:
    answer = cloud(
        "RunInstances", ImageId="ami-1", InstanceType="m7i.large", MinCount=1, MaxCount=1
    )
    cloud.step(20)
    return str(answer["Instances"][0]["InstanceId"])


def register(cloud: Cloud, *, cpu: int = 2048, memory: int = 7900, **fields: Any) -> dict[str, Any]:
    ec2_id = fields.pop("ec2_id", None) or launched(cloud)
    request = {
        "cluster": cluster(cloud),
        "instanceIdentityDocument": json.dumps({"instanceId": ec2_id, "region": "eu-central-1"}),
        "totalResources": [
            {"name": "CPU", "type": "INTEGER", "integerValue": cpu},
            {"name": "MEMORY", "type": "INTEGER", "integerValue": memory},
        ],
        "attributes": [{"name": "pool", "value": "main"}],
    }
    answer = cloud("RegisterContainerInstance", **request | fields)
    return dict(answer["containerInstance"])


def resources(instance: dict[str, Any], kind: str) -> dict[str, int]:
    return {each["name"]: each["integerValue"] for each in instance[kind]}


def only(cloud: Cloud, arn: str) -> dict[str, Any]:
    found = cloud("DescribeContainerInstances", cluster=cluster(cloud), containerInstances=[arn])
    return dict(found["containerInstances"][0])


def test_jobs_run_on_an_instance_that_registers_with_an_unmanaged_environment(cloud):
    job_id = cloud.submit("long")
    cloud.step(300)
    assert cloud.status(job_id) == "RUNNABLE"
    instance = register(cloud)
    cloud.step(10)
    job = cloud.job(job_id)
    assert job["status"] == "RUNNING"
    assert job["container"]["containerInstanceArn"] == instance["containerInstanceArn"]
    described = only(cloud, instance["containerInstanceArn"])
    assert resources(described, "registeredResources") == {"CPU": 2048, "MEMORY": 7900}
    assert resources(described, "remainingResources") == {"CPU": 1024, "MEMORY": 6876}
    assert described["runningTasksCount"] == 1
    assert described["version"] > instance["version"]


def test_a_draining_instance_gets_no_new_jobs_and_keeps_those_it_has(cloud):
    arn = register(cloud)["containerInstanceArn"]
    running = cloud.submit("long")
    cloud.step(10)
    cloud("UpdateContainerInstancesState", cluster=cluster(cloud), containerInstances=[arn],
          status="DRAINING")  # fmt: skip
    waiting = cloud.submit("long-2")
    cloud.step(60)
    assert (cloud.status(running), cloud.status(waiting)) == ("RUNNING", "RUNNABLE")
    cloud("UpdateContainerInstancesState", cluster=cluster(cloud), containerInstances=[arn],
          status="ACTIVE")  # fmt: skip
    cloud.step(10)
    assert cloud.status(waiting) == "RUNNING"


def test_an_instance_with_tasks_is_deregistered_only_by_force(cloud):
    arn = register(cloud)["containerInstanceArn"]
    job_id = cloud.submit("long")
    cloud.step(10)
    request = {"cluster": cluster(cloud), "containerInstance": arn}
    assert "running tasks" in cloud.refused("DeregisterContainerInstance", **request)
    gone = cloud("DeregisterContainerInstance", **request, force=True)["containerInstance"]
    assert (gone["status"], gone["agentConnected"]) == ("INACTIVE", False)
    assert cloud.status(job_id) == "FAILED"
    assert cloud("ListContainerInstances", cluster=cluster(cloud))["containerInstanceArns"] == []


def test_a_terminated_instance_is_deregistered_by_ecs(cloud):
    instance = register(cloud)
    cloud("TerminateInstances", InstanceIds=[instance["ec2InstanceId"]])
    assert cloud("ListContainerInstances", cluster=cluster(cloud))["containerInstanceArns"] == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"cluster": "nobody"}, "ClusterNotFoundException"),
        ({"instanceIdentityDocument": "not json"}, "not valid JSON"),
        ({"instanceIdentityDocument": "[]"}, "not valid JSON"),
        ({"instanceIdentityDocument": "[" * 100_000}, "not valid JSON"),
        ({"instanceIdentityDocument": "{}"}, "names no instance"),
        ({"instanceIdentityDocument": '{"instanceId": "i-1", "region": "x"}'}, "another region"),
        ({"instanceIdentityDocument": '{"instanceId": "i-1"}'}, "not a running instance"),
        ({}, "must have CPU and MEMORY"),
        ({"totalResources": [{"integerValue": 1}]}, "must have CPU and MEMORY"),
        ({"totalResources": [{"name": "CPU", "integerValue": -1}]}, "must have CPU and MEMORY"),
    ],
)
def test_what_a_registration_may_not_say(cloud, fields, message):
    request = {
        "cluster": cluster(cloud),
        "instanceIdentityDocument": json.dumps({"instanceId": launched(cloud)}),
        "totalResources": [],
    }
    assert message in cloud.refused("RegisterContainerInstance", **request | fields)


def test_an_agent_that_has_restarted_registers_as_the_same_instance(cloud):
    first = register(cloud)
    again = register(
        cloud,
        ec2_id=first["ec2InstanceId"],
        containerInstanceArn=first["containerInstanceArn"],
    )
    assert again["containerInstanceArn"] == first["containerInstanceArn"]


def test_gpus_are_registered_by_their_ids_and_what_has_no_name_counts_as_nothing(cloud):
    sizes = [
        {},
        {"name": "CPU", "type": "INTEGER", "integerValue": 2048},
        {"name": "MEMORY", "type": "INTEGER", "integerValue": 7900},
        {"name": "GPU", "type": "STRINGSET", "stringSetValue": ["GPU-a", "GPU-b"]},
    ]
    found = register(cloud, totalResources=sizes)["registeredResources"]
    assert [(each["name"], len(each.get("stringSetValue", ()))) for each in found] == [
        ("CPU", 0), ("MEMORY", 0), ("GPU", 2)]  # fmt: skip


@pytest.mark.parametrize(
    "attribute", [{"name": "a b"}, {"name": "a", "value": "x,y"}, {"name": "a", "value": " x"}]
)
def test_attributes_that_ecs_does_not_take_are_refused(cloud, attribute):
    with pytest.raises(Exception, match="InvalidParameterException"):
        register(cloud, attributes=[attribute])


def test_an_agent_that_has_lost_its_state_registers_as_another_instance(cloud):
    first = register(cloud)
    second = register(cloud, ec2_id=first["ec2InstanceId"])
    assert second["containerInstanceArn"] != first["containerInstanceArn"]
    listed = cloud("ListContainerInstances", cluster=cluster(cloud))["containerInstanceArns"]
    assert len(listed) == 2
    cloud("TerminateInstances", InstanceIds=[first["ec2InstanceId"]])
    assert cloud("ListContainerInstances", cluster=cluster(cloud))["containerInstanceArns"] == []


def test_instances_are_listed_by_status_and_page(cloud):
    arns = sorted(register(cloud)["containerInstanceArn"] for _ in range(3))
    where = {"cluster": cluster(cloud)}
    first = cloud("ListContainerInstances", **where, maxResults=2)
    assert first["containerInstanceArns"] == arns[:2]
    second = cloud("ListContainerInstances", **where, nextToken=first["nextToken"])
    assert second["containerInstanceArns"] == arns[2:]
    assert cloud("ListContainerInstances", **where, status="DRAINING") == {
        "containerInstanceArns": []
    }
    assert "Invalid token" in cloud.refused("ListContainerInstances", **where, nextToken="zzz")
    refusal = cloud.refused("ListContainerInstances", **where, status="IDLE")
    assert refusal.startswith("InvalidParameterException")


def test_instances_are_described_by_id_and_unknown_ones_are_failures(cloud):
    arn = register(cloud)["containerInstanceArn"]
    answer = cloud("DescribeContainerInstances", cluster=cluster(cloud),
                   containerInstances=[arn.rpartition("/")[2], "nobody"])  # fmt: skip
    assert [each["containerInstanceArn"] for each in answer["containerInstances"]] == [arn]
    assert [each["reason"] for each in answer["failures"]] == ["MISSING"]


def test_tasks_of_running_jobs_are_listed_and_described(cloud):
    arn = register(cloud)["containerInstanceArn"]
    job_id = cloud.submit("long")
    cloud.step(10)
    task_arn = cloud.job(job_id)["container"]["taskArn"]
    where = {"cluster": cluster(cloud)}
    assert cloud("ListTasks", **where, containerInstance=arn)["taskArns"] == [task_arn]
    assert cloud("ListTasks", **where, desiredStatus="STOPPED")["taskArns"] == []
    refusal = cloud.refused("ListTasks", **where, desiredStatus="ENDED")
    assert refusal.startswith("InvalidParameterException")
    [task] = cloud("DescribeTasks", **where, tasks=[task_arn, "nobody"])["tasks"]
    assert (task["lastStatus"], task["containerInstanceArn"]) == ("RUNNING", arn)
    cloud("TerminateJob", jobId=job_id, reason="enough")
    cloud.step(2)
    assert cloud("ListTasks", **where)["taskArns"] == []
    [task] = cloud("DescribeTasks", **where, tasks=[task_arn])["tasks"]
    assert (task["lastStatus"], task["stoppedReason"]) == ("STOPPED", "enough")


def test_clusters_are_created_described_and_deleted():
    cloud = Cloud()
    arn = cloud("CreateCluster", clusterName="mine")["cluster"]["clusterArn"]
    assert cloud("CreateCluster", clusterName="mine")["cluster"]["clusterArn"] == arn
    for fields in ({"clusterName": "a b"}, {"clusterName": "x" * 256}, {"tags": [{"value": "v"}]}):
        refusal = cloud.refused("CreateCluster", **fields)
        assert refusal.startswith("InvalidParameterException")
    assert cloud("ListClusters")["clusterArns"] == [arn]
    answer = cloud("DescribeClusters", clusters=["mine", "nobody"])
    assert [each["status"] for each in answer["clusters"]] == ["ACTIVE"]
    assert [each["reason"] for each in answer["failures"]] == ["MISSING"]
    assert cloud("DeleteCluster", cluster="mine")["cluster"]["status"] == "INACTIVE"
    assert "ClusterNotFound" in cloud.refused("DeleteCluster", cluster="mine")


def test_a_cluster_with_instances_is_not_deleted(cloud):
    register(cloud)
    refusal = cloud.refused("DeleteCluster", cluster=cluster(cloud))
    assert refusal.startswith("ClusterContainsContainerInstancesException")
