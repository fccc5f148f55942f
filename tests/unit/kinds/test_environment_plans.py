"""Compute environments: the choice of update, and plans that come to an end."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.kinds.environments import NAME, OWN_ROLE, SLR, Model, desired, managed
from tests.unit.kinds.models import note
from tests.unit.kinds.values import NOW, RECORDED, owner, resource

from awsbatch_operator.api import catalogue, replacing_reasons
from awsbatch_operator.kinds.computeenvironment.changes import Change, compare
from awsbatch_operator.kinds.computeenvironment.removal import (
    EnvironmentRemoval,
    environment_removal,
    plan_removal,
)
from awsbatch_operator.kinds.contract import Removal
from awsbatch_operator.kinds.queues import Use
from awsbatch_operator.kinds.tagging import TAGS

IN_PLACE = st.fixed_dictionaries(
    {},
    optional={
        "minvCpus": st.integers(0, 4),
        "maxvCpus": st.integers(4, 64),
        "desiredvCpus": st.integers(0, 4),
        "scalingPolicy": st.just({"minScaleDownDelayMinutes": 30}),
        "top": st.fixed_dictionaries(
            {},
            optional={
                "state": st.sampled_from(["ENABLED", "DISABLED"]),
                "updatePolicy": st.just(
                    {"terminateJobsOnUpdate": True, "jobExecutionTimeoutMinutes": 5}
                ),
                "tags": st.dictionaries(st.sampled_from("abc"), st.sampled_from("12")),
            },
        ),
    },
)


NO_DELAY = {"minScaleDownDelayMinutes": 0}
NO_HASTE = {"terminateJobsOnUpdate": False, "jobExecutionTimeoutMinutes": 30}


def assert_as_specified(detail, spec):
    """Each member that IN_PLACE varies is the spec's, or AWS's default where the spec is silent.

    All but the desired size, which is AWS Batch's own once the environment exists.
    """
    wanted, have = spec["computeResources"], detail["computeResources"]
    assert have["minvCpus"] == wanted.get("minvCpus", 0)
    assert have["maxvCpus"] == wanted["maxvCpus"]
    assert have.get("scalingPolicy", NO_DELAY) == wanted.get("scalingPolicy", NO_DELAY)
    assert detail["state"] == spec.get("state", "ENABLED")
    assert detail.get("updatePolicy", NO_HASTE) == spec.get("updatePolicy", NO_HASTE)
    ours = owner(resource("ComputeEnvironment")).tags()
    assert detail["tags"] == spec.get("tags", {}) | ours


@given(specs=st.lists(IN_PLACE, min_size=1, max_size=4))
def test_a_plan_applied_leaves_an_empty_plan_whatever_came_before(specs):
    model = Model()
    for changes in specs:
        plan = model.converge(managed(**changes))
        assert plan.findings == ()
        assert_as_specified(model.detail, managed(**changes))
        first = specs[0].get("desiredvCpus", 0)
        assert model.detail["computeResources"]["desiredvCpus"] == first
        assert compare(desired(managed(**changes)), model.observed()).change is Change.NONE


@given(seed=st.integers(0, 1000))
def test_the_order_of_lists_never_matters(seed):
    model = Model()
    model.converge(managed())
    spec = managed()
    for name in ("instanceTypes", "subnets"):
        random.Random(seed).shuffle(spec["computeResources"][name])
    assert not model.plan(spec).steps


@given(changes=IN_PLACE)
def test_a_lower_desired_size_is_never_sent_and_a_creation_is_always_enabled(changes):
    model = Model()
    plan = model.plan(managed(**changes))
    (create,) = plan.actions
    assert create.operation == "CreateComputeEnvironment"
    assert create.request["state"] == "ENABLED"
    assert "updatePolicy" not in create.request
    model.take_all(plan)
    model.detail["computeResources"]["desiredvCpus"] = 12
    for call in model.plan(managed(**changes)).actions:
        assert "desiredvCpus" not in call.request.get("computeResources", {})


def change_to(before, after):
    model = Model()
    model.converge(before)
    return compare(desired(after), model.observed())


@pytest.mark.parametrize(
    ("before", "after", "change", "fields"),
    [
        ({}, {"maxvCpus": 32}, "Scaling", ("computeResources.maxvCpus",)),
        ({}, {"top": {"state": "DISABLED"}}, "Scaling", ("state",)),
        ({}, {"subnets": ["subnet-9"]}, "Infrastructure", ("computeResources.subnets",)),
        ({}, {"tags": {"a": "b"}}, "Infrastructure", ("computeResources.tags",)),
        ({}, {"ec2KeyPair": "me"}, "Infrastructure", ("computeResources.ec2KeyPair",)),
        (
            {"allocationStrategy": "BEST_FIT"},
            {"allocationStrategy": "BEST_FIT", "subnets": ["subnet-9"]},
            "Replacement",
            ("computeResources.subnets",),
        ),
        (
            {"top": {"serviceRole": OWN_ROLE}},
            {"top": {"serviceRole": OWN_ROLE}, "subnets": ["subnet-9"]},
            "Replacement",
            ("computeResources.subnets",),
        ),
        (
            {"top": {"serviceRole": OWN_ROLE}},
            {"top": {"serviceRole": f"{OWN_ROLE}2"}},
            "Scaling",
            ("serviceRole",),
        ),
        (
            {"top": {"serviceRole": SLR}},
            {"top": {"serviceRole": OWN_ROLE}},
            "Replacement",
            ("serviceRole",),
        ),
        (
            {},
            {"maxvCpus": 32, "ec2KeyPair": "me"},
            "Infrastructure",
            ("computeResources.ec2KeyPair", "computeResources.maxvCpus"),
        ),
    ],
)
def test_the_kind_of_update_follows_from_fields_role_and_strategy(before, after, change, fields):
    found = change_to(managed(**before), managed(**after))
    assert found.change.value == change
    assert found.fields == fields


def test_what_can_be_changed_in_place_is_changed_though_something_else_cannot():
    model = Model()
    model.converge(managed(allocationStrategy="BEST_FIT"))
    plan = model.plan(managed(allocationStrategy="BEST_FIT", maxvCpus=32, ec2KeyPair="me"))
    (step,) = plan.steps
    assert step.action.operation == "UpdateComputeEnvironment"
    assert note(step).message == "Changed in place: computeResources.maxvCpus."
    model.take(step)  # what cannot be changed in place is not waited for
    assert step.action.request == {"computeEnvironment": NAME, "computeResources": {"maxvCpus": 32}}
    assert replacing_reasons.REPLACING in {finding.reason for finding in plan.findings}


def test_roles_by_name_are_the_same_as_their_arns():
    model = Model()
    model.converge(managed(top={"serviceRole": OWN_ROLE}))
    spec = managed(instanceRole="ecs", top={"serviceRole": "Batch"})
    assert compare(desired(spec), model.observed()).change is Change.NONE


@pytest.mark.parametrize(
    ("entry", "left"),
    [
        ({"imageType": "ECS_AL2023", "batchImageStatus": "UPDATE_AVAILABLE"}, ()),
        ({"imageType": "EKS_AL2023", "imageKubernetesVersion": "1.30"}, ()),
        ({"imageType": "ECS_AL2"}, ("computeResources.ec2Configuration",)),
        (
            {"imageType": "ECS_AL2", "imageIdOverride": "ami-1"},
            ("computeResources.ec2Configuration",),
        ),
    ],
)
def test_of_what_the_spec_is_silent_about_only_what_aws_does_not_fill_in_is_told(entry, left):
    model, spec = Model(), managed(allocationStrategy="BEST_FIT")
    model.converge(spec)
    model.detail["computeResources"] |= {"ec2Configuration": [entry]}
    found = compare(desired(spec), model.observed())
    assert (found.left, found.fields) == (left, ())


def test_members_that_aws_describes_as_empty_are_no_difference():
    model = Model()
    model.converge(managed())
    silent = {"imageId": "", "ec2KeyPair": "", "placementGroup": "", "tags": {}}
    model.detail["computeResources"] |= silent
    model.detail |= {"unmanagedvCpus": 0, "ecsSettings": {}}
    assert compare(desired(managed()), model.observed()).fields == ()
    fargate = {"type": "FARGATE", "maxvCpus": 4, "subnets": ["s"], "securityGroupIds": ["g"]}
    policy = {"terminateJobsOnUpdate": True, "jobExecutionTimeoutMinutes": 30}
    model.detail |= {"computeResources": {**fargate, "minvCpus": 0}, "updatePolicy": policy}
    spec = {"type": "MANAGED", "computeResources": fargate}
    assert compare(desired(spec), model.observed()).fields == ()  # AWS ignores the policy there


@pytest.mark.parametrize("status", ["CREATING", "UPDATING", "DELETING"])
def test_nothing_is_sent_while_aws_is_at_work(status):
    model = Model()
    model.converge(managed())
    model.detail["status"] = status
    plan = model.plan(managed(maxvCpus=99))
    assert not plan.steps
    assert plan.findings[0].reason.name == status.capitalize()


def test_tags_go_in_a_lane_of_their_own():
    model = Model()
    model.converge(managed(top={"tags": {"gone": "1"}}))
    plan = model.plan(managed(maxvCpus=32, top={"tags": {"new": "1"}}))
    operations = {
        lane: [step.action.operation for step in steps] for lane, steps in plan.lanes().items()
    }
    assert operations == {
        TAGS: ["TagResource", "UntagResource"],
        "": ["UpdateComputeEnvironment"],
    }


def removal(*, seen: bool = True, age: float = 5, aws_status: str = "VALID") -> EnvironmentRemoval:
    """Of an object that was deleted `age` seconds ago."""
    shown = {"arn": "arn:ce", "awsStatus": aws_status} if seen else {}
    of = resource("ComputeEnvironment", deleting=True, deleted_at=NOW.plus(-age), status=shown)
    return environment_removal(of, Removal(owner(of), RECORDED))


@given(
    state=st.sampled_from(["ENABLED", "DISABLED"]),
    status=st.sampled_from(["CREATING", "UPDATING", "VALID", "INVALID", "DELETING"]),
    used=st.booleans(),
)
def test_a_removal_touches_nothing_that_a_queue_uses_and_ends_with_nothing(state, status, used):
    model = Model()
    model.converge(managed())
    model.detail |= {"state": state, "status": status}
    queues = [Use("theirs", "")] if used else []
    plan = plan_removal(removal(), model.observed(queues), NOW)
    assert not plan.released
    if used and status != "DELETING":
        assert not plan.steps
        assert "theirs" in plan.findings[0].message
    if status in {"CREATING", "UPDATING", "DELETING"}:
        assert not plan.steps
        return
    while not used and model.detail is not None:
        model.take_all(plan_removal(removal(), model.observed(), NOW))
    if not used:
        assert plan_removal(removal(), None, NOW).released


@pytest.mark.parametrize(
    ("seen", "age", "released"), [(True, 1, True), (False, 1, False), (False, 31, True)]
)
def test_what_aws_never_showed_is_waited_for_a_moment(seen, age, released):
    plan = plan_removal(removal(seen=seen, age=age), None, NOW)
    assert plan.released is released
    assert bool(plan.findings) is not released


def test_a_deletion_that_aws_gave_up_is_told_and_not_asked_for_again():
    model = Model()
    model.converge(managed(top={"state": "DISABLED"}))
    model.detail["status"] = "INVALID"
    before = plan_removal(removal(aws_status="VALID"), model.observed(), NOW)
    assert [call.operation for call in before.actions] == ["DeleteComputeEnvironment"]
    after = plan_removal(removal(aws_status="DELETING"), model.observed(), NOW)
    assert not after.steps
    assert after.findings[0].reason is catalogue.ENVIRONMENT_INVALID


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"terminateJobsOnUpdate": True}, {"terminateJobsOnUpdate": False}),
        ({"terminateJobsOnUpdate": True}, {"jobExecutionTimeoutMinutes": 30}),
        ({"terminateJobsOnUpdate": True}, {}),
        (
            {"terminateJobsOnUpdate": True, "jobExecutionTimeoutMinutes": 60},
            {"terminateJobsOnUpdate": True},
        ),
    ],
)
def test_what_leaves_an_update_policy_or_goes_back_to_awss_default_is_set_back(before, after):
    """AWS keeps of a policy what an update does not name."""
    model = Model()
    model.converge(managed(top={"updatePolicy": before}))
    (step,) = model.plan(managed(top={"updatePolicy": after})).steps
    defaults = {"terminateJobsOnUpdate": False, "jobExecutionTimeoutMinutes": 30}
    assert step.action.request["updatePolicy"] == {**defaults, **after}
    model.converge(managed(top={"updatePolicy": after}))
