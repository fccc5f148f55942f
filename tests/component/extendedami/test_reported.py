"""driftPolicy Report: what somebody has changed about images is listed, and nothing else waits."""

from dataclasses import replace

import pytest
from tests.component.extendedami.images import IMAGE, Darkroom, image, until_clean

from awsbatch_simulator.ec2 import publishing
from awsbatch_simulator.ec2.publishing import Deed, Order

HOUR = 3600
HERE, ABROAD = "eu-central-1", "eu-west-1"
PARAMETER = "/images/atmos"
REPORTED = {
    "driftPolicy": "Report",
    "tags": {"team": "climate"},
    "regions": [ABROAD],
    "publish": {"ssmParameter": PARAMETER},
}


def abroad(there):
    return there.simulator.world.region(replace(there.simulator.place, region=ABROAD)).ec2


async def at_rest(there, spec):
    there.apply(IMAGE, spec)
    await there.until_ready(IMAGE, within=HOUR)
    await until_clean(there)
    await there.clock.advance(HOUR)
    there.calls.clear()


def drift(there):
    return there.condition(IMAGE, "Drifted")["message"] if there.is_true(IMAGE, "Drifted") else ""


def change_all(there):
    """Somebody changes what can be changed of an image, and says what of the spec it is."""
    [made], [copy] = there.images(), abroad(there).images.values()
    ec2, ssm = there.aws("ec2"), there.aws("ssm")
    ec2.delete_tags(Resources=[made.id], Tags=[{"Key": "team"}])
    ec2.enable_image_deprecation(ImageId=made.id, DeprecateAt="2030-01-01T00:00:00Z")
    ssm.put_parameter(Name=PARAMETER, Value="ami-theirs", Overwrite=True)
    away = there.aws("ec2", ABROAD)
    away.deregister_image(ImageId=copy.id, DeleteAssociatedSnapshots=True)
    return (
        "publish.ssmParameter",
        f"regions[{ABROAD}]",
        "tags.team",
        f"the deprecation of {made.id}",
    )


async def test_what_somebody_changes_is_listed_and_left_until_the_spec_is_edited():
    there = Darkroom(limited=False)
    async with there.running():
        await at_rest(there, image(**REPORTED))
        fields = change_all(there)
        await there.run_until(lambda: all(each in drift(there) for each in fields), within=600)
        await there.clock.advance(HOUR)
        assert there.changes() == []
        assert there.ready(IMAGE)
        there.apply(IMAGE, image(**{**REPORTED, "driftPolicy": "Correct"}))
        await there.run_until(lambda: abroad(there).images and not drift(there), within=HOUR)
        await there.until_ready(IMAGE, within=HOUR)
        assert sorted({*there.changes()}) == [
            "ec2:CopyImage",
            "ec2:CreateTags",
            "ec2:DisableImageDeprecation",
            "ssm:PutParameter",
        ]


async def test_a_list_that_is_empty_again_is_taken_away():
    there = Darkroom(limited=False)
    async with there.running():
        await at_rest(there, image(**REPORTED))
        [made], ec2 = there.images(), there.aws("ec2")
        ec2.delete_tags(Resources=[made.id], Tags=[{"Key": "team"}])
        await there.run_until(lambda: drift(there) != "", within=600)
        ec2.create_tags(Resources=[made.id], Tags=[{"Key": "team", "Value": "climate"}])
        await there.run_until(lambda: drift(there) == "", within=600)
        assert there.changes() == []


@pytest.mark.parametrize("older", [False, True])
async def test_an_image_that_somebody_deregisters_is_not_made_anew_nor_is_an_older_one_used(older):
    there = Darkroom(limited=False)
    async with there.running():
        if older:
            await at_rest(there, image(driftPolicy="Report", packages=["jq"]))
        await at_rest(there, image(driftPolicy="Report"))
        used = there.status(IMAGE)["imageId"]
        there.aws("ec2").deregister_image(ImageId=used, DeleteAssociatedSnapshots=True)
        said = await there.until(IMAGE, "Stalled", "DeletedInAWS", within=600)
        assert used in said
        await there.clock.advance(HOUR)
        assert there.changes() == []
        assert "imageId" not in there.status(IMAGE)
        there.apply(IMAGE, image(driftPolicy="Report", tags={"team": "climate"}))
        await there.until_ready(IMAGE, within=HOUR)
        assert there.status(IMAGE)["imageId"] != used


async def test_a_launch_template_that_somebody_deletes_is_not_made_anew():
    there = Darkroom(limited=False)
    spec = image(packages=None, rootVolume={"sizeGiB": 111}, builder=None, driftPolicy="Report")
    async with there.running():
        there.apply(IMAGE, spec)
        await there.until_ready(IMAGE)
        there.calls.clear()
        template = there.status(IMAGE)["launchTemplate"]["id"]
        there.aws("ec2").delete_launch_template(LaunchTemplateId=template)
        await there.until(IMAGE, "Stalled", "DeletedInAWS", within=1200)
        await there.clock.advance(HOUR)
        assert there.changes() == []
        there.apply(IMAGE, {**spec, "driftPolicy": "Correct"})
        await there.until_ready(IMAGE, within=600)


async def test_a_newer_base_is_built_published_copied_and_the_old_image_retired_as_ever():
    there = Darkroom(limited=False)
    more = {"rebuild": {"when": ["BaseChange"]}, "retention": {"keep": 1, "minAgeDays": 0}}
    async with there.running():
        await at_rest(there, image(**REPORTED, **more))
        before = there.status(IMAGE)["imageId"]
        publishing.carry_out(there.simulator.world, Order(deed=Deed.PUBLISH), region=HERE)
        await there.run_until(
            lambda: there.status(IMAGE).get("imageId") != before and there.ready(IMAGE),
            within=2 * HOUR,
        )
        after = there.status(IMAGE)["imageId"]
        await there.run_until(lambda: len(there.images()) == 1, within=2 * HOUR)
        await there.clock.advance(HOUR)
        [copy] = abroad(there).images.values()
        [made] = there.images()
        assert (made.id, copy.name) == (after, made.name)
        assert there.aws("ssm").get_parameter(Name=PARAMETER)["Parameter"]["Value"] == after
        assert there.ready(IMAGE)
        assert drift(there) == ""
        there.calls.clear()
        change_all(there)
        await there.run_until(lambda: "publish.ssmParameter" in drift(there), within=600)
        await there.clock.advance(HOUR)
        assert there.changes() == []
