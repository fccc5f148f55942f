"""Conformance: what is an image's own about points that hold for all kinds."""

import itertools

import pytest
from tests.conformance.doing import (
    LONG,
    REPEATS_SECONDS,
    RESYNC,
    made,
    reached,
    scripted,
    things,
    times_made,
)
from tests.conformance.image_subject import IMAGE, PARAMETER
from tests.conformance.points import Point
from tests.conformance.subject import Subject
from tests.conformance.test_trouble import told
from tests.conformance.test_wishes import REPAIRED_SECONDS
from tests.support.image_guests import Tale
from tests.support.installation import Installation

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.tags import OWNER_TAGS

ACCOUNT_OF_ALL = ObjectKey("AWSAccount", "", "default")


@pytest.mark.conforms(Point.REPLACED, IMAGE)
async def test_another_image_is_used_once_it_has_passed_and_then_the_old_one_goes(subject):
    there = Installation()
    async with there.running():
        await made(there, subject)
        before = there.status(subject.key)["imageId"]
        there.apply(subject.key, subject.beyond)
        await there.clock.run_until(lambda: "ec2:CreateImage" in there.changes(), within=LONG)
        assert there.status(subject.key)["imageId"] == before
        await reached(there, subject)
        after = there.status(subject.key)["imageId"]
        await there.clock.run_until(lambda: len(things(there, subject.key)) == 1, within=RESYNC)
        await there.clock.advance(RESYNC / 2)
    assert after != before
    assert [each.id for each in things(there, subject.key)] == [after]
    changes = there.changes()
    assert changes.count("ec2:CreateImage") == changes.count("ec2:DeregisterImage") == 1
    assert changes.index("ec2:CreateImage") < changes.index("ec2:DeregisterImage")


@pytest.mark.conforms(Point.DRIFT_TOLD, IMAGE)
async def test_what_was_done_about_an_image_and_its_parameter_is_told(subject: Subject):
    there = Installation()
    async with there.running():
        await made(there, subject)
        image, before = there.status(subject.key)["imageId"], len(there.events(subject.key))
        subject.drift(there)
        await there.clock.advance(REPAIRED_SECONDS + REPEATS_SECONDS)
        told = there.kube.events.values()
        published = [each for each in told if each["reason"] == "ImagePublished"]
        assert {each["note"] for each in published} == {
            f"The parameter {PARAMETER} names {image} now."
        }
        subject.goes(there)
        await there.clock.run_until(lambda: len(things(there, subject.key)) == 1, within=LONG)
        await reached(there, subject)
    [started] = [note for why, note in there.events(subject.key)[before:] if why == "BuildStarted"]
    assert f"{image} is gone from AWS" in started


@pytest.mark.conforms(Point.TAGGED, IMAGE)
async def test_tags_of_an_image_its_snapshots_and_its_parameter_change_in_place(subject: Subject):
    there = Installation()
    async with there.running():
        await made(there, subject, {**subject.spec, "tags": {"team": "climate"}})
        status = there.status(subject.key)
        [image] = things(there, subject.key)
        ec2 = there.aws("ec2")
        ec2.create_tags(Resources=[image.id], Tags=[{"Key": "billing", "Value": "42"}])
        await there.clock.advance(RESYNC / 2)
        assert there.status(subject.key) == status
        assert there.changes() == []
        region = there.simulator.world.region(there.simulator.place)
        tagged = [image, *(region.ec2.snapshots[name] for name in image.snapshots)]
        tagged.append(region.ssm.parameters[PARAMETER])
        uid = there.kube.see(subject.key)["metadata"]["uid"]
        for each in tagged:
            assert each.tags["team"] == "climate"
            assert each.tags["awsbatch.dev/owner-uid"] == uid
        there.apply(subject.key, {**subject.spec, "tags": {"unit": "ocean"}})
        await there.clock.advance(60)
        assert sorted(there.changes()) == [
            *("ec2:CreateTags", "ec2:DeleteTags"),
            *("ssm:AddTagsToResource", "ssm:RemoveTagsFromResource"),
        ]
        for each in tagged:
            assert each.tags["unit"] == "ocean"
            assert "team" not in each.tags
            assert each.tags["awsbatch.dev/owner-uid"] == uid
        assert image.tags["billing"] == "42"
        assert things(there, subject.key) == [image]


