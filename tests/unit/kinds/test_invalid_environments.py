"""What AWS says of INVALID environments, and what is made of it."""

import pytest
from tests.unit.kinds.environments import NAME, OWN_ROLE, SLR, Model, best_fit, desired
from tests.unit.kinds.values import NOW, RECORDED, owner, resource

from awsbatch_operator.api import catalogue, replacing_reasons
from awsbatch_operator.api.metadata import REMAKING
from awsbatch_operator.kinds.computeenvironment.causes import lack_of
from awsbatch_operator.kinds.computeenvironment.observed import Observed
from awsbatch_operator.kinds.computeenvironment.plan import plan_environment
from awsbatch_operator.kinds.computeenvironment.remaking import Remaking, remaking_in
from awsbatch_operator.kinds.computeenvironment.removal import environment_removal, plan_removal
from awsbatch_operator.kinds.contract import Removal
from awsbatch_operator.kinds.queues import Use

TEMPLATE = "computeResources.launchTemplate"
ILL_FORMED = "CLIENT_ERROR - You must use a valid fully-formed launch template."
SUBNETS, ROLE_FIELD = "computeResources.subnets", "computeResources.instanceRole"
WORDS = (
    ("CLIENT_ERROR - The subnet ID 'subnet-1' does not exist", SUBNETS, "made anew"),
    (
        "CLIENT_ERROR - The security group 'sg-1' does not exist",
        "computeResources.securityGroupIds",
        "made anew",
    ),
    ("CLIENT_ERROR - Invalid IAM Instance Profile name: x", ROLE_FIELD, "VALID by itself"),
    (
        "CLIENT_ERROR - The specified launch template, with template ID lt-1, does not exist.",
        TEMPLATE,
        "Correct spec.computeResources.launchTemplate. ",
    ),
    (
        (
            "CLIENT_ERROR - The specified launch template, with template name subnet-web, does not "
            "exist."
        ),
        TEMPLATE,
        "Make a launch template of that name, and it becomes VALID by itself; or correct spec.",
    ),
    (
        (
            "CLIENT_ERROR - Could not find the specified version 7 for the launch template with ID "
            "lt-1."
        ),
        TEMPLATE,
        "Correct spec.computeResources.launchTemplate. ",
    ),
    (
        "CLIENT_ERROR - Launch Template UserData is not MIME multipart format",
        TEMPLATE,
        "MIME multipart form, and name it in spec.computeResources.launchTemplate.version. ",
    ),
    (
        f"{ILL_FORMED} The image id '[ami-1]' does not exist",
        "computeResources.ec2Configuration",
        "Correct spec.computeResources.ec2Configuration. ",
    ),
    (
        "CLIENT_ERROR - The key pair couldn't be found in this region: it doesn't exist",
        "computeResources.ec2KeyPair",
        "Make or import a key pair of that name, and it becomes VALID by itself",
    ),
    (
        "CLIENT_ERROR - Couldn't find the security group sg-1, it doesn't exist",
        "computeResources.securityGroupIds",
        "Correct spec.computeResources.securityGroupIds. ",
    ),
    ("CLIENT_ERROR - AMI cannot be described", "computeResources.ec2Configuration", "made anew"),
    (
        f"{ILL_FORMED} The key pair 'subnet-key' does not exist",
        "computeResources.ec2KeyPair",
        "Make or import a key pair of that name, and it becomes VALID by itself",
    ),
    (
        f"{ILL_FORMED} The Placement Group 'near' is unknown.",
        "computeResources.placementGroup",
        "Make a placement group of that name, and it becomes VALID by itself",
    ),
    (
        "CLIENT_ERROR - The image id '[ami-1]' does not exist",
        "computeResources.ec2Configuration",
        "made anew",
    ),
    ("CLIENT_ERROR - The key pair 'me' does not exist", "computeResources.ec2KeyPair", "made anew"),
    (
        f"CLIENT_ERROR - User: x is not authorized to perform: sts:AssumeRole on {OWN_ROLE}",
        "",
        f"Make the role {OWN_ROLE} again",
    ),
    (
        "CLIENT_ERROR - User: x is not authorized to perform: ecs:ListClusters on *",
        "",
        "Grant it to the role that AWS names",
    ),
    (
        # Seen in hashicorp/terraform-provider-aws#38050: not that the role cannot be assumed.
        (
            "CLIENT_ERROR - User: arn:aws:sts::1:assumed-role/service/aws-batch is not authorized "
            "to perform: ecs:DescribeClusters on resource: arn:aws:ecs:us-west-2:1:cluster/a "
            "because no identity-based policy allows the ecs:DescribeClusters action"
        ),
        "",
        "Grant it to the role that AWS names",
    ),
    ("INTERNAL_ERROR - Something else", "", "Mend what AWS names"),
)


