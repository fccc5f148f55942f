"""Compute environments: states, limits and guards, as AWS documents them."""

from typing import Any

import pytest
from tests.simulator.cloud import PROFILE, ROLE, Cloud, ready

LINKED = (
    "arn:aws:iam::111122223333:role/aws-service-role/batch.amazonaws.com/AWSServiceRoleForBatch"
)
RESOURCES = {
    "type": "EC2",
    "maxvCpus": 16,
    "subnets": ["subnet-1"],
    "securityGroupIds": ["sg-1"],
    "instanceRole": PROFILE,
}
FARGATE = {
    "type": "FARGATE",
    "maxvCpus": 4,
    "subnets": ["subnet-1"],
    "securityGroupIds": ["sg-1"],
}


def described(cloud: Cloud, name: str = "main") -> dict[str, Any]:
    found = cloud("DescribeComputeEnvironments", computeEnvironments=[name])
    return dict(found["computeEnvironments"][0])


def create(cloud: Cloud, **fields: Any) -> str:
    request = {"computeEnvironmentName": "main", "type": "MANAGED", "computeResources": RESOURCES}
    return cloud.refused("CreateComputeEnvironment", **request | fields)


def test_defaults_are_filled_in_as_aws_does():
    cloud = Cloud()
    cloud("CreateComputeEnvironment", computeEnvironmentName="main", type="MANAGED",
          computeResources=RESOURCES)  # fmt: skip
    environment = described(cloud)
    assert environment["serviceRole"] == LINKED
    assert environment["computeResources"] == RESOURCES | {
        "minvCpus": 0,
        "desiredvCpus": 0,
        "instanceTypes": ["optimal"],
        "ec2Configuration": [{"imageType": "ECS_AL2023"}],
    }
    assert environment["containerOrchestrationType"] == "ECS"
    uuid = environment["uuid"]
    assert environment["ecsClusterArn"].endswith(f":cluster/main_Batch_{uuid}")


def test_a_name_that_exists_is_refused_until_the_deletion_is_over():
    cloud = ready()
    assert create(cloud) == "ClientException: Object already exists"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"computeEnvironmentName": "a" * 129}, "computeEnvironmentName can be up to 128"),
        ({"computeEnvironmentName": "with.dot"}, "computeEnvironmentName can be up to 128"),
        ({"state": "DISABLED"}, "must be created in the ENABLED state"),
        ({"computeResources": None}, "computeResources must be provided"),
        ({"unmanagedvCpus": 4}, "unmanagedvCpus is only supported"),
        ({"tags": {f"k{n}": "v" for n in range(51)}}, "length less than or equal to 50"),
        ({"tags": {"aws:x": "v"}}, "cannot begin with aws:"),
        ({"type": "UNMANAGED"}, "computeResources cannot be set"),
        ({"type": "UNMANAGED", "computeResources": None}, "serviceRole is required"),
    ],
)
def test_what_creation_refuses(fields, message):
    request: dict[str, Any] = {"computeEnvironmentName": "main", "type": "MANAGED"}
    request |= {"computeResources": RESOURCES} | fields
    given = {name: value for name, value in request.items() if value is not None}
    assert message in Cloud().refused("CreateComputeEnvironment", **given)


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        (RESOURCES | {"subnets": []}, "subnets is required"),
        (RESOURCES | {"securityGroupIds": []}, "securityGroupIds must be specified"),
        (RESOURCES | {"instanceRole": ""}, "instanceRole is required"),
        (RESOURCES | {"minvCpus": 17}, "minvCpus must be between 0 and maxvCpus (16)"),
        (RESOURCES | {"desiredvCpus": 17}, "desiredvCpus must be between"),
        (RESOURCES | {"instanceTypes": ["m99.large"]}, "Instance type can only be one of"),
        (RESOURCES | {"instanceTypes": ["m7i", "m7g"]}, "must share one architecture"),
        (RESOURCES | {"type": "SPOT"}, "spotIamFleetRole is required"),
        (
            RESOURCES | {"allocationStrategy": "SPOT_CAPACITY_OPTIMIZED"},
            "Invalid compute resource allocation strategy SPOT_CAPACITY_OPTIMIZED for type EC2",
        ),
        (
            RESOURCES | {"scalingPolicy": {"minScaleDownDelayMinutes": 5}},
            "minScaleDownDelayMinutes must be 0 or between 20 and 10080",
        ),
        (FARGATE | {"minvCpus": 0}, "minvCpus cannot be set for Fargate"),
        (FARGATE | {"instanceTypes": ["m7i"]}, "instanceTypes cannot be set for Fargate"),
        (FARGATE | {"securityGroupIds": []}, "need 1 to 5"),
        (FARGATE | {"subnets": [f"subnet-{n}" for n in range(17)]}, "need 1 to 16"),
    ],
)
def test_what_is_refused_of_compute_resources(resources, message):
    assert message in create(Cloud(), computeResources=resources)


