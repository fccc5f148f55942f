"""Days on which machine images are made: manifests, and what must be true at any time."""

from collections import Counter
from collections.abc import Callable
from typing import Any, cast

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
from tests.support.hard_world import HardWorld, Weather
from tests.support.image_world import ABROAD, ImageWorld
from tests.support.manifests import PROFILE
from tests.support.one_process import World

from awsbatch_operator.api.metadata import API_VERSION
from awsbatch_operator.api.tags import POOL, VERDICT
from awsbatch_operator.kinds.extendedami.usage import images_of

CALM = Weather(slow=0.005)
THEIRS = "theirs"  # an environment of somebody else


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
OUT_FIRST = image("htop", tags={"team": "climate"}, **OUTWARD)
OUT_TAGGED, OUT_SECOND = (image(*p, tags={"unit": "a"}, **OUTWARD) for p in (["htop"], ["jq"]))


def there(world: World) -> ImageWorld:
    return cast("ImageWorld", world)


def one_image_and_no_instance(world: World) -> bool:
    """The old one is retired, and nothing is left of the work on the new one."""
    return len(there(world).ec2.images) == 1 and not there(world).builders()


def at(look: Callable[[ImageWorld], object]) -> Callable[[World], bool]:
    """A condition on what AWS has."""
    return lambda world: bool(look(there(world)))


def passed(world: ImageWorld) -> list[str]:
    """The images with a verdict, the oldest first."""
    found = [each for each in world.ec2.images.values() if each.tags.get(VERDICT)]
    return [each.id for each in sorted(found, key=lambda each: each.created_at)]


def of_environments(world: ImageWorld) -> set[str]:
    """The images that environments of ours name in AWS."""
    found = [each for each in world.batch.environments.values() if each.name != THEIRS]
    return {name for each in found for name in images_of({"computeResources": each.resources})}


def of_pools(world: ImageWorld) -> list[str]:
    """The images of the living instances of pools."""
    return [each.image_id for each in world.living() if POOL in each.tags]


def published(world: ImageWorld) -> list[str]:
    """What the parameters say."""
    return [each.value for each in world.parameters.values()]


def newest_is_told(world: ImageWorld) -> bool:
    """The newest image is in the parameter and abroad."""
    newest = passed(world)[-1:]
    copies = {each.name for each in world.abroad.images.values()}
    told = published(world) == newest and copies.issuperset(
        world.ec2.images[each].name for each in newest
    )
    return bool(newest) and told


def one_is_left(world: ImageWorld) -> bool:
    """All images but the newest are retired, here and abroad; no snapshot, no builder is left."""
    one = len(world.ec2.images) == len(world.ec2.snapshots) == 1
    abroad = {len(world.abroad.images), len(world.abroad.snapshots)} <= {len(world.parameters)}
    return one and abroad and not world.builders()


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
        self._check_launches()
        world = there(self.world)
        builds = Counter(world.made_images.values())
        assert max(builds.values(), default=0) <= 1, f"several images of one build: {builds}"
        self._check_ready()

    def _check_launches(self) -> None:
        """None was made twice, and no image was removed under those that use it."""
        world = there(self.world)
        tokens = Counter(world.launched.values())
        assert max(tokens.values(), default=0) <= 1, f"launched twice by one token: {tokens}"
        assert not world.wrong, world.wrong

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
