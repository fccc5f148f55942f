"""Builds that fail, each in its way: told with a remedy, tried again a bounded number of times.

And after each of them nothing is left in AWS that costs.
"""

import random
import string

import pytest
from tests.component.extendedami.images import IMAGE, Darkroom, image, until_clean
from tests.support.image_guests import Tale
from tests.support.manifests import PROFILE

from awsbatch_operator.api.metadata import ObjectKey

HOUR = 3600


@pytest.mark.parametrize(
    ("tale", "words"),
    [
        (Tale.FAILS, "in step packages with exit code 1 (attempt 3 of 3). No match for argument"),
        (Tale.OFF, "has shut itself down without saying that it has finished"),
        (Tale.FORGED, "has shut itself down without saying that it has finished"),
        (Tale.HANGS, "has not finished within 3600 s"),
    ],
    ids=lambda each: each.name if isinstance(each, Tale) else "",
)
async def test_a_build_that_always_fails_is_tried_three_times_and_told(tale, words):
    there = Darkroom()
    there.guests.builders = [tale] * 9
    async with there.running():
        there.apply(IMAGE, image())
        said = await there.until(IMAGE, "Stalled", "BuildFailed", within=8 * HOUR)
        assert words in said
        assert "attempt 3 of 3" in said
        await until_clean(there)
        build = there.build()
        assert build["attempt"] == 3
        if tale is Tale.FAILS:
            assert (build["step"], build["exitCode"]) == ("packages", 1)
            assert build["consoleTail"][-1] == "No match for argument: no-such-package"
        assert len(there.told("BuildAttemptFailed")) == 2
        assert len(there.told("BuildFailed")) == 1
        await there.clock.advance(24 * HOUR)
        assert there.guests.built == 3
        assert there.nothing_left()


async def test_a_new_value_of_the_annotation_begins_three_more_attempts():
    there = Darkroom()
    there.guests.builders = [Tale.FAILS] * 4
    async with there.running():
        there.apply(IMAGE, image())
        await there.until(IMAGE, "Stalled", "BuildFailed", within=2 * HOUR)
        there.apply(IMAGE, image(), annotations={"awsbatch.dev/reconcile-at": "now"})
        await there.until_ready(IMAGE, within=2 * HOUR)
        assert there.guests.built == 5
        assert len(there.images()) == 1
        await until_clean(there)


async def test_an_edit_begins_at_once_and_anew():
    there = Darkroom()
    there.guests.builders = [Tale.FAILS] * 3
    async with there.running():
        there.apply(IMAGE, image(packages=["no-such-package"]))
        await there.until(IMAGE, "Stalled", "BuildFailed", within=2 * HOUR)
        there.apply(IMAGE, image())
        await there.until_ready(IMAGE, within=HOUR)
        await until_clean(there)
        assert there.guests.built == 4


@pytest.mark.parametrize("call", ["terminate_instances", "stop_instances"])
async def test_a_builder_that_somebody_takes_away_is_followed_by_another(call):
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image())
        await there.run_until(lambda: there.build().get("step") == "clean")
        getattr(there.aws("ec2"), call)(InstanceIds=[there.build()["instanceId"]])
        await there.until_ready(IMAGE, within=HOUR)
        assert len(there.told("BuildAttemptFailed")) == 1
        assert there.guests.built == 2
        await until_clean(there)
        assert len(there.images()) == 1


async def test_a_type_without_capacity_is_followed_by_the_next_one_and_never_by_spot():
    there = Darkroom()
    there.fault(
        effect="world", service="*", name="insufficient_capacity", match={"instanceType": "m7i.*"}
    )
    async with there.running():
        there.apply(IMAGE, image())
        await there.until_ready(IMAGE, within=HOUR)
        types = [each.type for each in there.ec2.instances.values()]
        assert types == ["m6i.large", "m6i.large"]
        assert not there.ec2.spot_requests
        assert there.told("BuildAttemptFailed") == []


