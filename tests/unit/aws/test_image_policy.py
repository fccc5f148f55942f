"""The policies for machine images: what is ours they let through, what is not they do not."""

import json

import pytest
from tests.support.iam import allows
from tools import iam_policy

from awsbatch_operator.aws.calls import CLUSTER_ID
from awsbatch_operator.aws.image_calls import PART, PARTS

KEY = "awsbatch.dev/cluster"
OURS = {f"aws:ResourceTag/{KEY}": CLUSTER_ID}
THEIRS = {f"aws:ResourceTag/{KEY}": "another-cluster"}
UNTAGGED: dict[str, str] = {}
MAKING = {f"aws:RequestTag/{KEY}": CLUSTER_ID}

INSTANCE = "arn:aws:ec2:eu-central-1:111122223333:instance/i-1"
IMAGE = "arn:aws:ec2:eu-central-1::image/ami-1"
SNAPSHOT = "arn:aws:ec2:eu-central-1::snapshot/snap-1"
CLUSTER = "arn:aws:ecs:eu-central-1:111122223333:cluster/awsbatch-verify-0a1b"
PARAMETER = "arn:aws:ssm:eu-central-1:111122223333:parameter/images/atmos"
ENDS = [
    ("ec2:TerminateInstances", INSTANCE),
    ("ec2:DeregisterImage", IMAGE),
    ("ec2:DeleteSnapshot", SNAPSHOT),
    ("ec2:EnableImageDeprecation", IMAGE),
    ("ec2:DisableImageDeprecation", IMAGE),
    ("ec2:CreateTags", IMAGE),
    ("ec2:CreateImage", INSTANCE),
    ("ecs:DeleteCluster", CLUSTER),
    ("ssm:DeleteParameter", PARAMETER),
]
MAKES = [
    ("ec2:RunInstances", INSTANCE),
    ("ec2:CreateImage", IMAGE),
    ("ec2:CreateImage", SNAPSHOT),
    ("ec2:CopyImage", SNAPSHOT),
    ("ecs:CreateCluster", CLUSTER),
    ("ssm:PutParameter", PARAMETER),
]


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


def test_no_cluster_but_that_of_the_tests_is_touched(document):
    web = "arn:aws:ecs:eu-central-1:111122223333:cluster/web"
    for action in ("ecs:CreateCluster", "ecs:DeleteCluster", "ecs:DeregisterContainerInstance"):
        assert not allows(document, action, web, {**OURS, **MAKING})


def test_there_is_no_key_pair_no_role_and_no_rule_of_a_security_group_to_be_made(document):
    actions = {action for each in document["Statement"] for action in each["Action"]}
    words = ("KeyPair", "SecurityGroup", "CreateRole", "InstanceProfile")
    assert not [each for each in actions if any(word in each for word in words)]
