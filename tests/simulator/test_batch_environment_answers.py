"""What AWS keeps of a compute environment, what it refuses of one, and what replaces nothing.

Sources: [bc] the text of botocore's model, shape and member; [tf] compute_environment_test.go of
hashicorp/terraform-provider-aws, run against the real service; [gh] an error quoted in a report.
"""

from typing import Any

import pytest
from tests.simulator.cloud import PROFILE, Cloud, ready
from tests.simulator.test_batch_environments import FARGATE, RESOURCES, described

FILLED = {
    "minvCpus": 0,
    "desiredvCpus": 0,
    "instanceTypes": ["optimal"],
    "ec2Configuration": [{"imageType": "ECS_AL2023"}],  # [bc] Ec2Configuration
}


def created(**resources: Any) -> dict[str, Any]:
    """The environment as it is described."""
    cloud = Cloud()
    cloud("CreateComputeEnvironment", computeEnvironmentName="main", type="MANAGED",
          computeResources=resources)  # fmt: skip
    return described(cloud)


def updated(cloud: Cloud, **fields: Any) -> dict[str, Any]:
    cloud("UpdateComputeEnvironment", computeEnvironment="main", **fields)
    return described(cloud)


def serverless() -> Cloud:
    cloud = Cloud()
    cloud.fargate("main")
    return cloud


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        # [tf] createSpot and CreateEC2…_computeResourcesTags: allocation_strategy "" where none was
        # given, BEST_FIT where it was; desired_vcpus is min_vcpus.
        (RESOURCES, RESOURCES | FILLED),
        (RESOURCES | {"allocationStrategy": "BEST_FIT"},
         RESOURCES | FILLED | {"allocationStrategy": "BEST_FIT"}),
        (RESOURCES | {"minvCpus": 4}, RESOURCES | FILLED | {"minvCpus": 4, "desiredvCpus": 4}),
        (FARGATE, FARGATE),
    ],
)  # fmt: skip
def test_resources_are_kept_with_what_aws_fills_in(sent, kept):
    assert created(**sent)["computeResources"] == kept


def test_an_update_policy_is_shown_once_one_was_given():
    """[tf] updatePolicyUpdate: none in the beginning, and what was given after that."""
    cloud = ready()
    assert "updatePolicy" not in described(cloud)
    environment = updated(cloud, updatePolicy={"terminateJobsOnUpdate": True})
    # [bc] UpdatePolicy.jobExecutionTimeoutMinutes: "The default value is 30".
    policy = {"terminateJobsOnUpdate": True, "jobExecutionTimeoutMinutes": 30}
    assert environment["updatePolicy"] == policy
    cloud.step(5)
    environment = updated(cloud, updatePolicy={"jobExecutionTimeoutMinutes": 60})
    assert environment["updatePolicy"] == policy | {"jobExecutionTimeoutMinutes": 60}


def test_an_update_policy_on_fargate_is_ignored():
    """[bc] UpdatePolicy: "Batch ignores it"."""
    cloud = serverless()
    policy = {"terminateJobsOnUpdate": True, "jobExecutionTimeoutMinutes": 60}
    assert "updatePolicy" not in updated(cloud, updatePolicy=policy)


