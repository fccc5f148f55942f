"""The operator dies, or loses an answer, while it makes an INVALID environment anew.

At each write of that in turn. The end is the same each time: one environment as the spec says,
the old one gone, and nothing left when the object is deleted.
"""

from functools import partial

import pytest
from tests.integration.crash import invariants
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.day import Trials, writes
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
from tests.support.crashing import Mode, Points
from tests.support.hard_world import HardWorld, Weather
from tests.support.lives import Lives

from awsbatch_simulator.jobscript import JobScript

SEED = 801
SOUND = {**ENVIRONMENT, "spec": manifests.environment()}
WRONG = with_spec(SOUND, **manifests.environment(subnets=["subnet-none"]))
STEPS = (
    Step("a subnet that does not exist", apply(WRONG), has_condition(WRONG, "Stalled")),
    Step("the subnet is corrected", apply(SOUND), has_condition(SOUND, "Ready")),
    Step("the object is deleted", delete(SOUND), gone(SOUND)),
)


async def story(points: Points) -> range:
    """From the typo to the deletion, with a good end; the numbers of the calls of the middle."""
    world = HardWorld(SEED, Weather(), JobScript())
    lives = Lives(world, points)
    begun = []
    try:
        for step in STEPS:
            begun.append(len(points.names) + 1)
            step.do(world)
            await lives.until(partial(step.until, world))
            invariants.check_all(world)
            if step is STEPS[1]:
                (made,) = world.batch.environments.values()
                assert made.resources["subnets"] == ["subnet-1"]
                assert made.state.value == "ENABLED"
    finally:
        await lives.end()
    invariants.check_nothing_left(world)
    return range(begun[1], begun[2])


@pytest.mark.timeout(400)
@pytest.mark.parametrize("mode", [Mode.BEFORE, Mode.AFTER, Mode.LOST], ids=lambda mode: mode.name)
async def test_an_environment_is_made_anew_to_the_end_wherever_the_operator_dies(
    mode, record_property
):
    clean = Points()
    middle = await story(clean)
    numbers = [number for number in writes(clean.names) if number in middle]
    assert len(numbers) > len(STEPS)
    trials = Trials()
    for number in numbers:
        points = Points(strikes={number: mode})
        await trials.go(story(points), f"call {number}, {clean.names[number - 1]}")
        assert [struck.number for struck in points.struck] == [number]
    trials.check()
    record_property(f"{POINTS} (made anew, {mode.value})", len(numbers))
