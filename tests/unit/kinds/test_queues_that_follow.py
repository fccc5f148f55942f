"""A queue whose environment was replaced takes the new one in place, in one call."""

from dataclasses import replace

import pytest
from tests.unit.kinds.test_queue_plans import spec
from tests.unit.kinds.values import (
    ACCOUNT,
    NOW,
    RECORDED,
    REGION,
    owner,
    ready,
    resource,
    targets,
)

from awsbatch_operator.kinds.jobqueue.desired import desired_queue
from awsbatch_operator.kinds.jobqueue.observe import Observed
from awsbatch_operator.kinds.jobqueue.plan import plan_queue
from awsbatch_operator.kinds.scope_record import annotation

PLACE = f"arn:aws:batch:{REGION}:{ACCOUNT}:compute-environment"
NAMES = ("a", "b", "c")


def environment(name: str, *, replaced: bool, status: str = "VALID"):
    """One that serves as it did, or whose successor does."""
    recorded = replace(RECORDED, aws_name=name)
    if replaced:
        recorded = recorded.succeeded_by(f"{name}-2").promoted()
    of = resource("ComputeEnvironment", name=name, annotations=annotation(recorded, NOW))
    return ready(of, arn=f"{PLACE}/{recorded.serving}", awsStatus=status)


def plan(*replaced: str, status: str = "VALID"):
    of = ready(resource("JobQueue", spec(*NAMES)))
    found = [environment(each, replaced=each in replaced, status=status) for each in NAMES]
    entries = [
        {"order": at, "computeEnvironment": f"{PLACE}/{name}"}
        for at, name in enumerate(NAMES, start=1)
    ]
    detail = {
        "jobQueueArn": "arn:q",
        "jobQueueName": "q",
        "status": "VALID",
        "state": "ENABLED",
        "priority": 1,
        "tags": owner(of).tags(),
        "computeEnvironmentOrder": entries,
    }
    return plan_queue(desired_queue(of, targets(*found), owner(of)), Observed(detail), NOW)


@pytest.mark.parametrize("replaced", ["a", "b", "c"])
def test_a_queue_of_three_takes_the_new_environment_in_place_and_keeps_the_order(replaced):
    (step,) = plan(replaced).steps
    order = [
        each["computeEnvironment"].rpartition("/")[2]
        for each in step.action.request["computeEnvironmentOrder"]
    ]
    assert order == [f"{name}-2" if name == replaced else name for name in NAMES]
    assert step.note.reason.name == "Updated", "to follow a replacement repairs no drift"


def test_a_queue_keeps_the_old_environment_as_long_as_aws_would_not_take_the_new_one():
    assert not plan("b", status="UPDATING").steps


def test_a_queue_whose_environments_stand_is_left_alone():
    assert not plan().steps
