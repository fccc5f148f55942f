"""The operator dies, or loses an answer, while AWS exchanges the instances of an environment.

At each call that changes AWS in turn: the placement group is made before the environment, a newer
version of the launch template is taken over, an edit takes the group away again, and the object is
deleted. The end is the same each time: each update was asked for once, and nothing is left.
"""

from functools import partial

import pytest
from tests.integration.crash import invariants
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.day import modes
from tests.integration.crash.scenario import (
    ENVIRONMENT,
    Step,
    apply,
    delete,
    gone,
    has_condition,
    with_spec,
)
from tests.support import manifests
from tests.support.crashing import MUTATING, Points
from tests.support.hard_world import HardWorld, Weather
from tests.support.lives import Lives

from awsbatch_simulator.ec2 import template_changes
from awsbatch_simulator.jobscript import JobScript

SEED = 901
TEMPLATE = {"launchTemplateName": "web", "version": "$Latest"}
GROUPED = {
    **ENVIRONMENT,
    "spec": {
        **manifests.environment(launchTemplate=TEMPLATE, managedPlacementGroup=True),
        "launchTemplateVersions": "Track",
    },
}
EDITED = with_spec(
    GROUPED, **manifests.environment(launchTemplate=TEMPLATE, instanceTypes=["c7i.large"])
)


def ec2(world):
    return world.simulator.world.region(world.simulator.place)


def groups_made(world):
    count = world.simulator.dispatcher.calls.count
    outcomes = ("OK", "DroppedAfterCommit")
    return sum(count("ec2", "CreatePlacementGroup", outcome) for outcome in outcomes)


def add_version(world):
    request = {"LaunchTemplateName": "web", "LaunchTemplateData": {"EbsOptimized": True}}
    template_changes.create_version(ec2(world), request, "root")


def has_version(number):
    def holds(world):
        (found,) = world.batch.environments.values()
        return found.resources["launchTemplate"]["version"] == number and has_condition(
            GROUPED, "Ready"
        )(world)

    return holds


def without_group(world):
    return not ec2(world).ec2.placement_groups and has_condition(EDITED, "Ready")(world)


STEPS = (
    Step("it is made", apply(GROUPED), has_condition(GROUPED, "Ready")),
    Step("there is a newer version", add_version, has_version("2")),
    Step("it is edited", apply(EDITED), without_group),
    Step("the object is deleted", delete(EDITED), gone(EDITED)),
)


class Story:
    """From the creation to the deletion, with a good end."""

    def __init__(self, points: Points) -> None:
        self.points = points

    async def live(self) -> None:
        """All of it."""
        world = HardWorld(SEED, Weather(), JobScript())
        request = {"LaunchTemplateName": "web", "LaunchTemplateData": {}}
        template_changes.create(ec2(world), request, "root")
        lives = Lives(world, self.points)
        try:
            for step in STEPS:
                step.do(world)
                await lives.until(partial(step.until, world))
                invariants.check_all(world)
                if step is STEPS[2]:
                    assert world.made("UpdateComputeEnvironment") == 2
        finally:
            await lives.end()
        invariants.check_nothing_left(world)
        assert not ec2(world).ec2.placement_groups
        assert world.made("CreateComputeEnvironment") == groups_made(world) == 1


@pytest.mark.timeout(400)
@modes()
async def test_instances_are_exchanged_once_wherever_the_operator_dies(
    mode, branches, record_property
):
    points = Points()
    story = Story(points)

    def tell() -> int:
        assert [struck.mode for struck in points.struck] == [mode]
        return 1

    number = await branches.live(
        story.live(),
        points,
        at=MUTATING.__contains__,
        strike=partial(points.strike_now, mode),
        tell=tell,
    )
    assert number >= 2 * len(STEPS)
    record_property(f"{POINTS} (instances exchanged, {mode.value})", number)
