"""Replacement of a compute environment, state by state."""

from typing import Any

import pytest
from tests.unit.kinds.replacement_aws import WRONG, Queue, arn
from tests.unit.kinds.replacement_model import World, spec
from tests.unit.kinds.test_replacement import FIRST, as_specified, edit, standing


def until(world: World, condition: Any, turns: int = 30) -> None:
    """Turns and time until the condition holds."""
    for _ in range(turns):
        world.turn()
        if condition():
            return
        world.tick()
    raise AssertionError("never")


def replacement_of(world: World) -> dict[str, Any]:
    """What status.replacement shows."""
    return dict(world.plan().announce.get("replacement", {}))


def findings_of(world: World) -> list[str]:
    return [finding.reason.name for finding in world.plan().findings]


def operations_of(world: World) -> list[str]:
    return [action.operation for action in world.plan().actions]


def creating(world: World) -> None:
    edit(world, spec("subnet-2"))
    until(world, lambda: len(world.environments) == 2)


def with_an_invalid_successor(world: World) -> None:
    edit(world, spec(WRONG))
    until(world, lambda: len(world.environments) == 2)
    world.tick()


def swapping(world: World) -> None:
    """The JobQueue has not had its turn yet."""
    creating(world)
    world.environments = {k: {**v, "status": "VALID"} for k, v in world.environments.items()}
    world.turn()


def draining(world: World) -> None:
    world.start_job(world.queues[0])
    creating(world)
    until(world, lambda: replacement_of(world).get("runningJobs") == 1)


STATES: list[tuple[Any, ...]] = [
    (creating, "Creating", ["Replacing"], []),
    (with_an_invalid_successor, "Creating", ["EnvironmentInvalid"], []),
    (swapping, "Swapping", ["Replacing"], []),
    (draining, "Draining", ["Draining"], []),
]


@pytest.mark.parametrize(
    ("state", "step", "findings", "operations"), STATES, ids=[row[0].__name__ for row in STATES]
)
def test_each_state_shows_its_step_and_says_why(state, step, findings, operations):
    world = standing()
    state(world)
    assert replacement_of(world)["step"] == step
    assert set(findings) <= set(findings_of(world))
    assert operations_of(world) == operations


@pytest.mark.parametrize("state", [creating, with_an_invalid_successor])
def test_an_edit_back_removes_the_successor_alone(state):
    world = standing()
    state(world)
    edit(world, spec())
    assert replacement_of(world)["step"] == "Withdrawing"
    world.settle()
    assert list(world.environments) == [FIRST]
    as_specified(world)
    assert "Promoted" not in world.told
    assert world.told.count("ReplacementWithdrawn") == 1


def test_what_can_be_changed_in_place_is_changed_in_the_successor():
    world = standing()
    creating(world)
    edit(world, spec("subnet-2", 32))
    world.settle()
    as_specified(world)
    assert world.calls.count("CreateComputeEnvironment") == 1


def test_another_edit_that_cannot_has_the_successor_made_anew_and_never_two_at_a_time():
    world = standing()
    creating(world)
    edit(world, spec("subnet-3"))
    world.settle()
    as_specified(world)
    assert world.calls.count("CreateComputeEnvironment") == 2
    assert world.told.count("Promoted") == 1


def test_an_edit_while_a_predecessor_drains_begins_anew_beside_it():
    world = standing()
    draining(world)
    edit(world, spec("subnet-3"))
    until(world, lambda: len(world.recorded.predecessors) == 2)
    assert FIRST in world.environments
    world.settle()
    as_specified(world)


def test_a_new_environment_that_is_other_than_asked_for_is_not_made_over_and_over():
    world = standing()
    creating(world)
    name = world.recorded.successor
    have = world.environments[name]
    odd = {**have["computeResources"], "subnets": ["subnet-7"]}
    world.environments[name] = {**have, "computeResources": odd, "status": "VALID"}
    for _ in range(9):
        world.turn()
        world.tick()
    assert findings_of(world) == ["ReplacementNeeded"]
    assert world.calls == ["CreateComputeEnvironment"]


def test_a_job_that_comes_to_light_just_after_the_environment_was_disabled_is_waited_for():
    """ECS may show a task some seconds late; none is ended because it was not counted at once."""
    world = standing()
    creating(world)
    until(world, lambda: world.environments[FIRST]["state"] == "DISABLED")
    world.tick()
    assert world.environments[FIRST]["status"] == "VALID"
    assert operations_of(world) == []
    world.tasks[FIRST] = 1
    for _ in range(9):
        world.turn()
        world.tick()
    assert FIRST in world.environments


def test_after_the_drain_timeout_jobs_are_ended_and_it_is_told():
    world = standing()
    world.spec = spec(replacement={"drainTimeoutSeconds": 300})
    world.start_job(world.queues[0])
    edit(world, spec("subnet-2", replacement={"drainTimeoutSeconds": 300}))
    until(world, lambda: replacement_of(world).get("runningJobs") == 1)
    since = world.now
    world.may_end_jobs = True
    until(world, lambda: FIRST not in world.environments, turns=40)
    assert 200 < world.now.since(since) < 500
    assert "DrainTimedOut" in world.told


def test_a_queue_that_takes_the_old_one_again_keeps_it_from_being_deleted():
    world = standing()
    draining(world)
    world.queues.append(Queue("theirs", [arn(FIRST)], follows=False, owner=""))
    world.end_jobs()
    assert findings_of(world) == ["ReplacementBlocked"]
    assert operations_of(world) == []


def test_a_queue_of_nobody_is_swapped_in_place_with_its_order_kept():
    world = standing()
    world.spec = spec(replacement={"foreignQueues": "Swap"})
    world.queues.append(Queue("theirs", [arn(FIRST)], follows=False, owner=""))
    edit(world, spec("subnet-2", replacement={"foreignQueues": "Swap"}))
    world.settle()
    as_specified(world)
    assert world.told.count("Swapped") == 1


def test_what_serves_and_was_deleted_by_hand_is_succeeded_by_what_was_being_made():
    world = standing()
    world.queues.clear()
    creating(world)
    coming = world.recorded.successor
    del world.environments[FIRST]
    world.settle()
    assert list(world.environments) == [coming]
    as_specified(world)


def test_a_successor_that_is_not_wanted_and_not_to_be_seen_is_waited_for():
    """Its creation may have gone out a moment ago: it would be left behind."""
    world = standing()
    edit(world, spec("subnet-2"))
    world.turn()
    world.turn(ends_after=1)  # recorded, and perhaps sent
    name = world.recorded.successor
    assert name
    edit(world, spec())
    world.turn()
    assert world.recorded.successor == name
    assert findings_of(world) == ["Settling"]
    for _ in range(4):
        world.tick()
        world.turn()
    assert world.recorded.successor == ""
