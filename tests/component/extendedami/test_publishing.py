"""What is made of the image in use: copies, parameters, other images; and what needs no image."""

from dataclasses import replace
from typing import Any

from tests.component.extendedami.images import IMAGE, Darkroom, image

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.tags import Owner

HOUR, DAY = 3600, 86_400
AT_ONCE = {"keep": 1, "minAgeDays": 0}


async def test_what_needs_no_image_is_ready_at_once_with_a_launch_template():
    there = Darkroom()
    spec = image(packages=None, rootVolume={"sizeGiB": 111}, builder=None)
    async with there.running():
        there.apply(IMAGE, spec)
        assert await there.until_ready(IMAGE) < 30
        status = there.status(IMAGE)
        assert status["bake"]["needed"] is False
        ec2 = there.aws("ec2")
        [made] = ec2.describe_launch_templates()["LaunchTemplates"]
        assert status["launchTemplate"] == {"id": made["LaunchTemplateId"], "version": 1}
        described = ec2.describe_launch_template_versions(
            LaunchTemplateId=made["LaunchTemplateId"], Versions=["1"]
        )
        [version] = described["LaunchTemplateVersions"]
        [root] = version["LaunchTemplateData"]["BlockDeviceMappings"]
        assert (root["DeviceName"], root["Ebs"]["VolumeSize"]) == ("/dev/xvda", 111)
        template = there.ec2.templates[made["LaunchTemplateId"]]
        there.apply(IMAGE, {**spec, "tags": {"team": "climate"}})
        await there.run_until(lambda: template.tags.get("team") == "climate")
        there.apply(IMAGE, spec)
        await there.run_until(lambda: "team" not in template.tags)
        there.apply(IMAGE, {**spec, "rootVolume": {"sizeGiB": 200}})
        await there.run_until(
            lambda: there.status(IMAGE)["launchTemplate"]["id"] != made["LaunchTemplateId"]
        )
        await there.run_until(lambda: len(ec2.describe_launch_templates()["LaunchTemplates"]) == 1)
        assert there.guests.built == 0
        there.remove(IMAGE)
        await there.until_gone(IMAGE)
        assert ec2.describe_launch_templates()["LaunchTemplates"] == []


async def test_a_launch_template_of_our_name_without_our_tags_is_told_and_left_alone():
    there = Darkroom(limited=False)
    spec = image(packages=None, rootVolume={"sizeGiB": 111}, builder=None)
    async with there.running():
        there.apply(IMAGE, spec)
        await there.until_ready(IMAGE)
        ec2 = there.aws("ec2")
        [made] = ec2.describe_launch_templates()["LaunchTemplates"]
        ours = list(there.ec2.templates[made["LaunchTemplateId"]].tags.items())
        there.ec2.templates[made["LaunchTemplateId"]].tags.clear()
        name = f"{made['LaunchTemplateName']} ({made['LaunchTemplateId']})"
        said = await there.until(IMAGE, "Stalled", "LaunchTemplateTaken", within=HOUR)
        assert f"The launch template {name} has no tags of this operator" in said
        assert "awsbatch.dev/owner-uid=" in said
        assert len(there.told("LaunchTemplateMade")) == 1
        there.calls.clear()
        await there.clock.advance(2 * HOUR)
        assert there.calls.count("ec2:CreateLaunchTemplate") == 0
        rows = [{"Key": "awsbatch.dev/cluster", "Value": "another"}]
        ec2.create_tags(Resources=[made["LaunchTemplateId"]], Tags=rows)
        there.apply(IMAGE, spec | {"tags": {"team": "climate"}})
        whose = "is that of an object of the cluster another by its tags"
        await there.run_until(lambda: whose in there.condition(IMAGE, "Stalled")["message"])
        listed = [{"Key": key, "Value": value} for key, value in ours]
        ec2.create_tags(Resources=[made["LaunchTemplateId"]], Tags=listed)
        await there.until_ready(IMAGE, within=HOUR)
        assert there.status(IMAGE)["launchTemplate"]["id"] == made["LaunchTemplateId"]
        there.ec2.templates[made["LaunchTemplateId"]].tags.clear()
        await there.until(IMAGE, "Stalled", "LaunchTemplateTaken", within=HOUR)
        ec2.delete_launch_template(LaunchTemplateId=made["LaunchTemplateId"])
        await there.until_ready(IMAGE, within=HOUR)
        [anew] = ec2.describe_launch_templates()["LaunchTemplates"]
        assert there.status(IMAGE)["launchTemplate"]["id"] == anew["LaunchTemplateId"]
        assert len(there.told("LaunchTemplateMade")) == 2


async def test_an_image_is_published_in_a_parameter_which_goes_with_it():
    there = Darkroom(limited=False)
    name = "/images/atmos"
    async with there.running():
        there.apply(IMAGE, image(publish={"ssmParameter": name}))
        await there.until_ready(IMAGE, within=HOUR)
        ssm = there.aws("ssm")
        await there.run_until(lambda: there.told("ImagePublished") != [])
        found = ssm.get_parameter(Name=name)["Parameter"]
        assert found["Value"] == there.status(IMAGE)["imageId"]
        assert found["DataType"] == "aws:ec2:image"
        there.apply(IMAGE, image(publish={"ssmParameter": name}, packages=["jq"]))
        await there.until_ready(IMAGE, within=HOUR)
        await there.run_until(
            lambda: (
                ssm.get_parameter(Name=name)["Parameter"]["Value"] == there.status(IMAGE)["imageId"]
            ),
            within=HOUR,
        )
        there.remove(IMAGE)
        await there.until_gone(IMAGE)
        assert ssm.describe_parameters()["Parameters"] == []