NAMED = {  # what the environments of WORDS name: nothing of it by a launch template
    "ec2KeyPair": "subnet-key",
    "placementGroup": "near",
    "securityGroupIds": ["sg-1"],
    "ec2Configuration": [{"imageType": "ECS_AL2023", "imageIdOverride": "ami-1"}],
    "launchTemplate": {"launchTemplateId": "lt-1", "version": "1"},
}


def invalid(reason, *queues, resources=None, **top):
    """AWS has the environment, INVALID for that reason."""
    model = Model()
    model.converge(best_fit(top=top, **(resources or {})))
    model.detail |= {"status": "INVALID", "statusReason": reason}
    return model.observed(queues)


@pytest.mark.parametrize(("said", "field", "remedy"), WORDS, ids=[each[0][:90] for each in WORDS])
def test_the_words_of_aws_are_about_one_thing_and_its_remedy_is_told(said, field, remedy):
    observed = invalid(said, resources=NAMED, serviceRole=OWN_ROLE)
    assert lack_of(observed).field == field
    spec = best_fit(top={"serviceRole": OWN_ROLE}, **NAMED)
    plan = plan_environment(desired(spec), observed, NOW)
    (finding,) = plan.findings
    assert finding.reason is catalogue.ENVIRONMENT_INVALID
    assert said in finding.message
    assert field in finding.remedy
    assert remedy in finding.remedy
    assert not plan.steps


@pytest.mark.parametrize(
    ("words", "resources", "field"),
    [
        ("The key pair 'k' does not exist", {}, TEMPLATE),
        ("The key pair 'k' does not exist", {"ec2KeyPair": "k"}, "computeResources.ec2KeyPair"),
        ("The Placement Group 'near' is unknown.", {}, TEMPLATE),
        ("The security group 'sg-9' does not exist", {}, TEMPLATE),
        ("The image id '[ami-9]' does not exist", {}, TEMPLATE),
        ("The image id '[ami-9]' does not exist", {"imageId": "ami-9"}, "computeResources.imageId"),
    ],
)
def test_what_only_the_launch_template_can_have_named_is_corrected_there(words, resources, field):
    named = {"launchTemplate": {"launchTemplateId": "lt-1", "version": "1"}, **resources}
    observed = invalid(f"{ILL_FORMED} {words}", resources=named)
    assert lack_of(observed).field == field
    (finding,) = plan_environment(desired(best_fit(**named)), observed, NOW).findings
    another = "name it in spec.computeResources.launchTemplate.version" in finding.remedy
    assert another is (field == TEMPLATE)


@pytest.mark.parametrize(
    ("has", "top", "goes"),
    [
        (SLR, {}, True),
        (SLR, {"deletionPolicy": "Retain"}, False),
        (OWN_ROLE, {"serviceRole": OWN_ROLE}, True),
        (OWN_ROLE, {"serviceRole": f"{OWN_ROLE}2"}, False),  # it needs the role to be deleted
    ],
)
def test_it_is_made_anew_only_where_that_is_allowed_and_can_be_done(has, top, goes):
    observed = invalid("CLIENT_ERROR - The subnet ID 'x' does not exist", serviceRole=has)
    plan = plan_environment(desired(best_fit(subnets=["subnet-9"], top=top)), observed, NOW)
    disables = {"computeEnvironment": NAME, "state": "DISABLED"}
    assert any(call.request == disables for call in plan.actions) is goes
    assert (REMAKING in plan.record) is goes


@pytest.mark.parametrize(("generation", "goes"), [(1, True), (2, False)])
def test_what_aws_calls_valid_goes_only_if_it_had_begun_for_the_same_spec(generation, goes):
    model = Model()
    model.converge(best_fit())
    observed = model.observed()
    record = Remaking(observed.mark, 1).record()
    wanted = desired(
        best_fit(subnets=["subnet-9"]), annotations=dict(record), generation=generation
    )
    plan = plan_environment(wanted, observed, NOW)
    assert bool(plan.steps) is goes
    assert (plan.findings[0].reason is replacing_reasons.REPLACING) is not goes


