"""The operator dies, or loses an answer, while what uses an image moves to another one.

Environments and pools move forward and back, jobs run on, and images that nothing uses any more go,
with their snapshots and their copies abroad. Each call that this takes of the ExtendedAMI and of
the ComputeEnvironment is struck in each way, and all other writes in one way after another.

Each time the end is the same: one image for each build, none removed while something uses it, no
job disturbed, nothing left.
"""

from collections import Counter
from functools import partial
from random import Random
from typing import Any

import pytest
from tests.integration.crash import invariants
from tests.integration.crash.branches import Branches
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.image_day import CALM, ImageDay, passed, there
from tests.integration.crash.image_moves import AT_WORK, MOVES, Move
from tests.integration.crash.scenario import Step
from tests.integration.crash.strikes import MODES, Strikes
from tests.integration.crash.test_images import ELSEWHERE
from tests.support.crashing import KUBE_WRITES, WRITES, Points
from tests.support.hard_world import HardWorld, Weather
from tests.support.image_world import ImageWorld

SEED = 1009


class MovingDay(ImageDay):
    """A day in which images are used."""

    def __init__(self, seed: int, points: Points, move: Move) -> None:
        self.move = move
        self.under_way: Step = move.steps[0]
        super().__init__(seed, points, CALM)

    @property
    def steps(self) -> tuple[Step, ...]:
        return tuple(
            Step(each.what, partial(self._begin, each), each.until) for each in self.move.steps
        )

    def _begin(self, step: Step, world: Any) -> None:
        self.under_way = step
        step.do(world)

    def a_world(self, seed: int, weather: Weather) -> HardWorld:
        return ImageWorld(seed, weather, AT_WORK)

    def check(self) -> None:
        invariants.check_all(self.world)
        self._check_launches()
        self._check_ready()
        world = there(self.world)
        builds = Counter(world.made_images.values())
        most = self.move.built - self.move.builds + 1
        assert max(builds.values(), default=0) <= most, f"several images of one build: {builds}"
        assert world.in_pools <= self.move.pooled

    def check_the_end(self) -> None:
        world, move = there(self.world), self.move
        assert not world.left(), world.left()
        invariants.check_nothing_left(world)
        assert (len(world.made_images), world.guests.built) == (move.built, move.built)
        assert len(set(world.made_images.values())) == move.builds
        assert world.made("CreateComputeEnvironment") == move.made
        for body in move.jobs:
            [job] = invariants.jobs_of(world, body["metadata"]["name"])
            assert job.status.value == "SUCCEEDED"
            assert len(job.attempts) == 1, "the job was ended and began again"


class Struck(Strikes):
    """Chooses the calls of a day that are struck, and how."""

    def __init__(self, day: MovingDay, branches: Branches) -> None:
        super().__init__(branches)
        self._day = day
        self._passed: set[str] = set()  # images, so far

    def __call__(self, name: str) -> int:
        move = self._day.move
        self._passed.update(passed(there(self._day.world)))
        moves = len(self._passed) > 1 or not move.after
        if not moves or self._day.under_way.what not in move.struck:
            return 0
        if name in move.calls:
            return self.in_each_way()
        if name in WRITES:
            return self.in_the_next_way()
        return 0


def test_each_call_of_images_that_the_other_days_do_not_make_is_struck_here():
    assert set().union(*(make().calls for make in MOVES.values())) >= ELSEWHERE


@pytest.mark.timeout(900)
@pytest.mark.parametrize("story", MOVES)
async def test_all_that_uses_an_image_moves_to_the_next_one_wherever_the_operator_dies(
    story: str, branches: Branches, record_property: Any
):
    points = Points()
    day = MovingDay(SEED, points, MOVES[story]())
    struck = Struck(day, branches)
    number = await struck.live(day)
    assert day.move.calls | KUBE_WRITES <= branches.chosen.keys()
    record_property(f"{POINTS} (images, {story})", number)


@pytest.mark.parametrize(("seed", "story"), [*enumerate(MOVES)])
async def test_several_strikes_on_a_day_on_which_images_are_used_end_the_same(
    seed: int, story: str, record_property: Any
):
    dice = Random(SEED + seed)
    numbers = dice.sample(range(30, 450), dice.randint(4, 9))
    points = Points(strikes={number: dice.choice(MODES) for number in numbers})
    await MovingDay(SEED, points, MOVES[story]()).live_well()
    assert len(points.struck) > 1
    record_property(f"{POINTS} (images, several strikes)", len(points.struck))


@pytest.mark.parametrize("story", MOVES)
async def test_a_day_on_which_images_are_used_without_any_strike(story: str):
    await MovingDay(SEED, Points(), MOVES[story]()).live_well()
