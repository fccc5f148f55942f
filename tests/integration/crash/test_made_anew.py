"""The operator dies, or loses an answer, while it makes an INVALID environment anew.

At each write of that in turn. The end is the same each time: one environment as the spec says,
the old one gone, and nothing left when the object is deleted.
"""

from functools import partial

import pytest
from tests.integration.crash import invariants
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.day import modes, writes
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
from tests.support.crashing import Points
from tests.support.hard_world import HardWorld, Weather
from tests.support.lives import Lives

from awsbatch_simulator.jobscript import JobScript

SEED = 801
SOUND = {**ENVIRONMENT, "spec": manifests.best_fit()}
WRONG = with_spec(SOUND, **manifests.best_fit(subnets=["subnet-none"]))
STEPS = (
    Step("a subnet that does not exist", apply(WRONG), has_condition(WRONG, "Stalled")),
    Step("the subnet is corrected", apply(SOUND), has_condition(SOUND, "Ready")),
    Step("the object is deleted", delete(SOUND), gone(SOUND)),
)
CORRECTION = STEPS[1]


class Story:
    """From the typo to the deletion, with a good end."""

    def __init__(self, points: Points) -> None:
        self.points = points
        self.step = STEPS[0]  # that is under way

    async def live(self) -> None:
        """All of it."""
        world = HardWorld(SEED, Weather(), JobScript())
        lives = Lives(world, self.points)
        try:
            for self.step in STEPS:
                self.step.do(world)
                await lives.until(partial(self.step.until, world))
                invariants.check_all(world)
                if self.step is CORRECTION:
                    (made,) = world.batch.environments.values()
                    assert made.resources["subnets"] == ["subnet-1"]
                    assert made.state.value == "ENABLED"
        finally:
            await lives.end()
        invariants.check_nothing_left(world)

    def corrects(self, name: str) -> bool:
        """Whether a call that is about to be made changes something, and that is the correction."""
        return self.step is CORRECTION and writes(name)


@pytest.mark.timeout(400)
@modes()
async def test_an_environment_is_made_anew_to_the_end_wherever_the_operator_dies(
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
        at=story.corrects,
        strike=partial(points.strike_now, mode),
        tell=tell,
    )
    assert number > len(STEPS)
    record_property(f"{POINTS} (made anew, {mode.value})", number)
