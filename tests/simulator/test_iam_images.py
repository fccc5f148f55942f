"""Who may make, copy, change and remove images, snapshots and parameters."""

from typing import Any

import pytest
from tests.simulator.test_iam_enforcement import allow, client, give, may, refused
from tests.support.fuzzing.sound import RUN

from awsbatch_simulator.assembly import Simulator

TAGGED = [
    {"ResourceType": kind, "Tags": [{"Key": "team", "Value": "a"}]}
    for kind in ("image", "snapshot")
]
TEAM_ASKED = {"StringEquals": {"aws:RequestTag/team": ["a"]}}
TEAM_THERE = {"StringEquals": {"aws:ResourceTag/team": ["a"]}}
AT_CREATION = {"StringEquals": {"ec2:CreateAction": ["CreateImage", "CopyImage"]}}
LAUNCH = allow("ec2:RunInstances", "iam:PassRole", "ec2:Describe*", "ec2:StopInstances")
NAME = "/images/atmos"


@pytest.fixture
def simulator() -> Simulator:
    return may(LAUNCH)


def instance(simulator: Simulator) -> str:
    made = client(simulator, "ec2").run_instances(**RUN)
    simulator.world.advance(20)
    return str(made["Instances"][0]["InstanceId"])


def image(simulator: Simulator, **fields: Any) -> str:
    made = client(simulator, "ec2").create_image(InstanceId=instance(simulator), **fields)
    simulator.world.advance(60)
    return str(made["ImageId"])


def test_an_image_is_made_on_instance_image_and_snapshots_and_tagged_by_another_right(simulator):
    source, ec2 = instance(simulator), client(simulator, "ec2")
    request = {"InstanceId": source, "Name": "atmos", "TagSpecifications": TAGGED}
    parts = ["arn:aws:ec2:*:*:instance/*", "arn:aws:ec2:*::image/*", "arn:aws:ec2:*::snapshot/*"]
    for lacking in parts:
        rest = [each for each in parts if each != lacking]
        tagging = allow("ec2:CreateTags", Condition=AT_CREATION)
        give(simulator, allow("ec2:CreateImage", Resource=rest), tagging)
        assert refused(ec2.create_image, **request)[:2] == ("UnauthorizedOperation", 403)
    give(simulator, allow("ec2:CreateImage", Resource=parts))
    assert "ec2:CreateTags" in refused(ec2.create_image, **request)[2]
    asked = allow("ec2:CreateImage", Resource=parts[1:], Condition=TEAM_ASKED)
    there = allow("ec2:CreateImage", Resource=parts[:1])
    give(simulator, asked, there, allow("ec2:CreateTags", Condition=AT_CREATION))
    assert ec2.create_image(**request)["ImageId"].startswith("ami-")
    other = request | {"Name": "other", "TagSpecifications": []}
    assert refused(ec2.create_image, **other)[0] == "UnauthorizedOperation"


def test_the_tags_of_an_image_decide_who_may_change_and_copy_and_remove_it(simulator):
    mine = allow("ec2:CreateImage", "ec2:CreateTags")
    give(simulator, LAUNCH, mine)
    first = image(simulator, Name="first", TagSpecifications=TAGGED)
    second = image(simulator, Name="second")
    ec2 = client(simulator, "ec2")
    rights = ("ec2:ModifyImageAttribute", "ec2:DeregisterImage", "ec2:DeleteSnapshot")
    give(simulator, allow(*rights, Condition=TEAM_THERE))
    change = {"Description": {"Value": "d"}}
    ec2.modify_image_attribute(ImageId=first, **change)
    for call, more in ((ec2.modify_image_attribute, change), (ec2.deregister_image, {})):
        assert refused(call, ImageId=second, **more)[0] == "UnauthorizedOperation"
    give(simulator, allow("ec2:DeregisterImage"))
    both = {"ImageId": first, "DeleteAssociatedSnapshots": True}
    assert "ec2:DeleteSnapshot" in refused(ec2.deregister_image, **both)[2]
    give(simulator, allow(*rights, Condition=TEAM_THERE))
    assert ec2.deregister_image(**both)["Return"] is True


def test_a_copy_needs_its_right_on_the_source_the_image_and_the_snapshots(simulator):
    give(simulator, LAUNCH, allow("ec2:CreateImage"))
    source, ec2 = image(simulator, Name="first"), client(simulator, "ec2")
    request = {"SourceImageId": source, "SourceRegion": "eu-central-1", "Name": "copy"}
    give(simulator, allow("ec2:CopyImage", Resource=["arn:aws:ec2:*::image/*"]))
    assert "snapshot/*" in refused(ec2.copy_image, **request)[2]
    give(simulator, allow("ec2:CopyImage", Resource=["arn:aws:ec2:eu-*::*"]))
    assert ec2.copy_image(**request)["ImageId"].startswith("ami-")


def test_a_parameter_that_names_an_image_takes_the_right_to_describe_images(simulator):
    ssm = client(simulator, "ssm")
    request = {"Name": NAME, "Value": RUN["ImageId"], "Type": "String"}
    own = ["arn:aws:ssm:eu-central-1:111122223333:parameter/images/*"]
    give(simulator, allow("ssm:PutParameter", Resource=own))
    image_type = request | {"DataType": "aws:ec2:image"}
    assert "ec2:DescribeImages" in refused(ssm.put_parameter, **image_type)[2]
    tagged = request | {"Tags": [{"Key": "a", "Value": "b"}]}
    assert "ssm:AddTagsToResource" in refused(ssm.put_parameter, **tagged)[2]
    elsewhere = request | {"Name": "/other"}
    assert refused(ssm.put_parameter, **elsewhere)[0] == "AccessDeniedException"
    assert ssm.put_parameter(**request)["Version"] == 1
    assert refused(ssm.get_parameter, Name=NAME)[0] == "AccessDeniedException"
    public = ["arn:aws:ssm:*::parameter/aws/service/*"]
    give(simulator, allow("ssm:GetParameter", Resource=public))
    base = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
    assert ssm.get_parameter(Name=base)["Parameter"]["Value"].startswith("ami-")
    assert refused(ssm.get_parameter, Name=NAME)[0] == "AccessDeniedException"
