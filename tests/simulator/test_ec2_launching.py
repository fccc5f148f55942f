"""What RunInstances refuses and where it puts instances.

Sources: RunInstances and its shapes in the EC2 API reference; "Error codes for the Amazon EC2 API";
for BlockDurationMinutes the answers that users quote since spot blocks ended (for example
terraform-aws-modules/terraform-aws-autoscaling#156).
"""

import base64
import ipaddress
from typing import Any

import pytest
from tests.simulator.cloud import Cloud

MISSING = ("ami-0", "image", "gone", "sg-0", "group", "subnet-0", "subnet", "no-such-group")


@pytest.fixture
def cloud() -> Cloud:
    made = Cloud()
    made.known.missing |= set(MISSING)
    return made


def request(**fields: Any) -> dict[str, Any]:
    return {"ImageId": "ami-1", "InstanceType": "m7i.large", "MinCount": 1, "MaxCount": 1} | fields


def shown(cloud: Cloud, **fields: Any) -> dict[str, Any]:
    """The one instance of a request, once it runs."""
    cloud("RunInstances", **request(**fields))
    cloud.step(20)
    [reservation] = cloud("DescribeInstances")["Reservations"]
    return dict(reservation["Instances"][0])


def tagged(kind: str, count: int) -> dict[str, Any]:
    tags = [{"Key": f"key-{number}", "Value": ""} for number in range(count)]
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": tags}]}


def one_tag(**tag: str) -> dict[str, Any]:
    return {"TagSpecifications": [{"ResourceType": "instance", "Tags": [tag]}]}


def spot(**options: Any) -> dict[str, Any]:
    return {"InstanceMarketOptions": {"MarketType": "spot", "SpotOptions": options}}


def interfaces(*specifications: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"NetworkInterfaces": list(specifications)} | fields


def disk(**fields: Any) -> dict[str, Any]:
    return {"BlockDeviceMappings": [{"DeviceName": "/dev/sdf", "Ebs": fields}]}


def reserved(**target: str) -> dict[str, Any]:
    return {"CapacityReservationSpecification": {"CapacityReservationTarget": target}}