def test_there_are_at_most_fifty_environments():
    cloud = Cloud()
    for number in range(50):
        cloud.environment(f"main-{number}")
    assert "limit of 50 compute environments" in create(cloud)


def test_an_unmanaged_environment_has_a_cluster_and_no_compute_resources():
    cloud = Cloud()
    cloud("CreateComputeEnvironment", computeEnvironmentName="own", type="UNMANAGED",
          serviceRole=ROLE, unmanagedvCpus=32)  # fmt: skip
    cloud.step(10)
    environment = described(cloud, "own")
    assert environment["status"] == "VALID"
    assert environment["unmanagedvCpus"] == 32
    assert "computeResources" not in environment
    clusters = cloud("DescribeClusters", clusters=[environment["ecsClusterArn"]])["clusters"]
    assert [each["status"] for each in clusters] == ["ACTIVE"]


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ("subnet-1", "CLIENT_ERROR - The subnet ID 'subnet-1' does not exist"),
        ("sg-1", "CLIENT_ERROR - The security group 'sg-1' does not exist"),
        (PROFILE, f"CLIENT_ERROR - Invalid IAM Instance Profile name: {PROFILE}"),
    ],
)
def test_an_environment_whose_parts_do_not_exist_becomes_invalid(missing, reason):
    cloud = Cloud()
    cloud.known.missing.add(missing)
    cloud.environment()
    cloud.step(10)
    environment = described(cloud)
    assert (environment["status"], environment["statusReason"]) == ("INVALID", reason)


def test_an_environment_notices_that_its_role_has_vanished_and_recovers_when_it_is_back():
    cloud = ready()
    cloud.fault("role_vanished", computeEnvironment="main")
    cloud.step(60)
    environment = described(cloud)
    assert environment["status"] == "INVALID"
    assert "is not authorized to perform: sts:AssumeRole" in environment["statusReason"]
    cloud.world.faults.clear()
    cloud.step(60)
    assert described(cloud)["status"] == "VALID"


def test_unknown_names_are_left_out_and_arns_are_names_too():
    cloud = Cloud()
    arn = cloud.environment()
    found = cloud("DescribeComputeEnvironments", computeEnvironments=["nobody", arn, "main"])
    assert [each["computeEnvironmentName"] for each in found["computeEnvironments"]] == ["main"]
    elsewhere = arn.replace("eu-central-1", "us-east-1")
    found = cloud("DescribeComputeEnvironments", computeEnvironments=[elsewhere])
    assert found["computeEnvironments"] == []


def test_pages_hold_what_was_asked_for_and_together_everything():
    cloud = Cloud()
    names = sorted(f"main-{number}" for number in range(5))
    for name in names:
        cloud.environment(name)
    seen, request = [], {"maxResults": 2}
    while True:
        answer = cloud("DescribeComputeEnvironments", **request)
        page = [each["computeEnvironmentName"] for each in answer["computeEnvironments"]]
        assert len(page) <= 2
        seen += page
        if "nextToken" not in answer:
            break
        request = {"maxResults": 2, "nextToken": answer["nextToken"]}
    assert seen == names
    assert "Invalid nextToken" in cloud.refused("DescribeComputeEnvironments", nextToken="?")


def test_names_and_page_size_exclude_each_other():
    refusal = Cloud().refused(
        "DescribeComputeEnvironments", computeEnvironments=["main"], maxResults=1
    )
    assert "ComputeEnvironments and MaxResults cannot both be set" in refusal
