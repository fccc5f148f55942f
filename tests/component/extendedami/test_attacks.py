"""What others do at a bad moment: nothing is built for ever, left, or taken for ours."""

from dataclasses import replace

import pytest
from tests.component.extendedami.images import IMAGE, Darkroom, image, until_clean
from tests.component.extendedami.test_retirement import new_base

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_simulator.ec2 import public_images
from awsbatch_simulator.ec2.image_model import ImageState

HOUR = 3600
PATH = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended"
BY_BASE = {"when": ["SpecChange", "BaseChange"]}


async def test_a_base_that_aws_takes_back_is_followed_without_another_build():
    there = Darkroom()
    world, region = there.simulator.world, there.simulator.place.region
    async with there.running():
        there.apply(IMAGE, image(rebuild=BY_BASE))
        await there.until_ready(IMAGE, within=HOUR)
        first = there.status(IMAGE)["imageId"]
        before = dict(public_images._of(world, region).parameters)
        new_base(there)
        await there.run_until(lambda: there.guests.verified == 2, within=2 * HOUR)
        await until_clean(there)
        parameters = public_images._of(world, region).parameters
        parameters.clear()
        parameters.update(before)
        await there.run_until(lambda: there.status(IMAGE)["imageId"] == first, within=2 * HOUR)
        await there.clock.advance(2 * HOUR)
        assert there.guests.built == 2
        assert there.alive() == []


async def test_an_image_that_somebody_disables_is_made_anew_under_another_name():
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image())
        await there.until_ready(IMAGE, within=HOUR)
        await until_clean(there)
        old = there.status(IMAGE)["imageId"]
        await there.clock.advance(HOUR)
        there.ec2.images[old].state = ImageState.DISABLED
        await there.run_until(
            lambda: there.ready(IMAGE) and there.status(IMAGE)["imageId"] != old, within=2 * HOUR
        )
        await there.clock.advance(HOUR)
        assert there.guests.built == 2
        assert len(there.images()) == 2
        assert there.alive() == []


async def test_an_image_that_is_called_rejected_while_it_is_made_is_made_anew():
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image())
        await there.run_until(lambda: there.build().get("step") == "Imaging", within=HOUR)
        await there.run_until(lambda: bool(there.images()), within=HOUR)
        [made] = there.images()
        verdict = [{"Key": "awsbatch.dev/verdict", "Value": "Rejected"}]
        there.aws("ec2").create_tags(Resources=[made.id], Tags=verdict)
        await there.until_ready(IMAGE, within=3 * HOUR)
        await until_clean(there)
        assert there.calls.count("ec2:CreateImage") <= 3


async def test_a_copy_with_all_our_tags_is_neither_used_nor_removed():
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image())
        await there.until_ready(IMAGE, within=HOUR)
        await until_clean(there)
        used = there.status(IMAGE)["imageId"]
        [made] = there.images()
        await there.clock.advance(HOUR)
        here = there.simulator.place.region
        copied = there.aws("ec2").copy_image(
            Name="mine", SourceImageId=used, SourceRegion=here, CopyImageTags=True
        )["ImageId"]
        unjudged = there.aws("ec2").copy_image(
            Name="mine-too", SourceImageId=used, SourceRegion=here
        )["ImageId"]
        tags = {**made.tags}
        tags.pop("awsbatch.dev/verdict")
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        there.aws("ec2").create_tags(Resources=[unjudged], Tags=listed)
        await there.clock.advance(2 * HOUR)
        assert there.status(IMAGE)["imageId"] == used
        assert {each.id for each in there.images()} == {used, copied, unjudged}
        there.remove(IMAGE)
        await there.until_gone(IMAGE)
        assert {each.id for each in there.images()} == {copied, unjudged}


async def test_the_builder_of_an_earlier_object_of_the_name_is_ended_even_if_it_shows_late():
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image())
        await there.run_until(lambda: there.build().get("step") == "clean")
        builder = there.ec2.instances[there.build()["instanceId"]]
        await there.run_until(lambda: there.ready(IMAGE), within=HOUR)
        await until_clean(there)
        there.apply(IMAGE, image(packages=["jq"]))
        await there.run_until(lambda: there.build().get("step") == "clean")
        tags = {**builder.tags, "awsbatch.dev/intent": "late", "awsbatch.dev/owner-uid": "former"}
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


