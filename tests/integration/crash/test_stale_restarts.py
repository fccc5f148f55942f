"""The operator dies, and the next one begins at an API server that shows the past.

At every write of a day in turn. The next life sees objects with older resourceVersions and specs,
without the finalizer, or still there although they are gone; some seconds later the server has
caught up. Whatever is done in AWS meanwhile must not follow from what is no longer so.
"""

import pytest
from tests.integration.crash.behind import Behind
from tests.integration.crash.branches import every
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.day import Day, writes
from tests.support.crashing import Mode, Points

SHARDS = 2
SEED = 401


@pytest.mark.timeout(400)
@pytest.mark.parametrize("shard", range(SHARDS))
async def test_a_restart_in_the_past_changes_nothing_in_the_end(shard, branches, record_property):
    points = Points()
    day = Day(SEED, points)
    behind = Behind()

    def strike() -> None:
        behind.seed(SEED + points.passed)
        behind.at_each_restart(day)
        points.strike_now(Mode.AFTER)

    times = await branches.live(
        day.live_well(),
        points,
        at=every(writes, first=shard, step=SHARDS),
        strike=strike,
        tell=lambda: behind.times,
    )
    assert times
    record_property(f"{POINTS} (restart in the past)", times)
