"""The policies for machine images: what is ours they let through, what is not they do not."""

import json

import pytest
from tests.support.iam import allows
from tools import iam_policy

from awsbatch_operator.aws.call_table import CALLS
from awsbatch_operator.aws.calls import CLUSTER_ID, Effect
from awsbatch_operator.aws.image_calls import PART, PARTS

KEY = "awsbatch.dev/cluster"
OURS = {f"aws:ResourceTag/{KEY}": CLUSTER_ID}
THEIRS = {f"aws:ResourceTag/{KEY}": "another-cluster"}
UNTAGGED: dict[str, str] = {}
MAKING = {f"aws:RequestTag/{KEY}": CLUSTER_ID}

INSTANCE = "arn:aws:ec2:eu-central-1:111122223333:instance/i-1"
IMAGE = "arn:aws:ec2:eu-central-1::image/ami-1"
TEMPLATE = "arn:aws:ec2:eu-central-1:111122223333:launch-template/lt-1"
SNAPSHOT = "arn:aws:ec2:eu-central-1::snapshot/snap-1"
CLUSTER = "arn:aws:ecs:eu-central-1:111122223333:cluster/awsbatch-verify-0a1b"
PARAMETER = "arn:aws:ssm:eu-central-1:111122223333:parameter/images/atmos"
ENDS = [
    ("ec2:TerminateInstances", INSTANCE),
    ("ec2:RunInstances", TEMPLATE),
    ("ec2:DeleteLaunchTemplate", TEMPLATE),
    ("ec2:DeregisterImage", IMAGE),
    ("ec2:DeleteSnapshot", SNAPSHOT),
    ("ec2:EnableImageDeprecation", IMAGE),
    ("ec2:DisableImageDeprecation", IMAGE),
    ("ec2:CreateTags", IMAGE),
    ("ec2:CreateTags", TEMPLATE),
    ("ec2:DeleteTags", IMAGE),
    ("ec2:DeleteTags", SNAPSHOT),
    ("ec2:DeleteTags", TEMPLATE),
    ("ec2:CreateImage", INSTANCE),
    ("ecs:DeleteCluster", CLUSTER),
    ("ssm:DeleteParameter", PARAMETER),
    ("ssm:RemoveTagsFromResource", PARAMETER),
]
MAKES = [
    ("ec2:RunInstances", INSTANCE),
    ("ec2:CreateLaunchTemplate", TEMPLATE),
    ("ec2:CreateImage", IMAGE),
    ("ec2:CreateImage", SNAPSHOT),
    ("ec2:CopyImage", SNAPSHOT),
    ("ecs:CreateCluster", CLUSTER),
    ("ecs:TagResource", CLUSTER),
    ("ssm:PutParameter", PARAMETER),
    ("ssm:AddTagsToResource", PARAMETER),
]
# Of others they read, or they are for the cluster of the tests alone, which is tried below.
NOT_BY_TAG = {"ec2:DescribeImages", "ecs:DescribeClusters", "ecs:DeregisterContainerInstance"}


@pytest.fixture(scope="module")
def document():
    """All of them together, as one."""
    texts = [(iam_policy.FOLDER / f"{part}-policy.json").read_text() for part in PARTS]
    statements = [each for text in texts for each in json.loads(text)["Statement"]]
    return {"Version": "2012-10-17", "Statement": statements}


def test_the_core_has_17_actions_and_none_of_those_that_a_part_is_for():
    actions = {
        part: {
            action
            for each in json.loads((iam_policy.FOLDER / f"{part}-policy.json").read_text())[
                "Statement"
            ]
            for action in each["Action"]
        }
        for part in PARTS
    }
    assert len(actions[PART]) == 17
    for part in PARTS[1:]:
        assert actions[part] & actions[PART] <= {"ec2:CreateTags"}, "at the creation of copies"


def test_every_action_of_a_call_that_changes_aws_is_tried_here():
    needed = {
        permission.action
        for call in CALLS
        if call.part in PARTS and call.effect is not Effect.READS
        for permission in call.permissions
    }
    assert needed - NOT_BY_TAG <= {action for action, _ in (*ENDS, *MAKES)}


@pytest.mark.parametrize(("action", "thing"), ENDS)
def test_only_what_carries_our_clusters_tag_is_changed_or_ended(document, action, thing):
    assert allows(document, action, thing, OURS)
    assert not allows(document, action, thing, THEIRS)
    assert not allows(document, action, thing, UNTAGGED)


@pytest.mark.parametrize(("action", "thing"), MAKES)
def test_what_is_made_must_carry_our_clusters_tag(document, action, thing):
    assert allows(document, action, thing, MAKING)
    assert not allows(document, action, thing, UNTAGGED)
    assert not allows(document, action, thing, {f"aws:RequestTag/{KEY}": "another-cluster"})


@pytest.mark.parametrize(
    ("action", "thing"), [("ecs:TagResource", CLUSTER), ("ssm:AddTagsToResource", PARAMETER)]
)
def test_nothing_of_another_cluster_is_taken_over_by_tagging_it(document, action, thing):
    assert allows(document, action, thing, MAKING)
    assert not allows(document, action, thing, MAKING | THEIRS)


def test_what_a_call_makes_is_tagged_by_it_and_nothing_afterwards(document):
    for thing in (IMAGE, SNAPSHOT):
        made_by = {"ec2:CreateAction": "CreateImage"}
        assert allows(document, "ec2:CreateTags", thing, MAKING | made_by)
        assert not allows(document, "ec2:CreateTags", thing, MAKING | THEIRS)
        assert not allows(document, "ec2:CreateTags", thing, made_by)


def test_no_cluster_but_that_of_the_tests_is_touched(document):
    web = "arn:aws:ecs:eu-central-1:111122223333:cluster/web"
    for action in ("ecs:CreateCluster", "ecs:DeleteCluster", "ecs:DeregisterContainerInstance"):
        assert not allows(document, action, web, {**OURS, **MAKING})


def test_there_is_no_key_pair_no_role_and_no_rule_of_a_security_group_to_be_made(document):
    actions = {action for each in document["Statement"] for action in each["Action"]}
    words = ("KeyPair", "SecurityGroup", "CreateRole", "InstanceProfile")
    assert not [each for each in actions if any(word in each for word in words)]