@pytest.mark.conforms(Point.REBUILT, IMAGE)
async def test_a_cluster_rebuilt_from_git_uses_the_image_that_is_there(subject: Subject):
    there = Installation()
    async with there.running():
        await made(there, subject)
    image = there.status(subject.key)["imageId"]
    anew = Installation(simulator=there.simulator)
    anew.kube.objects._uids = itertools.count(100)  # nobody gives the same one twice
    anew.clock.skip(there.clock.monotonic() - anew.clock.monotonic())
    async with anew.running():
        await made(anew, subject)
        await anew.clock.advance(RESYNC / 2)
        assert anew.status(subject.key)["imageId"] == image
        assert anew.changes() == []
        anew.remove(subject.key)
        await anew.until_gone(subject.key)
    assert things(anew, subject.key) == []
    assert times_made(anew, subject) == 1


ADOPTABLE = {name: each for name, each in IMAGE.spec.items() if name != "publish"}


async def left(there: Installation) -> str:
    """A finished image of the spec that names no owner, and whose object is gone; its id."""
    there.apply(ACCOUNT_OF_ALL, {"region": there.simulator.place.region, "allowAdoption": True})
    await made(there, IMAGE, {**ADOPTABLE, "deletionPolicy": "Retain"})
    there.remove(IMAGE.key)
    await there.until_gone(IMAGE.key)
    [image] = things(there, IMAGE.key)
    without_owner(there)
    await there.clock.advance(RESYNC / 2)
    there.calls.clear()
    return str(image.id)


def without_owner(there: Installation) -> None:
    """Somebody takes the tags away that name an owner."""
    for image in things(there, IMAGE.key):
        marks = [{"Key": key} for key in OWNER_TAGS]
        there.aws("ec2").delete_tags(Resources=[image.id, *image.snapshots], Tags=marks)


@pytest.mark.parametrize("policy", ["AdoptOrCreate", "Adopt"])
@pytest.mark.conforms(Point.ADOPTED, IMAGE)
async def test_an_image_that_exists_is_adopted_where_allowed_and_only_its_tags_change(
    subject: Subject, policy: str
):
    there = Installation()
    async with there.running():
        image = await left(there)
        there.apply(subject.key, {**ADOPTABLE, "adoptionPolicy": policy})
        await reached(there, subject)
        await there.clock.advance(RESYNC / 2)
        assert there.changes() == ["ec2:CreateTags"]
        status = there.status(subject.key)
        assert (status["imageId"], status["deletionPolicy"]) == (image, "Retain")
        there.remove(subject.key)
        await there.until_gone(subject.key)
        await there.clock.advance(RESYNC / 2)
    assert there.changes() == ["ec2:CreateTags", "ec2:DeleteTags"]
    assert things(there, subject.key) == []


@pytest.mark.conforms(Point.ADOPTED_ONLY, IMAGE)
async def test_an_image_that_is_only_to_be_adopted_is_never_made(subject: Subject):
    there = Installation()
    async with there.running():
        image = await left(there)
        there.apply(subject.key, {**ADOPTABLE, "packages": ["jq"], "adoptionPolicy": "Adopt"})
        await there.clock.advance(RESYNC / 2)
        assert not there.ready(subject.key)
        assert there.changes() == []
        there.apply(subject.key, {**ADOPTABLE, "adoptionPolicy": "Adopt"})
        await reached(there, subject)
    assert there.changes() == ["ec2:CreateTags"]
    assert there.status(subject.key)["imageId"] == image


@pytest.mark.conforms(Point.TOLD, IMAGE)
async def test_a_build_that_fails_says_in_which_step_and_warns_of_it(subject: Subject):
    there = Installation()
    async with there.running():
        scripted(there, subject).builders = [Tale.FAILS] * 3
        there.apply(subject.key, subject.spec)
        message = await there.until(subject.key, "Stalled", "BuildFailed", within=LONG)
        await there.clock.advance(1)
    assert "in step packages with exit code 1" in message
    assert told(there, subject, "BuildFailed") == [("Warning", message)]
