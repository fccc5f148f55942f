"""Newer images, and what becomes of the old ones."""

from tests.component.extendedami.images import IMAGE, Darkroom, image
from tests.support.manifests import ENVIRONMENT, environment

from awsbatch_simulator.ec2 import publishing
from awsbatch_simulator.ec2.publishing import Deed, Order

HOUR, DAY = 3600, 86_400
AT_ONCE = {"keep": 1, "minAgeDays": 0}


def new_base(there: Darkroom) -> str:
    """AWS publishes a newer base; its id."""
    world, region = there.simulator.world, there.simulator.place.region
    order = Order(deed=Deed.PUBLISH)
    return str(publishing.carry_out(world, order, region=region)["imageId"])


async def test_an_edit_makes_another_image_and_the_old_one_is_used_until_that_has_passed():
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image(retention=AT_ONCE))
        await there.until_ready(IMAGE, within=HOUR)
        old = there.status(IMAGE)["imageId"]
        there.apply(IMAGE, image(packages=["jq"], retention=AT_ONCE))
        await there.run_until(lambda: there.build().get("step") == "measure", within=HOUR)
        assert there.status(IMAGE)["imageId"] == old
        await there.until_ready(IMAGE, within=HOUR)
        new = there.status(IMAGE)["imageId"]
        await there.run_until(lambda: [each.id for each in there.images()] == [new], within=DAY)
        assert len(there.snapshots()) == 1
        assert there.told("ImageRetired")


async def test_an_image_that_an_environment_of_somebody_else_uses_stays_until_it_does_not():
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image(retention=AT_ONCE))
        await there.until_ready(IMAGE, within=HOUR)
        old = there.status(IMAGE)["imageId"]
        override = [{"imageType": "ECS_AL2023", "imageIdOverride": old}]
        there.apply(ENVIRONMENT, environment(ec2Configuration=override))
        await there.until_ready(ENVIRONMENT)
        there.apply(IMAGE, image(packages=["jq"], retention=AT_ONCE))
        await there.until_ready(IMAGE, within=HOUR)
        await there.clock.advance(4 * HOUR)
        assert old in [each.id for each in there.images()]
        row = next(each for each in there.status(IMAGE)["images"] if each["imageId"] == old)
        assert row["state"] == "Superseded"
        assert row["usedBy"] == ["compute environment science-pool-1d3b993f"] or row["usedBy"]
        there.remove(ENVIRONMENT)
        await there.until_gone(ENVIRONMENT)
        await there.run_until(lambda: len(there.images()) == 1, within=DAY)


async def test_a_deletion_waits_for_the_environments_that_use_the_image_and_names_them():
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image())
        await there.until_ready(IMAGE, within=HOUR)
        override = [{"imageType": "ECS_AL2023", "imageIdOverride": there.status(IMAGE)["imageId"]}]
        there.apply(ENVIRONMENT, environment(ec2Configuration=override))
        await there.until_ready(ENVIRONMENT)
        there.remove(IMAGE)
        said = await there.until(IMAGE, "DeletionBlocked", "ImageInUse")
        assert there.status(ENVIRONMENT)["awsName"] in said
        assert len(there.images()) == 1
        there.remove(ENVIRONMENT)
        await there.until_gone(ENVIRONMENT, IMAGE)
        assert there.nothing_left()


async def test_a_newer_base_is_only_told_unless_the_spec_asks_for_a_build_because_of_it():
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image())
        await there.until_ready(IMAGE, within=HOUR)
        new_base(there)
        await there.run_until(lambda: there.told("BaseUpdateAvailable") != [], within=HOUR)
        assert there.status(IMAGE)["base"]["upToDate"] is False
        await there.clock.advance(HOUR)
        assert there.guests.built == 1
        there.apply(IMAGE, image(rebuild={"when": ["SpecChange", "BaseChange"]}))
        await there.until_ready(IMAGE, within=HOUR)
        assert there.status(IMAGE)["base"]["upToDate"] is True
        assert there.guests.built == 2


async def test_a_newer_base_builds_by_policy_and_the_old_image_is_used_until_the_new_has_passed():
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image(rebuild={"when": ["BaseChange"]}))
        await there.until_ready(IMAGE, within=HOUR)
        old, base = there.status(IMAGE)["imageId"], new_base(there)
        await there.run_until(lambda: there.guests.verified == 2, within=2 * HOUR)
        assert there.status(IMAGE)["imageId"] == old
        await there.run_until(lambda: there.status(IMAGE)["imageId"] != old, within=HOUR)
        assert there.status(IMAGE)["base"] | {"version": ""} == {
            "imageId": base,
            "version": "",
            "family": "AL2023",
            "variant": "standard",
            "upToDate": True,
        }
        assert len(there.images()) == 2