async def test_without_any_capacity_it_is_tried_again_more_and_more_rarely():
    there = Darkroom()
    there.fault(effect="world", service="*", name="insufficient_capacity")
    async with there.running():
        there.apply(IMAGE, image())
        said = await there.until(IMAGE, "Reconciling", "BuilderCapacityShort", within=HOUR)
        assert "m7i.large in subnet-1, m6i.large in subnet-1" in said
        there.calls.clear()
        await there.clock.advance(6 * HOUR)
        assert there.calls.count("ec2:RunInstances") <= 60
        there.mend()
        await there.until_ready(IMAGE, within=3 * HOUR)


async def test_builds_that_wait_for_their_turn_to_be_launched_are_told_and_have_not_failed():
    # EC2 lets a few launches through at once, and each builder takes two calls: a trial, and its
    # launch. At this scale EC2 has shown all that it has within six seconds.
    there = Darkroom(poll_scale=0.05)
    names = [ObjectKey(IMAGE.kind, IMAGE.namespace, f"atmos-{number}") for number in range(6)]
    async with there.running():
        for name in names:
            there.apply(name, image())
        await there.run_until(lambda: len(there.alive()) == len(names), within=60)
        told = [reason for name in names for reason, _ in there.events(name)]
        assert told.count("BuildAttemptFailed") == 0
        assert told.count("BuildStarted") == len(names)


async def test_a_launch_that_its_trial_refused_is_no_attempt_and_goes_on_with_an_edit():
    there = Darkroom()
    async with there.running():
        nowhere = {"subnets": ["subnet-0ffff"], "instanceProfile": PROFILE}
        there.apply(IMAGE, image(builder=nowhere))
        said = await there.until(IMAGE, "Stalled", "InvalidRequest", within=HOUR)
        assert "'subnet-0ffff' does not exist (spec.builder.subnets)" in said
        await there.clock.advance(HOUR)
        assert there.status(IMAGE)["build"]["stage"] == "Launching"
        assert "step" not in there.status(IMAGE)["build"]
        assert there.told("BuildAttemptFailed") == []
        there.apply(IMAGE, image())
        await there.run_until(lambda: there.told("BuildStarted") != [], within=60)
        assert there.told("BuildAttemptFailed") == []


async def test_texts_that_are_too_long_are_told_with_one_remedy():
    there = Darkroom()
    dice = random.Random(7)
    noise = "".join(dice.choice(string.ascii_letters) for _ in range(40_000))
    async with there.running():
        there.apply(IMAGE, image(files=[{"path": "/etc/noise", "content": noise}]))
        said = await there.until(IMAGE, "Stalled", "UserDataTooLong", within=HOUR)
        assert "Most of it is spec.files" in said
        assert said.count("S3") == said.count("script, ") == 1
        assert there.calls.count("ec2:RunInstances") == 0


async def test_an_image_that_fails_its_test_is_rejected_and_built_anew():
    there = Darkroom()
    there.guests.verifiers = [Tale.FAILS]
    async with there.running():
        there.apply(IMAGE, image())
        await there.run_until(
            lambda: any(
                each["state"] == "Rejected" for each in there.status(IMAGE).get("images", ())
            ),
            within=HOUR,
        )
        rejected = there.images()[0].id
        assert "imageId" not in there.status(IMAGE)
        await there.until_ready(IMAGE, within=2 * HOUR)
        assert there.status(IMAGE)["imageId"] != rejected
        assert len(there.images()) == 1
        assert "/ has 30 GiB, not 111" in there.told("BuildAttemptFailed")[0]
        await until_clean(there)


@pytest.mark.parametrize("tale", [Tale.HANGS, Tale.OFF, Tale.FAILS], ids=lambda each: each.name)
async def test_an_image_that_never_passes_is_kept_out_of_use_and_told(tale):
    there = Darkroom()
    there.guests.verifiers = [tale] * 3
    async with there.running():
        there.apply(IMAGE, image())
        await there.until(IMAGE, "Stalled", "VerificationFailed", within=5 * HOUR)
        assert "imageId" not in there.status(IMAGE)
        await until_clean(there)
        assert [each["state"] for each in there.status(IMAGE)["images"]] == ["Rejected"]
        assert there.status(IMAGE)["build"]["stage"] == "Failed"
        [rejected] = there.images()
        there.remove(IMAGE)
        await there.until_gone(IMAGE)
        assert there.nothing_left()
        assert there.told("Deleted") == [f"{rejected.id} is gone from AWS."]


