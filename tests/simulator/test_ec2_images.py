"""Machine images are made of instances, and copied."""

import pytest
from tests.simulator.cloud import Cloud
from tests.simulator.instances import state, tagged
from tests.simulator.pictures import (
    PENDING,
    disk,
    image,
    listed,
    made,
    only,
    running,
    snapshots,
    stopped,
)

from awsbatch_simulator.faults import Effect, FaultSpec
from awsbatch_simulator.host.baking import BakedRoot


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


def test_an_image_is_pending_and_then_available_with_a_snapshot_of_each_volume(cloud):
    source = stopped(
        cloud,
        BlockDeviceMappings=[
            disk("/dev/xvda", VolumeSize=111),
            disk(
                "/dev/sdf", VolumeSize=500, VolumeType="io2", Iops=9000, DeleteOnTermination=False
            ),
        ],
    )
    image_id = cloud("CreateImage", InstanceId=source, Name="atmos", Description="d")["ImageId"]
    pending = image(cloud, image_id)
    assert (pending["State"], pending["BlockDeviceMappings"]) == ("pending", [])
    assert {each["State"] for each in snapshots(cloud)} == {"pending"}
    cloud.step(PENDING)
    found = image(cloud, image_id)
    assert {
        name: found[name] for name in ("State", "Name", "Description", "OwnerId", "Public")
    } == {
        "State": "available",
        "Name": "atmos",
        "Description": "d",
        "OwnerId": cloud.caller.place.account,
        "Public": False,
    }
    assert (found["SourceInstanceId"], found["SourceImageId"]) == (source, "ami-1")
    assert (found["RootDeviceName"], found["Architecture"]) == ("/dev/xvda", "x86_64")
    root, data = found["BlockDeviceMappings"]
    sizes = {each["SnapshotId"]: each["VolumeSize"] for each in snapshots(cloud)}
    assert sizes == {root["Ebs"]["SnapshotId"]: 111, data["Ebs"]["SnapshotId"]: 500}
    assert {each["State"] for each in snapshots(cloud)} == {"completed"}
    assert data["Ebs"] | {"SnapshotId": ""} == {
        "SnapshotId": "",
        "VolumeSize": 500,
        "VolumeType": "io2",
        "Iops": 9000,
        "DeleteOnTermination": False,
        "Encrypted": False,
    }


def test_image_and_snapshots_have_their_tags_from_the_beginning(cloud):
    tags = [tagged("image", build="1"), tagged("snapshot", build="2")]
    cloud("CreateImage", InstanceId=stopped(cloud), Name="atmos", TagSpecifications=tags)
    assert listed(cloud, Filters=[{"Name": "tag:build", "Values": ["1"]}]) == {"atmos"}
    [found] = snapshots(cloud, Filters=[{"Name": "tag:build", "Values": ["2"]}])
    assert found["Description"].startswith("Created by CreateImage(i-")
    refused = cloud.refused(
        "CreateImage",
        InstanceId=stopped(cloud),
        Name="other",
        TagSpecifications=[tagged("instance", a="b")],
    )
    assert refused.startswith("InvalidParameterValue")


def test_a_running_instance_stays_running_while_it_is_imaged(cloud):
    source = running(cloud)
    made(cloud, instance_id=source)
    assert state(cloud, source) == "running"


def test_an_instance_that_is_neither_running_nor_stopped_cannot_be_imaged(cloud):
    source = running(cloud)
    cloud("StopInstances", InstanceIds=[source])
    early = cloud.refused("CreateImage", InstanceId=source, Name="atmos")
    assert early.startswith("InvalidParameterValue: Instance is not in state")
    cloud("TerminateInstances", InstanceIds=[source])
    late = cloud.refused("CreateImage", InstanceId=source, Name="atmos")
    assert late.startswith("IncorrectInstanceState")
    unknown = cloud.refused("CreateImage", InstanceId="i-77", Name="atmos")
    assert unknown.startswith("InvalidInstanceID.NotFound")


@pytest.mark.parametrize("name", ["a" * 129, "with: colon", "näme", "a,b"])
def test_a_name_that_no_image_may_have_is_refused(cloud, name):
    refused = cloud.refused("CreateImage", InstanceId=stopped(cloud), Name=name)
    assert refused.startswith("InvalidAMIName.Malformed")


def test_all_the_characters_of_names_are_taken(cloud):
    name = "aZ9()[] ./-'@_"
    assert image(cloud, made(cloud, name))["Name"] == name


