"""Environments on ECS Managed Instances, on EKS and on Fargate Spot.

Sources: ManagedInstancesProvider, UpdateManagedInstancesProviderConfiguration, EksConfiguration,
EksAccessEntry and ComputeResource in the Batch API reference.
"""

import copy
from typing import Any

import pytest
from tests.simulator.cloud import PROFILE, ROLE, Cloud, ready
from tests.simulator.test_batch_environments import RESOURCES

from awsbatch_simulator.faults import FaultSpec
from awsbatch_simulator.jobscript import JobScript

LINKED = (
    "arn:aws:iam::111122223333:role/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch"
)
CLUSTER = "arn:aws:eks:eu-central-1:111122223333:cluster/research"
KUBERNETES = {"eksClusterArn": CLUSTER, "kubernetesNamespace": "batch"}
TEMPLATE = {
    "ec2InstanceProfileArn": PROFILE,
    "networkConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]},
    "capacityOptionType": "SPOT",
}
PROVIDER = {"infrastructureRoleArn": ROLE, "instanceLaunchTemplate": TEMPLATE}
MANAGED = {
    "type": "ECS_MANAGED_INSTANCES",
    "maxvCpus": 64,
    "managedInstancesProvider": PROVIDER,
    "capacityTags": {"team": "a"},
}
ON_EKS = RESOURCES | {"allocationStrategy": "BEST_FIT_PROGRESSIVE"}


def create(cloud: Cloud, resources: dict[str, Any], name: str = "main", **fields: Any) -> None:
    cloud(
        "CreateComputeEnvironment",
        computeEnvironmentName=name,
        type="MANAGED",
        computeResources=resources,
        **fields,
    )
    cloud.step(30)


def refused(resources: dict[str, Any], cloud: Cloud | None = None, **fields: Any) -> str:
    request = {"computeEnvironmentName": "main", "type": "MANAGED", "computeResources": resources}
    return (cloud or Cloud()).refused("CreateComputeEnvironment", **request | fields)


def shown(cloud: Cloud) -> dict[str, Any]:
    found = cloud("DescribeComputeEnvironments", computeEnvironments=["main"])
    return dict(found["computeEnvironments"][0])


def update(cloud: Cloud, **fields: Any) -> None:
    cloud("UpdateComputeEnvironment", computeEnvironment="main", **fields)


def without(resources: dict[str, Any], *path: str) -> dict[str, Any]:
    made = copy.deepcopy(resources)
    inner = made
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return made


def test_managed_instances_are_kept_and_shown_as_they_were_given():
    cloud = Cloud()
    create(cloud, MANAGED)
    found = shown(cloud)
    assert (found["status"], found["computeResources"]) == ("VALID", MANAGED)
    assert (found["containerOrchestrationType"], found["serviceRole"]) == ("ECS", LINKED)
    cloud("CreateJobQueue", jobQueueName="main", priority=1, state="ENABLED",
          computeEnvironmentOrder=[{"order": 1, "computeEnvironment": "main"}])  # fmt: skip
    [queue] = cloud("DescribeJobQueues")["jobQueues"]
    assert queue["jobQueueType"] == "ECS_MANAGED_INSTANCES"


@pytest.mark.parametrize(
    ("resources", "words"),
    [
        (without(MANAGED, "managedInstancesProvider"), "managedInstancesProvider is required"),
        (MANAGED | {"instanceTypes": ["m7i"]}, "instanceTypes cannot be set for ECS_MANAGED"),
        (MANAGED | {"maxvCpus": 0}, "maxvCpus must be at least 1"),
        (MANAGED | {"capacityTags": {"aws:a": "b"}}, "cannot begin with aws:"),
        (MANAGED | {"managedInstancesProvider": PROVIDER | {"propagateTags": "ALL"}},
         "propagateTags must be one of ['CAPACITY_PROVIDER', 'NONE'], not 'ALL'"),
        (MANAGED | {"managedInstancesProvider": PROVIDER | {
            "instanceLaunchTemplate": TEMPLATE | {"capacityOptionType": "CHEAP"}}},
         "instanceLaunchTemplate.capacityOptionType must be one of"),
        (RESOURCES | {"managedInstancesProvider": PROVIDER}, "can only be set for ECS_MANAGED"),
    ],
)  # fmt: skip
def test_what_is_refused_of_managed_instances(resources, words):
    assert words in refused(resources)


