"""What becomes of machine images and their snapshots, and who sees them."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.simulator.cloud import PLACE, Cloud
from tests.simulator.instances import instance, refused, run, tagged
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

OTHER = "444455556666"
HOUR, DAY = 3600.0, 86_400.0


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


def test_nothing_is_launched_with_an_image_that_is_pending_failed_or_deregistered(cloud):
    pending = cloud("CreateImage", InstanceId=stopped(cloud), Name="atmos")["ImageId"]
    early = refused(cloud, ImageId=pending)
    assert early == f"InvalidAMIID.Unavailable: AMI '{pending}' is pending, and cannot be run"
    cloud.fault("image_fails", name="broken")
    broken = made(cloud, "broken")
    assert refused(cloud, ImageId=broken).startswith("InvalidAMIID.Unavailable")
    living = running(cloud, ImageId=pending)
    cloud("DeregisterImage", ImageId=pending)
    gone = refused(cloud, ImageId=pending)
    assert gone == f"InvalidAMIID.Unavailable: The image ID '{pending}' is no longer available"
    assert instance(cloud, living)["State"]["Name"] == "running"


def test_a_deregistered_image_is_seen_a_while_then_silence_then_it_is_unknown(cloud):
    image_id = made(cloud)
    living = running(cloud, ImageId=image_id)
    cloud("DeregisterImage", ImageId=image_id)
    assert image(cloud, image_id)["State"] == "deregistered"
    assert listed(cloud, Owners=["self"]) == set()
    cloud.step(11)
    assert cloud("DescribeImages", ImageIds=[image_id])["Images"] == []
    cloud("TerminateInstances", InstanceIds=[living])
    cloud.step(20)
    unknown = cloud.refused("DescribeImages", ImageIds=[image_id])
    assert unknown == f"InvalidAMIID.NotFound: The image id '[{image_id}]' does not exist"
    again = cloud.refused("DeregisterImage", ImageId=image_id)
    assert again.startswith("InvalidAMIID.Unavailable")


def test_a_new_image_may_not_be_seen_by_anything_at_first(cloud):
    for name in ("DescribeImages", "ModifyImageAttribute", "DescribeSnapshots", "RunInstances"):
        cloud.hide(name, 100)
    image_id = made(cloud)
    assert listed(cloud, Owners=["self"]) == set()
    assert snapshots(cloud) == []
    assert cloud.refused("DescribeImages", ImageIds=[image_id]).startswith("InvalidAMIID.NotFound")
    change = {"ImageId": image_id, "Description": {"Value": "d"}}
    assert cloud.refused("ModifyImageAttribute", **change).startswith("InvalidAMIID.NotFound")
    assert refused(cloud, ImageId=image_id).startswith("InvalidAMIID.NotFound")
    cloud.step(41)
    assert run(cloud, ImageId=image_id)
    assert listed(cloud, Owners=["self"]) == {"atmos"}
    cloud("ModifyImageAttribute", **change)
    assert image(cloud, image_id)["Description"] == "d"


def test_snapshots_stay_when_their_image_goes_and_are_in_use_a_little_longer(cloud):
    image_id = made(cloud)
    [snapshot] = snapshots(cloud)
    request = {"SnapshotId": snapshot["SnapshotId"]}
    in_use = f"The snapshot {snapshot['SnapshotId']} is currently in use by {image_id}"
    assert cloud.refused("DeleteSnapshot", **request) == f"InvalidSnapshot.InUse: {in_use}"
    assert "DeleteSnapshotResults" not in cloud("DeregisterImage", ImageId=image_id)
    assert cloud.refused("DeleteSnapshot", **request) == f"InvalidSnapshot.InUse: {in_use}"
    cloud.step(5)
    cloud("DeleteSnapshot", **request)
    assert snapshots(cloud) == []
    assert cloud.refused("DeleteSnapshot", **request).startswith("InvalidSnapshot.NotFound")


def test_snapshots_go_with_the_last_image_that_uses_them_if_so_asked(cloud):
    first = made(cloud)
    [snapshot] = snapshots(cloud)
    shared = snapshot["SnapshotId"]
    second = made(cloud, "second", BlockDeviceMappings=[disk("/dev/sdf", SnapshotId=shared)])
    results = cloud("DeregisterImage", ImageId=first, DeleteAssociatedSnapshots=True)
    assert results["DeleteSnapshotResults"] == [{"SnapshotId": shared, "ReturnCode": "skipped"}]
    assert len(snapshots(cloud)) == 2
    results = cloud("DeregisterImage", ImageId=second, DeleteAssociatedSnapshots=True)
    codes = [each["ReturnCode"] for each in results["DeleteSnapshotResults"]]
    assert codes == ["success", "success"]
    assert snapshots(cloud) == []


def test_what_is_pending_can_be_deregistered_and_its_snapshots_are_left(cloud):
    image_id = cloud("CreateImage", InstanceId=stopped(cloud), Name="atmos")["ImageId"]
    cloud("DeregisterImage", ImageId=image_id)
    cloud.step(60)
    assert [each["State"] for each in snapshots(cloud)] == ["completed"]
    assert cloud.region.images[image_id].state.value == "deregistered"


def test_a_protected_image_cannot_be_deregistered_nor_for_a_day_after_a_cooldown(cloud):
    image_id = made(cloud)
    named = {"ImageId": image_id}
    cloud("EnableImageDeregistrationProtection", **named, WithCooldown=True)
    assert cloud.refused("DeregisterImage", **named).startswith("OperationNotPermitted")
    assert image(cloud, image_id)["DeregistrationProtection"] == "enabled-with-cooldown"
    cloud("DisableImageDeregistrationProtection", **named)
    cloud.step(DAY - 1)
    assert cloud.refused("DeregisterImage", **named).startswith("OperationNotPermitted")
    cloud.step(1)
    cloud("EnableImageDeregistrationProtection", **named)
    cloud("DisableImageDeregistrationProtection", **named)
    cloud("DeregisterImage", **named)


def test_deprecation_is_rounded_to_the_minute_and_hides_an_image_from_others_only(cloud):
    image_id, now = made(cloud), cloud.world.clock.now()
    at = datetime.fromtimestamp(now, UTC)
    too_early, too_late = at - timedelta(minutes=1), at + timedelta(days=3661)
    for wrong in (too_early, too_late):
        refusal = cloud.refused("EnableImageDeprecation", ImageId=image_id, DeprecateAt=wrong)
        assert refusal.startswith("InvalidParameterValue")
    later = at.replace(second=0, microsecond=0) + timedelta(hours=1, seconds=40)
    cloud("EnableImageDeprecation", ImageId=image_id, DeprecateAt=later)
    shown = image(cloud, image_id)["DeprecationTime"]
    assert shown == f"{later + timedelta(seconds=20):%Y-%m-%dT%H:%M:%S}.000Z"
    permitted = {"LaunchPermission": {"Add": [{"UserId": OTHER}]}}
    cloud("ModifyImageAttribute", ImageId=image_id, **permitted)
    theirs = cloud.elsewhere(PLACE.region, OTHER)
    theirs.known.missing.add(image_id)  # it is no public image
    named = {"Filters": only(name="atmos")}
    assert listed(theirs, **named) == {"atmos"}
    cloud.step(2 * HOUR)
    assert listed(theirs, **named) == set()
    assert listed(theirs, **named, IncludeDeprecated=True) == {"atmos"}
    assert image(theirs, image_id)["Name"] == "atmos"
    assert listed(cloud, **named) == {"atmos"}
    cloud("DisableImageDeprecation", ImageId=image_id)
    assert listed(theirs, **named) == {"atmos"}


def test_who_has_launch_permission_sees_and_launches_an_image_and_changes_nothing(cloud):
    image_id = made(cloud, TagSpecifications=[tagged("image", a="b")])
    theirs = cloud.elsewhere(PLACE.region, OTHER)
    theirs.known.missing.add(image_id)
    assert theirs.refused("DescribeImages", ImageIds=[image_id]).startswith("InvalidAMIID")
    add = {"Attribute": "launchPermission", "OperationType": "add", "UserIds": [OTHER]}
    cloud("ModifyImageAttribute", ImageId=image_id, **add)
    found = image(theirs, image_id)
    assert (found["Tags"], found["OwnerId"]) == ([], PLACE.account)
    assert run(theirs, ImageId=image_id)
    assert listed(theirs, Owners=["self"]) == set()
    assert listed(theirs, ExecutableUsers=["self"]) == {"atmos"}
    assert theirs.refused("DeregisterImage", ImageId=image_id).startswith("AuthFailure")
    cloud("ResetImageAttribute", ImageId=image_id, Attribute="launchPermission")
    assert theirs.refused("DescribeImages", ImageIds=[image_id]).startswith("InvalidAMIID")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, "InvalidParameterCombination"),
        ({"Description": {"Value": "a"}, "Attribute": "imdsSupport"}, "InvalidParameterComb"),
        ({"Attribute": "kernel", "Value": "a"}, "InvalidParameterValue"),
        ({"ImdsSupport": {"Value": "v1.0"}}, "InvalidParameterValue"),
        ({"LaunchPermission": {"Add": [{"UserId": "me"}]}}, "InvalidAMIAttributeItemValue"),
        ({"LaunchPermission": {"Add": [{"Group": "some"}]}}, "InvalidAMIAttributeItemValue"),
        ({"LaunchPermission": {}}, "InvalidParameterCombination"),
        ({"Attribute": "launchPermission", "UserIds": [OTHER]}, "InvalidParameterValue"),
    ],
)
def test_a_change_that_an_image_cannot_have_is_refused(cloud, change, code):
    refusal = cloud.refused("ModifyImageAttribute", ImageId=made(cloud), **change)
    assert refusal.startswith(code)


def test_a_pending_image_cannot_be_changed(cloud):
    image_id = cloud("CreateImage", InstanceId=stopped(cloud), Name="atmos")["ImageId"]
    change = {"Description": {"Value": "d"}}
    refusal = cloud.refused("ModifyImageAttribute", ImageId=image_id, **change)
    assert refusal.startswith("InvalidAMIID.Unavailable")
    assert "currently pending and may not be used" in refusal


def test_attributes_are_told_one_at_a_time(cloud):
    image_id = made(cloud)
    public = {"LaunchPermission": {"Add": [{"Group": "all"}, {"UserId": OTHER}]}}
    cloud("ModifyImageAttribute", ImageId=image_id, **public)
    cloud("ModifyImageAttribute", ImageId=image_id, Attribute="description", Value="c")
    both = {"Attribute": "description", "Description": {"Value": "d"}}
    cloud("ModifyImageAttribute", ImageId=image_id, **both)

    def told(name: str) -> object:
        answer = cloud("DescribeImageAttribute", ImageId=image_id, Attribute=name)
        return next((value for key, value in answer.items() if key != "ImageId"), None)

    assert told("launchPermission") == [{"UserId": OTHER}, {"Group": "all"}]
    assert told("description") == {"Value": "d"}
    assert told("imdsSupport") == {"Value": "v2.0"}
    assert told("deregistrationProtection") == {"Value": "disabled"}
    assert told("kernel") is None
    assert image(cloud, image_id)["Public"] is True
    theirs = {"ImageId": "ami-1", "Attribute": "description"}
    assert cloud.refused("DescribeImageAttribute", **theirs).startswith("AuthFailure")


def test_a_launch_is_told_a_day_later(cloud):
    image_id = made(cloud)
    run(cloud, ImageId=image_id)
    first = datetime.fromtimestamp(int(cloud.world.clock.now()), UTC)
    cloud.step(DAY - 1)
    assert "LastLaunchedTime" not in image(cloud, image_id)
    cloud.step(1)
    run(cloud, ImageId=image_id)
    assert image(cloud, image_id)["LastLaunchedTime"] == f"{first:%Y-%m-%dT%H:%M:%S}.000Z"
    cloud.step(DAY)
    second = first + timedelta(days=1)
    assert image(cloud, image_id)["LastLaunchedTime"] == f"{second:%Y-%m-%dT%H:%M:%S}.000Z"


def copy(cloud: Cloud, source: str, name: str, **fields: object) -> str:
    request = {"SourceImageId": source, "SourceRegion": "eu-central-1", "Name": name}
    return str(cloud("CopyImage", **request, **fields)["ImageId"])


@pytest.mark.parametrize(
    ("key", "state"),
    [
        ("arn:aws:kms:us-east-1:111122223333:key/1234abcd", "available"),
        ("arn:aws:kms:eu-central-1:111122223333:key/1234abcd", "failed"),
        ("1234abcd", "failed"),  # that of the source, which is of another region
        ("mrk-1234abcd", "available"),
        ("", "available"),  # the default key there
    ],
)
def test_a_copy_needs_a_key_of_the_region_that_it_is_made_in(cloud, key, state):
    """EC2 finds out after it has answered (CopyImageRequest.KmsKeyId)."""
    named = key if key.startswith("mrk-") else "1234abcd"
    first = made(cloud)
    mine = copy(cloud, first, "mine", Encrypted=True, KmsKeyId=named)
    cloud.step(PENDING)
    abroad = cloud.elsewhere("us-east-1")
    more = {"KmsKeyId": key, "Encrypted": True} if key else {}
    copied = copy(abroad, mine, "abroad", **more)
    cloud.step(PENDING)
    assert image(abroad, copied)["State"] == state
