"""Stop and start, attributes, status checks, console, volumes, and what is seen late.

Sources: StopInstances, StartInstances, TerminateInstances, ModifyInstanceAttribute,
DescribeInstanceStatus, GetConsoleOutput, DescribeVolumes and DeleteVolume in the EC2 API reference.
"""

import base64
from typing import Any

import pytest
from tests.simulator.instances import Zoned, instance, run, spot, state, tagged
from tests.simulator.test_ec2_spot import heard, order

from awsbatch_simulator.faults import Effect, FaultSpec


@pytest.fixture
def cloud() -> Zoned:
    return Zoned()


def running(cloud: Zoned, **fields: Any) -> str:
    [instance_id] = run(cloud, **fields)
    cloud.step(20)
    return instance_id


def attribute(cloud: Zoned, instance_id: str, name: str) -> dict[str, Any]:
    found = cloud("DescribeInstanceAttribute", InstanceId=instance_id, Attribute=name)
    del found["InstanceId"]
    return found


def status(cloud: Zoned, instance_id: str) -> dict[str, Any]:
    [found] = cloud("DescribeInstanceStatus", InstanceIds=[instance_id])["InstanceStatuses"]
    return dict(found)


def said(cloud: Zoned, instance_id: str, **fields: Any) -> str:
    answer = cloud("GetConsoleOutput", InstanceId=instance_id, **fields)
    return base64.b64decode(answer.get("Output", "")).decode()


def test_a_stopped_instance_keeps_its_volumes_and_address_and_starts_again(cloud):
    instance_id = running(cloud)
    before = instance(cloud, instance_id)
    [change] = cloud("StopInstances", InstanceIds=[instance_id])["StoppingInstances"]
    assert (change["PreviousState"]["Name"], change["CurrentState"]["Code"]) == ("running", 64)
    cloud.step(20)
    assert state(cloud, instance_id) == "stopped"
    cloud("StartInstances", InstanceIds=[instance_id])
    cloud.step(20)
    after = instance(cloud, instance_id)
    assert after["State"]["Name"] == "running"
    assert after["PrivateIpAddress"] == before["PrivateIpAddress"]
    assert [each["Ebs"]["VolumeId"] for each in after["BlockDeviceMappings"]] == [
        each["Ebs"]["VolumeId"] for each in before["BlockDeviceMappings"]
    ]


def test_every_state_of_an_instance_is_told(cloud):
    told = heard(cloud)
    instance_id = running(cloud)
    for operation in ("StopInstances", "StartInstances", "TerminateInstances"):
        cloud(operation, InstanceIds=[instance_id])
        cloud.step(20)
    assert {kind for kind, _ in told} == {"EC2 Instance State-change Notification"}
    assert [detail["state"] for _, detail in told] == [
        *("pending", "running", "stopping", "stopped", "pending", "running"),
        *("shutting-down", "terminated"),
    ]


def test_what_is_in_the_wrong_state_is_refused(cloud):
    instance_id = running(cloud)
    cloud("TerminateInstances", InstanceIds=[instance_id])
    for operation in ("StopInstances", "StartInstances", "RebootInstances"):
        refusal = cloud.refused(operation, InstanceIds=[instance_id])
        assert refusal.startswith("IncorrectInstanceState: ")


def test_a_one_time_spot_instance_cannot_be_stopped(cloud):
    refusal = cloud.refused("StopInstances", InstanceIds=[running(cloud, **spot())])
    assert refusal.startswith("UnsupportedOperation: You can't stop the Spot Instance 'i-")


def test_a_reboot_leaves_it_running(cloud):
    instance_id = running(cloud)
    cloud("RebootInstances", InstanceIds=[instance_id])
    assert state(cloud, instance_id) == "running"


@pytest.mark.parametrize(("behavior", "end"), [("stop", "stopped"), ("terminate", "terminated")])
def test_an_instance_that_shuts_itself_down_stops_or_goes_as_it_was_launched_to(
    cloud, behavior, end
):
    instance_id = running(cloud, InstanceInitiatedShutdownBehavior=behavior)
    told = heard(cloud)
    order(cloud, "shut_down")
    cloud.step(20)
    assert state(cloud, instance_id) == end
    assert instance(cloud, instance_id)["StateReason"]["Code"] == (
        "Client.InstanceInitiatedShutdown"
    )
    assert told[-1][1] == {"instance-id": instance_id, "state": end}


def test_a_protected_instance_spares_its_whole_zone(cloud):
    protected = running(cloud, DisableApiTermination=True)
    beside, elsewhere = running(cloud), running(cloud, SubnetId="subnet-2")
    refusal = cloud.refused("TerminateInstances", InstanceIds=[protected, beside, elsewhere])
    assert refusal.startswith(f"OperationNotPermitted: The instance '{protected}' may not be")
    states = [state(cloud, each) for each in (protected, beside, elsewhere)]
    assert states == ["running", "running", "shutting-down"]
    cloud("ModifyInstanceAttribute", InstanceId=protected, DisableApiTermination={"Value": False})
    cloud("TerminateInstances", InstanceIds=[protected])


