"""What moto answers of the network, images and types agrees with what our EC2 launches."""

import ipaddress

import pytest
from botocore.exceptions import ClientError

from awsbatch_simulator.ec2 import public_images, types
from awsbatch_simulator.faults import Effect, FaultSpec


def test_subnets_have_fewer_free_addresses_while_instances_are_there(simulator, client):
    ec2 = client("ec2")

    def free() -> dict[str, int]:
        found = ec2.describe_subnets()["Subnets"]
        return {one["SubnetId"]: one["AvailableIpAddressCount"] for one in found}

    before = free()
    for subnet, count in (("subnet-1", 3), ("subnet-2", 1)):
        made = ec2.run_instances(
            ImageId="ami-12c6146b",
            InstanceType="m5.large",
            MinCount=count,
            MaxCount=count,
            SubnetId=subnet,
        )["Instances"]
        block = next(one for one in ec2.describe_subnets()["Subnets"] if one["SubnetId"] == subnet)
        network = ipaddress.ip_network(block["CidrBlock"])
        assert all(ipaddress.ip_address(one["PrivateIpAddress"]) in network for one in made)
    assert free() == before | {
        "subnet-1": before["subnet-1"] - 3,
        "subnet-2": before["subnet-2"] - 1,
    }
    ec2.terminate_instances(InstanceIds=[made[0]["InstanceId"]])
    simulator.world.advance(20)
    assert free() == before | {"subnet-1": before["subnet-1"] - 3}


def test_an_image_that_its_owner_has_withdrawn_launches_nothing_more(simulator, client):
    ec2 = client("ec2")
    with pytest.raises(ClientError, match="AuthFailure"):
        ec2.deregister_image(ImageId="ami-12c6146b")
    assert public_images.withdraw(simulator.world, simulator.place.region, "ami-12c6146b")
    with pytest.raises(ClientError) as refusal:
        ec2.run_instances(ImageId="ami-12c6146b", InstanceType="m5.large", MinCount=1, MaxCount=1)
    assert refusal.value.response["Error"]["Code"] == "InvalidAMIID.Unavailable"


def test_types_that_are_offered_in_a_zone_are_those_that_can_be_launched_there(client):
    found = client("ec2").describe_instance_type_offerings(
        LocationType="availability-zone",
        Filters=[{"Name": "location", "Values": ["eu-central-1b"]}],
    )["InstanceTypeOfferings"]
    shown = {one["InstanceType"] for one in found}
    ours = {one.name for one in types.every()}
    assert {name for name in ours if types.offered("eu-central-1", name, "eu-central-1b")} == (
        shown & ours
    )


def test_a_dry_run_tells_whether_one_may(simulator, client):
    ec2 = client("ec2")
    request = {"ImageId": "ami-12c6146b", "InstanceType": "m5.large", "MinCount": 1, "MaxCount": 1}
    spec = FaultSpec(effect=Effect.DENY, service="ec2", operation="RunInstances", times=1)
    simulator.world.faults.add(spec)
    answers = []
    for _ in range(2):
        with pytest.raises(ClientError) as refusal:
            ec2.run_instances(**request, DryRun=True)
        error = refusal.value.response["Error"]
        status = refusal.value.response["ResponseMetadata"]["HTTPStatusCode"]
        answers.append((error["Code"], status, error["Message"].split(". ")[0]))
    assert answers == [
        ("UnauthorizedOperation", 403, "You are not authorized to perform this operation"),
        ("DryRunOperation", 412, "Request would have succeeded, but DryRun flag is set."),
    ]
