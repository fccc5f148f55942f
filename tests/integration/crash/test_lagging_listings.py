"""AWS's descriptions of environments, queues, definitions and policies lag by some seconds, too.

What was made a moment ago is there, and not shown yet: it must not be made a second time, whether
the operator lives on, dies, or has lost the answer.
"""

from functools import partial

import pytest
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.day import a_day
from tests.support.crashing import Mode, Points
from tests.support.hard_world import Weather

LAGGING = Weather(others_lag=8.0)
MAKES = ("Create", "Register", "Update", "Deregister")
SEEDS = range(600, 606)


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_day_with_lagging_descriptions_makes_nothing_twice(seed):
    await a_day(seed, Points(), LAGGING)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("mode", [Mode.BEFORE, Mode.AFTER, Mode.LOST, Mode.LATE])
async def test_what_is_struck_while_it_is_made_is_not_made_twice(mode, branches, record_property):
    points = Points()
    struck = await branches.live(
        a_day(SEEDS[0], points, LAGGING),
        points,
        at=lambda name: name.partition(":")[2].startswith(MAKES),
        strike=partial(points.strike_now, mode),
        tell=lambda: len(points.struck),
    )
    record_property(f"{POINTS} (lagging descriptions)", struck)