def test_attributes_can_be_read_and_changed(cloud):
    data = base64.b64encode(b"#!/bin/sh\n").decode()
    instance_id = running(cloud, UserData=data)
    assert attribute(cloud, instance_id, "userData") == {"UserData": {"Value": data}}
    behavior = "instanceInitiatedShutdownBehavior"
    member = "InstanceInitiatedShutdownBehavior"
    assert attribute(cloud, instance_id, behavior) == {member: {"Value": "stop"}}
    change = {"InstanceId": instance_id, member: {"Value": "terminate"}}
    cloud("ModifyInstanceAttribute", **change)
    assert attribute(cloud, instance_id, behavior) == {member: {"Value": "terminate"}}
    cloud("ModifyInstanceAttribute", InstanceId=instance_id, Groups=["sg-7"])
    assert instance(cloud, instance_id)["SecurityGroups"][0]["GroupId"] == "sg-7"
    root = attribute(cloud, instance_id, "blockDeviceMapping")["BlockDeviceMappings"][0]
    assert (root["DeviceName"], root["Ebs"]["DeleteOnTermination"]) == ("/dev/xvda", True)


def test_the_type_changes_only_while_it_is_stopped(cloud):
    instance_id = running(cloud)
    change = {"InstanceId": instance_id, "InstanceType": {"Value": "m5.xlarge"}}
    refusal = cloud.refused("ModifyInstanceAttribute", **change)
    assert refusal.startswith("IncorrectInstanceState: ")
    cloud("StopInstances", InstanceIds=[instance_id])
    cloud.step(20)
    cloud("ModifyInstanceAttribute", **change)
    assert instance(cloud, instance_id)["InstanceType"] == "m5.xlarge"
    both = change | {"SourceDestCheck": {"Value": False}}
    refusal = cloud.refused("ModifyInstanceAttribute", **both)
    assert refusal.startswith("InvalidParameterCombination: ")


def test_status_checks_pass_after_a_while_and_fail_on_request(cloud):
    instance_id = running(cloud)
    assert status(cloud, instance_id)["InstanceStatus"]["Status"] == "initializing"
    cloud.step(120)
    assert status(cloud, instance_id)["SystemStatus"]["Status"] == "ok"
    order(cloud, "impair", check="system")
    failed = status(cloud, instance_id)
    assert (failed["SystemStatus"]["Status"], failed["InstanceStatus"]["Status"]) == (
        "impaired",
        "ok",
    )
    impaired = [{"Name": "system-status.status", "Values": ["impaired"]}]
    assert len(cloud("DescribeInstanceStatus", Filters=impaired)["InstanceStatuses"]) == 1
    order(cloud, "recover")
    assert cloud("DescribeInstanceStatus", Filters=impaired)["InstanceStatuses"] == []


def test_scheduled_events_are_shown_and_told(cloud):
    instance_id = running(cloud)
    told = heard(cloud)
    order(cloud, "schedule", code="instance-retirement", seconds=86_400)
    [event] = status(cloud, instance_id)["Events"]
    assert event["Code"] == "instance-retirement"
    assert event["NotBefore"].timestamp() == cloud.world.clock.now() + 86_400
    assert told[0][0] == "AWS Health Event"
    assert told[0][1]["affectedEntities"] == [{"entityValue": instance_id}]


def test_only_running_instances_have_a_status_unless_all_are_asked_for(cloud):
    run(cloud)
    assert cloud("DescribeInstanceStatus")["InstanceStatuses"] == []
    [pending] = cloud("DescribeInstanceStatus", IncludeAllInstances=True)["InstanceStatuses"]
    assert pending["InstanceState"]["Name"] == "pending"
    assert pending["InstanceStatus"]["Status"] == "not-applicable"


def test_the_console_has_what_the_instance_said(cloud):
    [instance_id] = run(cloud)
    assert "Output" not in cloud("GetConsoleOutput", InstanceId=instance_id)
    cloud.step(20)
    order(cloud, "say", text="cloud-init: done\nno such file")
    assert said(cloud, instance_id, Latest=True).endswith("cloud-init: done\nno such file\n")
    assert "no such file" not in said(cloud, instance_id)
    cloud.step(60)
    assert said(cloud, instance_id).endswith("cloud-init: done\nno such file\n")
    order(cloud, "say", text="é" * 70_000)
    assert len(said(cloud, instance_id, Latest=True).encode()) <= 65_536


def test_the_latest_console_is_for_nitro_and_what_was_said_stays_for_an_hour_after_the_end(cloud):
    xen, nitro = running(cloud, InstanceType="m4.large"), running(cloud)
    refusal = cloud.refused("GetConsoleOutput", InstanceId=xen, Latest=True)
    assert refusal.startswith("UnsupportedOperation")
    for each in (xen, nitro):
        order(cloud, "say", text="last words", instanceIds=[each])
    cloud("TerminateInstances", InstanceIds=[xen, nitro])
    cloud.step(3500)
    assert "last words" in said(cloud, xen)
    assert "last words" in said(cloud, nitro, Latest=True)
    cloud.step(200)
    assert "InvalidInstanceID" in cloud.refused("GetConsoleOutput", InstanceId=nitro)