async def test_a_parameter_of_another_name_takes_the_place_of_the_first():
    there = Darkroom(limited=False)
    async with there.running():
        there.apply(IMAGE, image(publish={"ssmParameter": "/images/one"}))
        await there.until_ready(IMAGE, within=HOUR)
        ssm = there.aws("ssm")
        await there.run_until(lambda: there.told("ImagePublished") != [])
        there.apply(IMAGE, image(publish={"ssmParameter": "/images/two"}))
        await there.clock.advance(HOUR)
        assert there.calls.count("ssm:PutParameter") <= 6
        names = [each["Name"] for each in ssm.describe_parameters()["Parameters"]]
        assert names == ["/images/two"]
        there.apply(IMAGE, image())
        await there.clock.advance(HOUR)
        assert ssm.describe_parameters()["Parameters"] == []


async def test_two_long_names_that_begin_alike_are_two_images():
    there = Darkroom()
    one, two = (ObjectKey("ExtendedAMI", IMAGE.namespace, "a" * 120 + end) for end in "xy")
    async with there.running():
        there.apply(one, image())
        there.apply(two, image())
        await there.until_ready(one, two, within=2 * HOUR)
        assert len(there.images()) == 2
        assert there.status(one)["imageId"] != there.status(two)["imageId"]
        await until_clean(there)


async def test_copies_abroad_go_with_an_object_whose_record_is_lost():
    there = Darkroom()
    abroad = there.simulator.world.region(replace(there.simulator.place, region="eu-west-1")).ec2
    async with there.running():
        there.apply(IMAGE, image(regions=["eu-west-1"]))
        await there.until_ready(IMAGE, within=HOUR)
        await until_clean(there)
        assert abroad.images
        there.kube.annotate(IMAGE, **{"awsbatch.dev/build": None})
        there.remove(IMAGE)
        await there.until_gone(IMAGE)
        assert not abroad.images
        assert there.nothing_left()


@pytest.mark.parametrize("step", ["clean", "Imaging", "measure"])
async def test_a_record_that_is_lost_at_any_step_costs_one_build_and_leaves_nothing(step):
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image())
        await there.run_until(lambda: there.build().get("step") == step, within=HOUR)
        there.kube.annotate(IMAGE, **{"awsbatch.dev/build": None})
        await there.until_ready(IMAGE, within=2 * HOUR)
        await until_clean(there)
        await there.clock.advance(HOUR)
        assert there.guests.built <= 2
        assert len(there.images()) == len(there.snapshots()) == 1


@pytest.mark.parametrize("step", ["clean", "Imaging", "measure"])
async def test_an_edit_at_any_step_makes_what_is_wanted_now_and_leaves_nothing_else(step):
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image())
        await there.run_until(lambda: there.build().get("step") == step, within=HOUR)
        there.apply(IMAGE, image(packages=["jq"]))
        await there.until_ready(IMAGE, within=2 * HOUR)
        await until_clean(there)
        await there.clock.advance(HOUR)
        assert there.guests.built <= 2
        assert len(there.images()) == len(there.snapshots()) == 1
        there.remove(IMAGE)
        await there.until_gone(IMAGE)
        assert there.nothing_left()


@pytest.mark.parametrize("step", ["clean", "Imaging", "measure"])
async def test_an_object_that_is_made_anew_at_any_step_leaves_nothing_of_the_former(step):
    there = Darkroom()
    async with there.running():
        there.apply(IMAGE, image())
        await there.run_until(lambda: there.build().get("step") == step, within=HOUR)
        there.remove(IMAGE)
        there.kube.strip_finalizers(IMAGE)
        there.apply(IMAGE, image())
        await there.until_ready(IMAGE, within=2 * HOUR)
        await until_clean(there)
        await there.clock.advance(HOUR)
        assert len(there.images()) == len(there.snapshots()) == 1
        there.remove(IMAGE)
        await there.until_gone(IMAGE)
        assert there.nothing_left()


async def test_a_key_that_ec2_may_not_use_is_told_and_not_tried_for_ever():
    there = Darkroom()
    there.fault(effect="world", service="*", name="key_without_grant")
    key = "11111111-2222-3333-4444-555555555555"
    root = {"sizeGiB": 50, "encrypted": True, "kmsKeyId": key}
    async with there.running():
        there.apply(IMAGE, image(rootVolume=root))
        said = await there.until(IMAGE, "Stalled", "BuildFailed", within=8 * HOUR)
        assert "Client.InternalError" in said
        await there.clock.advance(3 * HOUR)
        assert there.calls.count("ec2:RunInstances") <= 6
        assert there.nothing_left()
