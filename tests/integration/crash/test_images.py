"""The operator dies, or loses an answer, while images are built, tried, replaced and removed.

At each call to EC2 and ECS that changes something, in each way, and at every so manieth write to
Kubernetes. Each time all memory is dropped and a new operator starts. EC2 shows instances and
images 15 s late, and tags 30 s.

Each time the end is the same: one image for each build, no builder twice, nothing left.
"""

import itertools
from collections import Counter
from typing import Any, cast

import pytest
from tests.integration.crash.branches import Branches
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.day import Day
from tests.integration.crash.scenario import (
    NAMESPACE,
    Step,
    all_of,
    apply,
    delete,
    gone,
    has_condition,
    key,
)
from tests.support.crashing import KUBE_WRITES, MUTATING, Mode, Points
from tests.support.hard_world import HardWorld, Weather
from tests.support.image_guests import Tale
from tests.support.image_world import ABROAD, ImageWorld
from tests.support.manifests import PROFILE
from tests.support.one_process import World

from awsbatch_operator.api.metadata import API_VERSION
from awsbatch_operator.aws import image_calls
from awsbatch_operator.aws.call_table import CALLS

SEED = 1003
MODES = (Mode.BEFORE, Mode.AFTER, Mode.LOST, Mode.LATE)
CALM = Weather(slow=0.005)
WRITES_EACH = 4  # to Kubernetes: one in so many is struck


def image(*packages: str, **members: Any) -> dict[str, Any]:
    """A manifest of an image, whose predecessors go at once."""
    return {
        "apiVersion": API_VERSION,
        "kind": "ExtendedAMI",
        "metadata": {"name": "atmos", "namespace": NAMESPACE},
        "spec": {
            "base": {"family": "AL2023"},
            "packages": list(packages),
            "builder": {"subnets": ["subnet-1"], "instanceProfile": PROFILE},
            "retention": {"keep": 1, "minAgeDays": 0},
            **members,
        },
    }


FIRST, SECOND = image("htop"), image("htop", "jq")
OUTWARD = {
    "verify": {"enabled": False},
    "regions": [ABROAD],
    "publish": {"ssmParameter": "/images/atmos"},
}
OUT_FIRST, OUT_SECOND = image("htop", **OUTWARD), image("htop", "jq", **OUTWARD)


def there(world: World) -> ImageWorld:
    return cast("ImageWorld", world)


def one_image_and_no_instance(world: World) -> bool:
    """The old one is retired, and nothing is left of the work on the new one."""
    return len(there(world).ec2.images) == 1 and not there(world).builders()


class ImageDay(Day):
    """From the first manifest to the last deletion."""

    @property
    def steps(self) -> tuple[Step, ...]:
        ready = has_condition(FIRST, "Ready")
        return (
            Step("build it", apply(FIRST), ready),
            Step("build another", apply(SECOND), all_of(ready, one_image_and_no_instance)),
            Step("delete it", delete(SECOND), gone(SECOND)),
        )

    def a_world(self, seed: int, weather: Weather) -> HardWorld:
        return ImageWorld(seed, weather)

    def check(self) -> None:
        super().check()
        world = there(self.world)
        tokens = Counter(world.launched.values())
        assert max(tokens.values(), default=0) <= 1, f"launched twice by one token: {tokens}"
        builds = Counter(world.made_images.values())
        assert max(builds.values(), default=0) <= 1, f"several images of one build: {builds}"
        self._check_ready()

    def _check_ready(self) -> None:
        """An image that is said to be in use is there, and its tag says that it passed."""
        world = there(self.world)
        for body in self.world.kube.objects.of_kind("ExtendedAMI"):
            used = body.get("status", {}).get("imageId")
            deleting = "deletionTimestamp" in body["metadata"]
            assert used is None or deleting or used in world.ec2.images

    def check_the_end(self) -> None:
        world = there(self.world)
        assert not world.left(), world.left()
        assert len(world.made_images) == 2, world.made_images
        assert world.guests.built == 2
        assert key(FIRST) == key(SECOND)


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
        tokens = Counter(there(self.world).launched.values())
        assert max(tokens.values(), default=0) <= 1, f"launched twice by one token: {tokens}"
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


class OutwardDay(ImageDay):
    """Images that are used without a test, copied to another region and published."""

    @property
    def steps(self) -> tuple[Step, ...]:
        done = all_of(has_condition(OUT_FIRST, "Ready"), copied_and_published)
        return (
            Step("build it", apply(OUT_FIRST), done),
            Step("build another", apply(OUT_SECOND), done),
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
}


# Not in these days: a snapshot that its image has left behind, an image that was deprecated and is
# used again. Both may be done twice.
RARELY = frozenset({"ec2:DeleteSnapshot", "ec2:DisableImageDeprecation"})


class Struck:
    """Chooses the calls of a day that are struck, and how: in all ways, or in one after another."""

    def __init__(self, story: str, branches: Branches) -> None:
        self._story = story
        self._branches = branches
        self._ways = itertools.cycle(MODES)
        self._way = Mode.BEFORE
        self._writes = 0
        self.names: set[str] = set()

    def __call__(self, name: str) -> int:
        if name in MUTATING:
            self.names.add(name)
            whole = WHERE.get(name) == self._story
            self._way = Mode.BEFORE if whole else next(self._ways)
            return len(MODES) if whole else 1
        if name in KUBE_WRITES:
            self._writes += 1
            if not self._writes % WRITES_EACH:
                self._way = next(self._ways)
                return 1
        return 0

    @property
    def mode(self) -> Mode:
        """How this child is struck."""
        return MODES[(MODES.index(self._way) + self._branches.turn) % len(MODES)]


def test_there_is_a_day_for_each_call_that_changes_something_for_images():
    calls = {call.name for call in CALLS if call.part == image_calls.PART and call.mutating}
    assert calls - RARELY <= WHERE.keys() <= calls | image_calls.SHARED
    assert set(WHERE.values()) == DAYS.keys()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("story", DAYS)
async def test_one_image_for_each_build_and_nothing_left_wherever_the_operator_dies(
    story: str, branches: Branches, record_property: Any
):
    points = Points()
    day = DAYS[story](SEED, points, CALM)
    struck = Struck(story, branches)

    def tell() -> int:
        assert [each.mode for each in points.struck] == [struck.mode]
        return 1

    number = await branches.live(
        day.live_well(),
        points,
        at=struck,
        strike=lambda: points.strike_now(struck.mode),
        tell=tell,
    )
    assert {name for name, where in WHERE.items() if where == story} <= struck.names
    record_property(f"{POINTS} (images, {story})", number)


async def test_a_day_with_images_without_any_strike():
    await ImageDay(SEED, Points(), CALM).live_well()