def test_an_environment_without_a_strategy_launches_the_best_fitting_type_alone():
    """[bc] ComputeResource.allocationStrategy: "the BEST_FIT allocation strategy is used"."""
    cloud = Cloud()
    cloud("CreateComputeEnvironment", computeEnvironmentName="main", type="MANAGED",
          computeResources=RESOURCES | {"instanceTypes": ["m7i.large", "m7i.xlarge"]})  # fmt: skip
    cloud.step(10)
    cloud.queue("main", "main")
    cloud.definition()
    cloud.fault("insufficient_capacity", instanceType="m7i.large")
    cloud.submit()
    cloud.step(120)
    assert cloud("DescribeInstances")["Reservations"] == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"allocationStrategy": "BEST"}, "enum value set"),
        ({"type": "ec2"}, "enum value set"),
        # [bc] Ec2Configuration.imageType, the values for ECS
        ({"ec2Configuration": [{"imageType": "ECS_AL2022"}]}, "imageType must be one of"),
        ({"ec2Configuration": [{"imageType": "EKS_AL2023"}]}, "imageType must be one of"),
        ({"ec2Configuration": [{"imageType": "ECS_AL2"}] * 3}, "one or two values"),
        # … "Batch will block creation of new Amazon ECS compute environments" since June 30, 2026
        ({"ec2Configuration": [{"imageType": "ECS_AL2"}]}, "ECS_AL2 is not supported any more"),
        ({"ec2Configuration": [{"imageType": "ECS_AL2", "imageIdOverride": "x"}]}, "not the id"),
        ({"imageId": "my-image"}, "'my-image' is not the id of an image"),
        ({"imageId": "ami-xyz"}, "'ami-xyz' is not the id of an image"),
        # [bc] ComputeResource.managedInstancesProvider, .capacityTags
        ({"capacityTags": {"a": "b"}}, "capacityTags can only be set for ECS_MANAGED_INSTANCES"),
        # [gh] seqeralabs/nf-tower#262
        ({"allocationStrategy": "SPOT_CAPACITY_OPTIMIZED"},
         "Invalid compute resource allocation strategy SPOT_CAPACITY_OPTIMIZED for type EC2"),
        ({"type": "SPOT", "allocationStrategy": "BEST_FIT_PROGRESSIVE_ORDERED"},
         "Invalid compute resource allocation strategy BEST_FIT_PROGRESSIVE_ORDERED for type SPOT"),
    ],
)  # fmt: skip
def test_what_is_refused_of_ec2_resources(changes, words):
    request = {"computeEnvironmentName": "main", "type": "MANAGED"}
    refusal = Cloud().refused(
        "CreateComputeEnvironment", **request, computeResources=RESOURCES | changes
    )
    assert words in refusal


@pytest.mark.parametrize("image", ["ami-1", "ami-0123456789abcdef0"])
def test_image_ids_are_hexadecimal(image):
    assert created(**RESOURCES, imageId=image)["computeResources"]["imageId"] == image


@pytest.mark.parametrize(
    "name",
    ["minvCpus", "desiredvCpus", "bidPercentage", "allocationStrategy", "tags", "imageId",
     "ec2KeyPair", "instanceTypes", "instanceRole", "placementGroup", "launchTemplate",
     "ec2Configuration", "scalingPolicy", "spotIamFleetRole"],
)  # fmt: skip
def test_what_is_not_for_fargate_is_refused(name):
    """[bc] ComputeResource: the members that say "Don't specify it" for Fargate."""
    value = {
        "minvCpus": 0,
        "desiredvCpus": 0,
        "bidPercentage": 50,
        "allocationStrategy": "BEST_FIT",
        "tags": {"a": "b"},
        "instanceTypes": ["c7i"],
        "launchTemplate": {"launchTemplateId": "lt-1"},
        "ec2Configuration": [{"imageType": "ECS_AL2023"}],
        "scalingPolicy": {"minScaleDownDelayMinutes": 20},
    }.get(name, "x")
    request = {"computeEnvironmentName": "main", "type": "MANAGED"}
    refusal = Cloud().refused(
        "CreateComputeEnvironment", **request, computeResources=FARGATE | {name: value}
    )
    assert f"{name} cannot be set for Fargate" in refusal


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tags": {"a": "b"}}, "tags cannot be set for Fargate"),
        # A change of type is an infrastructure update, and those are for EC2 alone.
        # [bc] ComputeResourceUpdate.type, UpdatePolicy
        ({"type": "FARGATE_SPOT"}, "type cannot be changed for Fargate"),
        ({"type": "EC2"}, "type cannot be changed between Fargate and EC2"),
        ({"desiredvCpus": -1}, "desiredvCpus cannot be set for Fargate"),
    ],
)
def test_what_an_update_on_fargate_refuses(changes, words):
    refusal = serverless().refused(
        "UpdateComputeEnvironment", computeEnvironment="main", computeResources=changes
    )
    assert words in refusal


