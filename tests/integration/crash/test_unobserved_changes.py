"""An object is changed while the operator's watch is silent: it sees what is there afterwards.

At every write of a day in turn: edited there and back, deleted and made anew under the same name
(with another uid), its annotations taken away, or all of its metadata replaced.
"""

from collections.abc import Iterator
from random import Random

import pytest
from tests.integration.crash import invariants
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.day import REVISIONS, Day, Trials, clean_calls, writes
from tests.integration.crash.unobserved import Change, Unobserved
from tests.support.crashing import Mode, Points

SHARDS = 2
SEED = 501


def moments(names: list[str], change: Change, shard: int) -> Iterator[int]:
    """Numbers of the writes at which it happens."""
    yield from writes(names)[shard::SHARDS]


async def live(number: int, change: Change) -> Unobserved:
    """A day with that change at that call; its end is good."""
    points = Points(strikes={number: Mode.MEANWHILE})
    day = Day(SEED, points)
    unobserved = Unobserved(day.world, change, Random(SEED + number))
    points.meanwhile = unobserved.happen
    try:
        await day.live()
        by_hand = change in {Change.ANEW_BY_FORCE, Change.REPLACED}
        apart_from = unobserved.target if by_hand else None
        invariants.check_nothing_left(day.world, apart_from=apart_from)
        if change not in {Change.ANEW, Change.ANEW_BY_FORCE}:
            invariants.check_made_once(day.world, revisions=REVISIONS)
    except AssertionError as error:
        error.add_note(f"seed {SEED}; {unobserved.target} ({unobserved.old_uid}) {change.value}")
        raise
    return unobserved


@pytest.mark.timeout(400)
@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("change", Change, ids=[change.name.lower() for change in Change])
async def test_what_nobody_saw_happen_changes_nothing_in_the_end(change, shard, record_property):
    names = await clean_calls(SEED)
    trials, times = Trials(), 0
    for number in moments(names, change, shard):
        unobserved = await trials.go(live(number, change), f"at call {number}, {names[number - 1]}")
        times += unobserved is not None and unobserved.target is not None
    trials.check()
    assert times
    record_property(f"{POINTS} (unobserved: {change.value})", times)
