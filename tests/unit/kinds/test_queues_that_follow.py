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
from awsbatch_operator.kinds.queues import exchanged
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


def reporting(*in_aws: str, replaced: tuple[str, ...] = ("a",)):
    """The plan of a queue whose drift is only reported, with these environments in AWS."""
    of = ready(resource("JobQueue", {**spec(*NAMES), "driftPolicy": "Report"}))
    found = [environment(each, replaced=each in replaced) for each in NAMES]
    entries = [
        {"order": at, "computeEnvironment": f"{PLACE}/{name}"}
        for at, name in enumerate(in_aws, start=1)
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


@pytest.mark.parametrize(
    ("in_aws", "replaced", "followed"),
    [
        (("a", "b", "c"), ("a",), ["a-2", "b", "c"]),
        (("a", "b"), ("a",), ["a-2", "b"]),
        (("a", "a-2", "b"), ("a",), ["a-2", "b"]),
        (("a-2", "b", "a"), ("a",), ["a-2", "b"]),
        (("a", "b", "c"), ("a", "c"), ["a-2", "b", "c-2"]),
    ],
)
def test_under_report_a_queue_follows_and_names_no_environment_twice(in_aws, replaced, followed):
    """AWS refuses an order that does, so the queue would keep the old one for ever."""
    (step,) = reporting(*in_aws, replaced=replaced).steps
    order = step.action.request["computeEnvironmentOrder"]
    assert [each["computeEnvironment"].rpartition("/")[2] for each in order] == followed
    assert len({each["order"] for each in order}) == len(order)


def test_two_that_were_replaced_by_the_same_leave_one_place_to_it():
    order = [{"order": at, "computeEnvironment": name} for at, name in enumerate("axbz")]
    found = exchanged(order, {"a": "c", "b": "c"})
    assert [(each["order"], each["computeEnvironment"]) for each in found] == [
        (0, "c"),
        (1, "x"),
        (3, "z"),
    ]


def test_a_queue_keeps_the_old_environment_as_long_as_aws_would_not_take_the_new_one():
    assert not plan("b", status="UPDATING").steps


def test_a_queue_whose_environments_stand_is_left_alone():
    assert not plan().steps
