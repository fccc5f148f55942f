"""An object is changed while the operator's watch is silent: it sees what is there afterwards.

At every write of a day in turn: edited there and back, deleted and made anew under the same name
(with another uid), its annotations taken away, or all of its metadata replaced. Either the watch of
a living operator breaks off and begins anew, or the operator has just died.
"""

from random import Random

import pytest
from tests.integration.crash import invariants
from tests.integration.crash.branches import every
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.day import REVISIONS, Day, writes
from tests.integration.crash.unobserved import Change, Unobserved
from tests.support.crashing import Mode, Points

SEED = 501
STRIDE = 5  # each change happens at every so many writes, each at other ones


class Unseen(Day):
    """A day on which something happens that nobody sees; it may be that the operator dies, too."""

    def __init__(self, change: Change, *, dies: bool) -> None:
        super().__init__(SEED, Points())
        self._change = change
        self._dies = dies
        self._unobserved: Unobserved | None = None

    def strike(self) -> None:
        """Let it happen after the next call."""
        dice = Random(SEED + self.points.passed)
        self._unobserved = Unobserved(self.world, self._change, dice)
        self.points.meanwhile = self._meanwhile
        self.points.strike_now(Mode.MEANWHILE)

    def happened(self) -> int:
        """How often there was something to which it happened."""
        return int(self._unobserved is not None and self._unobserved.target is not None)

    async def live_well(self) -> None:
        try:
            await super().live_well()
        except AssertionError as error:
            if (seen := self._unobserved) is not None:
                error.add_note(f"{seen.target} ({seen.old_uid}) {self._change.value}")
            raise

    def check_the_end(self) -> None:
        if self._unobserved is None:
            super().check_the_end()
            return
        by_hand = self._change in {Change.ANEW_BY_FORCE, Change.REPLACED}
        apart_from = self._unobserved.target if by_hand else None
        invariants.check_nothing_left(self.world, apart_from=apart_from)
        if self._change not in {Change.ANEW, Change.ANEW_BY_FORCE}:
            invariants.check_made_once(self.world, revisions=REVISIONS)

    def _meanwhile(self) -> None:
        assert self._unobserved is not None
        self._unobserved.happen()
        if self._dies:
            self.points.die()


@pytest.mark.timeout(400)
@pytest.mark.parametrize("dies", [False, True], ids=["silent watch", "nobody there"])
@pytest.mark.parametrize("change", Change, ids=[change.name.lower() for change in Change])
async def test_what_nobody_saw_happen_changes_nothing_in_the_end(
    change, dies, branches, record_property
):
    day = Unseen(change, dies=dies)
    first = (list(Change).index(change) + 2 * dies) % STRIDE
    times = await branches.live(
        day.live_well(),
        day.points,
        at=every(writes, first=first, step=STRIDE),
        strike=day.strike,
        tell=day.happened,
    )
    assert times
    record_property(f"{POINTS} (unobserved: {change.value})", times)
