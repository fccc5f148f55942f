"""In the midst of a life the connection fails over to an API server that shows the past.

At every second write of a day in turn: the watch begins anew from some changes ago, and lists show
the same. Objects have older resourceVersions, or no finalizer yet, or are still listed although
they are gone. Some seconds later the server has caught up. The end is the same as without it.
"""

import pytest
from tests.integration.crash.behind import Behind
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.day import Trials, a_day, clean_calls, writes
from tests.support.crashing import Mode, Points

SHARDS = 2
EVERY = 2
SEED = 411


@pytest.mark.timeout(400)
@pytest.mark.parametrize("shard", range(SHARDS))
async def test_a_failover_to_the_past_changes_nothing_in_the_end(shard, record_property):
    names = await clean_calls(SEED)
    trials, times = Trials(), 0
    for number in writes(names)[shard * EVERY :: SHARDS * EVERY]:
        behind = Behind(SEED + number)
        day = a_day(SEED, Points({number: Mode.MEANWHILE}), prepare=behind.at_each_strike)
        await trials.go(day, f"failover at call {number}, {names[number - 1]}")
        times += behind.times
    trials.check()
    assert times
    record_property(f"{POINTS} (failover to the past)", times)
