"""deploy/iam/roles: no more than AWS's own policies give, and what the operator may pass."""

import json
from fnmatch import fnmatchcase

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data
from tests.support.cloudformation import Stack

from awsbatch_operator.aws.calls import PASSED_ROLES
from awsbatch_sandbox.paths import REPOSITORY

FOLDER = REPOSITORY / "deploy" / "iam" / "roles"
STACK = Stack.read(FOLDER / "batch-roles.yaml", "111122223333")
ROLES = STACK.names("AWS::IAM::Role")
# AWS's own policy for the same purpose.
MANAGED = {
    "InstanceRole": "AmazonEC2ContainerServiceforEC2Role",
    "ExecutionRole": "AmazonECSTaskExecutionRolePolicy",
    "SpotFleetRole": "AmazonEC2SpotFleetTaggingRole",
}


@pytest.fixture(scope="module")
def managed():
    return json.loads(aws_managed_policies_data)


def statements(role):
    found = STACK.properties(role).get("Policies", ())
    return [each for policy in found for each in policy["PolicyDocument"]["Statement"]]


def listed(value):
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("role", MANAGED)
def test_a_role_may_do_no_more_than_with_awss_own_policy(role, managed):
    allowed = [
        action
        for statement in managed[MANAGED[role]]["Document"]["Statement"]
        for action in listed(statement["Action"])
    ]
    for statement in statements(role):
        for action in listed(statement["Action"]):
            assert "*" not in action
            assert any(fnmatchcase(action, pattern) for pattern in allowed), action


def test_jobs_cannot_make_clusters_with_what_their_instance_may_do():
    actions = {action for each in statements("InstanceRole") for action in listed(each["Action"])}
    assert "ecs:CreateCluster" not in actions
    assert "ecs:RegisterContainerInstance" in actions


def test_logs_are_written_to_the_group_of_the_jobs_and_no_other():
    stack = Stack.read(FOLDER / "batch-roles.yaml", "1", LogGroup="/climate")
    for role in ("InstanceRole", "ExecutionRole"):
        policies = stack.properties(role)["Policies"]
        found = [each for one in policies for each in one["PolicyDocument"]["Statement"]]
        [logs] = [each for each in found if "logs:PutLogEvents" in each["Action"]]
        assert logs["Resource"] == "arn:aws:logs:*:1:log-group:/climate:*"


def test_spot_fleet_passes_the_instances_role_only():
    [passing] = [each for each in statements("SpotFleetRole") if each["Action"] == "iam:PassRole"]
    assert passing["Resource"] == STACK.resolved({"GetAtt": "InstanceRole.Arn"})


def test_a_jobs_own_code_may_do_nothing_until_somebody_says_what():
    assert not {"Policies", "ManagedPolicyArns"} & STACK.properties("JobRole").keys()
    more = Stack.read(FOLDER / "batch-roles.yaml", "1", JobPolicyArns="arn:a,arn:b")
    assert more.properties("JobRole")["ManagedPolicyArns"] == ["arn:a", "arn:b"]


def test_awss_own_policies_that_are_named_exist(managed):
    for role in ROLES:
        for arn in STACK.properties(role).get("ManagedPolicyArns", ()):
            name = arn.rpartition("/")[2]
            assert arn == f"arn:aws:iam::aws:policy{managed[name]['Path']}{name}"


@pytest.mark.parametrize("role", ROLES)
def test_a_service_assumes_it_and_the_operator_may_pass_it(role):
    wanted = STACK.properties(role)
    [statement] = wanted["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"].keys() == {"Service"}
    assert statement["Action"] == "sts:AssumeRole"
    arn = STACK.resolved({"GetAtt": f"{role}.Arn"})
    assert any(fnmatchcase(arn, pattern) for pattern in PASSED_ROLES), arn


def test_batch_assumes_the_service_role_for_this_account_only():
    """Otherwise another account could have Batch use it ("cross-service confused deputy")."""
    [statement] = STACK.properties("ServiceRole")["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": STACK.account}}


def test_the_page_names_every_output_and_every_role():
    page = (FOLDER / "README.md").read_text()
    for name in STACK.body["Outputs"]:
        assert f"`{name}`" in page
    for role in ROLES:
        assert f"`{STACK.properties(role)['RoleName']}`" in page
    assert "deploy/iam/roles/batch-roles.yaml" in page