async def test_an_image_that_is_too_old_is_made_anew_under_another_name():
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image(rebuild={"maxAgeDays": 2}))
        await there.until_ready(IMAGE, within=HOUR)
        await there.clock.advance(2 * DAY)
        await there.run_until(lambda: there.ready(IMAGE) and len(there.images()) == 2, within=DAY)
        assert there.guests.built == 2
        names = {each.name for each in there.images()}
        assert len(names) == 2


async def test_an_image_that_somebody_deregisters_is_built_anew():
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image())
        await there.until_ready(IMAGE, within=HOUR)
        old = there.status(IMAGE)["imageId"]
        await there.clock.advance(HOUR)
        there.aws("ec2").deregister_image(ImageId=old)
        await there.run_until(
            lambda: there.ready(IMAGE) and there.status(IMAGE)["imageId"] != old, within=2 * HOUR
        )
        assert any(f"{old} is gone" in text for text in there.told("BuildStarted"))


async def test_a_base_that_is_withdrawn_is_told_and_the_image_used_on():
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image(base={"amiId": "ami-078b9e98c4449bf43"}))
        await there.until_ready(IMAGE, within=HOUR)
        world, region = there.simulator.world, there.simulator.place.region
        order = Order(deed=Deed.WITHDRAW, image_id="ami-078b9e98c4449bf43")
        publishing.carry_out(world, order, region=region)
        await there.run_until(lambda: there.told("BaseImageWithdrawn") != [], within=HOUR)
        assert there.ready(IMAGE)


async def test_a_pin_goes_back_to_an_earlier_image_and_builds_nothing():
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image())
        await there.until_ready(IMAGE, within=HOUR)
        old = there.status(IMAGE)["imageId"]
        there.apply(IMAGE, image(packages=["jq"]))
        await there.until_ready(IMAGE, within=HOUR)
        new = there.status(IMAGE)["imageId"]
        assert new != old
        there.apply(IMAGE, image(packages=["jq"], pin=old))
        await there.until_ready(IMAGE)
        assert there.status(IMAGE)["imageId"] == old
        there.apply(IMAGE, image(packages=["jq"], pin="ami-0123456789abcdef0"))
        said = await there.until(IMAGE, "Stalled", "PinnedImageNotFound")
        assert "ami-0123456789abcdef0" in said
        assert f"{old} is used on." in said
        assert there.status(IMAGE)["imageId"] == old
        there.apply(IMAGE, image(packages=["jq"]))
        await there.until_ready(IMAGE)
        assert there.status(IMAGE)["imageId"] == new
        assert there.guests.built == 2


async def test_a_deletion_that_retains_leaves_the_image_and_ends_what_is_under_way():
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image(deletionPolicy="Retain"))
        await there.until_ready(IMAGE, within=HOUR)
        there.apply(IMAGE, image(deletionPolicy="Retain", packages=["jq"]))
        await there.run_until(lambda: there.build().get("step") == "clean", within=HOUR)
        there.remove(IMAGE)
        await there.until_gone(IMAGE)
        assert there.alive() == []
        assert len(there.images()) == 1


async def test_a_record_that_is_lost_is_found_again_by_the_tags_and_nothing_is_built():
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image())
        await there.until_ready(IMAGE, within=HOUR)
        used = there.status(IMAGE)["imageId"]
        await there.clock.advance(HOUR)
        there.kube.annotate(IMAGE, **{"awsbatch.dev/build": None})
        await there.clock.advance(HOUR)
        assert there.ready(IMAGE)
        assert there.status(IMAGE)["imageId"] == used
        assert there.guests.built == 1
        assert "awsbatch.dev/build" in there.kube.see(IMAGE)["metadata"]["annotations"]


async def test_another_base_in_the_spec_is_a_change_of_the_spec():
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image())
        await there.until_ready(IMAGE, within=HOUR)
        first = there.status(IMAGE)["base"]["imageId"]
        new = new_base(there)
        there.apply(IMAGE, image(base={"amiId": first}))
        await there.until_ready(IMAGE, within=HOUR)
        assert there.guests.built == 1, "it is the very same base"
        there.apply(IMAGE, image(base={"amiId": new}))
        await there.until_ready(IMAGE, within=HOUR)
        assert there.status(IMAGE)["base"]["imageId"] == new
        assert there.guests.built == 2