@pytest.mark.parametrize(
    ("begun", "tasks", "goes", "told"),
    [(False, None, False, []), (True, 2, False, ["Draining"]), (True, 0, True, [])],
    ids=["not counted yet", "two run", "none runs"],
)
def test_it_goes_only_when_no_job_of_a_queue_that_had_it_runs_in_it_any_more(
    begun, tasks, goes, told
):
    found = invalid("CLIENT_ERROR - The subnet ID 'x' does not exist")
    observed = Observed({**found.detail, "state": "DISABLED"}, tasks=tasks)
    record = dict(Remaking(observed.mark, 1).record())
    wanted = desired(best_fit(subnets=["subnet-9"]), annotations=record if begun else {})
    plan = plan_environment(wanted, observed, NOW)
    deletes = any(call.operation == "DeleteComputeEnvironment" for call in plan.actions)
    assert deletes is goes
    assert [each.reason.name for each in plan.findings] == ["Remaking", *told]
    assert begun or plan.record[REMAKING] == record[REMAKING]


def test_what_does_not_carry_our_tags_is_marked_before_anything_else():
    """It may be somebody's that is just being taken over, and is to be kept then."""
    observed = invalid("CLIENT_ERROR - The subnet ID 'x' does not exist")
    theirs = Observed({**observed.detail, "tags": {"team": "x"}})
    plan = plan_environment(desired(best_fit(subnets=["subnet-9"])), theirs, NOW)
    assert [call.operation for call in plan.actions] == ["TagResource"]
    assert REMAKING not in plan.record


def test_what_a_queue_uses_is_left_alone_where_no_other_environment_may_take_its_place():
    observed = invalid("CLIENT_ERROR - The subnet ID 'x' does not exist", Use("theirs", ""))
    refused = {"replacement": {"policy": "Refuse"}}
    plan = plan_environment(desired(best_fit(subnets=["subnet-9"]) | refused), observed, NOW)
    assert not plan.steps
    assert "theirs" in plan.findings[0].remedy


@pytest.mark.parametrize("text", ["", "7", "null", "{", "[]", '{"environment": "1"}', "[" * 9000])
def test_an_edited_record_says_nothing(text):
    of = resource("ComputeEnvironment", annotations={REMAKING: text})
    assert remaking_in(of) == Remaking()
    assert not remaking_in(of).is_of("")


def test_a_record_is_read_as_it_was_written():
    remaking = Remaking("uuid-1", 7)
    annotations = dict(remaking.record())
    assert remaking_in(resource("ComputeEnvironment", annotations=annotations)) == remaking


def test_a_deletion_leaves_the_role_alone_where_aws_names_another_lack():
    """The environment's own role is there and lets AWS delete it; the spec's may be a typo."""
    observed = invalid("CLIENT_ERROR - The subnet ID 'x' does not exist", serviceRole=OWN_ROLE)
    of = resource("ComputeEnvironment", {"serviceRole": f"{OWN_ROLE}2"}, deleting=True)
    removal = environment_removal(of, Removal(owner(of), RECORDED))
    (call,) = plan_removal(removal, observed, NOW).actions
    assert call.request == {"computeEnvironment": NAME, "state": "DISABLED"}


@pytest.mark.parametrize(
    ("role", "refused", "is_set"),
    [
        (f"{OWN_ROLE}2", False, True),
        (f"{OWN_ROLE}2", True, False),  # its account does not allow the role
        (OWN_ROLE, False, False),
        (SLR, False, False),  # AWS cannot change from an ordinary role to that one
        (None, False, False),
        (7, False, False),
    ],
)
def test_a_deletion_sets_the_role_of_an_invalid_environment_if_that_may_be_and_helps(
    role, refused, is_set
):
    observed = invalid("not authorized to perform: sts:AssumeRole", serviceRole=OWN_ROLE)
    of = resource("ComputeEnvironment", {"serviceRole": role}, deleting=True)
    removal = environment_removal(of, Removal(owner(of), RECORDED, refused_roles=refused))
    (call,) = plan_removal(removal, observed, NOW).actions
    assert (call.request.get("serviceRole") == role and role is not None) is is_set
