"""The operator dies, or loses an answer, at every external call of a user's day in turn.

Each time all of its memory is dropped and a new operator starts in the same world. The end is the
same each time: one job in AWS for each BatchJob, nothing twice, nothing left behind.
"""

from functools import partial

import pytest
from tests.integration.crash.branches import every
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.day import WorthStriking, a_day, clean_calls, writes
from tests.support.crashing import (
    CAPACITY,
    DELETIONS,
    MESSAGES,
    PARAMETERS,
    WRITES,
    Mode,
    Points,
)

SHARDS = 2
# The waits of each mode's days are other ones. A shard must see the same days as the others.
SEEDS = {Mode.BEFORE: 101, Mode.AFTER: 102, Mode.LOST: 103, Mode.LATE: 104}
MODES = pytest.mark.parametrize("mode", SEEDS, ids=[mode.name.lower() for mode in SEEDS])


@MODES
async def test_a_day_without_a_crash_makes_every_call_that_changes_something(mode):
    """Those of EC2 and ECS have days of their own, and deletions of finished jobs."""
    elsewhere = CAPACITY | MESSAGES | PARAMETERS | DELETIONS
    assert not WRITES - elsewhere - set(await clean_calls(SEEDS[mode]))


@pytest.mark.timeout(400)
@pytest.mark.parametrize("shard", range(SHARDS))
@MODES
async def test_every_point_ends_the_same(mode, shard, branches, record_property):
    # A read that a dead process has sent changes nothing, whenever it arrives.
    worthy = writes if mode is Mode.LATE else WorthStriking()
    points = Points()

    def tell() -> int:
        assert [struck.mode for struck in points.struck] == [mode]
        return 1

    number = await branches.live(
        a_day(SEEDS[mode], points),
        points,
        at=every(worthy, first=shard, step=SHARDS),
        strike=partial(points.strike_now, mode),
        tell=tell,
    )
    record_property(f"{POINTS} ({mode.value})", number)
