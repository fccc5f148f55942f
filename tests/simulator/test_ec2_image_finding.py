"""Machine images are found by what they are, and what names them is found as well."""

import pytest
from tests.simulator.cloud import Cloud
from tests.simulator.instances import tagged
from tests.simulator.known import ECS_OWNER
from tests.simulator.pictures import image, listed, made, only, running, snapshots

from awsbatch_simulator.ports import PublicImage


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


def test_images_are_found_by_owner_filter_tag_and_page(cloud):
    for number in range(3):
        name = f"ecs-{number}"
        cloud.known.images[f"ami-{number:08x}"] = PublicImage(
            f"ami-{number:08x}", name, ECS_OWNER, "arm64" if number else "x86_64"
        )
    mine = made(cloud, TagSpecifications=[tagged("image", build="1")])
    assert listed(cloud) > {"ecs-0", "ecs-1", "ecs-2", "atmos"}
    cloud.world.publications.clear()  # the image that the instance came from is asked for no more
    assert listed(cloud, Owners=["amazon"]) == {"ecs-0", "ecs-1", "ecs-2"}
    assert listed(cloud, Owners=["self", ECS_OWNER]) == {"ecs-0", "ecs-1", "ecs-2", "atmos"}
    assert listed(cloud, Owners=["self"]) == {"atmos"}
    for filters, expected in (
        (only(name="ecs-*", architecture="arm64"), {"ecs-1", "ecs-2"}),
        (only(image_id=mine), {"atmos"}),
        (only(state="pending"), set()),
        (only(owner_id=ECS_OWNER, name="*-0"), {"ecs-0"}),
        (only(tag_key="build"), {"atmos"}),
        ([{"Name": "tag:build", "Values": ["1"]}], {"atmos"}),
        (only(root_device_type="ebs", is_public="false"), {"atmos"}),
        (only(owner_alias="amazon", virtualization_type="hvm"), {"ecs-0", "ecs-1", "ecs-2"}),
    ):
        assert listed(cloud, Filters=filters) == expected, filters
    unknown = cloud.refused("DescribeImages", Filters=only(colour="red"))
    assert unknown.startswith("InvalidParameterValue")
    page = cloud("DescribeImages", MaxResults=3)
    rest = cloud("DescribeImages", MaxResults=3, NextToken=page["NextToken"])
    assert (len(page["Images"]), len(rest["Images"]), "NextToken" in rest) == (3, 1, False)


def test_images_and_snapshots_are_tagged_as_all_else(cloud):
    image_id = made(cloud)
    [snapshot] = snapshots(cloud)
    both = [image_id, snapshot["SnapshotId"]]
    tags = [{"Key": "a", "Value": "b"}]
    cloud("CreateTags", Resources=both, Tags=tags)
    assert image(cloud, image_id)["Tags"] == tags
    kinds = {each["ResourceType"] for each in cloud("DescribeTags")["Tags"]}
    assert kinds == {"image", "snapshot"}
    cloud("DeleteTags", Resources=both)
    assert cloud("DescribeTags")["Tags"] == []
    unknown = cloud.refused("CreateTags", Resources=["ami-77"], Tags=tags)
    assert unknown.startswith("InvalidAMIID.NotFound")


def test_what_names_an_image_is_found(cloud):
    image_id = made(cloud)
    living = running(cloud, ImageId=image_id)
    template = cloud(
        "CreateLaunchTemplate",
        LaunchTemplateName="template",
        LaunchTemplateData={"ImageId": image_id},
    )["LaunchTemplate"]["LaunchTemplateId"]
    named = {"Name": "/images/atmos", "Type": "String", "DataType": "aws:ec2:image"}
    cloud("PutParameter", **named, Value=image_id)
    cloud.step(5)

    def found(**request: object) -> set[str]:
        answer = cloud("DescribeImageReferences", ImageIds=[image_id], **request)
        return {each["Arn"].rpartition(":")[2] for each in answer["ImageReferences"]}

    everything = {
        f"instance/{living}",
        f"launch-template/{template}",
        "parameter/images/atmos",
    }
    assert found(IncludeAllResourceTypes=True) == everything
    option = {"OptionName": "state-name", "OptionValues": ["stopped"]}
    of_instances = {"ResourceType": "ec2:Instance", "ResourceTypeOptions": [option]}
    assert found(ResourceTypes=[of_instances]) == set()
    for _ in range(10):
        cloud(
            "CreateLaunchTemplateVersion",
            LaunchTemplateId=template,
            LaunchTemplateData={"ImageId": "ami-1"},
        )
    assert found(ResourceTypes=[{"ResourceType": "ec2:LaunchTemplate"}]) == set()
    deeper = {"OptionName": "version-depth", "OptionValues": ["11"]}
    of_templates = {"ResourceType": "ec2:LaunchTemplate", "ResourceTypeOptions": [deeper]}
    assert found(ResourceTypes=[of_templates]) == {f"launch-template/{template}"}
    neither = cloud.refused("DescribeImageReferences", ImageIds=[image_id])
    assert neither.startswith("MissingParameter")
