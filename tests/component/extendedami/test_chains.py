"""Images that are made from each other's: in a circle, of another architecture, of newer ones."""

from typing import Any

from tests.component.extendedami.images import IMAGE, Darkroom, image
from tests.component.extendedami.test_rollout import NAMED
from tests.support.installation import NAMESPACE
from tests.support.manifests import ENVIRONMENT, environment

from awsbatch_operator.api.metadata import ObjectKey

HOUR = 3600
OCEAN, REEF = (ObjectKey("ExtendedAMI", NAMESPACE, name) for name in ("ocean", "reef"))
LANE = {IMAGE: OCEAN, OCEAN: REEF, REEF: IMAGE}


def simple(**members: Any) -> dict[str, Any]:
    """An image that is used without a test: nothing here is about that."""
    return image(verify={"enabled": False}, **members)


def upon(base: ObjectKey, **members: Any) -> dict[str, Any]:
    """One that is made from another object's."""
    return simple(base={"amiRef": {"name": base.name}}, **members)


def circled(there: Darkroom, *keys: ObjectKey) -> bool:
    return all(there.is_true(key, "Stalled", "BaseCircle") for key in keys)


async def test_a_circle_is_told_at_each_member_and_heals_when_one_of_them_gets_another_base():
    there = Darkroom()
    async with there.running():
        for key, base in LANE.items():
            there.apply(key, upon(base, packages=[key.name]))
        await there.run_until(lambda: circled(there, *LANE), within=5)
        said = there.condition(OCEAN, "Stalled")["message"]
        assert said.startswith(
            "spec.base.amiRef leads back to this object: ocean from reef, reef from atmos, atmos "
            "from ocean. Give one of them another base:"
        )
        there.apply(REEF, simple(packages=["reef"]))
        await there.run_until(lambda: not any(circled(there, key) for key in LANE), within=5)
        await there.until_ready(REEF, OCEAN, within=3 * HOUR)


async def test_images_in_a_circle_are_deleted_in_whatever_order_and_one_alone_waits_for_its_user():
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, simple())
        there.apply(OCEAN, upon(IMAGE, packages=["jq"]))
        await there.until_ready(IMAGE, OCEAN, within=2 * HOUR)
        there.apply(IMAGE, upon(OCEAN))
        there.apply(REEF, upon(REEF))
        await there.run_until(lambda: circled(there, IMAGE, OCEAN, REEF), within=5)
        assert "reef from reef" in there.condition(REEF, "Stalled")["message"]
        there.remove(IMAGE)
        said = await there.until(IMAGE, "DeletionBlocked", "ImageInUse")
        assert "ExtendedAMI science/ocean" in said
        there.remove(OCEAN)
        there.remove(REEF)
        await there.until_gone(IMAGE, OCEAN, REEF)
        assert there.nothing_left()


async def test_what_ec2_says_of_an_image_is_known_through_a_chain_and_told_to_environments():
    there = Darkroom()
    arm = {"family": "AL2023", "architecture": "arm64"}
    async with there.running():
        there.apply(OCEAN, simple(base=arm, rootVolume={"initializationRateMiBps": 300}))
        there.apply(IMAGE, upon(OCEAN, packages=["jq"]))
        there.apply(ENVIRONMENT, environment(ec2Configuration=NAMED))
        await there.until_ready(OCEAN, IMAGE, within=2 * HOUR)
        for key in (OCEAN, IMAGE):
            shown = there.status(key)
            assert shown["architecture"] == "arm64"
            assert (shown["base"]["family"], shown["base"]["variant"]) == ("AL2023", "standard")
        assert "ExtendedAMI ocean, has a launch template" in str(there.events(IMAGE))
        launched = {each.type for each in there.ec2.instances.values()}
        assert launched == {"m7g.large"}
        said = await there.until(ENVIRONMENT, "Stalled", "ImageUnfit")
        assert "atmos is an image for arm64" in said
        builder = {**image()["builder"], "instanceTypes": ["m7i.large"]}
        there.apply(IMAGE, upon(OCEAN, packages=["vim"], builder=builder))
        said = await there.until(IMAGE, "Stalled", "BaseUnfit")
        assert "is for arm64, and m7i.large in spec.builder.instanceTypes" in said
        assert len(there.ec2.instances) == 2


async def test_a_newer_image_of_the_base_is_built_upon_only_where_the_base_is_followed():
    """As a newer value of a parameter is; the spec has not changed."""
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, simple())
        there.apply(OCEAN, upon(IMAGE, packages=["jq"]))
        await there.until_ready(IMAGE, OCEAN, within=2 * HOUR)
        first, before = there.status(IMAGE)["imageId"], there.status(OCEAN)["imageId"]
        there.apply(IMAGE, simple(packages=["vim"]))
        await there.run_until(lambda: there.status(IMAGE)["imageId"] != first, within=HOUR)
        newer = there.status(IMAGE)["imageId"]
        await there.run_until(lambda: "BaseUpdateAvailable" in dict(there.events(OCEAN)), within=60)
        assert newer in dict(there.events(OCEAN))["BaseUpdateAvailable"]
        assert there.ready(OCEAN)
        assert there.status(OCEAN)["base"]["imageId"] == first
        assert not there.status(OCEAN)["base"]["upToDate"]
        assert (there.status(OCEAN)["imageId"], there.guests.built) == (before, 3)
        there.apply(OCEAN, upon(IMAGE, packages=["jq"], rebuild={"when": ["BaseChange"]}))
        await there.run_until(lambda: there.status(OCEAN)["base"]["imageId"] == newer, within=HOUR)
