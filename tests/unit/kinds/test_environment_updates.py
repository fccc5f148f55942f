"""Every member of a compute environment: what it takes to change it, and what is sent."""

from typing import Any

import pytest
from tests.unit.kinds.environments import (
    OWN_ROLE,
    before,
    desired,
    edited,
    environment_of,
    model,
    sent,
)
from tests.unit.kinds.values import NOW

from awsbatch_operator.kinds.computeenvironment.changes import Change, compare
from awsbatch_operator.kinds.computeenvironment.plan import plan_environment

TEMPLATE = {"launchTemplateName": "web", "version": "3"}
IMAGE = [{"imageType": "ECS_AL2023", "imageIdOverride": "ami-1"}]
PROFILE = "arn:aws:iam::1:instance-profile/other"
POLICY = {"terminateJobsOnUpdate": True, "jobExecutionTimeoutMinutes": 5}
EXCHANGE, IN_PLACE, ANOTHER, NOTHING = "Infrastructure", "Scaling", "Replacement", "None"
NEWEST = {"updateToLatestImageVersion": True}

# Each member of computeResources: its value in an edit of EC2 and SPOT, what it takes where AWS can
# exchange instances and where it cannot, and what is sent; None: the value.
OF_INSTANCES: dict[str, tuple[Any, str, str, dict[str, Any] | None]] = {
    "allocationStrategy": ("BEST_FIT_PROGRESSIVE", EXCHANGE, ANOTHER, None),
    "bidPercentage": (60, EXCHANGE, ANOTHER, None),
    "desiredvCpus": (8, NOTHING, NOTHING, None),
    "ec2Configuration": (IMAGE, EXCHANGE, ANOTHER, None),
    "ec2KeyPair": ("me", EXCHANGE, ANOTHER, None),
    "imageId": ("ami-2", EXCHANGE, ANOTHER, None),
    "instanceRole": (PROFILE, EXCHANGE, ANOTHER, None),
    "instanceTypes": (["r7i"], EXCHANGE, ANOTHER, None),
    "launchTemplate": (TEMPLATE, EXCHANGE, ANOTHER, {"launchTemplate": TEMPLATE, **NEWEST}),
    "maxvCpus": (32, IN_PLACE, IN_PLACE, None),
    "minvCpus": (4, IN_PLACE, IN_PLACE, {"minvCpus": 4, "maxvCpus": 16}),
    "placementGroup": ("near", EXCHANGE, ANOTHER, None),
    "scalingPolicy": (
        {"minScaleDownDelayMinutes": 30},
        IN_PLACE,
        IN_PLACE,
        {"scalingPolicy": {"minScaleDownDelayMinutes": 30}, "maxvCpus": 16},
    ),
    "securityGroupIds": (["sg-9"], EXCHANGE, ANOTHER, None),
    "spotIamFleetRole": (OWN_ROLE, ANOTHER, ANOTHER, None),
    "subnets": (["subnet-9"], EXCHANGE, ANOTHER, None),
    "tags": ({"team": "climate"}, EXCHANGE, ANOTHER, None),
    "type": ("", EXCHANGE, ANOTHER, None),
}
ON_FARGATE: dict[str, tuple[Any, str, dict[str, Any] | None]] = {
    "maxvCpus": (32, IN_PLACE, None),
    "securityGroupIds": (["sg-9"], IN_PLACE, {"securityGroupIds": ["sg-9"], "maxvCpus": 16}),
    "subnets": (["subnet-9"], IN_PLACE, {"subnets": ["subnet-9"], "maxvCpus": 16}),
    "type": ("", ANOTHER, None),
}
# Only in environments of ECS_MANAGED_INSTANCES, below.
OF_MANAGED_INSTANCES = {"managedInstancesProvider", "capacityTags"}
# Top-level members, and members that only an update has: each has a test of its own below.
TOP = {"state", "serviceRole", "unmanagedvCpus", "updatePolicy", "ecsSettings", "eksConfiguration"}
ONLY_OF_UPDATES = {"updateToLatestImageVersion", "updatePolicy"}
NOT_CHANGED_BY_UPDATES = {
    "computeEnvironmentName": "it names the environment",
    "computeEnvironment": "it names the environment",
    "type": "the API server refuses another one",
    "tags": "TagResource changes them",
    "computeResources": "it is taken member by member",
    "context": "reserved by AWS, and not in the schema",
}
OTHER_TYPE = {"EC2": "SPOT", "SPOT": "EC2", "FARGATE": "FARGATE_SPOT", "FARGATE_SPOT": "FARGATE"}


def members(shape):
    return set(model().shape_for(shape).members)


