"""Images, snapshots and parameters in the account of `furnished`, and sound requests for them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

Fields = dict[str, Any]
PARAMETER = "/images/atmos"
TAGS = [{"Key": "a", "Value": "b"}]
PUBLIC = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
SPECIFICATIONS = [{"ResourceType": kind, "Tags": TAGS} for kind in ("image", "snapshot")]
LATER = datetime(2029, 1, 1, tzinfo=UTC)
ATTRIBUTES = ("launchPermission", "imdsSupport", "lastLaunchedTime", "description")
NAMES = ("launch-time", "image-id", "snapshot-id", "owner-id", "another", PARAMETER, PUBLIC)


def make(call: Callable[..., Fields], instance: str) -> Callable[[], dict[str, list[str]]]:
    """Begin; what is returned says afterwards what there is, by member name."""
    images = [
        call("ec2", "CreateImage", InstanceId=instance, Name=name, TagSpecifications=SPECIFICATIONS)
        for name in ("first", "second")
    ]
    ids = [str(each["ImageId"]) for each in images]
    given = {"Name": PARAMETER, "Type": "String"}
    call("ssm", "PutParameter", **given, Value="ami-1", Tags=TAGS)

    def known() -> dict[str, list[str]]:
        found = call("ec2", "DescribeSnapshots")["Snapshots"]
        return {
            "ImageIds": ids,
            "SourceImageId": ids,
            "SnapshotId": [str(each["SnapshotId"]) for each in found],
        }

    return known


def of_ec2(known: dict[str, list[str]]) -> dict[str, Fields]:
    """Parameters with which each operation on images and snapshots does something."""
    image, instance = known["ImageIds"][0], known["InstanceId"][1]
    mine = {"ImageId": image}
    return {
        "CreateImage": {
            "InstanceId": instance,
            "Name": "third",
            "NoReboot": True,
            "BlockDeviceMappings": [{"DeviceName": "/dev/sdg", "Ebs": {"VolumeSize": 9}}],
            "TagSpecifications": SPECIFICATIONS,
        },
        "CopyImage": {
            "Name": "copy",
            "SourceImageId": image,
            "SourceRegion": "eu-central-1",
            "CopyImageTags": True,
            "Encrypted": True,
            "KmsKeyId": "alias/mine",
            "ClientToken": "copied",
        },
        "DescribeImages": {
            "Owners": ["self", "amazon"],
            "Filters": [{"Name": "architecture", "Values": ["x86_64"]}],
            "MaxResults": 5,
        },
        "DescribeImageAttribute": mine | {"Attribute": "launchPermission"},
        "DescribeImageReferences": {"ImageIds": [image], "IncludeAllResourceTypes": True},
        "ModifyImageAttribute": mine | {"LaunchPermission": {"Add": [{"UserId": "444455556666"}]}},
        "ResetImageAttribute": mine | {"Attribute": "launchPermission"},
        "EnableImageDeprecation": mine | {"DeprecateAt": LATER},
        "DisableImageDeprecation": mine,
        "EnableImageDeregistrationProtection": {"ImageId": known["ImageIds"][1]},
        "DisableImageDeregistrationProtection": {"ImageId": known["ImageIds"][1]},
        "DeregisterImage": mine | {"DeleteAssociatedSnapshots": True},
        "DescribeSnapshots": {"OwnerIds": ["self"], "MaxResults": 5},
        "DeleteSnapshot": {"SnapshotId": known["SnapshotId"][0]},
    }


def of_ssm() -> dict[str, Fields]:
    """Parameters with which each operation on parameters does something."""
    named = {"Name": PARAMETER}
    tagged = {"ResourceType": "Parameter", "ResourceId": PARAMETER}
    return {
        "PutParameter": named | {"Value": "ami-2", "Overwrite": True, "DataType": "aws:ec2:image"},
        "GetParameter": named,
        "GetParameters": {"Names": [PARAMETER, PUBLIC]},
        "GetParametersByPath": {"Path": "/images", "Recursive": True},
        "GetParameterHistory": named,
        "DescribeParameters": {"MaxResults": 5},
        "DeleteParameter": named,
        "DeleteParameters": {"Names": [PARAMETER]},
        "AddTagsToResource": tagged | {"Tags": TAGS},
        "RemoveTagsFromResource": tagged | {"TagKeys": ["a"]},
        "ListTagsForResource": tagged,
    }


def words() -> dict[str, list[str]]:
    """What only the text of the documentation says of members that are plain strings."""
    return {
        "Names": [PARAMETER, PUBLIC],
        "Path": ["/images", "/", "/aws/service/ecs"],
        "ResourceId": [PARAMETER],
        "DataType": ["text", "aws:ec2:image"],
        "SourceRegion": ["eu-central-1", "us-east-1"],
        "Owners": ["self", "amazon"],
        "OwnerIds": ["self"],
        "OptionName": ["state-name", "version-depth"],
        "OptionValues": ["running", "3"],
        "OperationType": ["add", "remove"],
        "UserIds": ["444455556666"],
    }