INVALID, COMBINATION = "InvalidParameterValue", "InvalidParameterCombination"
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"ImageId": ""}, "MissingParameter"),
    ({"ImageId": "image"}, "InvalidAMIID.Malformed"),
    ({"ImageId": "ami-0"}, "InvalidAMIID.NotFound"),
    ({"InstanceType": "m99.large"}, INVALID),
    ({"MinCount": 2}, INVALID),
    ({"SubnetId": "subnet"}, "InvalidSubnetID.Malformed"),
    ({"SubnetId": "subnet-0"}, "InvalidSubnetID.NotFound"),
    ({"SecurityGroupIds": ["group"]}, "InvalidGroupId.Malformed"),
    ({"SecurityGroupIds": ["sg-0"]}, "InvalidGroup.NotFound"),
    ({"SecurityGroups": ["no-such-group"]}, "InvalidGroup.NotFound"),
    ({"KeyName": "gone"}, "InvalidKeyPair.NotFound"),
    ({"IamInstanceProfile": {"Name": "gone"}}, INVALID),
    ({"IamInstanceProfile": {"Name": "a", "Arn": "b"}}, COMBINATION),
    ({"ClientToken": "x" * 65}, INVALID),
    ({"Placement": {"AvailabilityZone": "us-east-1a"}}, INVALID),
    ({"Placement": {"AvailabilityZoneId": "euc1-az1"}}, INVALID),
    ({"Placement": {"GroupName": "gang"}}, "InvalidPlacementGroup.Unknown"),
    ({"Placement": {"GroupId": "pg-1"}}, "InvalidPlacementGroup.Unknown"),
    ({"Placement": {"GroupId": "gang"}}, "InvalidPlacementGroupId.Malformed"),
    ({"Placement": {"GroupId": "pg-1", "GroupName": "gang"}}, COMBINATION),
    ({"Placement": {"HostId": "h-1"}}, "NotImplemented"),
    ({"LaunchTemplate": {"LaunchTemplateId": "lt-1"}}, "InvalidLaunchTemplateId.NotFound"),
    ({"LaunchTemplate": {"LaunchTemplateId": "x"}}, "InvalidLaunchTemplateId.Malformed"),
    (
        {"LaunchTemplate": {"LaunchTemplateName": "web"}},
        "InvalidLaunchTemplateName.NotFoundException",
    ),
    (
        {"LaunchTemplate": {"LaunchTemplateName": "a b"}},
        "InvalidLaunchTemplateName.MalformedException",
    ),
    ({"LaunchTemplate": {}}, "MissingParameter"),
    (reserved(CapacityReservationId="cr-1"), "InvalidCapacityReservationId.NotFound"),
    (reserved(CapacityReservationId="mine"), "InvalidCapacityReservationId.Malformed"),
    (reserved(CapacityReservationResourceGroupArn="arn:aws:x"), "NotImplemented"),
    (tagged("instance", 51), "TagLimitExceeded"),
    (tagged("volume", 51), "TagLimitExceeded"),
    (tagged("image", 1), INVALID),
    (one_tag(Key="aws:mine", Value="1"), INVALID),
    (one_tag(Key="AWS:mine", Value="1"), INVALID),
    (one_tag(Value="1"), INVALID),
    (one_tag(Key="k" * 128), INVALID),
    (one_tag(Key="k", Value="v" * 257), INVALID),
    (spot(BlockDurationMinutes=60), INVALID),
    (spot(SpotInstanceType="persistent"), COMBINATION),
    (spot(InstanceInterruptionBehavior="stop"), COMBINATION),
    ({"InstanceMarketOptions": {"MarketType": "block"}}, INVALID),
    ({"InstanceMarketOptions": {"MarketType": "capacity-block"}}, "NotImplemented"),
    ({"MetadataOptions": {"HttpTokens": "maybe"}}, INVALID),
    ({"MetadataOptions": {"HttpPutResponseHopLimit": 65}}, INVALID),
    ({"UserData": "#!/bin/sh"}, "InvalidUserData.Malformed"),
    ({"UserData": base64.b64encode(b"x" * 16_385).decode()}, INVALID),
    (disk(SnapshotId="snap-1"), "InvalidSnapshot.NotFound"),
    (disk(SnapshotId="mine"), "InvalidSnapshotID.Malformed"),
    (disk(VolumeSize=9, VolumeType="fast"), INVALID),
    (disk(VolumeSize=0), INVALID),
    (disk(VolumeSize=9, VolumeType="gp2", Iops=100), COMBINATION),  # seen in boto/boto3#2474
    (spot(MaxPrice="cheap"), INVALID),
    (interfaces({"DeviceIndex": 0}, SubnetId="subnet-1"), COMBINATION),
    (interfaces({"DeviceIndex": 0}, SecurityGroupIds=["sg-1"]), COMBINATION),
    (interfaces({"SubnetId": "subnet-1"}), INVALID),
    (interfaces({"DeviceIndex": 1}), INVALID),
    (interfaces({"DeviceIndex": 0}, {"DeviceIndex": 0}), INVALID),
    (interfaces({"DeviceIndex": 0, "SubnetId": "subnet-0"}), "InvalidSubnetID.NotFound"),
    (interfaces({"DeviceIndex": 0, "Groups": ["sg-0"]}), "InvalidGroup.NotFound"),
    (interfaces({"DeviceIndex": 0, "NetworkInterfaceId": "eni-1"}), "NotImplemented"),
    (
        interfaces({"DeviceIndex": 0, "AssociatePublicIpAddress": True}, {"DeviceIndex": 1}),
        COMBINATION,
    ),
    ({"PrivateIpAddress": "nowhere"}, INVALID),
    ({"PrivateIpAddress": "10.0.0.9", "MaxCount": 2}, COMBINATION),
    ({"DryRun": True}, "DryRunOperation"),
]


@pytest.mark.parametrize(("fields", "code"), REFUSED)
def test_what_run_instances_refuses(cloud, fields, code):
    assert cloud.refused("RunInstances", **request(**fields)).startswith(f"{code}: ")
    assert cloud("DescribeInstances") == {"Reservations": []}


def test_spot_blocks_are_refused_with_the_words_that_users_know(cloud):
    refusal = cloud.refused("RunInstances", **request(**spot(BlockDurationMinutes=60)))
    assert refusal == "InvalidParameterValue: BlockDurationMinutes is not a valid parameter"