def test_what_an_update_of_managed_instances_does_not_say_stays():
    cloud = Cloud()
    create(cloud, MANAGED)
    changes = {"instanceLaunchTemplate": {"monitoring": "DETAILED"}}
    update(
        cloud, computeResources={"managedInstancesProvider": changes, "capacityTags": {"team": "b"}}
    )
    found = shown(cloud)
    assert found["status"] == "UPDATING"
    assert found["computeResources"] == MANAGED | {
        "capacityTags": {"team": "b"},
        "managedInstancesProvider": PROVIDER
        | {"instanceLaunchTemplate": TEMPLATE | {"monitoring": "DETAILED"}},
    }
    cloud.step(10)
    assert shown(cloud)["status"] == "VALID"


@pytest.mark.parametrize(
    ("before", "kind"), [(MANAGED, "EC2"), (MANAGED, "FARGATE"), (RESOURCES, MANAGED["type"])]
)
def test_a_type_cannot_go_to_or_from_managed_instances(before, kind):
    cloud = Cloud()
    create(cloud, before)
    refusal = cloud.refused(
        "UpdateComputeEnvironment", computeEnvironment="main", computeResources={"type": kind}
    )
    assert "type cannot be changed to or from ECS_MANAGED_INSTANCES" in refusal


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        ("subnet-1", "The subnet ID 'subnet-1' does not exist"),
        ("sg-1", "The security group 'sg-1' does not exist"),
        (PROFILE, f"Invalid IAM Instance Profile name: {PROFILE}"),
        (ROLE, f"sts:AssumeRole on resource: {ROLE}"),
    ],
)
def test_managed_instances_need_what_their_provider_names(gone, words):
    cloud = Cloud()
    create(cloud, MANAGED)
    cloud.known.missing.add(gone)
    cloud.step(60)
    assert shown(cloud)["status"] == "INVALID"
    assert words in shown(cloud)["statusReason"]
    cloud.known.missing.clear()
    cloud.step(60)
    assert shown(cloud)["status"] == "VALID"


def test_queues_mix_no_platforms():
    cloud = Cloud()
    create(cloud, MANAGED)
    create(cloud, RESOURCES, "other")
    order = [{"order": n, "computeEnvironment": each} for n, each in enumerate(("main", "other"))]
    request = {"jobQueueName": "main", "priority": 1, "computeEnvironmentOrder": order}
    assert "can't be mixed" in cloud.refused("CreateJobQueue", **request)


def test_an_environment_on_eks_is_made_observed_and_deleted():
    cloud = Cloud()
    create(cloud, ON_EKS, eksConfiguration=KUBERNETES)
    found = shown(cloud)
    assert (found["status"], found["containerOrchestrationType"]) == ("VALID", "EKS")
    assert found["eksConfiguration"] == KUBERNETES
    assert found["computeResources"]["ec2Configuration"] == [{"imageType": "EKS_AL2023"}]
    assert "ecsClusterArn" not in found
    assert cloud("ListClusters")["clusterArns"] == []
    cloud("CreateJobQueue", jobQueueName="main", priority=1, state="ENABLED",
          computeEnvironmentOrder=[{"order": 1, "computeEnvironment": "main"}])  # fmt: skip
    assert cloud("DescribeJobQueues")["jobQueues"][0]["jobQueueType"] == "EKS"
    cloud.step(5)
    cloud("UpdateJobQueue", jobQueue="main", state="DISABLED")
    cloud.step(5)
    cloud("DeleteJobQueue", jobQueue="main")
    update(cloud, state="DISABLED")
    cloud.step(20)
    cloud("DeleteComputeEnvironment", computeEnvironment="main")
    cloud.step(10)
    assert shown(cloud)["status"] == "DELETED"


def test_pods_are_for_queues_on_eks_and_do_not_run_there():
    """docs/simulator.md: what is not implemented answers HTTP 501."""
    cloud = ready()
    pod: dict[str, Any] = {"eksProperties": {"podProperties": {}}}
    cloud("RegisterJobDefinition", jobDefinitionName="pod", type="container", **pod)
    request = {"jobName": "a", "jobDefinition": "pod"}
    assert "compute environments of the platform EC2" in cloud.refused(
        "SubmitJob", jobQueue="main", **request
    )
    create(cloud, ON_EKS, "eks", eksConfiguration=KUBERNETES)
    cloud.queue("pods", "eks")
    refusal = cloud.refused("SubmitJob", jobQueue="pods", **request)
    assert refusal.startswith("NotImplemented: ")


