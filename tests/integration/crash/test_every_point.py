"""The operator dies, or loses an answer, at every external call of a user's day in turn.

Each time all of its memory is dropped and a new operator starts in the same world. The end is the
same each time: one job in AWS for each BatchJob, nothing twice, nothing left behind.
"""

import pytest
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.day import Trials, a_day, clean_calls, worth_striking, writes
from tests.support.crashing import WRITES, Mode, Points, Struck

SHARDS = 4
# The waits of each mode's days are other ones. A shard must see the same days as the others.
SEEDS = {Mode.BEFORE: 101, Mode.AFTER: 102, Mode.LOST: 103, Mode.LATE: 104}
MODES = pytest.mark.parametrize("mode", SEEDS, ids=[mode.name.lower() for mode in SEEDS])


@MODES
async def test_a_day_without_a_crash_makes_every_call_that_changes_something(mode):
    never_made = WRITES - set(await clean_calls(SEEDS[mode]))
    assert not never_made


@pytest.mark.timeout(400)
@pytest.mark.parametrize("shard", range(SHARDS))
@MODES
async def test_every_point_ends_the_same(mode, shard, record_property):
    names = await clean_calls(SEEDS[mode])
    # A read that a dead process has sent changes nothing, whenever it arrives.
    worthy = writes(names) if mode is Mode.LATE else list(worth_striking(names))
    numbers = worthy[shard::SHARDS]
    assert numbers
    trials = Trials()
    for number in numbers:
        points = Points(strikes={number: mode})
        await trials.go(a_day(SEEDS[mode], points), f"call {number}, {names[number - 1]}")
        assert points.struck == [Struck(number, names[number - 1], mode)]
    trials.check()
    record_property(f"{POINTS} ({mode.value})", len(numbers))
