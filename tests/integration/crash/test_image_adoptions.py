"""The operator dies, or loses an answer, while it takes over an image of others, and lets it go.

At the mark and at its removal in each way, at writes to Kubernetes in one way after another. The
end is the same each time: the image that was there is there, alone, with the tags that it had, and
none was built beside it.
"""

from typing import Any

import pytest
from tests.integration.crash.branches import Branches
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.image_day import CALM, ImageDay, image, there
from tests.integration.crash.image_moves import others
from tests.integration.crash.scenario import Step, apply, delete, gone, has_condition
from tests.integration.crash.strikes import Strikes
from tests.support.crashing import KUBE_WRITES, MUTATING, Points
from tests.support.installation import manifest
from tests.support.manifests import DEFAULT_ACCOUNT
from tests.support.one_process import World

from awsbatch_operator.api.tags import CLUSTER, OWNER_TAGS

SEED = 1013
THEIRS = image("htop", deletionPolicy="Retain")
SEEN_SECONDS = 120.0  # after which no listing is older
MARKS = {"ec2:CreateTags", "ec2:DeleteTags"}


def tags(world: World) -> dict[str, dict[str, str]]:
    """Of each image and snapshot."""
    ec2 = there(world).ec2
    return {each.id: dict(each.tags) for each in (*ec2.images.values(), *ec2.snapshots.values())}


class AdoptedDay(ImageDay):
    """An image without an owner, then an object that takes it over, and its deletion."""

    def __init__(self, seed: int, points: Points, policy: str) -> None:
        super().__init__(seed, points, CALM)
        self.spec = image("htop", adoptionPolicy=policy)
        self.before: dict[str, dict[str, str]] = {}
        self.left = 0.0  # when its owner's tags were taken away

    @property
    def steps(self) -> tuple[Step, ...]:
        return (
            Step("build one", apply(THEIRS), has_condition(THEIRS, "Ready")),
            Step("leave it", delete(THEIRS), gone(THEIRS)),
            Step("take its owner away", self._disown, self._is_seen_so),
            Step("take it over", self._adopt, self._adopted),
            Step("let it go", delete(self.spec), gone(self.spec)),
        )

    @property
    def adopting(self) -> bool:
        """Whether somebody else's image is there, to be taken over."""
        return bool(self.before) and self._is_seen_so(self.world)

    def _disown(self, world: World) -> None:
        rows = [{"Key": each} for each in OWNER_TAGS]
        others(world, "ec2").delete_tags(Resources=list(tags(world)), Tags=rows)
        self.before, self.left = tags(world), world.clock.now().epoch

    def _is_seen_so(self, world: World) -> bool:
        return world.clock.now().epoch >= self.left + SEEN_SECONDS

    def _adopt(self, world: World) -> None:
        world.kube.apply(manifest(DEFAULT_ACCOUNT, {"allowAdoption": True}))
        apply(self.spec)(world)

    def _adopted(self, world: World) -> bool:
        marked = all(CLUSTER in each for each in tags(world).values())
        return marked and has_condition(self.spec, "Ready")(world)

    def check_the_end(self) -> None:
        world = there(self.world)
        assert tags(world) == self.before
        assert (len(world.made_images), world.guests.built) == (1, 1)
        assert not world.living()


class Struck(Strikes):
    """Chooses the calls from the adoption on: marks in all ways, others one after another."""

    def __init__(self, day: AdoptedDay, branches: Branches) -> None:
        super().__init__(branches)
        self._day = day
        self.names: set[str] = set()

    def __call__(self, name: str) -> int:
        if not self._day.adopting or name not in MUTATING | KUBE_WRITES:
            return 0
        self.names.add(name)
        return self.in_each_way() if name in MUTATING else self.in_the_next_way()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("policy", ["Adopt", "AdoptOrCreate"])
async def test_an_image_is_taken_over_and_let_go_as_it_was_wherever_the_operator_dies(
    policy: str, branches: Branches, record_property: Any
):
    points = Points()
    day = AdoptedDay(SEED, points, policy)
    struck = Struck(day, branches)
    number = await struck.live(day)
    assert struck.names == MARKS | KUBE_WRITES
    record_property(f"{POINTS} (images, adopted by {policy})", number)


async def test_an_adoption_without_any_strike():
    await AdoptedDay(SEED, Points(), "Adopt").live_well()