def test_a_name_is_taken_until_its_image_is_deregistered(cloud):
    first = made(cloud)
    source = stopped(cloud)
    refused = cloud.refused("CreateImage", InstanceId=source, Name="atmos")
    assert refused == f"InvalidAMIName.Duplicate: AMI name atmos is already in use by AMI {first}"
    cloud("DeregisterImage", ImageId=first)
    assert made(cloud, instance_id=source) != first


def test_names_of_other_regions_and_accounts_are_free(cloud):
    made(cloud)
    made(cloud.elsewhere("us-east-1"))
    made(cloud.elsewhere("eu-central-1", "444455556666"))
    assert listed(cloud, Owners=["self"]) == {"atmos"}


def test_mappings_add_and_leave_out_devices_and_change_only_whether_they_go(cloud):
    source = stopped(cloud, BlockDeviceMappings=[disk("/dev/sdf", VolumeSize=9)])
    given = [
        disk("/dev/xvda", DeleteOnTermination=False, VolumeSize=30),
        {"DeviceName": "/dev/sdf", "NoDevice": ""},
        disk("/dev/sdg", VolumeSize=7, VolumeType="gp3"),
    ]
    found = image(cloud, made(cloud, instance_id=source, BlockDeviceMappings=given))
    root, added = found["BlockDeviceMappings"]
    assert (root["DeviceName"], root["Ebs"]["DeleteOnTermination"]) == ("/dev/xvda", False)
    assert (added["DeviceName"], added["Ebs"]["VolumeSize"]) == ("/dev/sdg", 7)
    assert "SnapshotId" not in added["Ebs"]
    assert len(snapshots(cloud)) == 1


@pytest.mark.parametrize(
    "change",
    [{"VolumeSize": 31}, {"VolumeType": "gp2"}, {"Encrypted": True}, {"SnapshotId": "snap-1"}],
)
def test_what_createimage_cannot_change_of_a_volume_is_refused(cloud, change):
    refused = cloud.refused(
        "CreateImage",
        InstanceId=stopped(cloud),
        Name="atmos",
        BlockDeviceMappings=[disk("/dev/xvda", **change)],
    )
    assert refused.startswith("InvalidBlockDeviceMapping")
    assert snapshots(cloud) == []


def failing(cloud: Cloud, seconds: float = 0, **match: str) -> None:
    spec = FaultSpec(
        effect=Effect.WORLD,
        name="image_fails",
        seconds=seconds,
        match=match,
        code="Client.InternalError",
        message="It went wrong",
    )
    cloud.world.faults.add(spec)


def test_an_image_can_fail_and_what_is_left_of_it_stays(cloud):
    failing(cloud, seconds=100, operation="CreateImage", name="atmos")
    image_id = made(cloud)
    assert image(cloud, image_id)["State"] == "pending"
    cloud.step(40)
    found = image(cloud, image_id)
    assert found["State"] == "failed"
    assert found["StateReason"] == {"Code": "Client.InternalError", "Message": "It went wrong"}
    assert [each["State"] for each in snapshots(cloud)] == ["error"]
    taken = cloud.refused("CreateImage", InstanceId=stopped(cloud), Name="atmos")
    assert taken.startswith("InvalidAMIName.Duplicate")
    cloud("DeregisterImage", ImageId=image_id)
    assert len(snapshots(cloud)) == 1


def test_quotas_hold_images_and_snapshots(cloud):
    cloud.world.change(cloud.world.settings.patched({"market": {"images": 1, "snapshots": 0}}))
    found = image(cloud, made(cloud))
    assert (found["State"], found["StateReason"]["Code"]) == (
        "failed",
        "Client.SnapshotLimitExceeded",
    )
    refused = cloud.refused("CreateImage", InstanceId=stopped(cloud), Name="another")
    assert refused.startswith("ResourceLimitExceeded")


def test_what_stands_on_the_root_goes_into_the_image_and_its_copies(cloud, monkeypatch):
    baked = BakedRoot(packages=("htop",))
    source = stopped(cloud)
    asked = []

    def baked_of(region, instance_id):
        asked.append((region, instance_id))
        return baked

    monkeypatch.setattr("awsbatch_simulator.ec2.image_creating.baked_of", baked_of)
    first = made(cloud, instance_id=source)
    assert asked == [(cloud.region, source)]
    assert cloud.region.images[first].baked is baked
    there = cloud.elsewhere()
    copied = copy(there, first, "eu-central-1")
    assert there.region.images[copied].baked is baked
    launched = running(cloud, ImageId=first)
    cloud("DeregisterImage", ImageId=first)
    assert cloud.region.images[first].baked is baked
    assert cloud.region.ec2.instances[launched].image.baked is baked


