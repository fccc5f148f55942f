"""The operator is struck more than once in a day: twice at about the same call, or anywhere.

A second death while the first is being mended finds what one alone never does: what the next life
writes down before it looks, and what it looks up before AWS shows it.
"""

from random import Random

import pytest
from tests.integration.crash.branches import every
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.day import a_day, writes
from tests.support.crashing import Mode, Points

SHARDS = 2
PAIRS_SEED = 201
FIRST = (Mode.BEFORE, Mode.AFTER, Mode.LATE, Mode.LOST)
THEN = (Mode.AFTER, Mode.LOST, Mode.BEFORE, Mode.LATE)
SEEDS = range(300, 331)
STRIKES = (3, 8)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("shard", range(SHARDS))
async def test_a_strike_and_another_at_the_very_next_write_end_the_same(
    shard, branches, record_property
):
    points = Points()

    def strike() -> None:
        # All sixteen pairs of modes take their turns; over the kinds of calls each meets many.
        dice = Random(f"{PAIRS_SEED} {points.passed}")
        points.strike_now(dice.choice(FIRST))
        points.then = (dice.choice(THEN),)

    struck = await branches.live(
        a_day(PAIRS_SEED, points),
        points,
        at=every(writes, first=shard, step=SHARDS),
        strike=strike,
        tell=lambda: len(points.struck),
    )
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
