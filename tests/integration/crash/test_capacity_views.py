"""Days with instances at API servers that show the past, and with records that are taken away.

An older list or watch has a record without the launch that is open, or with one that is long over.
A person may put an older record back, or take it away. Nothing is launched twice for any of that.
"""

from collections.abc import Callable

import pytest
from tests.integration.crash.behind import Behind
from tests.integration.crash.branches import every
from tests.integration.crash.capacity_day import CapacityDay
from tests.integration.crash.capacity_scenario import environment, from_zero
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.scenario import key
from tests.integration.crash.unobserved import without_annotations
from tests.support.crashing import CAPACITY, KUBE_WRITES, Mode, Points

from awsbatch_operator.api.metadata import LAUNCHES

SEED = 815
THERE = key(environment(most=2))
STEP = 6


def from_the_launch_on() -> Callable[[str], bool]:
    """Chooses the writes after the first launch, and that."""
    begun = False

    def chosen(name: str) -> bool:
        nonlocal begun
        begun = begun or name == "ec2:CreateFleet"
        return begun and name in KUBE_WRITES | CAPACITY

    return chosen


@pytest.mark.timeout(400)
@pytest.mark.parametrize("dies", [True, False], ids=["restart", "failover"])
async def test_a_server_that_shows_the_past_launches_nothing_twice(dies, branches, record_property):
    points = Points()
    day = CapacityDay(SEED, points, from_zero())
    behind = Behind()

    def strike() -> None:
        behind.seed(SEED + points.passed)
        if dies:
            behind.at_each_restart(day)
        else:
            behind.at_each_strike(day)
        points.strike_now(Mode.AFTER if dies else Mode.MEANWHILE)

    times = await branches.live(
        day.live_well(),
        points,
        at=every(from_the_launch_on(), step=STEP, first=3 * (not dies)),
        strike=strike,
        tell=lambda: behind.times,
    )
    assert times
    record_property(f"{POINTS} (instances, views of the past)", times)


class Meddled(CapacityDay):
    """A day on which somebody does something to the record of launches."""

    def __init__(self, *, back: bool, dies: bool) -> None:
        super().__init__(SEED, Points(), from_zero())
        self._back, self._dies = back, dies

    def strike(self) -> None:
        """Let it happen after the next call."""
        self.points.meanwhile = self._meanwhile
        self.points.strike_now(Mode.MEANWHILE)

    def _meanwhile(self) -> None:
        if not self.world.kube.exists(THERE):
            pass
        elif self._back:
            self.world.kube.annotate(THERE, **{LAUNCHES: self._open_once()})
        else:
            without_annotations(self.world, THERE)
        if self._dies:
            self.points.die()

    def _open_once(self) -> str:
        """The record as it was when its launch was open."""
        texts = (
            body["metadata"].get("annotations", {}).get(LAUNCHES, "")
            for _, body in self.world.history.since(0)
            if body["kind"] == THERE.kind
        )
        return str(next(text for text in texts if '"intent"' in text))


@pytest.mark.timeout(400)
@pytest.mark.parametrize("dies", [True, False], ids=["dies", "lives"])
@pytest.mark.parametrize("back", [True, False], ids=["put back as open", "taken away"])
async def test_a_record_that_somebody_meddles_with_launches_nothing_twice(
    back, dies, branches, record_property
):
    day = Meddled(back=back, dies=dies)
    struck = await branches.live(
        day.live_well(),
        day.points,
        at=every(from_the_launch_on(), step=STEP, first=2 * back + dies),
        strike=day.strike,
        tell=lambda: len(day.points.struck),
    )
    record_property(f"{POINTS} (instances, records meddled with)", struck)
