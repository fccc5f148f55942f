"""Environments of ECS Managed Instances: what leaves the spec, and where the words of AWS lead."""

from typing import Any

import pytest
from tests.unit.kinds.environments import SLR, desired

from awsbatch_operator.kinds.computeenvironment.changes import Change, compare, left_words
from awsbatch_operator.kinds.computeenvironment.invalid import findings
from awsbatch_operator.kinds.computeenvironment.observed import Observed

ROLE = "arn:aws:iam::1:role/batch-ecs"
PROVIDER = "computeResources.managedInstancesProvider"
NETWORK = {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}


def spec(*, template: Any = None, **members: Any) -> dict[str, Any]:
    launch = {"ec2InstanceProfileArn": "arn:profile", "networkConfiguration": NETWORK}
    provider = {
        "infrastructureRoleArn": ROLE,
        "instanceLaunchTemplate": {**launch, **(template or {})},
        **members,
    }
    resources = {
        "type": "ECS_MANAGED_INSTANCES",
        "maxvCpus": 16,
        "managedInstancesProvider": provider,
    }
    return {"type": "MANAGED", "computeResources": resources}


def in_aws(of: dict[str, Any], **said: Any) -> Observed:
    detail = {**of, "serviceRole": SLR, "state": "ENABLED", "status": "VALID", **said}
    return Observed({**detail, "computeEnvironmentArn": "arn:ce"})


@pytest.mark.parametrize(
    ("had", "path"),
    [
        (spec(infrastructureOptimization={"scaleInAfter": 60}), "infrastructureOptimization"),
    ],
)
def test_a_member_that_aws_cannot_take_away_stays_and_is_told_instead_of_asked_for_for_ever(
    had, path
):
    observed = in_aws(had)
    found = compare(desired(spec()), observed)
    assert (found.change, found.fields) == (Change.NONE, ())
    told = f"The spec says nothing of {PROVIDER}.{path} any more; AWS keeps what it has."
    assert left_words(observed, found) == (told,)
    assert compare(desired(had), in_aws(spec())).in_place == (f"{PROVIDER}.{path}",)


def test_a_member_that_only_another_environment_can_lose_takes_another_one():
    found = compare(desired(spec()), in_aws(spec(template={"capacityOptionType": "SPOT"})))
    assert found.change is Change.REPLACEMENT


FIPS = f"{PROVIDER}.instanceLaunchTemplate.fipsEnabled"
GOVERNMENT = {"computeEnvironmentArn": "arn:aws-us-gov:batch:us-gov-west-1:1:compute-environment/e"}


def in_government(of: dict[str, Any]) -> Observed:
    return Observed({**in_aws(of).detail, **GOVERNMENT})


def test_where_the_spec_is_silent_of_fips_awss_choice_for_govcloud_is_no_difference():
    """Else each environment there would be replaced over and over."""
    on, off = spec(template={"fipsEnabled": True}), spec(template={"fipsEnabled": False})
    assert compare(desired(spec()), in_government(on)).change is Change.NONE
    assert compare(desired(on), in_government(on)).change is Change.NONE
    assert compare(desired(off), in_government(on)).fields == (FIPS,)
    assert compare(desired(off), in_government(off)).change is Change.NONE
    assert compare(desired(spec()), in_aws(on)).change is Change.REPLACEMENT


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        (f"is not authorized to perform: sts:AssumeRole on resource: {ROLE}", "ecs.amazonaws.com"),
        ("The subnet ID 'subnet-1' does not exist", "networkConfiguration.subnets"),
        ("The security group 'sg-1' does not exist", "networkConfiguration.securityGroups"),
        ("Invalid IAM Instance Profile name: x", "instanceLaunchTemplate.ec2InstanceProfileArn"),
    ],
)
def test_what_is_invalid_is_corrected_where_the_provider_names_it(reason, remedy):
    wanted = desired(spec())
    observed = in_aws(spec(), status="INVALID", statusReason=f"CLIENT_ERROR - {reason}")
    [told] = findings(wanted, observed, compare(wanted, observed))
    assert f"spec.{PROVIDER}." in told.remedy
    assert remedy in told.remedy
    assert "service-linked role" not in told.remedy


def test_without_the_service_linked_role_that_one_is_made():
    wanted = desired(spec())
    reason = f"CLIENT_ERROR - not authorized to perform: sts:AssumeRole on resource: {SLR}"
    observed = in_aws(spec(), status="INVALID", statusReason=reason)
    [told] = findings(wanted, observed, compare(wanted, observed))
    assert "service-linked role again" in told.remedy
