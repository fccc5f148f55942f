"""Whom a role's trust policy, or the simulator's settings, let assume it."""

import json

import pytest
from tests.component.simulator_over_http.test_authentication import ROLE, assumes

from awsbatch_simulator.settings import RoleTrust


@pytest.mark.parametrize(
    ("given", "works"), [({}, False), ({"ExternalId": "x2"}, False), ({"ExternalId": "x1"}, True)]
)
def test_a_role_of_the_settings_can_demand_an_external_id(simulator, client, given, works):
    settings = simulator.world.settings
    simulator.world.change(
        settings.model_copy(update={"roles": {ROLE: RoleTrust(external_id="x1")}})
    )
    assert assumes(client("sts"), ROLE, given) is works


@pytest.mark.parametrize(
    ("given", "works"), [({}, False), ({"ExternalId": "x2"}, False), ({"ExternalId": "x1"}, True)]
)
def test_a_trust_policy_in_iam_can_demand_an_external_id(client, given, works):
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "x1"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    made = client("iam").create_role(RoleName="strict", AssumeRolePolicyDocument=policy)
    assert assumes(client("sts"), made["Role"]["Arn"], given) is works


@pytest.mark.parametrize(
    ("principal", "works"),
    [
        ({"AWS": "*"}, True),
        ("*", True),
        ({"AWS": "111122223333"}, True),
        ({"AWS": ["arn:aws:iam::111122223333:user/sandbox"]}, True),
        ({"AWS": "arn:aws:iam::444455556666:root"}, False),
        ({"AWS": "arn:aws:iam::111122223333:role/batch-operator"}, False),
        ({"Service": "ec2.amazonaws.com"}, False),
    ],
)
def test_a_trust_policy_says_who_may_assume_the_role(client, principal, works):
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
    made = client("iam").create_role(RoleName="strict", AssumeRolePolicyDocument=policy)
    assert assumes(client("sts"), made["Role"]["Arn"], {}) is works


@pytest.mark.parametrize(
    "statements",
    [
        [{"Effect": "Allow", "Action": "sts:TagSession"}],
        [{"Effect": "Allow", "Action": ["sts:AssumeRoleWithWebIdentity"]}],
        [{"Effect": "Allow", "Action": "sts:*"}, {"Effect": "Deny", "Action": "STS:AssumeRole"}],
    ],
)
def test_a_trust_policy_is_about_the_action_and_a_denial_wins(client, statements):
    """IAM's user guide, "Policy evaluation logic" and "IAM JSON policy elements: Action"."""
    anybody = [{"Principal": {"AWS": "*"}} | each for each in statements]
    policy = json.dumps({"Version": "2012-10-17", "Statement": anybody})
    made = client("iam").create_role(RoleName="strict", AssumeRolePolicyDocument=policy)
    assert not assumes(client("sts"), made["Role"]["Arn"], {})


def test_a_condition_that_is_not_understood_refuses(client):
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": "sts:AssumeRole",
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    made = client("iam").create_role(RoleName="strict", AssumeRolePolicyDocument=policy)
    assert not assumes(client("sts"), made["Role"]["Arn"], {})