def test_an_interface_decides_subnet_and_groups(cloud):
    first = {"DeviceIndex": 0, "SubnetId": "subnet-2", "Groups": ["sg-2", "sg-3"]}
    second = {"DeviceIndex": 1, "SubnetId": "subnet-3", "DeleteOnTermination": False}
    found = shown(cloud, **interfaces(second, first))
    assert (found["SubnetId"], found["VpcId"]) == ("subnet-2", "vpc-1")
    assert [group["GroupId"] for group in found["SecurityGroups"]] == ["sg-2", "sg-3"]
    seen = [
        (each["Attachment"]["DeviceIndex"], each["SubnetId"], each["Attachment"]["Status"])
        for each in found["NetworkInterfaces"]
    ]
    assert seen == [(0, "subnet-2", "attached"), (1, "subnet-3", "attached")]
    assert not found["NetworkInterfaces"][1]["Attachment"]["DeleteOnTermination"]
    assert [group["GroupName"] for group in found["NetworkInterfaces"][1]["Groups"]] == ["default"]


def test_without_interfaces_there_is_one_with_the_address_of_the_instance(cloud):
    found = shown(cloud, SubnetId="subnet-2", SecurityGroupIds=["sg-2"])
    [interface] = found["NetworkInterfaces"]
    assert interface["SubnetId"] == found["SubnetId"] == "subnet-2"
    assert interface["PrivateIpAddress"] == found["PrivateIpAddress"]
    assert ipaddress.ip_address(found["PrivateIpAddress"]).is_private
    assert found["PrivateDnsName"].endswith(".eu-central-1.compute.internal")
    assert interface["Groups"] == found["SecurityGroups"]


def test_groups_can_be_named_in_the_vpc(cloud):
    found = shown(cloud, SecurityGroups=["web"])
    assert found["SecurityGroups"] == [{"GroupId": "sg-of-web", "GroupName": "web"}]


def test_an_instance_shows_its_disks_and_metadata_options(cloud):
    found = shown(
        cloud, **disk(VolumeSize=10), MetadataOptions={"HttpTokens": "optional"}, KeyName="key"
    )
    disks = {each["DeviceName"]: each["Ebs"] for each in found["BlockDeviceMappings"]}
    assert set(disks) == {"/dev/xvda", "/dev/sdf"}
    assert len({each["VolumeId"] for each in disks.values()}) == 2
    assert {each["Status"] for each in disks.values()} == {"attached"}
    options = found["MetadataOptions"]
    assert (options["HttpTokens"], options["HttpEndpoint"]) == ("optional", "enabled")
    assert options["State"] == "applied"
    assert found["KeyName"] == "key"


def test_a_terminated_instance_has_neither_network_nor_disks(cloud):
    instance_id = shown(cloud)["InstanceId"]
    cloud("TerminateInstances", InstanceIds=[instance_id])
    cloud.step(20)
    [reservation] = cloud("DescribeInstances")["Reservations"]
    [found] = reservation["Instances"]
    assert (found["NetworkInterfaces"], found["BlockDeviceMappings"]) == ([], [])
    assert "SubnetId" not in found


def test_an_instance_that_batch_launches_shows_its_network_too():
    cloud = Cloud()
    cloud.environment(minvCpus=2, subnets=["subnet-2"], securityGroupIds=["sg-2"])
    cloud.step(60)
    [reservation] = cloud("DescribeInstances")["Reservations"]
    [found] = reservation["Instances"]
    [interface] = found["NetworkInterfaces"]
    assert (interface["SubnetId"], interface["VpcId"]) == ("subnet-2", "vpc-1")
    assert [group["GroupId"] for group in interface["Groups"]] == ["sg-2"]


def test_tags_that_no_resource_may_have_are_refused_later_too(cloud):
    instance_id = shown(cloud, **tagged("instance", 49))["InstanceId"]
    resources = [instance_id]
    cloud("CreateTags", Resources=resources, Tags=[{"Key": "last", "Value": ""}])
    for tag, code in (
        ({"Key": "one-more", "Value": ""}, "TagLimitExceeded"),
        ({"Key": "aws:mine", "Value": ""}, INVALID),
        ({"Value": ""}, INVALID),
    ):
        refusal = cloud.refused("CreateTags", Resources=resources, Tags=[tag])
        assert refusal.startswith(f"{code}: ")
    cloud("CreateTags", Resources=resources, Tags=[{"Key": "last", "Value": "new"}])
