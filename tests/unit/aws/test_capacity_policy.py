"""The policy for capacity: what is ours it lets through, what is not it does not."""

import json

import pytest
from tests.support.iam import allows
from tools import iam_policy

from awsbatch_operator.aws.call_table import CALLS
from awsbatch_operator.aws.calls import CLUSTER_ID, PASSED_ROLES, Effect
from awsbatch_operator.aws.capacity_calls import PART

KEY = "awsbatch.dev/cluster"
OURS = {f"aws:ResourceTag/{KEY}": CLUSTER_ID}
THEIRS = {f"aws:ResourceTag/{KEY}": "another-cluster"}
UNTAGGED: dict[str, str] = {}
MAKING = {f"aws:RequestTag/{KEY}": CLUSTER_ID}
MAKING_FOR_OTHERS = {f"aws:RequestTag/{KEY}": "another-cluster"}

WHERE = "arn:aws:ec2:eu-central-1:111122223333"
INSTANCE, VOLUME = f"{WHERE}:instance/i-1", f"{WHERE}:volume/vol-1"
TEMPLATE, FLEET = f"{WHERE}:launch-template/lt-1", f"{WHERE}:fleet/fleet-1"
RESERVATION = f"{WHERE}:capacity-reservation/cr-1"
INTERFACE, REQUEST = f"{WHERE}:network-interface/eni-1", f"{WHERE}:spot-instances-request/sir-1"
USED = (
    RESERVATION,
    "arn:aws:ec2:eu-central-1::image/ami-1",
    f"{WHERE}:key-pair/k",
    f"{WHERE}:placement-group/g",
    f"{WHERE}:security-group/sg-1",
    "arn:aws:ec2:eu-central-1::snapshot/snap-1",
    f"{WHERE}:subnet/subnet-1",
)
LAUNCHED = (INSTANCE, VOLUME, INTERFACE, REQUEST)
# By operation: what it makes, and what it changes or ends.
MAKES = {
    "RunInstances": LAUNCHED,
    "CreateFleet": (FLEET, *LAUNCHED),
    "CreateLaunchTemplate": (TEMPLATE,),
    "CreateCapacityReservation": (RESERVATION,),
}
CHANGES = {
    "TerminateInstances": (INSTANCE,),
    "DeleteVolume": (VOLUME,),
    "DeleteLaunchTemplate": (TEMPLATE,),
    "CancelCapacityReservation": (RESERVATION,),
}
IN_QUEUES = {"DeleteMessageBatch"}
IN_CLUSTERS = {"UpdateContainerInstancesState", "DeregisterContainerInstance"}


@pytest.fixture(scope="module")
def document():
    return json.loads((iam_policy.FOLDER / "capacity-policy.json").read_text())


def test_every_call_of_capacity_that_changes_aws_is_tried_here():
    mutating = {
        call.operation for call in CALLS if call.effect is not Effect.READS and call.part == PART
    }
    assert mutating == MAKES.keys() | CHANGES.keys() | IN_CLUSTERS | IN_QUEUES


@pytest.mark.parametrize(
    ("operation", "made"), [(name, arn) for name, arns in MAKES.items() for arn in arns]
)
def test_what_is_launched_or_made_must_carry_our_clusters_tag(document, operation, made):
    creating = {"ec2:CreateAction": operation}
    assert allows(document, f"ec2:{operation}", made, MAKING)
    assert allows(document, "ec2:CreateTags", made, MAKING | creating)
    for wrong in (UNTAGGED, MAKING_FOR_OTHERS):
        if made != RESERVATION or operation == "CreateCapacityReservation":
            assert not allows(document, f"ec2:{operation}", made, wrong)
        assert not allows(document, "ec2:CreateTags", made, wrong | creating)


@pytest.mark.parametrize(
    ("operation", "thing"), [(name, arn) for name, arns in CHANGES.items() for arn in arns]
)
def test_only_what_carries_our_clusters_tag_is_changed_or_ended(document, operation, thing):
    assert allows(document, f"ec2:{operation}", thing, OURS)
    assert not allows(document, f"ec2:{operation}", thing, THEIRS)
    assert not allows(document, f"ec2:{operation}", thing, UNTAGGED)


def test_nothing_that_is_there_is_tagged_whoever_it_belongs_to(document):
    """The right is for what a call makes: no call of ours tags anything afterwards."""
    for thing in (*LAUNCHED, RESERVATION, TEMPLATE, *USED):
        assert not allows(document, "ec2:CreateTags", thing, OURS)
        assert not allows(document, "ec2:CreateTags", thing, MAKING)
        assert not allows(document, "ec2:CreateTags", thing, MAKING | THEIRS)


@pytest.mark.parametrize("operation", ["RunInstances", "CreateFleet"])
def test_a_launch_uses_what_is_anybodys_but_no_template_of_others(document, operation):
    for used in USED:
        assert allows(document, f"ec2:{operation}", used, UNTAGGED)
    assert allows(document, f"ec2:{operation}", TEMPLATE, OURS)
    assert not allows(document, f"ec2:{operation}", TEMPLATE, THEIRS)
    assert not allows(document, f"ec2:{operation}", TEMPLATE, MAKING)


@pytest.mark.parametrize("name", ["AWSBatch-mine-8d3f", "mine_Batch_8d3f"])
def test_container_instances_are_changed_in_the_clusters_of_batch_only(document, name):
    where = "arn:aws:ecs:eu-central-1:111122223333"
    update, deregister = "ecs:UpdateContainerInstancesState", "ecs:DeregisterContainerInstance"
    assert allows(document, update, f"{where}:container-instance/{name}/0a1b", UNTAGGED)
    assert allows(document, deregister, f"{where}:cluster/{name}", UNTAGGED)
    assert not allows(document, update, f"{where}:container-instance/web/0a1b", UNTAGGED)
    assert not allows(document, deregister, f"{where}:cluster/web", UNTAGGED)


def test_the_console_of_others_is_not_read(document):
    assert allows(document, "ec2:GetConsoleOutput", INSTANCE, OURS)
    assert not allows(document, "ec2:GetConsoleOutput", INSTANCE, UNTAGGED)


def test_roles_are_passed_to_instances_only(document):
    [passing] = [each for each in document["Statement"] if each["Action"] == ["iam:PassRole"]]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": ["ec2.amazonaws.com"]}}
    assert passing["Resource"] == sorted(PASSED_ROLES)


def test_no_parameters_but_those_of_aws_images_are_read_until_somebody_adds_them(document):
    aws = "arn:aws:ssm:eu-west-1::parameter/aws/service/ecs/optimized-ami/amazon-linux-2023/gpu/x"
    own = "arn:aws:ssm:eu-west-1:111122223333:parameter/passwords"
    [statement] = [each for each in document["Statement"] if each.get("Sid") == "SsmGetParameter"]
    assert allows(document, "ssm:GetParameter", aws, UNTAGGED)
    assert not allows(document, "ssm:GetParameter", own, UNTAGGED)
    assert statement["Action"] == ["ssm:GetParameter"], "the README names it"


def test_no_queue_is_emptied_but_one_that_was_made_for_it(document):
    where = "arn:aws:sqs:eu-west-1:111122223333"
    for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage"):
        assert allows(document, action, f"{where}:aws-batch-operator-lab", UNTAGGED)
        assert not allows(document, action, f"{where}:orders", UNTAGGED)
    [statement] = [each for each in document["Statement"] if each.get("Sid") == "SqsDeleteMessage"]
    assert len(statement["Action"]) == 2, "the README names it"
