"""The operator is struck more than once in a day: twice at about the same call, or anywhere.

A second death while the first is being mended finds what one alone never does: what the next life
writes down before it looks, and what it looks up before AWS shows it.
"""

from random import Random

import pytest
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.day import Trials, a_day, clean_calls, writes
from tests.support.crashing import Mode, Points

SHARDS = 4
PAIRS_SEED = 201
FIRST = (Mode.BEFORE, Mode.AFTER, Mode.LATE, Mode.LOST)
THEN = (Mode.AFTER, Mode.LOST, Mode.BEFORE, Mode.LATE)
SEEDS = range(300, 330)
STRIKES = (3, 8)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("shard", range(SHARDS))
async def test_a_strike_and_another_at_the_very_next_write_end_the_same(shard, record_property):
    names = await clean_calls(PAIRS_SEED)
    dice = Random(PAIRS_SEED + shard)
    trials, struck = Trials(), 0
    for number in writes(names)[shard::SHARDS]:
        # All sixteen pairs of modes take their turns; over the kinds of calls each meets many.
        points = Points(strikes={number: dice.choice(FIRST)}, then=(dice.choice(THEN),))
        await trials.go(a_day(PAIRS_SEED, points), f"call {number}, {names[number - 1]}")
        assert points.struck[0].number == number
        struck += len(points.struck)
    trials.check()
    record_property(f"{POINTS} (pairs)", struck)


@pytest.mark.parametrize("seed", SEEDS)
async def test_several_strikes_anywhere_end_the_same(seed, record_property):
    dice = Random(seed)
    numbers = sorted(dice.sample(range(1, 300), dice.randint(*STRIKES)))
    modes = (Mode.BEFORE, Mode.AFTER, Mode.LOST)
    points = Points(strikes={number: dice.choice(modes) for number in numbers})
    await a_day(seed, points)
    assert points.struck
    record_property(f"{POINTS} (several strikes)", len(points.struck))
