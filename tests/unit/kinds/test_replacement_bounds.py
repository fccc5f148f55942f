"""What forbids a replacement: said, with what to do, before anything is sent."""

from typing import Any

import pytest
from tests.unit.kinds.environments import OWN_ROLE, Model, desired, managed
from tests.unit.kinds.replacement_aws import Queue, arn
from tests.unit.kinds.replacement_model import World, spec
from tests.unit.kinds.test_replacement import FIRST, edit, standing
from tests.unit.kinds.values import NOW

from awsbatch_operator.api.metadata import LAUNCHES
from awsbatch_operator.kinds.computeenvironment.changes import compare
from awsbatch_operator.kinds.computeenvironment.plan import plan_environment
from awsbatch_operator.kinds.computeenvironment.replacing import is_needed

UNMANAGED: dict[str, Any] = {"type": "UNMANAGED", "serviceRole": OWN_ROLE}
LINKED = {"type": "UNMANAGED"}
EKS = {"eksConfiguration": {"eksClusterArn": "arn:eks", "kubernetesNamespace": "jobs"}}
BEST_FIT = {"allocationStrategy": "BEST_FIT"}


@pytest.mark.parametrize(
    ("before", "after", "annotations", "says"),
    [
        (
            UNMANAGED,
            LINKED
            | {
                "serviceRole": "arn:aws:iam::1:role/aws-service-role/"
                "batch.amazonaws.com/AWSServiceRoleForBatch"
            },
            {},
            "stay in the cluster",
        ),
        (
            managed(**BEST_FIT),
            managed(**BEST_FIT, subnets=["subnet-9"]),
            {LAUNCHES: "{}"},
            "stay in the cluster",
        ),
        (
            managed(**BEST_FIT, top=EKS),
            managed(**BEST_FIT, subnets=["subnet-9"], top=EKS),
            {},
            "on EKS cannot be seen",
        ),
        (
            managed(**BEST_FIT),
            managed(**BEST_FIT, subnets=["subnet-9"], top={"replacement": {"policy": "Refuse"}}),
            {},
            "spec.replacement.policy Refuse does not allow",
        ),
    ],
    ids=["unmanaged", "with instances of ours", "on EKS", "refused"],
)
def test_what_is_not_replaced_is_stalled_and_says_why(before, after, annotations, says):
    model = Model()
    model.converge(before)
    wanted, observed = desired(after, annotations=annotations), model.observed()
    assert is_needed(wanted, observed, compare(wanted, observed))
    plan = plan_environment(wanted, observed, NOW)
    assert not plan.steps
    (finding,) = plan.findings
    assert finding.reason.name == "ReplacementNeeded"
    assert says in finding.message


def begun(world: World) -> tuple[list[str], list[str]]:
    """What a plan does and finds, once all is looked at."""
    edit(world, spec("subnet-2"))
    world.turn()
    plan = world.plan()
    return [each.operation for each in plan.actions], [each.reason.name for each in plan.findings]


def test_nothing_begins_while_a_queue_of_somebody_else_has_the_environment():
    world = standing()
    world.queues.append(Queue("theirs", [arn(FIRST)], follows=False, owner=""))
    assert begun(world) == ([], ["ReplacementBlocked"])


def test_nothing_begins_while_a_jobqueue_names_it_by_arn_whatever_is_allowed():
    world = standing()
    world.spec = spec(replacement={"foreignQueues": "Swap"})
    world.queues.append(Queue("by-arn", [arn(FIRST)], follows=False, owner="by-arn"))
    assert begun(world) == ([], ["ReplacementBlocked"])


def test_nothing_begins_where_the_account_has_no_room_for_another_one():
    world = standing()
    mine = world.environments[FIRST]
    for number in range(49):
        name = f"other-{number}"
        other = {**mine, "computeEnvironmentName": name, "computeEnvironmentArn": arn(name)}
        world.environments[name] = {**other, "tags": {}}
    assert begun(world) == ([], ["AccountLimitReached"])
    del world.environments["other-7"]
    assert [each.operation for each in world.plan().actions] == ["CreateComputeEnvironment"]
