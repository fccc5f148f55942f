"""An INVALID environment is made anew: its jobs, a cluster built anew, and what Adopt allows."""

from typing import Any

import pytest
from tests.unit.kinds.replacement_aws import WRONG, Queue, arn
from tests.unit.kinds.replacement_model import World, spec
from tests.unit.kinds.test_replacement import FIRST, edit, owned, standing
from tests.unit.kinds.test_replacement_states import draining, findings_of, until

from awsbatch_operator.api.metadata import REMAKING, REPLACING

LIMIT = {"replacement": {"drainTimeoutSeconds": 300}}
RIGHT = spec("subnet-2")


def invalid(first: dict[str, Any] | None = None) -> World:
    """Made with a subnet that is none, and corrected by now; in no queue."""
    world = World(spec=first or spec(WRONG))
    for _ in range(3):
        world.turn()
        world.tick()
    assert world.environments[FIRST]["status"] == "INVALID"
    world.calls.clear()
    return world


def remade(world: World) -> None:
    """The one environment is as the spec says."""
    (name,) = owned(world)
    assert world.environments[name]["computeResources"]["subnets"] == ["subnet-2"]
    assert world.environments[name]["state"] == "ENABLED"
    assert world.recorded.names == (name,)


def test_jobs_that_run_in_it_are_waited_for_as_long_as_they_take():
    world = invalid()
    edit(world, RIGHT)
    world.tasks[FIRST] = 1
    for _ in range(40):
        world.turn()
        world.tick()
    assert findings_of(world) == ["Remaking", "Draining"]  # the model asserts that none is ended
    world.end_jobs()
    world.settle()
    remade(world)
    assert "DrainTimedOut" not in world.told


def test_jobs_that_run_on_after_the_drain_timeout_end_with_it_and_that_is_told():
    world = invalid()
    edit(world, {**RIGHT, **LIMIT})
    world.tasks[FIRST] = 1
    until(world, lambda: "Draining" in findings_of(world))
    since, world.may_end_jobs = world.now, True
    until(world, lambda: "DeleteComputeEnvironment" in world.calls)
    assert 250 < world.now.since(since) < 400
    assert "DrainTimedOut" in world.told
    world.settle()
    remade(world)


def test_a_limit_that_is_set_while_jobs_are_waited_for_counts_from_when_that_began():
    world = invalid()
    edit(world, RIGHT)
    world.tasks[FIRST] = 1
    until(world, lambda: "Draining" in findings_of(world))
    for _ in range(20):
        world.turn()
        world.tick()
    edit(world, {**RIGHT, **LIMIT})
    world.may_end_jobs = True
    until(world, lambda: "DeleteComputeEnvironment" in world.calls, turns=3)
    assert "DrainTimedOut" in world.told
    world.settle()
    remade(world)


def test_how_long_the_jobs_of_one_were_waited_for_says_nothing_of_the_next_one_of_its_name():
    world = invalid()
    edit(world, {**RIGHT, **LIMIT})
    world.tasks[FIRST] = 1
    until(world, lambda: "Draining" in findings_of(world))
    assert FIRST in world.annotations[REPLACING]
    world.tasks.clear()
    world.settle()
    assert FIRST not in world.annotations[REPLACING]
    assert FIRST not in world.annotations[REMAKING]


def test_an_edit_that_has_it_stay_forgets_since_when_its_jobs_were_waited_for():
    world = invalid()
    edit(world, {**RIGHT, **LIMIT})
    world.tasks[FIRST] = 1
    until(world, lambda: "Draining" in findings_of(world))
    edit(world, {**spec(WRONG), **LIMIT})
    world.turn()
    assert FIRST not in world.annotations[REPLACING]


def rebuild(world: World) -> None:
    """The cluster is lost, and built anew from Git: the same objects, and none of their records."""
    world.uid, world.annotations, world.status = "uid-2", {}, {}


@pytest.mark.parametrize("turns", range(9))
@pytest.mark.parametrize("lost", ["annotations", "cluster"])
def test_in_the_midst_of_a_remaking_all_may_be_lost(turns, lost):
    world = invalid()
    edit(world, RIGHT)
    for _ in range(turns):
        world.turn()
        world.tick()
    if lost == "cluster":
        rebuild(world)
    else:
        world.annotations = {}
    world.settle()
    remade(world)