async def test_a_parameter_of_somebody_else_is_left_alone():
    there = Darkroom(limited=False)
    async with there.running():
        ssm = there.aws("ssm")
        ssm.put_parameter(Name="/images/atmos", Value="theirs", Type="String")
        there.apply(IMAGE, image(publish={"ssmParameter": "/images/atmos"}))
        said = await there.until(IMAGE, "Stalled", "ParameterTaken", within=HOUR)
        assert "The parameter /images/atmos has no tags of this operator" in said
        tags = Owner("another", ObjectKey("ExtendedAMI", "physics", "atmos"), "uid").tags()
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId="/images/atmos", Tags=listed)
        whose = "that of ExtendedAMI physics/atmos of the cluster another"
        await there.run_until(lambda: whose in there.condition(IMAGE, "Stalled")["message"])
        assert ssm.get_parameter(Name="/images/atmos")["Parameter"]["Value"] == "theirs"


async def test_copies_are_made_in_further_regions_and_go_with_their_image():
    there = Darkroom()
    abroad = there.simulator.world.region(replace(there.simulator.place, region="eu-west-1")).ec2
    async with there.running():
        there.apply(IMAGE, image(regions=["eu-west-1"], retention=AT_ONCE))
        await there.until_ready(IMAGE, within=HOUR)
        [copy] = abroad.images.values()
        rows = {each["region"]: each for each in there.status(IMAGE)["images"]}
        assert rows["eu-west-1"]["imageId"] == copy.id
        assert rows["eu-west-1"]["state"] == "Available"
        there.apply(IMAGE, image(regions=["eu-west-1"], retention=AT_ONCE, tags={"team": "x"}))
        copied: list[Any] = [copy, *(abroad.snapshots[name] for name in copy.snapshots)]
        await there.run_until(lambda: all(each.tags.get("team") == "x" for each in copied))
        there.apply(IMAGE, image(regions=["eu-west-1"], retention=AT_ONCE, packages=["jq"]))
        await there.run_until(
            lambda: there.ready(IMAGE) and len(abroad.images) == 1 and copy.id not in abroad.images,
            within=DAY,
        )
        there.apply(IMAGE, image(retention=AT_ONCE, packages=["jq"]))
        await there.run_until(lambda: not abroad.images, within=HOUR)
        there.remove(IMAGE)
        await there.until_gone(IMAGE)
        assert there.nothing_left()
        assert not abroad.snapshots


async def test_a_copy_that_is_being_made_is_looked_at_as_often_as_it_is_said():
    """Also where looks are less than a minute apart, for so long what is at rest is kept."""
    there = Darkroom(poll_scale=0.3)
    world = there.simulator.world
    delays = world.settings.delays.model_copy(update={"image_copying": 10})
    world.change(world.settings.model_copy(update={"delays": delays}))
    async with there.running():
        there.apply(IMAGE, image(regions=["eu-west-1"]))
        await there.run_until(lambda: there.told("ImageCopied") != [], within=HOUR)
        assert await there.until_ready(IMAGE) < 30


async def test_an_image_is_made_of_another_one_that_is_made_here():
    there = Darkroom()
    other = ObjectKey("ExtendedAMI", IMAGE.namespace, "ocean")
    async with there.running():
        there.apply(other, image(base={"amiRef": {"name": IMAGE.name}}, packages=["jq"]))
        there.apply(IMAGE, image())
        await there.until_ready(IMAGE, other, within=2 * HOUR)
        assert there.status(other)["base"]["imageId"] == there.status(IMAGE)["imageId"]
        there.remove(IMAGE)
        said = await there.until(IMAGE, "DeletionBlocked", "ImageInUse")
        assert f"{IMAGE.namespace}/ocean" in said
        there.remove(other)
        await there.until_gone(IMAGE, other, within=HOUR)
        assert there.nothing_left()


async def test_a_copy_is_encrypted_with_the_replica_of_its_region_and_one_that_fails_is_told():
    there = Darkroom()
    abroad = there.simulator.world.region(replace(there.simulator.place, region="eu-west-1")).ec2
    key, here = "key/mrk-0123456789abcdef", there.simulator.place.region
    named = f"arn:aws:kms:{here}:111122223333:{key}"
    spec = image(verify={"enabled": False}, regions=["eu-west-1"])
    theirs = {"encrypted": True, "kmsKeyId": named.replace(here, "ap-south-1")}
    there.fault(effect="world", service="*", name="key_without_grant")
    async with there.running():
        there.apply(IMAGE, {**spec, "rootVolume": theirs})
        said = await there.until(IMAGE, "Stalled", "KeyElsewhere")
        assert (
            f"spec.rootVolume names a key of ap-south-1, and the volume is made in {here}" in said
        )
        assert not there.ec2.instances
        there.mend()
        match = {"operation": "CopyImage"}
        there.fault(effect="world", service="*", name="key_without_grant", match=match)
        there.apply(IMAGE, {**spec, "rootVolume": {"encrypted": True, "kmsKeyId": named}})
        said = await there.until(IMAGE, "Stalled", "ImageCopyFailed", within=HOUR)
        assert "in eu-west-1: AMI snapshot copy failed with error: Given key ID is not" in said
        await there.clock.advance(3 * HOUR)
        assert there.calls.count("ec2:CopyImage") == 3  # one an hour at most
        there.mend()
        await there.until_ready(IMAGE, within=2 * HOUR)
        [copy] = abroad.images.values()
        keys = {abroad.snapshots[name].kms_key for name in copy.snapshots}
        assert keys == {f"arn:aws:kms:eu-west-1:111122223333:{key}"}
        assert len(abroad.snapshots) == 1
