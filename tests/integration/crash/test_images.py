"""The operator dies, or loses an answer, while images are built, tried, replaced and removed.

At each call to EC2 and ECS that changes something, in each way, and at every so manieth write to
Kubernetes. Each time all memory is dropped and a new operator starts. EC2 shows instances and
images 15 s late, and tags 30 s.

Each time the end is the same: one image for each build, no builder twice, nothing left.
"""

from typing import Any

import pytest
from tests.integration.crash.branches import Branches
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.day import Day
from tests.integration.crash.image_day import (
    CALM,
    FIRST,
    OUT_FIRST,
    OUT_SECOND,
    OUT_TAGGED,
    SECOND,
    ImageDay,
    there,
)
from tests.integration.crash.scenario import (
    Step,
    all_of,
    apply,
    delete,
    gone,
    has_condition,
)
from tests.integration.crash.strikes import Strikes
from tests.support.crashing import KUBE_WRITES, MUTATING, Points
from tests.support.hard_world import HardWorld, Weather
from tests.support.image_guests import Tale
from tests.support.image_world import ImageWorld
from tests.support.one_process import World

from awsbatch_operator.aws import image_calls
from awsbatch_operator.aws.call_table import CALLS

SEED = 1003
WRITES_EACH = 4  # to Kubernetes: one in so many is struck


class FailingDay(ImageDay):
    """An image that fails its test once and is built anew; deleted in the midst of the next one."""

    @property
    def steps(self) -> tuple[Step, ...]:
        return (
            Step("build it", apply(FIRST), has_condition(FIRST, "Ready")),
            Step("another", apply(SECOND), lambda world: there(world).guests.built == 3),
            Step("delete it", delete(SECOND), gone(SECOND)),
        )

    def a_world(self, seed: int, weather: Weather) -> HardWorld:
        world = ImageWorld(seed, weather)
        world.guests.verifiers = [Tale.FAILS]
        return world

    def check(self) -> None:
        Day.check(self)
        self._check_launches()
        self._check_ready()

    def check_the_end(self) -> None:
        world = there(self.world)
        assert not world.left(), world.left()
        assert world.guests.built <= 4


def copied_and_published(world: World) -> bool:
    """The image in use, and no other one, is in both regions and in the parameter."""
    here, abroad = there(world).ec2.images, there(world).abroad.images
    named = [each.value for each in there(world).parameters.values()]
    return len(here) == 1 and len(abroad) == 1 and named == list(here)


def tagged_anew(world: World) -> bool:
    """All that was made has the tag of the newer spec, and that of the one before no more."""
    made = there(world)
    stores = [made.ec2.images, made.ec2.snapshots, made.abroad.images, made.abroad.snapshots]
    tags = [each.tags for store in (*stores, made.parameters) for each in store.values()]
    return all("unit" in each and "team" not in each for each in tags)


class OutwardDay(ImageDay):
    """Images that are used without a test, copied to another region, published and tagged anew."""

    @property
    def steps(self) -> tuple[Step, ...]:
        done = all_of(has_condition(OUT_FIRST, "Ready"), copied_and_published)
        return (
            Step("build it", apply(OUT_FIRST), done),
            Step("tag it anew", apply(OUT_TAGGED), all_of(done, tagged_anew)),
            Step("build another", apply(OUT_SECOND), all_of(done, tagged_anew)),
            Step("delete it", delete(OUT_SECOND), gone(OUT_SECOND)),
        )


DAYS = {"replaced": ImageDay, "failing": FailingDay, "outward": OutwardDay}


# In which day a call is struck in each way; in the others in one after another.
WHERE = {
    "ec2:RunInstances": "replaced",
    "ec2:CreateImage": "replaced",
    "ecs:CreateCluster": "replaced",
    "ec2:CreateTags": "replaced",
    "ec2:TerminateInstances": "replaced",
    "ec2:DeregisterImage": "failing",
    "ecs:DeleteCluster": "replaced",
    "ec2:CopyImage": "outward",
    "ec2:EnableImageDeprecation": "outward",
    "ssm:PutParameter": "outward",
    "ssm:DeleteParameter": "outward",
    "ec2:DeleteTags": "outward",
    "ssm:AddTagsToResource": "outward",
    "ssm:RemoveTagsFromResource": "outward",
}


# In test_image_moves.py: a snapshot that its image has left behind, and an image that was
# deprecated and is used again.
ELSEWHERE = frozenset({"ec2:DeleteSnapshot", "ec2:DisableImageDeprecation"})


class Struck(Strikes):
    """Chooses the calls of a day that are struck, and how: in all ways, or in one after another."""

    def __init__(self, story: str, branches: Branches) -> None:
        super().__init__(branches)
        self._story = story
        self._writes = 0
        self.names: set[str] = set()

    def __call__(self, name: str) -> int:
        if name in MUTATING:
            self.names.add(name)
            whole = WHERE.get(name) == self._story
            return self.in_each_way() if whole else self.in_the_next_way()
        if name in KUBE_WRITES:
            self._writes += 1
            if not self._writes % WRITES_EACH:
                return self.in_the_next_way()
        return 0


def test_there_is_a_day_for_each_call_that_changes_something_for_images():
    calls = {call.name for call in CALLS if call.part in image_calls.PARTS and call.mutating}
    shared = frozenset().union(*image_calls.SHARED.values())
    assert calls - ELSEWHERE <= WHERE.keys() <= calls | shared
    assert set(WHERE.values()) == DAYS.keys()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("story", DAYS)
async def test_one_image_for_each_build_and_nothing_left_wherever_the_operator_dies(
    story: str, branches: Branches, record_property: Any
):
    points = Points()
    day = DAYS[story](SEED, points, CALM)
    struck = Struck(story, branches)
    number = await struck.live(day)
    assert {name for name, where in WHERE.items() if where == story} <= struck.names
    record_property(f"{POINTS} (images, {story})", number)


async def test_a_day_with_images_without_any_strike():
    await ImageDay(SEED, Points(), CALM).live_well()
