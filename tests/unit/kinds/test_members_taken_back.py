"""A member that leaves the spec goes back to AWS's default by one update, and differs no more."""

import pytest
from tests.unit.kinds.environments import OWN_ROLE, Model, managed

from awsbatch_operator.kinds.computeenvironment.members import VERBS, Verb
from awsbatch_operator.kinds.computeenvironment.update_requests import _DEFAULTS

UNMANAGED = {"type": "UNMANAGED", "serviceRole": OWN_ROLE}
FARGATE = {
    "type": "MANAGED",
    "computeResources": {"type": "FARGATE", "maxvCpus": 16, "subnets": ["subnet-1"]},
}
OTHER = {
    "state": "DISABLED",
    "updatePolicy": {"terminateJobsOnUpdate": True, "jobExecutionTimeoutMinutes": 5},
    "unmanagedvCpus": 4,
    "ecsSettings": {"containerInsights": "ENABLED"},
    "minvCpus": 2,
    "scalingPolicy": {"minScaleDownDelayMinutes": 30},
}
OF_RESOURCES = {"minvCpus", "scalingPolicy"}
CASES = [
    *((managed(), name) for name in OTHER if name != "unmanagedvCpus"),
    *((UNMANAGED, name) for name in ("state", "unmanagedvCpus", "ecsSettings")),
    *((FARGATE, name) for name in ("state", "ecsSettings")),
]


def with_member(spec, name):
    if name in OF_RESOURCES:
        resources = spec["computeResources"] | {name: OTHER[name]}
        return spec | {"computeResources": resources}
    return spec | {name: OTHER[name]}


def shown(model, name):
    """What AWS has of it."""
    holder = model.detail["computeResources"] if name in OF_RESOURCES else model.detail
    return holder[name]


def test_each_member_with_a_default_that_is_changed_in_place_is_tried():
    in_place = {path.rpartition(".")[2] for path, verb in VERBS.items() if verb is Verb.IN_PLACE}
    assert {name for _, name in CASES} == in_place & set(_DEFAULTS)


@pytest.mark.parametrize(("spec", "name"), CASES)
def test_what_left_the_spec_is_taken_back_once(spec, name):
    model = Model()
    model.converge(with_member(spec, name))
    assert shown(model, name) == OTHER[name]
    model.converge(spec)
    assert shown(model, name) == _DEFAULTS[name]
    assert model.plan(spec).steps == ()


@pytest.mark.parametrize(("spec", "name"), CASES)
def test_what_somebody_else_has_set_is_taken_back_once(spec, name):
    model = Model()
    model.converge(spec)
    holder = "computeResources" if name in OF_RESOURCES else ""
    theirs = with_member(model.detail, name) if holder else model.detail | {name: OTHER[name]}
    model.detail = dict(theirs)
    model.converge(spec)
    assert shown(model, name) == _DEFAULTS[name]
    assert model.plan(spec).steps == ()
