"""An image that AWS has already is taken over where it is what the spec says, and let go again."""

import json

import pytest
from tests.component.extendedami.images import IMAGE, Darkroom, image, until_clean

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.tags import OWNER_TAGS

HOUR = 3600
ACCOUNT = ObjectKey("AWSAccount", "", "default")
MARKS = [{"Key": key} for key in OWNER_TAGS]
DISK = {"rootVolume": {"sizeGiB": 111}}


def allow(there, *, adoption=True):
    there.apply(ACCOUNT, {"region": "eu-central-1", "allowAdoption": adoption})


async def left_without_owner(there):
    """A finished image of the usual spec whose object is gone, and which names no owner."""
    there.apply(IMAGE, image(deletionPolicy="Retain"))
    await there.until_ready(IMAGE, within=HOUR)
    await until_clean(there)
    there.remove(IMAGE)
    await there.until_gone(IMAGE, within=HOUR)
    [made] = there.images()
    there.aws("ec2").delete_tags(Resources=[made.id, *made.snapshots], Tags=MARKS)
    await there.clock.advance(HOUR)
    there.calls.clear()
    return made


@pytest.mark.parametrize("policy", ["Adopt", "AdoptOrCreate"])
async def test_an_image_without_an_owner_is_marked_then_used_and_let_go_as_it_was(policy):
    there = Darkroom(limited=False)
    async with there.running():
        allow(there)
        made = await left_without_owner(there)
        before = dict(made.tags)
        there.apply(IMAGE, image(adoptionPolicy=policy))
        await there.until_ready(IMAGE, within=HOUR)
        status = there.status(IMAGE)
        assert (status["imageId"], status["deletionPolicy"]) == (made.id, "Retain")
        [told] = there.told("Adopted")
        assert f"the image {made.id}" in told
        await there.clock.advance(HOUR)
        assert there.changes() == ["ec2:CreateTags"]
        assert made.tags["awsbatch.dev/origin"] == "Adopted"
        [snapshot] = [there.ec2.snapshots[name] for name in made.snapshots]
        assert snapshot.tags["awsbatch.dev/name"] == IMAGE.name
        there.remove(IMAGE)
        await there.until_gone(IMAGE, within=HOUR)
        assert there.changes() == ["ec2:CreateTags", "ec2:DeleteTags"]
        assert made.tags == before, "it is as it was before"
        assert there.images() == [made]


async def test_what_was_taken_over_stays_beside_what_is_made_after_it_and_goes_by_delete_alone():
    there = Darkroom(limited=False)
    at_once = {"retention": {"keep": 1, "minAgeDays": 0}, "adoptionPolicy": "AdoptOrCreate"}
    async with there.running():
        allow(there)
        made = await left_without_owner(there)
        there.apply(IMAGE, image(**at_once))
        await there.until_ready(IMAGE, within=HOUR)
        for package in ("jq", "tree"):
            there.apply(IMAGE, image(**at_once, packages=[package]))
            await there.until_ready(IMAGE, within=HOUR)
            await there.clock.advance(HOUR)
        used = there.status(IMAGE)["imageId"]
        assert {each.id for each in there.images()} == {made.id, used}
        [newer] = [each for each in there.images() if each.id == used]
        assert "awsbatch.dev/origin" not in newer.tags
        there.apply(IMAGE, image(**at_once, packages=["tree"], deletionPolicy="Delete"))
        await there.until_ready(IMAGE, within=HOUR)
        there.remove(IMAGE)
        await there.until_gone(IMAGE, within=HOUR)
        assert there.nothing_left()


@pytest.mark.parametrize("missing", ["content", "build", "verdict"])
async def test_an_image_of_which_nobody_knows_what_it_was_made_of_is_not_taken_over(missing):
    there = Darkroom(limited=False)
    async with there.running():
        allow(there)
        made = await left_without_owner(there)
        ec2 = there.aws("ec2")
        ec2.delete_tags(Resources=[made.id], Tags=[{"Key": f"awsbatch.dev/{missing}"}])
        there.apply(IMAGE, image(adoptionPolicy="AdoptOrCreate"))
        said = await there.until(IMAGE, "Stalled", "ImageNameTaken", within=HOUR)
        assert made.name in said
        assert there.changes() == [], "no builder is launched for a name that is taken"
        tags = said.partition("--tags ")[2].partition(". If not")[0].split()
        rows = [dict(part.split("=") for part in each.split(",")) for each in tags]
        ec2.create_tags(Resources=[made.id], Tags=rows)
        await there.until_ready(IMAGE, within=HOUR)
        assert there.status(IMAGE)["imageId"] == made.id
        assert there.guests.built == 1


async def test_under_adopt_nothing_is_ever_made_and_the_remedy_makes_it():
    there = Darkroom(limited=False)
    async with there.running():
        allow(there)
        for spec in (image(), image(packages=None, builder=None, **DISK)):
            there.apply(IMAGE, {**spec, "adoptionPolicy": "Adopt"})
            said = await there.until(IMAGE, "Reconciling", "NothingToAdopt", within=HOUR)
            await there.clock.advance(HOUR)
            assert there.changes() == []
            assert "AdoptOrCreate" in said
        made = await left_without_owner(there)
        there.apply(IMAGE, image(adoptionPolicy="Adopt"))
        await there.until_ready(IMAGE, within=HOUR)
        there.apply(IMAGE, image(adoptionPolicy="Adopt", packages=["jq"]))
        said = await there.until(IMAGE, "Stalled", "ReplacementNeeded", within=HOUR)
        await there.clock.advance(HOUR)
        assert there.status(IMAGE)["imageId"] == made.id
        assert there.guests.built == 1
        assert "AdoptOrCreate" in said
        there.apply(IMAGE, image(adoptionPolicy="AdoptOrCreate", packages=["jq"]))
        await there.until_ready(IMAGE, within=HOUR)
        assert there.guests.built == 2


async def test_an_image_is_taken_over_only_with_leave_of_the_account():
    there = Darkroom(limited=False)
    async with there.running():
        allow(there, adoption=False)
        made = await left_without_owner(there)
        there.apply(IMAGE, image(adoptionPolicy="AdoptOrCreate"))
        await there.until(IMAGE, "Stalled", "NotAllowed", within=HOUR)
        assert there.changes() == []
        allow(there)
        await there.until_ready(IMAGE, within=HOUR)
        assert there.status(IMAGE)["imageId"] == made.id


async def test_a_cluster_that_is_built_anew_knows_what_was_taken_over():
    there = Darkroom(limited=False)
    async with there.running():
        allow(there)
        made = await left_without_owner(there)
        there.apply(IMAGE, image(adoptionPolicy="AdoptOrCreate"))
        await there.until_ready(IMAGE, within=HOUR)
        body = there.kube.objects.get(IMAGE)
        there.kube.annotate(IMAGE, **dict.fromkeys(body["metadata"]["annotations"]))
        there.kube.objects.save(IMAGE, {**there.kube.objects.get(IMAGE), "status": {}})
        await there.clock.advance(HOUR)
        await there.until_ready(IMAGE, within=HOUR)
        assert there.status(IMAGE)["deletionPolicy"] == "Retain"
        said = there.kube.see(IMAGE)["metadata"]["annotations"]["awsbatch.dev/resolved"]
        assert json.loads(said)["origin"] == "Adopted"
        assert there.images() == [made]
