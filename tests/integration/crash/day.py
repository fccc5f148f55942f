"""A user's day in a hard world, and what must be true at its end."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import pytest
from tests.integration.crash import invariants
from tests.integration.crash.scenario import LONG_RUN, STEPS, Step
from tests.support.api_servers import ApiServer
from tests.support.crashing import WRITES, Mode, Points
from tests.support.hard_world import HardWorld, Weather
from tests.support.lives import Lives

REVISIONS = 3  # two of the day's definition, one after another, and the one in a job
REPEATED_READS = 2  # of calls that change nothing, only the first few are struck


def modes(*more: Mode) -> Any:
    """Parametrises a test by `mode`: before and after a call, with its answer lost, and by more."""
    tried = (Mode.BEFORE, Mode.AFTER, Mode.LOST, *more)
    return pytest.mark.parametrize("mode", tried, ids=[mode.name for mode in tried])


class Day:
    """The day, in a world of its own. Whenever the operator dies, another one starts."""

    def __init__(self, seed: int, points: Points, weather: Weather | None = None) -> None:
        self.world = self.a_world(seed, weather or Weather())
        self.seed = seed
        self.points = points
        self.server: Callable[[], ApiServer] = partial(ApiServer, self.world.history)

    @property
    def steps(self) -> Sequence[Step]:
        """What the user does."""
        return STEPS

    def a_world(self, seed: int, weather: Weather) -> HardWorld:
        """Where the day is lived."""
        return HardWorld(seed, weather, LONG_RUN)

    def check(self) -> None:
        """All that holds at any time."""
        invariants.check_all(self.world)

    async def live(self) -> None:
        """From the first manifest to the last deletion; all that holds at any time is checked."""
        lives = Lives(self.world, self.points, self._server_of_the_next_life)
        try:
            for step in self.steps:
                step.do(self.world)
                await lives.until(partial(step.until, self.world))
                self.check()
        finally:
            await lives.end()
        self.check()

    def check_the_end(self) -> None:
        """One job for each BatchJob, nothing made twice, nothing left in AWS."""
        invariants.check_nothing_left(self.world)
        invariants.check_made_once(self.world, revisions=REVISIONS)
        (first,) = invariants.jobs_of(self.world, "first-run")
        (long,) = invariants.jobs_of(self.world, "long-run")
        assert first.status.value == "SUCCEEDED"
        assert long.status.value == "FAILED", "the job of the deleted BatchJob still runs"

    def _server_of_the_next_life(self) -> ApiServer:
        return self.server()  # looked up here, because a strike may have changed it

    async def live_well(self) -> None:
        """The day with a good end; what was struck is told with any failure."""
        try:
            await self.live()
            self.check_the_end()
        except AssertionError as error:
            struck = [
                f"{one.mode.value}: call {one.number}, {one.name}" for one in self.points.struck
            ]
            error.add_note(f"seed {self.seed}; struck: {struck or 'nothing'}")
            raise


async def a_day(
    seed: int,
    points: Points,
    weather: Weather | None = None,
    prepare: Callable[[Day], None] = lambda _: None,
) -> None:
    """A whole day with a good end."""
    day = Day(seed, points, weather)
    prepare(day)
    await day.live_well()


def first_lines(error: AssertionError) -> Iterator[str]:
    """What was noted about a failure, without all the objects."""
    for note in getattr(error, "__notes__", ()):
        if not note.startswith("objects:"):
            yield f"\n    {note}"


async def clean_calls(seed: int, weather: Weather | None = None) -> list[str]:
    """The names of the calls of a day at which nothing is struck."""
    points = Points()
    await a_day(seed, points, weather)
    return points.names


def writes(name: str) -> bool:
    """Whether a call of that name changes something."""
    return name in WRITES


class WorthStriking:
    """Chooses all calls that change something, and each first few that only read."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def __call__(self, name: str) -> bool:
        self._seen[name] += 1
        return writes(name) or self._seen[name] <= REPEATED_READS
