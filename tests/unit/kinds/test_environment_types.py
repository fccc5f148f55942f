"""An environment of one sort that is to be one of another: a replacement, and nothing in place."""

from itertools import permutations
from typing import Any

import pytest
from tests.unit.kinds.environments import (
    OWN_ROLE,
    before,
    desired,
    edited,
    environment_of,
    managed,
    sent,
)
from tests.unit.kinds.values import NOW

from awsbatch_operator.kinds.computeenvironment.changes import Change, compare
from awsbatch_operator.kinds.computeenvironment.plan import plan_environment

PROFILE = "arn:aws:iam::1:instance-profile/ecs"
POLICY = {"terminateJobsOnUpdate": True, "jobExecutionTimeoutMinutes": 5}
INSIGHTS = {"containerInsights": "ENABLED"}
EKS = {"eksClusterArn": "arn:1", "kubernetesNamespace": "batch"}
LAUNCHED: dict[str, Any] = {
    "ec2InstanceProfileArn": PROFILE,
    "networkConfiguration": {"subnets": ["s"], "securityGroups": ["g"]},
}
PROVIDER: dict[str, Any] = {"infrastructureRoleArn": OWN_ROLE, "instanceLaunchTemplate": LAUNCHED}
MANAGED_INSTANCES = {
    "type": "MANAGED",
    "computeResources": {
        "type": "ECS_MANAGED_INSTANCES",
        "maxvCpus": 16,
        "managedInstancesProvider": PROVIDER,
    },
}
SCALING = {"minvCpus": 2, "maxvCpus": 32, "scalingPolicy": {"minScaleDownDelayMinutes": 30}}
# Of each sort one with no more than it needs, and one with all that changes in place.
SPECS: dict[str, dict[str, Any]] = {
    "EC2": before("EC2", updatable=True),
    "EC2, all": managed(**SCALING, top={"updatePolicy": POLICY, "ecsSettings": INSIGHTS}),
    "FARGATE": before("FARGATE", updatable=False),
    "FARGATE, all": edited(before("FARGATE", updatable=False), maxvCpus=32)
    | {"ecsSettings": INSIGHTS, "state": "DISABLED"},
    "ECS_MANAGED_INSTANCES": MANAGED_INSTANCES,
    "ECS_MANAGED_INSTANCES, all": edited(
        MANAGED_INSTANCES, minvCpus=2, capacityTags={"team": "climate"}
    ),
    "EKS": before("EC2", updatable=True) | {"eksConfiguration": EKS},
    "EKS, all": managed(**SCALING)
    | {"eksConfiguration": {**EKS, "accessEntry": {"desiredState": "DISABLED"}}},
    "UNMANAGED": {"type": "UNMANAGED", "serviceRole": OWN_ROLE},
    "UNMANAGED, all": {"type": "UNMANAGED", "serviceRole": OWN_ROLE, "unmanagedvCpus": 4},
}
TYPES = {
    **SPECS,
    **{kind: before(kind, updatable=True) for kind in ("SPOT",)},
    "FARGATE_SPOT": before("FARGATE_SPOT", updatable=False),
}


def sort(name):
    kind = name.partition(",")[0]
    return {"SPOT": "EC2", "FARGATE_SPOT": "FARGATE"}.get(kind, kind)


@pytest.mark.parametrize(("old", "new"), list(permutations(TYPES, 2)))
def test_of_another_sort_nothing_but_the_state_is_sent_to_the_one_that_serves(old, new):
    aws, wanted = environment_of(TYPES[old]), desired(TYPES[new])
    found = compare(wanted, aws.observed())
    plan = plan_environment(wanted, aws.observed(), NOW)
    calls = [each for each in plan.actions if each.operation == "UpdateComputeEnvironment"]
    if calls:
        request = sent(plan)
        assert sort(old) == sort(new) or request.keys() == {"state"}
    if sort(old) != sort(new):
        assert found.change is Change.REPLACEMENT
        assert set(found.in_place) <= {"state"}


@pytest.mark.parametrize("name", ["managedInstancesProvider", "capacityTags", "minvCpus"])
def test_a_spec_without_a_member_that_an_older_schema_did_not_ask_for_crashes_no_turn(name):
    full = TYPES["ECS_MANAGED_INSTANCES, all"]
    resources = {key: value for key, value in full["computeResources"].items() if key != name}
    aws = environment_of(full)
    plan = plan_environment(desired({**full, "computeResources": resources}), aws.observed(), NOW)
    assert "managedInstancesProvider" not in str(plan.actions)


OF_TEMPLATE = {
    "instanceMetadataTagsPropagation": (True, False),
    "localStorageConfiguration": ({"useLocalStorage": True}, {"useLocalStorage": False}),
    "monitoring": ("DETAILED", "BASIC"),
    "storageConfiguration": ({"storageSizeGiB": 80}, None),
    "instanceRequirements": (
        {"vCpuCount": {"min": 2}, "memoryMiB": {"min": 4096}, "allowedInstanceTypes": ["m7i.*"]},
        None,
    ),
    "capacityReservations": ({"reservationPreference": "RESERVATIONS_FIRST"}, None),
}
OF_PROVIDER = {
    "propagateTags": ("CAPACITY_PROVIDER", "NONE"),
    "infrastructureOptimization": ({"scaleInAfter": 60}, None),
}


@pytest.mark.parametrize("name", [*OF_TEMPLATE, *OF_PROVIDER])
def test_what_leaves_a_provider_goes_back_to_the_default_or_is_told_and_stays(name):
    """AWS keeps what an update does not name: the same update would be sent for ever."""
    value, default = (OF_TEMPLATE | OF_PROVIDER)[name]
    launched = {**LAUNCHED, name: value} if name in OF_TEMPLATE else LAUNCHED
    provider = {**PROVIDER, "instanceLaunchTemplate": launched}
    provider |= {} if name in OF_TEMPLATE else {name: value}
    aws = environment_of(edited(MANAGED_INSTANCES, managedInstancesProvider=provider))
    found = compare(desired(MANAGED_INSTANCES), aws.observed())
    plan = plan_environment(desired(MANAGED_INSTANCES), aws.observed(), NOW)
    if default is None:
        assert (found.change, plan.steps) == (Change.NONE, ())
        assert found.left[0].endswith(f".{name}")
        return
    assert found.change is Change.SCALING
    updated = sent(plan)["computeResources"]["managedInstancesProvider"]
    holder = updated["instanceLaunchTemplate"] if name in OF_TEMPLATE else updated
    assert holder[name] == default


def test_capacity_tags_that_leave_the_spec_are_told_and_stay():
    """AWS takes no empty map of them."""
    aws = environment_of(edited(MANAGED_INSTANCES, capacityTags={"team": "climate"}))
    plan = plan_environment(desired(MANAGED_INSTANCES), aws.observed(), NOW)
    assert plan.steps == ()
    assert "capacityTags any more; AWS keeps what it has" in plan.findings[0].message
