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
