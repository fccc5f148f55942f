"""In the midst of a life the connection fails over to an API server that shows the past.

At every second write of a day in turn: the watch begins anew from some changes ago, and lists show
the same. Objects have older resourceVersions, or no finalizer yet, or are still listed although
they are gone. Some seconds later the server has caught up. The end is the same as without it.
"""

import pytest
from tests.integration.crash.behind import Behind
from tests.integration.crash.branches import every
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.day import Day, writes
from tests.support.crashing import Mode, Points

SHARDS = 1
EVERY = 2
SEED = 411


@pytest.mark.timeout(400)
@pytest.mark.parametrize("shard", range(SHARDS))
async def test_a_failover_to_the_past_changes_nothing_in_the_end(shard, branches, record_property):
    points = Points()
    day = Day(SEED, points)
    behind = Behind()

    def strike() -> None:
        behind.seed(SEED + points.passed)
        behind.at_each_strike(day)
        points.strike_now(Mode.MEANWHILE)

    times = await branches.live(
        day.live_well(),
        points,
        at=every(writes, first=shard * EVERY, step=SHARDS * EVERY),
        strike=strike,
        tell=lambda: behind.times,
    )
    assert times
    record_property(f"{POINTS} (failover to the past)", times)