def test_volumes_go_with_their_instance_or_stay_alone(cloud):
    disks = [
        {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 50}},
        {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 9, "DeleteOnTermination": False}},
    ]
    tags = [tagged("volume", pool="a")]
    instance_id = running(cloud, BlockDeviceMappings=disks, TagSpecifications=tags)
    mine = [{"Name": "tag:pool", "Values": ["a"]}]
    volumes = cloud("DescribeVolumes", Filters=mine)["Volumes"]
    assert sorted((each["Size"], each["VolumeType"], each["State"]) for each in volumes) == [
        (9, "gp2", "in-use"),
        (50, "gp3", "in-use"),
    ]
    attached = [{"Name": "attachment.instance-id", "Values": [instance_id]}]
    assert len(cloud("DescribeVolumes", Filters=attached)["Volumes"]) == 2
    left = next(each["VolumeId"] for each in volumes if each["Size"] == 9)
    assert cloud.refused("DeleteVolume", VolumeId=left).startswith("VolumeInUse: ")
    cloud("TerminateInstances", InstanceIds=[instance_id])
    cloud.step(20)
    [alone] = cloud("DescribeVolumes")["Volumes"]
    assert (alone["VolumeId"], alone["State"], alone["Attachments"]) == (left, "available", [])
    cloud("DeleteVolume", VolumeId=left)
    assert cloud("DescribeVolumes")["Volumes"] == []
    assert cloud.refused("DeleteVolume", VolumeId=left).startswith("InvalidVolume.NotFound: ")


def test_parts_of_an_instance_can_be_tagged_until_they_are_gone(cloud):
    instance_id = running(cloud, **spot())
    shown = instance(cloud, instance_id)
    parts = [
        shown["BlockDeviceMappings"][0]["Ebs"]["VolumeId"],
        shown["NetworkInterfaces"][0]["NetworkInterfaceId"],
        shown["SpotInstanceRequestId"],
    ]
    cloud("CreateTags", Resources=parts, Tags=[{"Key": "a", "Value": "b"}])
    assert {each["ResourceId"] for each in cloud("DescribeTags")["Tags"]} == set(parts)
    cloud("DeleteTags", Resources=parts[:1], Tags=[{"Key": "a"}])
    assert len(cloud("DescribeTags")["Tags"]) == 2
    cloud("TerminateInstances", InstanceIds=[instance_id])
    cloud.step(20)
    refusal = cloud.refused("CreateTags", Resources=parts[:1], Tags=[{"Key": "a", "Value": "b"}])
    assert refusal.startswith("InvalidVolume.NotFound: ")


def found(cloud: Zoned) -> int:
    mine = [{"Name": "tag:intent", "Values": ["7"]}]
    groups = cloud("DescribeInstances", Filters=mine)["Reservations"]
    return sum(len(group["Instances"]) for group in groups)


def test_tags_can_be_late(cloud):
    cloud.fault("hidden_tags", seconds=30)
    [instance_id] = run(cloud, TagSpecifications=[tagged("instance", intent="7")])
    assert (found(cloud), instance(cloud, instance_id)["Tags"]) == (0, [])
    cloud.step(30)
    assert (found(cloud), len(instance(cloud, instance_id)["Tags"])) == (1, 1)


def test_instances_can_be_late(cloud):
    spec = FaultSpec(effect=Effect.HIDE, service="ec2", operation="Describe*", seconds=30)
    cloud.world.faults.add(spec)
    [instance_id] = run(cloud, **spot(), TagSpecifications=[tagged("instance", intent="7")])
    assert found(cloud) == 0
    assert cloud("DescribeSpotInstanceRequests")["SpotInstanceRequests"] == []
    assert cloud("DescribeVolumes")["Volumes"] == []
    refusal = cloud.refused("DescribeInstances", InstanceIds=[instance_id])
    assert refusal.startswith("InvalidInstanceID.NotFound: ")
    cloud.step(30)
    assert found(cloud) == 1


def test_a_changed_tag_is_found_by_its_new_value_only(cloud):
    [instance_id] = run(cloud, TagSpecifications=[tagged("instance", intent="6")])
    cloud("CreateTags", Resources=[instance_id], Tags=[{"Key": "intent", "Value": "7"}])
    assert found(cloud) == 1
    cloud("CreateTags", Resources=[instance_id], Tags=[{"Key": "intent", "Value": "8"}])
    assert found(cloud) == 0
    cloud("DeleteTags", Resources=[instance_id])
    assert instance(cloud, instance_id)["Tags"] == []


def test_a_terminated_instance_is_listed_for_an_hour(cloud):
    instance_id = running(cloud, TagSpecifications=[tagged("instance", intent="7")])
    cloud("TerminateInstances", InstanceIds=[instance_id])
    cloud.step(20)
    assert found(cloud) == 1
    cloud.step(3600)
    assert found(cloud) == 0
    assert not cloud.region.ec2.by_tag