def copy(cloud: Cloud, source: str, region: str, name: str = "copy", **fields: object) -> str:
    made = cloud("CopyImage", SourceImageId=source, SourceRegion=region, Name=name, **fields)
    return str(made["ImageId"])


def test_a_copy_has_snapshots_of_its_own_in_its_region(cloud):
    first, there = made(cloud, TagSpecifications=[tagged("image", a="b")]), cloud.elsewhere()
    copied = copy(there, first, "eu-central-1", TagSpecifications=[tagged("snapshot", c="d")])
    assert image(there, copied)["State"] == "pending"
    there.step(PENDING)
    found = image(there, copied)
    assert (found["State"], found["Tags"], found["Name"]) == ("available", [], "copy")
    assert (found["SourceImageId"], found["SourceImageRegion"]) == (first, "eu-central-1")
    [snapshot] = snapshots(there)
    assert found["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"] == snapshot["SnapshotId"]
    assert snapshot["Tags"] == [{"Key": "c", "Value": "d"}]
    assert snapshot["SnapshotId"] not in {each["SnapshotId"] for each in snapshots(cloud)}
    cloud.known.missing.add(copied)  # it is no public image
    assert cloud.refused("DescribeImages", ImageIds=[copied]).startswith("InvalidAMIID.NotFound")


def test_tags_come_along_if_they_are_asked_for_and_new_ones_go_over_them(cloud):
    first = made(cloud, TagSpecifications=[tagged("image", a="b", c="d")])
    over = [tagged("image", c="e")]
    copied = copy(cloud, first, "eu-central-1", CopyImageTags=True, TagSpecifications=over)
    assert cloud.region.ec2.images[copied].tags == {"a": "b", "c": "e"}


def test_the_same_client_token_is_the_same_copy(cloud):
    first = made(cloud)
    copied = copy(cloud, first, "eu-central-1", ClientToken="t")
    assert copy(cloud, first, "eu-central-1", ClientToken="t") == copied
    refused = cloud.refused(
        "CopyImage",
        SourceImageId=first,
        SourceRegion="eu-central-1",
        Name="x" * 9,
        ClientToken="t",
    )
    assert refused.startswith("IdempotentParameterMismatch")
    assert listed(cloud, Owners=["self"]) == {"atmos", "copy"}


def test_only_an_available_image_can_be_copied(cloud):
    source = cloud("CreateImage", InstanceId=stopped(cloud), Name="atmos")["ImageId"]
    request = {"SourceRegion": "eu-central-1", "Name": "copy"}
    refused = cloud.refused("CopyImage", SourceImageId=source, **request)
    assert refused.startswith("InvalidAMIID.Unavailable")
    cloud.known.missing.add("ami-77")
    missing = cloud.refused("CopyImage", SourceImageId="ami-77", **request)
    assert missing.startswith("InvalidAMIID.NotFound")
    nowhere = cloud.refused("CopyImage", SourceImageId=source, Name="copy", SourceRegion="moon")
    assert nowhere.startswith("InvalidParameterValue")


def test_an_encrypted_copy_needs_a_key_that_ec2_may_use(cloud):
    first = made(cloud)
    key = {"KmsKeyId": "alias/mine"}
    request = {"SourceImageId": first, "SourceRegion": "eu-central-1", "Name": "copy"}
    refused = cloud.refused("CopyImage", **request, **key)
    assert refused.startswith("InvalidParameterDependency")
    cloud.fault("key_without_grant", kmsKeyId="alias/mine", operation="CopyImage")
    bad = copy(cloud, first, "eu-central-1", Encrypted=True, **key)
    assert image(cloud, bad)["State"] == "pending"
    good = copy(cloud, first, "eu-central-1", "other", Encrypted=True)
    cloud.step(PENDING)
    failed = image(cloud, bad)
    assert failed["State"] == "failed"
    assert "Given key ID is not accessible" in failed["StateReason"]["Message"]
    found = image(cloud, good)
    assert (found["State"], found["BlockDeviceMappings"][0]["Ebs"]["Encrypted"]) == (
        "available",
        True,
    )
    [broken] = snapshots(cloud, Filters=only(status="error"))
    assert "not accessible" in broken["StateMessage"]
    [sound] = snapshots(cloud, Filters=only(encrypted="true", status="completed"))
    assert sound["KmsKeyId"].endswith(":alias/aws/ebs")