def rebuilt_with_a_leftover() -> tuple[World, str, dict[str, Any]]:
    """A cluster that was built anew after a replacement; what serves has lost its cluster by now.

    And the one that drained, of which AWS shows nothing yet.
    """
    world = standing()
    draining(world)
    rebuild(world)
    leftover, name = world.environments.pop(FIRST), world.recorded.serving
    world.turn()
    world.queues.clear()
    world.drop_cluster(name)
    world.calls.clear()
    return world, name, leftover


@pytest.mark.parametrize("turns", range(1, 9))
def test_a_leftover_of_the_earlier_cluster_that_comes_to_light_harms_nothing_in_a_remaking(turns):
    """Where nothing serves it is taken over, and brought in line; its jobs come to their end."""
    world, name, leftover = rebuilt_with_a_leftover()
    for _ in range(turns):
        world.turn()
        world.tick()
    assert "DeleteComputeEnvironment" in world.calls or turns < 3
    world.environments[FIRST] = leftover
    world.settle()
    if world.recorded.serving == name:  # it is left alone: by its tags alone nothing is removed
        del world.environments[FIRST]
    remade(world)


@pytest.mark.parametrize("hidden", range(1, 6))
@pytest.mark.parametrize("marked", [False, True], ids=["an earlier object's", "the object's"])
def test_nor_does_it_while_aws_does_not_show_yet_what_was_made_anew(hidden, marked):
    world, name, leftover = rebuilt_with_a_leftover()
    until(world, lambda: "CreateComputeEnvironment" in world.calls)
    made = world.environments.pop(name)
    tags = made["tags"] if marked else leftover["tags"]
    world.environments[FIRST] = {**leftover, "tags": tags}
    for _ in range(hidden):
        world.turn()
        world.tick()
    world.environments.setdefault(name, {**made, "status": "VALID"})
    world.settle()
    remade(world)


# --- adoptionPolicy Adopt makes nothing ---


def adopting(wanted: dict[str, Any], policy: str = "Adopt") -> dict[str, Any]:
    return {**wanted, "adoptionPolicy": policy, "deletionPolicy": "Delete"}


def test_what_is_only_adopted_is_not_removed_to_be_made_anew_and_the_remedy_helps():
    world = invalid()
    edit(world, adopting(RIGHT))
    world.turn()
    assert world.calls == []
    (finding,) = world.plan().findings
    assert finding.reason.name == "ReplacementNeeded"
    assert "set spec.adoptionPolicy to AdoptOrCreate" in finding.remedy
    edit(world, adopting(RIGHT, "AdoptOrCreate"))
    world.settle()
    remade(world)


def test_what_is_only_adopted_is_not_replaced_and_the_remedy_helps():
    world = standing()
    edit(world, adopting(RIGHT))
    world.turn()
    world.turn()
    assert world.calls == []
    (finding,) = world.plan().findings
    assert finding.reason.name == "ReplacementNeeded"
    assert "adoptionPolicy Adopt makes none" in finding.message
    assert "set spec.adoptionPolicy to AdoptOrCreate" in finding.remedy
    edit(world, adopting(RIGHT, "AdoptOrCreate"))
    world.settle()
    remade(world)


def test_the_invalid_one_of_a_queue_says_how_to_have_it_replaced_where_adopt_makes_none():
    world = invalid()
    world.queues.append(Queue("main", [arn(FIRST)]))
    edit(world, adopting(RIGHT))
    world.turn()
    (finding,) = world.plan().findings
    assert "Set spec.adoptionPolicy to AdoptOrCreate, and a new environment" in finding.remedy
    assert world.calls == []


def test_what_was_removed_to_be_made_anew_is_made_though_the_policy_is_adopt_by_then():
    world = invalid()
    edit(world, RIGHT)
    until(world, lambda: FIRST not in world.environments)
    edit(world, adopting(RIGHT))
    world.settle()
    remade(world)
