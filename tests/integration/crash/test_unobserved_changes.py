"""An object is changed while the operator's watch is silent: it sees what is there afterwards.

At every write of a day in turn: edited there and back, deleted and made anew under the same name
(with another uid), its annotations taken away, or all of its metadata replaced. Either the watch of
a living operator breaks off and begins anew, or the operator has just died.
"""

from random import Random

import pytest
from tests.integration.crash import invariants
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.day import REVISIONS, Day, Trials, clean_calls, writes
from tests.integration.crash.unobserved import Change, Unobserved
from tests.support.crashing import Mode, Points

SEED = 501
STRIDE = 5  # each change happens at every so many writes, each at other ones


async def live(number: int, change: Change, *, dies: bool) -> Unobserved:
    """A day with that change at that call; its end is good."""
    points = Points(strikes={number: Mode.MEANWHILE})
    day = Day(SEED, points)
    unobserved = Unobserved(day.world, change, Random(SEED + number))

    def meanwhile() -> None:
        unobserved.happen()
        if dies:
            points.die()

    points.meanwhile = meanwhile
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
@pytest.mark.parametrize("dies", [False, True], ids=["silent watch", "nobody there"])
@pytest.mark.parametrize("change", Change, ids=[change.name.lower() for change in Change])
async def test_what_nobody_saw_happen_changes_nothing_in_the_end(change, dies, record_property):
    names = await clean_calls(SEED)
    trials, times = Trials(), 0
    first = (list(Change).index(change) + 2 * dies) % STRIDE
    for number in writes(names)[first::STRIDE]:
        what = f"at call {number}, {names[number - 1]}"
        unobserved = await trials.go(live(number, change, dies=dies), what)
        times += unobserved is not None and unobserved.target is not None
    trials.check()
    assert times
    record_property(f"{POINTS} (unobserved: {change.value})", times)
