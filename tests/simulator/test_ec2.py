"""EC2 instances: launched once for a token, found by filters, gone for good."""

from typing import Any

import pytest
from tests.simulator.cloud import Cloud


def run(cloud: Cloud, **fields: Any) -> list[str]:
    answer = cloud("RunInstances", **request(**fields))
    return [each["InstanceId"] for each in answer["Instances"]]


def request(**fields: Any) -> dict[str, Any]:
    return {"ImageId": "ami-1", "InstanceType": "m7i.large", "MinCount": 1, "MaxCount": 1} | fields


def tagged(**tags: str) -> list[dict[str, Any]]:
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    return [{"ResourceType": "instance", "Tags": pairs}]


def found(cloud: Cloud, **fields: Any) -> list[str]:
    return [
        instance["InstanceId"]
        for reservation in cloud("DescribeInstances", **fields)["Reservations"]
        for instance in reservation["Instances"]
    ]


def states(cloud: Cloud) -> list[str]:
    return [
        instance["State"]["Name"]
        for reservation in cloud("DescribeInstances")["Reservations"]
        for instance in reservation["Instances"]
    ]


def by(name: str, *values: str) -> list[dict[str, Any]]:
    return [{"Name": name, "Values": list(values)}]


def test_an_instance_passes_its_states_and_is_forgotten_after_an_hour():
    cloud = Cloud()
    [instance_id] = run(cloud)
    assert states(cloud) == ["pending"]
    cloud.step(20)
    assert states(cloud) == ["running"]
    answer = cloud("TerminateInstances", InstanceIds=[instance_id])["TerminatingInstances"][0]
    assert answer["PreviousState"] == {"Code": 16, "Name": "running"}
    assert answer["CurrentState"] == {"Code": 32, "Name": "shutting-down"}
    cloud.step(20)
    assert states(cloud) == ["terminated"]
    cloud("TerminateInstances", InstanceIds=[instance_id])
    cloud.step(3600)
    refusal = cloud.refused("DescribeInstances", InstanceIds=[instance_id])
    assert refusal.startswith("InvalidInstanceID.NotFound")


def test_the_same_token_and_request_bring_the_same_instances():
    cloud = Cloud()
    first = run(cloud, ClientToken="t1", MinCount=2, MaxCount=2)
    cloud.step(20)
    again = cloud("RunInstances", **request(ClientToken="t1", MinCount=2, MaxCount=2))["Instances"]
    assert [each["InstanceId"] for each in again] == first
    assert [each["State"]["Name"] for each in again] == ["running"] * 2
    assert sorted(found(cloud)) == sorted(first)


def test_the_same_token_with_another_request_is_refused():
    cloud = Cloud()
    run(cloud, ClientToken="t1")
    refusal = cloud.refused("RunInstances", **request(ClientToken="t1", InstanceType="m7i.xlarge"))
    assert refusal.startswith("IdempotentParameterMismatch")


def test_a_token_of_terminated_instances_is_refused():
    cloud = Cloud()
    cloud("TerminateInstances", InstanceIds=run(cloud, ClientToken="t1"))
    refusal = cloud.refused("RunInstances", **request(ClientToken="t1"))
    assert refusal.startswith("IdempotentInstanceTerminated")


def test_a_token_that_brought_nothing_can_be_used_again():
    cloud = Cloud()
    cloud.fault("insufficient_capacity", instanceType="m7i.*", market="on-demand")
    refusal = cloud.refused("RunInstances", **request(ClientToken="t1"))
    assert refusal.startswith("InsufficientInstanceCapacity")
    cloud.world.faults.clear()
    assert len(run(cloud, ClientToken="t1")) == 1


def test_instances_come_in_pages():
    cloud = Cloud()
    ids = sorted(run(cloud, MinCount=7, MaxCount=7))
    first = cloud("DescribeInstances", MaxResults=5)
    assert sorted(found(cloud, MaxResults=5)) == ids[:5]
    assert found(cloud, NextToken=first["NextToken"]) == ids[5:]
    assert "InvalidParameterValue" in cloud.refused("DescribeInstances", MaxResults=4)


def test_tags_are_added_replaced_and_removed():
    cloud = Cloud()
    [instance_id] = run(cloud, TagSpecifications=tagged(a="1", b="2"))
    cloud("CreateTags", Resources=[instance_id], Tags=[{"Key": "b", "Value": "3"}])
    cloud("DeleteTags", Resources=[instance_id], Tags=[{"Key": "a", "Value": "other"}])
    tags = cloud("DescribeTags", Filters=by("resource-id", instance_id))["Tags"]
    assert {each["Key"]: each["Value"] for each in tags} == {"a": "1", "b": "3"}
    cloud("DeleteTags", Resources=[instance_id], Tags=[{"Key": "a"}])
    assert cloud("DescribeTags", Filters=by("key", "a"))["Tags"] == []


@pytest.mark.parametrize(
    ("resource", "code"),
    [
        ("i-0", "InvalidInstanceID.NotFound"),  # seen in openaddresses/machine#445
        ("no-id", "InvalidID"),
        ("subnet-1", "NotImplemented"),  # it is there, and its tags are not simulated
    ],
)
def test_only_instances_that_there_are_can_be_tagged(resource, code):
    refusal = Cloud().refused("CreateTags", Resources=[resource], Tags=[{"Key": "a"}])
    assert refusal.startswith(code)


def test_a_token_that_nobody_gave_is_refused():
    refusal = Cloud().refused("DescribeInstances", NextToken="zzz")
    assert refusal.startswith("InvalidNextToken")


def test_an_instance_that_is_named_twice_is_described_once():
    cloud = Cloud()
    [instance_id] = run(cloud)
    assert found(cloud, InstanceIds=[instance_id, instance_id]) == [instance_id]


def test_one_unknown_instance_stops_the_termination_of_all():
    cloud = Cloud()
    [instance_id] = run(cloud)
    refusal = cloud.refused("TerminateInstances", InstanceIds=[instance_id, "i-0"])
    assert refusal.startswith("InvalidInstanceID.NotFound")
    assert states(cloud) == ["pending"]