def test_subnets_and_groups_of_fargate_stay_where_an_update_has_none():
    """[bc] ComputeResourceUpdate.subnets: an empty list is "as if … wasn't specified"."""
    cloud = serverless()
    changes = {"type": "FARGATE", "subnets": [], "securityGroupIds": [], "maxvCpus": 8}
    assert updated(cloud, computeResources=changes)["computeResources"] == FARGATE | {"maxvCpus": 8}


@pytest.mark.parametrize(
    "changes",
    [
        {"updateToLatestImageVersion": False},
        {"imageId": "", "ec2KeyPair": "", "placementGroup": ""},
        {"launchTemplate": {"launchTemplateId": ""}},
        {"ec2Configuration": []},
        {"ec2Configuration": [{"imageType": "ECS_AL2023"}]},
        {"bidPercentage": 100},
        {"tags": {}},
        {"type": "SPOT", "instanceRole": PROFILE, "subnets": ["subnet-1"]},
        {"allocationStrategy": "SPOT_CAPACITY_OPTIMIZED"},
    ],
)
def test_members_that_change_nothing_replace_no_instance(changes):
    """[bc] ComputeResourceUpdate: *changing* a member requires an infrastructure update."""
    cloud = ready(type="SPOT", allocationStrategy="SPOT_CAPACITY_OPTIMIZED", minvCpus=2)
    cloud.step(60)
    before = described(cloud)["computeResources"]
    after = updated(cloud, computeResources=changes)["computeResources"]
    cloud.step(10)
    assert described(cloud)["status"] == "VALID"
    [reservation] = cloud("DescribeInstances")["Reservations"]
    assert reservation["Instances"][0]["State"]["Name"] == "running"
    assert {name: value for name, value in after.items() if value} == {
        name: value for name, value in before.items() if value
    } | {name: value for name, value in changes.items() if name == "bidPercentage"}


def test_members_that_change_nothing_are_taken_with_best_fit_too():
    cloud = ready(allocationStrategy="BEST_FIT")
    changes = {"updateToLatestImageVersion": False, "imageId": ""}
    assert updated(cloud, computeResources=changes)["status"] == "UPDATING"


@pytest.mark.parametrize(
    ("resources", "replaces"),
    [
        ({}, True),
        # [bc] ComputeResourceUpdate.updateToLatestImageVersion: with an AMI id "this parameter is
        # ignored".
        ({"imageId": "ami-1"}, False),
        ({"ec2Configuration": [{"imageType": "ECS_AL2", "imageIdOverride": "ami-1"}]}, False),
    ],
)
def test_the_latest_image_replaces_instances_unless_the_image_is_the_users(resources, replaces):
    cloud = ready(minvCpus=2, **resources)
    cloud.step(60)
    updated(cloud, computeResources={"updateToLatestImageVersion": True})
    cloud.step(40)
    states = [
        instance["State"]["Name"]
        for reservation in cloud("DescribeInstances")["Reservations"]
        for instance in reservation["Instances"]
    ]
    assert ("terminated" in states or "shutting-down" in states or len(states) > 1) == replaces


def test_best_fit_is_refused_in_an_update():
    """[bc] CRUpdateAllocationStrategy; "BEST_FIT isn't supported when updating"."""
    refusal = ready().refused(
        "UpdateComputeEnvironment",
        computeEnvironment="main",
        computeResources={"allocationStrategy": "BEST_FIT"},
    )
    assert "Value 'BEST_FIT' at 'computeResources.allocationStrategy'" in refusal


def test_what_an_empty_value_removes_is_checked_as_gone():
    """[bc] ComputeResourceUpdate.launchTemplate, .securityGroupIds."""
    cloud = Cloud()
    cloud("CreateLaunchTemplate", LaunchTemplateName="web", LaunchTemplateData={"KeyName": "k"})
    cloud.environment(launchTemplate={"launchTemplateName": "web"}, securityGroupIds=[])
    cloud.step(10)
    refusal = cloud.refused(
        "UpdateComputeEnvironment",
        computeEnvironment="main",
        computeResources={"launchTemplate": {"launchTemplateName": ""}},
    )
    assert "securityGroupIds must be specified" in refusal
