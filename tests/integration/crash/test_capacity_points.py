"""The operator dies, or loses an answer, at calls of days on which instances come and go.

From zero and back, an interruption, drain deadlines, blocks by each way, deletions, agents that
never join. Each call of EC2 and ECS that changes something is struck in each way in the day that is
named for it, and in turn in the others; so is every so manieth write to Kubernetes. Each time all
memory is dropped and a new operator starts. EC2 shows instances 15 s late, and their tags 30 s.

Each time the end is the same: no launch made twice, no reservation bought twice, nothing left. At
no time are there more instances than jobs justify, and none is ended with a task too early.
"""

import itertools
from collections.abc import Callable
from random import Random

import pytest
from tests.integration.crash import capacity_scenario as days
from tests.integration.crash.branches import Branches
from tests.integration.crash.capacity_day import CapacityDay
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.strikes import MODES, Strikes
from tests.support.crashing import CAPACITY, KUBE_WRITES, Points

from awsbatch_operator.aws import image_calls
from awsbatch_operator.aws.call_table import CALLS

SEED = 701
SEVERAL = (900, 903, 906, 908)  # from zero, a block in a reservation, one released, one deleted
# What only the removal of orphans makes: tests/component/lifecycle/test_orphan_strikes.py.
BY_ORPHANS_ONLY = frozenset({"ec2:DeleteVolume"})
# Of MANAGED environments: test_infrastructure_updates.py strikes at each.
OF_OTHERS = frozenset({"ec2:CreatePlacementGroup", "ec2:DeletePlacementGroup"})
# Of machine images: test_images.py.
OF_IMAGES = frozenset(call.name for call in CALLS if call.part in image_calls.PARTS)
WRITES_EACH = 9  # to Kubernetes: one in so many is struck

STORIES: dict[str, Callable[[], days.Story]] = {
    "from zero": days.from_zero,
    "interruption": days.interruption,
    "drain deadline": days.drained,
    "new reservation": lambda: days.until_its_end("NewReservation"),
    "own reservation": lambda: days.until_its_end("OwnReservation", "Spot"),
    "until a deadline": lambda: days.until_its_end("OnDemandUntilDeadline"),
    "spot": lambda: days.until_its_end("Spot"),
    "released when idle": days.released,
    "deleted while it is made": days.cut_short,
    "never joining": days.never_joining,
}
# In which day a call is struck in each way.
WHERE = {
    "ec2:CreateLaunchTemplate": "from zero",
    "ec2:CreateFleet": "from zero",
    "ecs:UpdateContainerInstancesState": "from zero",
    "ec2:TerminateInstances": "from zero",
    "ec2:DeleteLaunchTemplate": "from zero",
    "ecs:DeregisterContainerInstance": "interruption",
    "ec2:CreateCapacityReservation": "released when idle",
    "ec2:RunInstances": "released when idle",
    "ec2:CancelCapacityReservation": "released when idle",
}


class Struck(Strikes):
    """Chooses the calls of a day that are struck, and how: in all ways, or in one after another."""

    def __init__(self, story: str, branches: Branches) -> None:
        super().__init__(branches)
        self.whole = {name for name, where in WHERE.items() if where == story}
        self.done: set[str] = set()  # of those
        self._writes = itertools.count(len(story))

    def __call__(self, name: str) -> int:
        if name in self.whole - self.done:
            self.done.add(name)
            return self.in_each_way()
        if name in CAPACITY or (name in KUBE_WRITES and not next(self._writes) % WRITES_EACH):
            return self.in_the_next_way()
        return 0


def test_there_is_a_day_for_each_call_that_changes_something():
    assert WHERE.keys() == CAPACITY - BY_ORPHANS_ONLY - OF_OTHERS - OF_IMAGES
    assert set(WHERE.values()) <= STORIES.keys()


@pytest.mark.timeout(400)
@pytest.mark.parametrize("story", STORIES)
async def test_a_day_with_instances_ends_the_same(story, branches, record_property):
    points = Points()
    day = CapacityDay(SEED, points, STORIES[story]())
    struck = Struck(story, branches)
    number = await struck.live(day)
    assert struck.done == struck.whole
    record_property(f"{POINTS} (instances: {story})", number)


@pytest.mark.parametrize("seed", SEVERAL)
async def test_several_strikes_on_a_day_with_instances_end_the_same(seed, record_property):
    dice = Random(seed)
    numbers = sorted(dice.sample(range(60, 420), dice.randint(3, 8)))
    points = Points(strikes={number: dice.choice(MODES[:3]) for number in numbers})
    story = list(STORIES)[seed % len(STORIES)]
    await CapacityDay(seed, points, STORIES[story]()).live_well()
    assert points.struck
    record_property(f"{POINTS} (instances, several strikes)", len(points.struck))
