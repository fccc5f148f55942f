"""The operator dies, and the next one begins at an API server that shows the past.

At every write of a day in turn. The next life sees objects with older resourceVersions and specs,
without the finalizer, or still there although they are gone; some seconds later the server has
caught up. Whatever is done in AWS meanwhile must not follow from what is no longer so.
"""

import pytest
from tests.integration.crash.behind import Behind
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.day import Trials, a_day, clean_calls, writes
from tests.support.crashing import Mode, Points

SHARDS = 4
SEED = 401


@pytest.mark.timeout(400)
@pytest.mark.parametrize("shard", range(SHARDS))
async def test_a_restart_in_the_past_changes_nothing_in_the_end(shard, record_property):
    names = await clean_calls(SEED)
    trials, times = Trials(), 0
    for number in writes(names)[shard::SHARDS]:
        behind = Behind(SEED + number)
        day = a_day(SEED, Points({number: Mode.AFTER}), prepare=behind.at_each_restart)
        await trials.go(day, f"restart at call {number}, {names[number - 1]}")
        times += behind.times
    trials.check()
    assert times
    record_property(f"{POINTS} (restart in the past)", times)
