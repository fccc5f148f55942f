"""Each class of INVALID environments: AWS's words, what they are about, and what helps."""

import pytest
from tests.unit.kinds.environments import OWN_ROLE, Model, desired, managed
from tests.unit.kinds.values import NOW

from awsbatch_operator.api import catalogue
from awsbatch_operator.kinds.computeenvironment.causes import Cause, lack_of
from awsbatch_operator.kinds.computeenvironment.plan import plan_environment
from awsbatch_simulator.scaling import NOBODY_JOINED

ILL_FORMED = "CLIENT_ERROR - You must use a valid fully-formed launch template."
MULTIPART = "CLIENT_ERROR - Launch Template UserData is not MIME multipart format"
NO_TEMPLATE = "CLIENT_ERROR - The specified launch template, with template ID lt-1, does not exist."
# Where the words come from stands in causes.py and in the simulator's environment_health.py.
SAID: tuple[tuple[str, Cause, str], ...] = (
    (
        f"CLIENT_ERROR - User: batch is not authorized to perform: sts:AssumeRole on {OWN_ROLE}",
        Cause.ROLE,
        "let batch.amazonaws.com assume it",
    ),
    ("CLIENT_ERROR - Not authorized to assume the role", Cause.ROLE, f"Make the role {OWN_ROLE}"),
    (
        "CLIENT_ERROR - User: x is not authorized to perform: ecs:ListClusters on resource: *",
        Cause.PERMISSION,
        "Grant it to the role that AWS names",
    ),
    ("CLIENT_ERROR - Clusters can not be blank.", Cause.CLUSTER, "made anew by itself"),
    (NOBODY_JOINED, Cause.NOBODY_JOINED, "Let instances reach ECS from their subnets"),
    (
        "CLIENT_ERROR - Invalid IAM Instance Profile name: x",
        Cause.PROFILE,
        "Make the instance profile",
    ),
    (
        "CLIENT_ERROR - The IamFleetRole is invalid",
        Cause.FLEET_ROLE,
        "AmazonEC2SpotFleetTaggingRole",
    ),
    (
        "CLIENT_ERROR - The subnet ID 'subnet-1' does not exist",
        Cause.SUBNET,
        "Correct spec.computeResources.subnets",
    ),
    (
        "CLIENT_ERROR - The security group 'sg-1' does not exist",
        Cause.SECURITY_GROUP,
        "Correct spec.computeResources.securityGroupIds",
    ),
    (
        f"{ILL_FORMED} The image id '[ami-1]' does not exist",
        Cause.IMAGE,
        "Correct spec.computeResources.ec2Configuration",
    ),
    (
        f"{ILL_FORMED} Not authorized for images: [ami-1]",
        Cause.IMAGE_NOT_ALLOWED,
        "Share the image with this account",
    ),
    (
        f"{ILL_FORMED} In order to use this AWS Marketplace product you need to accept terms",
        Cause.IMAGE_NOT_ALLOWED,
        "accept its terms in AWS Marketplace",
    ),
    (
        f"{ILL_FORMED} The key pair 'k' does not exist",
        Cause.KEY_PAIR,
        "Make or import a key pair of that name",
    ),
    (
        f"{ILL_FORMED} The Placement Group 'near' is unknown.",
        Cause.PLACEMENT_GROUP,
        "Make a placement group of that name",
    ),
    (MULTIPART, Cause.USER_DATA, "its user data in MIME multipart form"),
    (NO_TEMPLATE, Cause.TEMPLATE, "Correct spec.computeResources.launchTemplate"),
    ("INTERNAL_ERROR - Something else", Cause.UNKNOWN, "Mend what AWS names"),
)
SPEC = managed(
    ec2KeyPair="k",
    placementGroup="near",
    securityGroupIds=["sg-1"],
    spotIamFleetRole=OWN_ROLE,
    ec2Configuration=[{"imageType": "ECS_AL2023", "imageIdOverride": "ami-1"}],
    launchTemplate={"launchTemplateId": "lt-1", "version": "1"},
    top={"serviceRole": OWN_ROLE, "deletionPolicy": "Retain"},
)


def test_every_cause_is_told_apart_here():
    elsewhere = {Cause.INFRASTRUCTURE_ROLE}  # test_managed_instances.py
    assert {cause for _, cause, _ in SAID} == set(Cause) - elsewhere


@pytest.mark.parametrize(("words", "cause", "remedy"), SAID, ids=[each[0][:60] for each in SAID])
def test_the_words_of_aws_name_one_cause_whose_remedy_is_told_until_it_is_gone(
    words, cause, remedy
):
    aws = Model()
    aws.converge(SPEC)
    aws.detail |= {"status": "INVALID", "statusReason": words}
    assert lack_of(aws.observed()).cause is cause
    plan = plan_environment(desired(SPEC), aws.observed(), NOW)
    (finding,) = plan.findings
    assert finding.reason is catalogue.ENVIRONMENT_INVALID
    assert words in finding.message
    assert remedy in finding.remedy
    assert not plan.steps
    aws.detail |= {"status": "VALID", "statusReason": "ComputeEnvironment Healthy"}
    assert plan_environment(desired(SPEC), aws.observed(), NOW).findings == ()
