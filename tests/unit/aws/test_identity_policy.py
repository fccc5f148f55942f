"""What the policies allow about roles: with a wider one the operator could become anybody."""

import json

import pytest
from tests.support.iam import allows
from tools import iam_policy

from awsbatch_operator.aws.calls import PASSED_ROLES

ROLES = "arn:aws:iam::111122223333:role"
TO = "iam:PassedToService"
# By policy: to whom a role may be passed, for whom a service-linked role may be made.
PASSED_TO = {
    "operator": ("batch", "ec2", "ecs", "ecs-tasks", "spotfleet"),
    "capacity": ("ec2",),
    "image": ("ec2",),
}
LINKED_TO = {"operator": ("batch",), "capacity": ("ec2fleet", "spot")}
OTHERS = ("lambda", "glue", "batch", "ec2", "ecs", "ecs-tasks", "spotfleet", "ec2fleet", "spot")
DOCUMENTS = {
    path.stem.removesuffix("-policy"): json.loads(path.read_text())
    for path in iam_policy.FOLDER.glob("*-policy.json")
}


def parts_with(action):
    """The policies in which an action stands."""
    return {
        part
        for part, document in DOCUMENTS.items()
        if any(action in each["Action"] for each in document["Statement"])
    }


def test_nothing_else_is_allowed_about_identities_and_each_policy_that_does_is_tried_here():
    actions = {
        action
        for document in DOCUMENTS.values()
        for each in document["Statement"]
        for action in each["Action"]
        if action.startswith(("iam:", "sts:"))
    }
    assert actions == {"iam:PassRole", "iam:CreateServiceLinkedRole", "sts:AssumeRole"}
    assert parts_with("iam:PassRole") == PASSED_TO.keys()
    assert parts_with("iam:CreateServiceLinkedRole") == LINKED_TO.keys()
    assert parts_with("sts:AssumeRole") == {"operator"}


@pytest.mark.parametrize("part", PASSED_TO)
def test_a_role_is_passed_only_to_services_that_run_jobs(part):
    role = f"{ROLES}/batch-jobs"
    for service in OTHERS:
        allowed = allows(DOCUMENTS[part], "iam:PassRole", role, {TO: f"{service}.amazonaws.com"})
        assert allowed is (service in PASSED_TO[part]), service
    assert not allows(DOCUMENTS[part], "iam:PassRole", role, {})


@pytest.mark.parametrize("part", PASSED_TO)
def test_only_roles_with_the_names_of_those_for_batch_are_passed(part):
    to = {TO: f"{PASSED_TO[part][0]}.amazonaws.com"}
    for name in PASSED_ROLES:
        role = name.replace("iam::*", "iam::111122223333").replace("*", "jobs")
        assert allows(DOCUMENTS[part], "iam:PassRole", role, to)
    for name in ("admin", "OrganizationAccountAccessRole", "x/batch-jobs", "my-batch-jobs"):
        assert not allows(DOCUMENTS[part], "iam:PassRole", f"{ROLES}/{name}", to)


@pytest.mark.parametrize("part", LINKED_TO)
def test_no_service_linked_role_is_made_but_for_what_is_called(part):
    for service in OTHERS:
        name = f"{service}.amazonaws.com"
        role = f"{ROLES}/aws-service-role/{name}/AWSServiceRoleForIt"
        made = allows(
            DOCUMENTS[part], "iam:CreateServiceLinkedRole", role, {"iam:AWSServiceName": name}
        )
        assert made is (service in LINKED_TO[part]), service
    one, *_ = LINKED_TO[part]
    role = f"{ROLES}/aws-service-role/{one}.amazonaws.com/AWSServiceRoleForIt"
    wrong = {"iam:AWSServiceName": "lambda.amazonaws.com"}
    assert not allows(DOCUMENTS[part], "iam:CreateServiceLinkedRole", role, wrong)


def test_no_role_is_assumed_but_those_that_are_called_as_the_readme_says():
    assert allows(DOCUMENTS["operator"], "sts:AssumeRole", f"{ROLES}/batch-operator-lab", {})
    for name in ("admin", "batch-jobs", "my-batch-operator"):
        assert not allows(DOCUMENTS["operator"], "sts:AssumeRole", f"{ROLES}/{name}", {})