def test_every_member_that_aws_knows_stands_in_these_tables():
    """A newer boto3 brings members that nobody has thought about: this test says which."""
    resources = members("ComputeResource") | members("ComputeResourceUpdate")
    assert resources - ONLY_OF_UPDATES == OF_INSTANCES.keys() | OF_MANAGED_INSTANCES
    top = members("CreateComputeEnvironmentRequest") | members("UpdateComputeEnvironmentRequest")
    assert top == TOP | NOT_CHANGED_BY_UPDATES.keys()
    not_on_fargate = {name for name in OF_INSTANCES if name not in ON_FARGATE}
    assert not_on_fargate == _said_not_to_be_of_fargate() | {"desiredvCpus", "minvCpus"}


def _said_not_to_be_of_fargate():
    shape = model().shape_for("ComputeResource")
    words = "isn't applicable to jobs that are running on Fargate resources"
    return {name for name, each in shape.members.items() if words in each.documentation}


@pytest.mark.parametrize("updatable", [True, False], ids=["updatable", "not"])
@pytest.mark.parametrize("kind", ["EC2", "SPOT"])
@pytest.mark.parametrize("name", sorted(OF_INSTANCES))
def test_each_member_of_instances_takes_its_kind_of_update(name, kind, updatable):
    value, can, cannot, expected = OF_INSTANCES[name]
    value = OTHER_TYPE[kind] if name == "type" else value
    spec = before(kind, updatable=updatable)
    aws = environment_of(spec)
    wanted = desired(edited(spec, **{name: value}))
    plan = plan_environment(wanted, aws.observed(), NOW)
    found = compare(wanted, aws.observed())
    assert found.change.value == (can if updatable else cannot)
    match found.change:
        case Change.SCALING | Change.INFRASTRUCTURE:
            resources = sent(plan)["computeResources"]
            assert resources == ({name: value} if expected is None else expected)
            assert resources.get("allocationStrategy") != "BEST_FIT"
        case _:
            assert not plan.steps


@pytest.mark.parametrize("kind", ["FARGATE", "FARGATE_SPOT"])
@pytest.mark.parametrize("name", sorted(ON_FARGATE))
def test_each_member_of_fargate_takes_its_kind_of_update(name, kind):
    value, change, expected = ON_FARGATE[name]
    value = OTHER_TYPE[kind] if name == "type" else value
    spec = before(kind, updatable=False)
    aws = environment_of(spec)
    wanted = desired(edited(spec, **{name: value}))
    assert compare(wanted, aws.observed()).change.value == change
    if change == IN_PLACE:
        resources = sent(plan_environment(wanted, aws.observed(), NOW))["computeResources"]
        assert resources == ({name: value} if expected is None else expected)


@pytest.mark.parametrize("kind", ["EC2", "SPOT"])
@pytest.mark.parametrize(
    ("name", "value", "cleared"),
    [
        ("bidPercentage", 60, {"bidPercentage": 100}),
        ("ec2Configuration", IMAGE, {"ec2Configuration": []}),
        ("ec2KeyPair", "me", {"ec2KeyPair": ""}),
        ("imageId", "ami-2", {"imageId": ""}),
        ("launchTemplate", TEMPLATE, {"launchTemplate": {"launchTemplateName": ""}, **NEWEST}),
        (
            "launchTemplate",
            {"launchTemplateId": "lt-1", "version": "3"},
            {"launchTemplate": {"launchTemplateId": ""}, **NEWEST},
        ),
        ("placementGroup", "near", {"placementGroup": ""}),
        ("tags", {"a": "b"}, {"tags": {}}),
    ],
)
def test_what_leaves_the_spec_is_taken_away_by_an_empty_value(kind, name, value, cleared):
    spec = before(kind, updatable=True)
    aws = environment_of(edited(spec, **{name: value}))
    plan = plan_environment(desired(spec), aws.observed(), NOW)
    assert sent(plan)["computeResources"] == cleared


def test_groups_that_leave_the_spec_are_taken_away_where_a_launch_template_can_name_others():
    spec = edited(before("EC2", updatable=True), launchTemplate=TEMPLATE)
    aws = environment_of(edited(spec, securityGroupIds=["sg-1"]))
    plan = plan_environment(desired(spec), aws.observed(), NOW)
    assert sent(plan)["computeResources"] == {"securityGroupIds": []}
    spec = before("EC2", updatable=True)
    aws = environment_of(edited(spec, securityGroupIds=["sg-1"]))
    found = compare(desired(spec), aws.observed())
    assert (found.change, found.left) == (Change.NONE, ("computeResources.securityGroupIds",))


@pytest.mark.parametrize("updatable", [True, False])
@pytest.mark.parametrize(
    ("changes", "request_"),
    [
        ({"state": "DISABLED"}, {"state": "DISABLED"}),
        ({"updatePolicy": POLICY}, {"updatePolicy": POLICY, "computeResources": {"maxvCpus": 16}}),
        (
            {"ecsSettings": {"containerInsights": "ENABLED"}},
            {
                "ecsSettings": {"containerInsights": "ENABLED"},
                "computeResources": {"maxvCpus": 16},
            },
        ),
    ],
)
def test_members_beside_the_resources_change_in_place(changes, request_, updatable):
    spec = before("EC2", updatable=updatable)
    plan = plan_environment(desired({**spec, **changes}), environment_of(spec).observed(), NOW)
    assert sent(plan) == request_


