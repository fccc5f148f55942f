"""Which launch templates and images Batch launches with, and when it reads them anew.

Sources: LaunchTemplateSpecification.version, ComputeResourceUpdate.launchTemplate,
ComputeResourceUpdate.updateToLatestImageVersion and Ec2Configuration.batchImageStatus; the user
guide's page "Updating compute environments", Updating the AMI ID.
"""

from typing import Any

import pytest
from tests.simulator.cloud import Cloud

from awsbatch_simulator.batch.launching import newest_image
from awsbatch_simulator.batch.service import BatchService

LATEST = {"launchTemplateName": "web", "version": "$Latest"}
KEY = {"ec2KeyPair": "another"}


def made(**resources: Any) -> Cloud:
    """A VALID environment with an instance, and a launch template `web`."""
    cloud = Cloud()
    cloud("CreateLaunchTemplate", LaunchTemplateName="web", LaunchTemplateData=data("one"))
    cloud.environment(minvCpus=2, **resources)
    cloud.step(60)
    assert shown(cloud)["status"] == "VALID"
    return cloud


def data(name: str, **fields: Any) -> dict[str, Any]:
    """A template's data that instances show by their tag."""
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "template", "Value": name}]}]
    return {"TagSpecifications": tags} | fields


def version(cloud: Cloud, name: str, **fields: Any) -> None:
    cloud(
        "CreateLaunchTemplateVersion",
        LaunchTemplateName="web",
        LaunchTemplateData=data(name, **fields),
    )


def publish(cloud: Cloud, **images: str) -> None:
    """Newer images of Batch's own, by image type."""
    cloud.world.change(cloud.world.settings.model_copy(update={"batch_images": images}))


def shown(cloud: Cloud) -> dict[str, Any]:
    found = cloud("DescribeComputeEnvironments", computeEnvironments=["main"])
    return dict(found["computeEnvironments"][0])


def update(cloud: Cloud, **resources: Any) -> None:
    cloud("UpdateComputeEnvironment", computeEnvironment="main", computeResources=resources)
    cloud.step(120)
    assert shown(cloud)["status"] == "VALID"


def instance(cloud: Cloud) -> dict[str, Any]:
    """The one that runs."""
    [found] = [
        each
        for reservation in cloud("DescribeInstances")["Reservations"]
        for each in reservation["Instances"]
        if each["State"]["Name"] == "running"
    ]
    return dict(found)


def tags(cloud: Cloud) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in instance(cloud)["Tags"]}


def image(cloud: Cloud) -> str:
    return str(instance(cloud)["ImageId"])


def status(cloud: Cloud) -> str | None:
    configurations = shown(cloud)["computeResources"]["ec2Configuration"]
    [found] = {each.get("batchImageStatus") for each in configurations}
    return None if found is None else str(found)


@pytest.mark.parametrize("named", ["$Latest", "$Default"])
def test_another_version_is_read_by_infrastructure_updates_only(named):
    cloud = made(launchTemplate=LATEST | {"version": named})
    version(cloud, "two")
    cloud("ModifyLaunchTemplate", LaunchTemplateName="web", DefaultVersion="2")
    update(cloud, minvCpus=3)
    update(cloud, minvCpus=0)
    cloud.step(200)
    update(cloud, minvCpus=2)
    assert tags(cloud)["template"] == "one", "scaling updates launch with what has been read"
    update(cloud, **KEY)
    assert tags(cloud)["template"] == "two"
    assert instance(cloud)["KeyName"] == "another"


def test_a_newer_version_that_could_not_launch_harms_nothing_until_it_is_read():
    cloud = made(launchTemplate=LATEST)
    version(cloud, "two", KeyName="gone")
    cloud.known.missing.add("gone")
    cloud.step(120)
    assert shown(cloud)["status"] == "VALID"
    cloud("UpdateComputeEnvironment", computeEnvironment="main",
          computeResources={"instanceTypes": ["m7i.large"]})  # fmt: skip
    cloud.step(60)
    assert shown(cloud)["status"] == "INVALID"
    assert "The key pair 'gone' does not exist" in shown(cloud)["statusReason"]


def test_a_version_that_has_been_read_must_stay():
    cloud = made(launchTemplate=LATEST)
    version(cloud, "two")
    cloud("ModifyLaunchTemplate", LaunchTemplateName="web", DefaultVersion="2")
    cloud("DeleteLaunchTemplateVersions", LaunchTemplateName="web", Versions=["1"])
    cloud.step(60)
    assert shown(cloud)["status"] == "INVALID"
    assert "Could not find the specified version 1" in shown(cloud)["statusReason"]
    cloud("UpdateComputeEnvironment", computeEnvironment="main", computeResources=KEY)
    cloud.step(120)
    assert (shown(cloud)["status"], tags(cloud)["template"]) == ("VALID", "two")


def test_what_the_environment_says_itself_goes_before_its_template():
    cloud = Cloud()
    given = data("one", KeyName="k", SecurityGroupIds=["sg-9"], BlockDeviceMappings=[
        {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 9}}])  # fmt: skip
    cloud("CreateLaunchTemplate", LaunchTemplateName="web", LaunchTemplateData=given)
    cloud.environment(minvCpus=2, launchTemplate=LATEST, ec2KeyPair="own", tags={"template": "x"})
    cloud.step(60)
    found = instance(cloud)
    assert (found["KeyName"], tags(cloud)["template"]) == ("own", "x")
    assert [each["GroupId"] for each in found["SecurityGroups"]] == ["sg-1"]
    assert [each["DeviceName"] for each in found["BlockDeviceMappings"]][-1] == "/dev/sdf"


