"""Placement groups: made, found, used, and kept as long as an instance is in one.

Sources: CreatePlacementGroup, DescribePlacementGroups and DeletePlacementGroup in the EC2 API
reference; FDio/csit#1721, scylladb/scylla-cluster-tests#6742, bcbio/bcbio-nextgen-vm#37 for words.
"""

from typing import Any

import pytest
from tests.simulator.cloud import Cloud

RUN: dict[str, Any] = {
    "ImageId": "ami-1",
    "InstanceType": "m7i.large",
    "MinCount": 1,
    "MaxCount": 1,
}


@pytest.fixture
def cloud() -> Cloud:
    made = Cloud()
    made("CreatePlacementGroup", GroupName="near", Strategy="cluster")
    return made


def shown(cloud: Cloud, **fields: Any) -> list[str]:
    return [
        each["GroupName"] for each in cloud("DescribePlacementGroups", **fields)["PlacementGroups"]
    ]


def test_a_group_is_available_at_once_and_found_by_name_id_and_filter(cloud):
    tags = [{"ResourceType": "placement-group", "Tags": [{"Key": "team", "Value": "a"}]}]
    made = cloud(
        "CreatePlacementGroup", GroupName="apart", Strategy="spread", TagSpecifications=tags
    )["PlacementGroup"]
    assert (made["State"], made["SpreadLevel"]) == ("available", "rack")
    assert shown(cloud) == ["apart", "near"]
    assert shown(cloud, GroupNames=["near"]) == ["near"]
    assert shown(cloud, GroupIds=[made["GroupId"]]) == ["apart"]
    assert shown(cloud, Filters=[{"Name": "strategy", "Values": ["cluster"]}]) == ["near"]
    assert shown(cloud, Filters=[{"Name": "tag:team", "Values": ["a"]}]) == ["apart"]
    [tag] = cloud("DescribeTags")["Tags"]
    assert (tag["ResourceId"], tag["ResourceType"]) == (made["GroupId"], "placement-group")


@pytest.mark.parametrize(
    ("operation", "fields", "refusal"),
    [
        ("CreatePlacementGroup", {"GroupName": "near"},
         "InvalidPlacementGroup.Duplicate: The placement group 'near' already exists."),
        ("DescribePlacementGroups", {"GroupNames": ["far"]},
         "InvalidPlacementGroup.Unknown: The Placement Group 'far' is unknown."),
        ("DeletePlacementGroup", {"GroupName": "far"},
         "InvalidPlacementGroup.Unknown: The Placement Group 'far' is unknown."),
        ("RunInstances", RUN | {"Placement": {"GroupName": "far"}},
         "InvalidPlacementGroup.Unknown: The Placement Group 'far' is unknown."),
        ("CreatePlacementGroup", {}, "MissingParameter: "),
        ("CreatePlacementGroup", {"GroupName": "x" * 256}, "InvalidParameterValue: "),
        ("CreatePlacementGroup", {"GroupName": "new", "PartitionCount": 2},
         "InvalidParameterCombination: "),
        ("CreatePlacementGroup", {"GroupName": "new", "Strategy": "partition",
                                  "PartitionCount": 8}, "InvalidParameterValue: "),
        ("CreatePlacementGroup", {"GroupName": "new", "Strategy": "tight"},
         "InvalidParameterValue: "),
    ],
)  # fmt: skip
def test_what_the_operations_refuse(cloud, operation, fields, refusal):
    assert cloud.refused(operation, **fields).startswith(refusal)
    assert shown(cloud) == ["near"]


def test_a_group_with_instances_cannot_be_deleted(cloud):
    answer = cloud("RunInstances", **RUN, Placement={"GroupName": "near"})
    refusal = cloud.refused("DeletePlacementGroup", GroupName="near")
    assert refusal == (
        "InvalidPlacementGroup.InUse: The placement group 'near' is in use and may not be deleted."
    )
    cloud("TerminateInstances", InstanceIds=[answer["Instances"][0]["InstanceId"]])
    cloud.step(60)
    cloud("DeletePlacementGroup", GroupName="near")
    assert shown(cloud) == []