@pytest.mark.parametrize(
    ("resources", "configuration", "words"),
    [
        (ON_EKS, KUBERNETES | {"kubernetesNamespace": "default"}, "cannot be the kubernetesName"),
        (ON_EKS, KUBERNETES | {"kubernetesNamespace": "kube-x"}, "cannot be the kubernetesName"),
        (ON_EKS, KUBERNETES | {"kubernetesNamespace": "a" * 64}, "cannot be the kubernetesName"),
        (ON_EKS, KUBERNETES | {"eksClusterArn": "research"}, "is not the ARN of an EKS cluster"),
        (RESOURCES, KUBERNETES, "allocationStrategy is required on EKS"),
        (ON_EKS | {"ec2Configuration": [{"imageType": "ECS_AL2023"}]}, KUBERNETES,
         "imageType must be one of ['EKS_AL2'"),
        (MANAGED, KUBERNETES, "are of type EC2 or SPOT"),
    ],
)  # fmt: skip
def test_what_is_refused_on_eks(resources, configuration, words):
    assert words in refused(resources, eksConfiguration=configuration)


def test_an_unmanaged_environment_is_not_on_eks():
    request = {"computeEnvironmentName": "main", "type": "UNMANAGED", "serviceRole": ROLE}
    refusal = Cloud().refused("CreateComputeEnvironment", **request, eksConfiguration=KUBERNETES)
    assert "only supported for MANAGED" in refusal


def test_five_environments_share_an_eks_cluster():
    cloud = Cloud()
    for number in range(5):
        create(cloud, ON_EKS, f"main-{number}", eksConfiguration=KUBERNETES)
    words = "The limit of 5 for an EKS cluster is reached"
    assert words in refused(ON_EKS, cloud, eksConfiguration=KUBERNETES)


def test_of_eks_only_the_access_entry_is_updated():
    cloud = Cloud()
    create(cloud, ON_EKS, eksConfiguration=KUBERNETES)
    update(cloud, eksConfiguration={"accessEntry": {"desiredState": "ENABLED"}})
    entry = shown(cloud)["eksConfiguration"]["accessEntry"]
    assert entry == {"desiredState": "ENABLED", "status": "ACTIVE"}
    cloud.step(10)
    refusal = cloud.refused("UpdateComputeEnvironment", computeEnvironment="main",
                            computeResources={"desiredvCpus": 2})  # fmt: skip
    assert "desiredvCpus cannot be updated for environments on EKS" in refusal
    other = Cloud()
    create(other, RESOURCES)
    refusal = other.refused("UpdateComputeEnvironment", computeEnvironment="main",
                            eksConfiguration={})  # fmt: skip
    assert "can only be updated for environments on EKS" in refusal


def test_an_eks_cluster_that_goes_makes_its_environments_invalid():
    cloud = Cloud()
    create(cloud, ON_EKS, eksConfiguration=KUBERNETES)
    cloud.fault("eks_cluster_gone", cluster=CLUSTER)
    cloud.step(60)
    words = "No cluster found for name: research."
    assert (shown(cloud)["status"], shown(cloud)["statusReason"]) == (
        "INVALID", f"CLIENT_ERROR - {words}")  # fmt: skip
    assert words in refused(ON_EKS, cloud, computeEnvironmentName="b", eksConfiguration=KUBERNETES)


def test_a_task_on_fargate_spot_can_be_interrupted_and_its_job_is_retried():
    cloud = Cloud(JobScript(duration_seconds=500))
    cloud.platform = "FARGATE"
    network = {"subnets": ["subnet-1"], "securityGroupIds": ["sg-1"]}
    create(cloud, {"type": "FARGATE_SPOT", "maxvCpus": 4, **network})
    cloud.queue("main", "main")
    cloud.definition(retryStrategy={"attempts": 2})
    spec = {"effect": "world", "name": "spot_task_interrupted", "seconds": 30, "times": 1}
    cloud.world.faults.add(FaultSpec.model_validate(spec))
    job_id = cloud.submit()
    cloud.step(60)
    assert [each["statusReason"] for each in cloud.job(job_id)["attempts"]] == [
        "Your Spot Task was interrupted."
    ]
    cloud.step(600)
    assert cloud.status(job_id) == "SUCCEEDED"