@pytest.mark.parametrize(
    ("template", "override", "image_id", "used"),
    [
        ("ami-a", "ami-b", "ami-c", "ami-a"),
        ("", "ami-b", "ami-c", "ami-b"),
        ("", "", "ami-c", "ami-c"),
        ("", "", "", "of Batch"),
    ],
)
def test_the_order_in_which_an_image_is_chosen_at_creation(template, override, image_id, used):
    cloud = Cloud()
    fields = {"ImageId": template} if template else {}
    cloud("CreateLaunchTemplate", LaunchTemplateName="web", LaunchTemplateData=data("a", **fields))
    resources: dict[str, Any] = {"imageId": image_id} if image_id else {}
    if override:
        resources["ec2Configuration"] = [{"imageType": "ECS_AL2023", "imageIdOverride": override}]
    cloud.environment(minvCpus=2, launchTemplate=LATEST, **resources)
    cloud.step(60)
    assert image(cloud) == used.replace("of Batch", newest_image(cloud.region, "ECS_AL2023"))


def test_the_image_of_a_template_changes_only_with_an_order_for_the_latest():
    cloud = made(launchTemplate=LATEST, imageId="")
    version(cloud, "two", ImageId="ami-2")
    update(cloud, **KEY)
    assert image(cloud) == "ami-2", "the image was Batch's own until now"
    version(cloud, "three", ImageId="ami-3")
    update(cloud, ec2KeyPair="third")
    assert (tags(cloud)["template"], image(cloud)) == ("three", "ami-2")
    update(cloud, imageId="ami-9")
    assert image(cloud) == "ami-2", "an image of the template stays, whatever imageId says"
    update(cloud, imageId="", updateToLatestImageVersion=True)
    assert image(cloud) == "ami-3"
    update(cloud, launchTemplate={"launchTemplateName": ""})
    assert image(cloud) == "ami-3", "a template that is removed leaves its image"
    update(cloud, updateToLatestImageVersion=True)
    assert image(cloud) == newest_image(cloud.region, "ECS_AL2023")


def test_an_override_launches_its_types_with_its_own_image():
    cloud = made()
    own = {"LaunchTemplateName": "own", "LaunchTemplateData": data("own", ImageId="ami-7")}
    cloud("CreateLaunchTemplate", **own)
    override = {"launchTemplateName": "own", "targetInstanceTypes": ["m7i.large"]}
    update(cloud, launchTemplate={"launchTemplateName": "web", "overrides": [override]})
    assert (tags(cloud)["template"], image(cloud)) == ("own", "ami-7")
    assert status(cloud) is None
    update(cloud, instanceTypes=["c7i.large"])
    assert tags(cloud)["template"] == "one"
    assert status(cloud) is None, "not with an override, whether it launches anything or not"


def test_the_status_of_batchs_image_is_seen_once_instances_have_it():
    cloud = Cloud()
    cloud.environment()
    cloud.step(60)
    assert status(cloud) is None
    update(cloud, minvCpus=2)
    assert status(cloud) == "LATEST"
    publish(cloud, ECS_AL2023="ami-5")
    assert status(cloud) == "UPDATE_AVAILABLE"
    update(cloud, **KEY)
    assert status(cloud) == "UPDATE_AVAILABLE", "an infrastructure update alone keeps the image"
    assert image(cloud) == newest_image(Cloud().region, "ECS_AL2023")
    update(cloud, updateToLatestImageVersion=True)
    assert (status(cloud), image(cloud)) == ("LATEST", "ami-5")


def test_another_image_type_brings_its_newest_image():
    cloud = made()
    publish(cloud, ECS_AL2023="ami-5", ECS_AL2023_NVIDIA="ami-6")
    update(cloud, ec2Configuration=[{"imageType": "ECS_AL2023_NVIDIA"}])
    assert (status(cloud), image(cloud)) == ("LATEST", "ami-6")


@pytest.mark.parametrize(
    "resources",
    [
        {"imageId": "ami-1"},
        {"ec2Configuration": [{"imageType": "ECS_AL2023", "imageIdOverride": "ami-1"}]},
    ],
)
def test_an_image_of_the_users_has_no_status_and_is_not_updated(resources):
    cloud = made(**resources)
    assert status(cloud) is None
    cloud("UpdateComputeEnvironment", computeEnvironment="main",
          computeResources={"updateToLatestImageVersion": True})  # fmt: skip
    cloud.step(60)
    assert (image(cloud), status(cloud)) == ("ami-1", None)


def test_the_state_page_says_what_has_been_read():
    cloud = made(launchTemplate=LATEST)
    found = BatchService(cloud.world).report(cloud.caller.place)["launching"]["main"]
    [template] = cloud("DescribeLaunchTemplates")["LaunchTemplates"]
    assert found["launchTemplates"] == [f"{template['LaunchTemplateId']}:1"]
    assert newest_image(cloud.region, "ECS_AL2023") in found["images"]
