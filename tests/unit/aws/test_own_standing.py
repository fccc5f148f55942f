"""Whether AWS lets the operator do anything: not the same as whether it lets it do one thing."""

import pytest

from awsbatch_operator.aws.call_table import CALLS
from awsbatch_operator.aws.errors import AwsError, ErrorKind, Obstacle
from awsbatch_operator.aws.own_standing import REFUSALS, OwnStanding

WHO, LOOK = CALLS["sts:GetCallerIdentity"], CALLS["batch:DescribeJobQueues"]


def denied(operation="DescribeJobQueues", service="batch"):
    return AwsError(ErrorKind.DENIED, service=service, operation=operation, message="no")


def unfound():
    return AwsError(
        ErrorKind.DENIED,
        operation="DescribeJobQueues",
        message="Unable to locate credentials",
        obstacle=Obstacle.CREDENTIALS,
    )


@pytest.fixture
def standing():
    return OwnStanding()


def test_before_anything_was_asked_there_is_no_trouble(standing):
    assert standing.trouble is None


@pytest.mark.parametrize("own", [True, False])
def test_missing_credentials_are_trouble_whoever_needed_them_until_aws_knows_us(standing, own):
    standing.done(LOOK)
    error = unfound()
    standing.failed(error, own=own)
    assert standing.trouble is error
    standing.done(WHO)
    assert standing.trouble is None


def test_refused_from_the_beginning_is_trouble_and_that_aws_knows_us_no_cure(standing):
    standing.done(WHO)
    error = denied()
    standing.failed(error, own=True)
    standing.done(WHO)
    assert standing.trouble is error
    standing.done(LOOK)
    assert standing.trouble is None


def test_one_action_that_is_missing_where_others_are_allowed_is_told_by_objects_only(standing):
    standing.done(LOOK)
    for _ in range(2 * REFUSALS):
        standing.failed(denied("CreateJobQueue"), own=True)
    assert standing.trouble is None


def test_rights_that_are_taken_away_later_are_trouble(standing):
    standing.done(LOOK)
    for number in range(REFUSALS):
        assert standing.trouble is None
        standing.failed(denied(f"Call{number}"), own=True)
    assert standing.trouble is not None


def test_what_a_role_may_not_do_says_nothing_about_ourselves(standing):
    standing.failed(denied(), own=False)
    assert standing.trouble is None


def test_credentials_that_aws_refused_are_trouble_until_it_knows_us(standing):
    standing.failed(denied("GetCallerIdentity", "sts"), own=True)
    assert standing.trouble is not None
    standing.done(WHO)
    assert standing.trouble is None


@pytest.mark.parametrize("kind", set(ErrorKind) - {ErrorKind.DENIED})
def test_whatever_else_fails_is_no_matter_of_rights(standing, kind):
    error = AwsError(kind, operation="DescribeJobQueues", message="later")
    for _ in range(2 * REFUSALS):
        standing.failed(error, own=True)
    assert standing.trouble is None
