"""The API server answers lists and watches from the past, after a restart or in the midst of a life.

At every write of a day in turn: the operator dies, and the next one begins at a server that is some
changes behind; or the operator lives, and its connection fails over to such a server. There an
object has an older resourceVersion, or no finalizer yet, or is still listed although it is gone.
Some seconds later the server has caught up. The end is the same as if nobody had looked back.
"""

from random import Random

import pytest
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.day import Day, Trials, a_day, clean_calls, writes
from tests.support.api_servers import ApiServer
from tests.support.crashing import Mode, Points

SHARDS = 4
SEED = 401
BEHIND = (1, 40)  # changes of any object
CATCHING_UP = (0.0, 40.0)  # seconds


class Behind:
    """Gives a day API servers that are behind."""

    def __init__(self, seed: int) -> None:
        self._dice = Random(seed)
        self.times = 0

    async def _catch_up(self, server: ApiServer) -> None:
        server.catch_up()

    def fall_back(self, day: Day, server: ApiServer) -> ApiServer:
        """Let the server be behind for a while."""
        self.times += 1
        server.fall_back(self._dice.randint(*BEHIND))
        day.world.soon(self._dice.uniform(*CATCHING_UP), self._catch_up(server))
        return server

    def at_each_restart(self, day: Day) -> None:
        """Whoever starts after a death finds a server that is behind."""

        def server() -> ApiServer:
            fresh = ApiServer(day.world.history)
            return self.fall_back(day, fresh) if day.points.struck else fresh

        day.server = server

    def at_each_strike(self, day: Day) -> None:
        """The connection fails over to a server that is behind."""
        day.points.meanwhile = lambda: self.fall_back(day, day.world.server)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("how", ["restart", "failover"])
async def test_a_view_from_the_past_changes_nothing_in_the_end(how, shard, record_property):
    names = await clean_calls(SEED)
    trials, times = Trials(), 0
    for number in writes(names)[shard::SHARDS]:
        behind = Behind(SEED + number)
        mode = Mode.AFTER if how == "restart" else Mode.MEANWHILE
        prepare = behind.at_each_restart if how == "restart" else behind.at_each_strike
        day = a_day(SEED, Points(strikes={number: mode}), prepare=prepare)
        await trials.go(day, f"{how} at call {number}, {names[number - 1]}")
        times += behind.times
    trials.check()
    assert times
    record_property(f"{POINTS} (stale view after a {how})", times)
