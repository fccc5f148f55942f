"""Scheduling policies: plans that come to an end."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.kinds.models import met, note
from tests.unit.kinds.values import NOW, RECORDED, owner, resource, targets

from awsbatch_operator.api import catalogue
from awsbatch_operator.kinds.contract import Removal
from awsbatch_operator.kinds.lasting import ApiCall, LastingRemoval, lasting_removal
from awsbatch_operator.kinds.queues import Use
from awsbatch_operator.kinds.schedulingpolicy.desired import desired_policy
from awsbatch_operator.kinds.schedulingpolicy.observe import Observed
from awsbatch_operator.kinds.schedulingpolicy.plan import plan_policy, plan_removal
from awsbatch_operator.kinds.tagging import TAGS


def policy(weights: dict[str, str], seconds: int) -> dict[str, Any]:
    shares = [{"shareIdentifier": name, "weightFactor": weight} for name, weight in weights.items()]
    return {"fairsharePolicy": {"shareDecaySeconds": seconds, "shareDistribution": shares}}


def desired_of(of_spec):
    of = resource("SchedulingPolicy", of_spec)
    return desired_policy(of, targets(), owner(of))


def as_aws_returns(content):
    """Weights as floats, shares in AWS's own order."""
    fair = content["fairsharePolicy"]
    shares = [
        {**share, "weightFactor": float(share["weightFactor"])}
        for share in reversed(fair["shareDistribution"])
    ]
    return {"fairsharePolicy": {**fair, "shareDistribution": shares}}


def numbers(weights):
    return {name: float(weight) for name, weight in weights.items()}


WEIGHTS = st.dictionaries(
    st.sampled_from(["a", "b", "c"]), st.sampled_from(["0.5", "1", "1.0", "999.9999", "0.0001"])
)


@given(before=WEIGHTS, after=WEIGHTS, seconds=st.integers(0, 9))
def test_a_policy_is_updated_once_and_then_left_alone(before, after, seconds):
    wanted = desired_of(policy(after, seconds))
    detail = {"arn": "arn:p", "name": "p", "tags": wanted.tags.all}
    have = {**detail, **as_aws_returns(policy(before, 3))}
    plan = plan_policy(wanted, Observed(have), NOW)
    same = (numbers(before), 3) == (numbers(after), seconds)
    assert len(plan.steps) == (0 if same else 1)
    for step in plan.steps:
        assert step.action.operation == "UpdateSchedulingPolicy"
        assert step.action.request["arn"] == "arn:p"
        assert not met(step, Observed(have))
        have |= as_aws_returns(step.action.request)
        assert met(step, Observed(have))
    fair = have["fairsharePolicy"]
    shares = {
        share["shareIdentifier"]: share["weightFactor"] for share in fair["shareDistribution"]
    }
    assert (shares, fair["shareDecaySeconds"]) == (numbers(after), seconds)
    assert not plan_policy(wanted, Observed(have), NOW).steps


def removal() -> LastingRemoval:
    of = resource("SchedulingPolicy", status={"arn": "arn:p"}, deleting=True, deleted_at=NOW)
    return lasting_removal(of, Removal(owner(of), RECORDED))


@pytest.mark.parametrize("used", [True, False])
def test_a_policy_in_use_is_not_deleted(used):
    detail = {"arn": "arn:p", "name": "p", "tags": {}}
    queues = (Use("q", ""),) if used else ()
    plan = plan_removal(removal(), Observed(detail, queues), NOW)
    assert bool(plan.steps) is not used
    assert not plan.released
    for step in plan.steps:
        assert step.action == ApiCall("DeleteSchedulingPolicy", {"arn": "arn:p"})
        assert not met(step, Observed(detail, queues))
        assert met(step, None)


def test_a_policy_that_is_not_there_is_made_by_its_name_and_expected_to_appear():
    wanted = desired_of(policy({"a": "1"}, 3))
    (step,) = plan_policy(wanted, None, NOW).steps
    assert step.action.operation == "CreateSchedulingPolicy"
    assert step.action.request["name"] == RECORDED.aws_name
    assert step.action.request["tags"] == owner(resource("SchedulingPolicy")).tags()
    assert note(step).reason is catalogue.CREATED
    assert not met(step, None)
    assert met(step, Observed({"arn": "arn:p", "name": "p", "tags": {}}))


def test_tags_of_a_policy_go_in_a_lane_of_their_own():
    wanted = desired_of(policy({"a": "1"}, 3))
    have = {"arn": "arn:p", "name": "p", "tags": {}, **as_aws_returns(policy({"a": "2"}, 3))}
    lanes = plan_policy(wanted, Observed(have), NOW).lanes()
    operations = {lane: [step.action.operation for step in lanes[lane]] for lane in lanes}
    assert operations == {TAGS: ["TagResource"], "": ["UpdateSchedulingPolicy"]}