async def test_a_name_that_is_taken_by_an_image_of_somebody_else_is_told_and_no_builder_waits():
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image())
        await there.run_until(lambda: there.build().get("step") == "clean")
        name = f"awsbatch-science-atmos-{there.build()['hash']}"
        ec2 = there.aws("ec2")
        run = {"ImageId": "ami-078b9e98c4449bf43", "InstanceType": "m7i.large"}
        other = ec2.run_instances(**run, SubnetId="subnet-1", MinCount=1, MaxCount=1)
        foreign = other["Instances"][0]["InstanceId"]
        await there.clock.advance(30)
        taken = ec2.create_image(InstanceId=foreign, Name=name, NoReboot=True)["ImageId"]
        said = await there.until(IMAGE, "Stalled", "ImageNameTaken", within=HOUR)
        assert taken in said
        await there.run_until(lambda: there.alive() == [foreign], within=HOUR)
        await there.clock.advance(3 * HOUR)
        assert there.guests.built == 1, "it is built again when the name is free"
        assert await there.until(IMAGE, "Stalled", "ImageNameTaken") == said
        assert there.told("BuildAttemptFailed") == []
        ec2.deregister_image(ImageId=taken)
        await there.until_ready(IMAGE, within=HOUR)
        assert there.guests.built == 2


async def test_an_edit_in_the_midst_of_a_build_ends_the_builder_and_builds_what_is_wanted_now():
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image())
        await there.run_until(lambda: there.build().get("step") == "clean")
        first = there.build()["instanceId"]
        there.apply(IMAGE, image(packages=["jq"]))
        await there.until_ready(IMAGE, within=HOUR)
        assert len(there.images()) == 1
        assert there.guests.built == 2
        assert first not in there.alive()
        await until_clean(there)


@pytest.mark.parametrize("step", ["Building", "clean", "Imaging", "Verifying", "measure"])
async def test_a_deletion_at_any_step_leaves_nothing(step):
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image())
        await there.run_until(lambda: there.build().get("step") == step, within=HOUR)
        there.remove(IMAGE)
        await there.until_gone(IMAGE, within=HOUR)
        assert there.nothing_left()


async def test_a_failed_builder_is_kept_for_a_look_until_its_limit():
    there = Darkroom()
    there.guests.builders = [Tale.FAILS]
    async with there.running():
        builder = {"subnets": ["subnet-1"], "instanceProfile": PROFILE, "onFailure": "Keep"}
        there.apply(IMAGE, image(builder=builder))
        await there.until(IMAGE, "Reconciling", "BuildRetrying", within=HOUR)
        kept = there.build()["instanceId"]
        [told] = there.told("BuilderKept")
        assert kept in told
        await there.clock.advance(HOUR / 2)
        assert there.alive() == [kept]
        await there.until_ready(IMAGE, within=2 * HOUR)
        await until_clean(there)


async def test_what_carries_our_uid_and_is_not_in_the_record_is_ended():
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image())
        await there.run_until(lambda: there.build().get("step") == "clean")
        builder = there.ec2.instances[there.build()["instanceId"]]
        tags = {**builder.tags, "awsbatch.dev/intent": "awsbatch-of-a-call-that-came-late"}
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        stray = there.aws("ec2").run_instances(
            ImageId=builder.image_id,
            InstanceType="m7i.large",
            SubnetId="subnet-1",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": listed}],
        )["Instances"][0]["InstanceId"]
        await there.until_ready(IMAGE, within=HOUR)
        await until_clean(there)
        assert stray not in there.alive()
        assert there.guests.built == 1


async def test_an_image_that_ec2_cannot_make_is_removed_and_built_anew():
    there = Darkroom()
    there.fault(effect="world", service="*", name="image_fails", times=1)
    async with there.running():
        there.apply(IMAGE, image())
        await there.until_ready(IMAGE, within=HOUR)
        assert "EC2 could not make the image" in there.told("BuildAttemptFailed")[0]
        await until_clean(there)
        assert len(there.images()) == 1
        assert len(there.snapshots()) == 1