def test_capacity_of_an_unmanaged_environment_changes_in_place_without_resources():
    spec = {"type": "UNMANAGED", "serviceRole": OWN_ROLE}
    wanted = {**spec, "unmanagedvCpus": 8, "serviceRole": f"{OWN_ROLE}2"}
    plan = plan_environment(desired(wanted), environment_of(spec).observed(), NOW)
    assert sent(plan) == {"unmanagedvCpus": 8, "serviceRole": f"{OWN_ROLE}2"}


PROVIDER: dict[str, Any] = {
    "infrastructureRoleArn": OWN_ROLE,
    "instanceLaunchTemplate": {
        "ec2InstanceProfileArn": PROFILE,
        "networkConfiguration": {"subnets": ["s"], "securityGroups": ["g"]},
        "capacityOptionType": "SPOT",
    },
}


@pytest.mark.parametrize(
    ("changes", "change"),
    [
        ({"infrastructureRoleArn": f"{OWN_ROLE}2"}, IN_PLACE),
        ({"propagateTags": "CAPACITY_PROVIDER"}, IN_PLACE),
        (
            {
                "instanceLaunchTemplate": {
                    **PROVIDER["instanceLaunchTemplate"],
                    "capacityOptionType": "ON_DEMAND",
                }
            },
            ANOTHER,
        ),
    ],
)
def test_the_provider_of_managed_instances_changes_but_for_what_its_update_does_not_know(
    changes, change
):
    resources = {"type": "ECS_MANAGED_INSTANCES", "maxvCpus": 16}
    spec = {
        "type": "MANAGED",
        "computeResources": {**resources, "managedInstancesProvider": PROVIDER},
    }
    wanted = edited(spec, managedInstancesProvider={**PROVIDER, **changes}, capacityTags={"a": "b"})
    aws = environment_of(spec)
    assert compare(desired(wanted), aws.observed()).change.value == change
    request = sent(plan_environment(desired(wanted), aws.observed(), NOW))["computeResources"]
    assert request["capacityTags"] == {"a": "b"}
    if change == IN_PLACE:
        template = request["managedInstancesProvider"]["instanceLaunchTemplate"]
        assert "capacityOptionType" not in template


@pytest.mark.parametrize(("state", "sent_state"), [("DISABLED", "DISABLED"), (None, None)])
def test_of_a_cluster_of_eks_only_the_access_entry_changes(state, sent_state):
    eks = {"eksClusterArn": "arn:1", "kubernetesNamespace": "batch"}
    spec = before("EC2", updatable=True) | {"eksConfiguration": eks}
    aws = environment_of(spec)
    entry = {} if state is None else {"accessEntry": {"desiredState": state}}
    wanted = desired({**spec, "eksConfiguration": {**eks, **entry}})
    plan = plan_environment(wanted, aws.observed(), NOW)
    if sent_state is None:
        assert not plan.steps
    else:
        assert sent(plan)["eksConfiguration"] == {"accessEntry": {"desiredState": sent_state}}
    moved = desired({**spec, "eksConfiguration": {**eks, "kubernetesNamespace": "other"}})
    assert compare(moved, aws.observed()).change is Change.REPLACEMENT


def test_what_changes_in_place_goes_first_and_the_policy_goes_with_the_exchange():
    """Neither waits for jobs on old instances, nor for what AWS refuses of the other."""
    spec = before("EC2", updatable=True)
    aws = environment_of(spec)
    wanted = edited(spec, ec2KeyPair="me", maxvCpus=32) | {"updatePolicy": POLICY}
    plan = plan_environment(desired(wanted), aws.observed(), NOW)
    assert sent(plan) == {"computeResources": {"maxvCpus": 32}, "updatePolicy": POLICY}
    assert not plan.announce
    aws.take_all(plan)
    plan = plan_environment(desired(wanted), aws.observed(), NOW)
    assert sent(plan) == {"computeResources": {"ec2KeyPair": "me"}, "updatePolicy": POLICY}
    assert plan.announce["plan"]["fields"] == ["computeResources.ec2KeyPair"]
    assert "ended at once" in plan.announce["plan"]["reason"]


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ({}, "may go on for 30 minutes"),
        ({"jobExecutionTimeoutMinutes": 90}, "may go on for 90 minutes"),
        ({"terminateJobsOnUpdate": True}, "ended at once"),
    ],
)
def test_the_announced_plan_says_what_becomes_of_the_jobs_that_run(policy, words):
    spec = before("EC2", updatable=True) | ({"updatePolicy": policy} if policy else {})
    aws = environment_of(spec)
    plan = plan_environment(desired(edited(spec, ec2KeyPair="me")), aws.observed(), NOW)
    assert plan.announce["plan"]["action"] == "Infrastructure"
    assert words in plan.announce["plan"]["reason"]
