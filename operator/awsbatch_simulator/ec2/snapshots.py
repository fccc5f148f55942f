"""Snapshots: they are made with images, and stay when those are deregistered.

Sources: DescribeSnapshots, DeleteSnapshot and DeleteSnapshotReturnCode in the EC2 API reference;
words of EC2: sebdah/automated-ebs-snapshots#4 (in use by an image), boto/boto#3019 (so they are for
a while after the image was deregistered).
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from awsbatch_simulator.ec2 import filters, paging, volumes
from awsbatch_simulator.ec2.image_model import Image, Snapshot, SnapshotState
from awsbatch_simulator.ec2.network import absent
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
KIND = "snapshot"
MOST, LEAST = 1000, 5
SELF = "self"
DELETED, SKIPPED = "success", "skipped"
PATHS: dict[str, tuple[str, ...]] = {
    "description": ("Description",),
    "encrypted": ("Encrypted",),
    "owner-alias": (),
    "owner-id": ("OwnerId",),
    "progress": ("Progress",),
    "snapshot-id": ("SnapshotId",),
    "start-time": ("StartTime",),
    "status": ("State",),
    "storage-tier": ("StorageTier",),
    "transfer-type": (),
    "volume-id": ("VolumeId",),
    "volume-size": ("VolumeSize",),
}


def describe(region: Region, request: Fields) -> Fields:
    """DescribeSnapshots: of the account's own, by ids, owners or filters, by page."""
    ids = request.get("SnapshotIds") or []
    now = region.world.clock.now()
    youngest = now - region.world.faults.hidden_seconds("ec2", "DescribeSnapshots")
    found: Iterable[Snapshot] = region.ec2.snapshots.values()
    if ids:
        found = [_of_id(region, each) for each in dict.fromkeys(ids)]
        for each in found:
            if each.started_at > youngest:
                raise _missing(each.id)
    owners = set(request.get("OwnerIds") or ())
    mine = not owners or owners & {SELF, region.place.account}
    views = [_view(region, each) for each in found if mine and each.started_at <= youngest]
    kept = filters.kept(views, request.get("Filters") or (), PATHS)
    return paging.answer("Snapshots", kept, request, key="SnapshotId", most=MOST, least=LEAST)


def delete(region: Region, request: Fields) -> Fields:
    """DeleteSnapshot: one that no image uses, or has used a moment ago."""
    snapshot = _of_id(region, request["SnapshotId"])
    if holder := _holder(region, snapshot):
        message = f"The snapshot {snapshot.id} is currently in use by {holder}"
        raise AwsFailure("InvalidSnapshot.InUse", message)
    del region.ec2.snapshots[snapshot.id]
    return {}


def delete_with_image(region: Region, snapshot_id: str) -> str:
    """The last image of a snapshot takes it away; what has become of it, in EC2's words."""
    if any(snapshot_id in each.snapshots for each in region.ec2.images.values()):
        return SKIPPED
    region.ec2.snapshots.pop(snapshot_id, None)
    return DELETED


def hold(region: Region, image: Image) -> None:
    """An image that was deregistered uses its snapshots a little longer."""
    until = region.world.clock.now() + region.world.settings.delays.snapshot_held
    for snapshot_id in image.snapshots:
        if (snapshot := region.ec2.snapshots.get(snapshot_id)) is not None:
            snapshot.held_by, snapshot.held_until = image.id, until


def _holder(region: Region, snapshot: Snapshot) -> str:
    """The image that uses a snapshot; empty: none."""
    for image in region.ec2.images.values():
        if snapshot.id in image.snapshots:
            return image.id
    return snapshot.held_by if region.world.clock.now() < snapshot.held_until else ""


def _of_id(region: Region, snapshot_id: str) -> Snapshot:
    found = region.ec2.snapshots.get(snapshot_id)
    if found is None:
        raise _missing(snapshot_id)
    return found


def _missing(snapshot_id: str) -> AwsFailure:
    return absent(
        "snapshot",
        prefix="snap",
        reference=snapshot_id,
        malformed="InvalidSnapshotID.Malformed",
        unknown="InvalidSnapshot.NotFound",
    )


def _view(region: Region, snapshot: Snapshot) -> Fields:
    completed = snapshot.state is SnapshotState.COMPLETED
    view: Fields = {
        "SnapshotId": snapshot.id,
        "VolumeId": snapshot.volume_id,
        "VolumeSize": snapshot.size,
        "OwnerId": region.place.account,
        "Description": snapshot.description,
        "State": snapshot.state.value,
        "Progress": "100%" if completed else "0%",
        "StartTime": datetime.fromtimestamp(int(snapshot.started_at), UTC),
        "Encrypted": snapshot.encrypted,
        "StorageTier": "standard",
        "Tags": [{"Key": key, "Value": value} for key, value in snapshot.tags.items()],
    }
    if snapshot.encrypted:
        view["KmsKeyId"] = volumes.key_arn(region, snapshot.kms_key)
    if snapshot.state_message:
        view["StateMessage"] = snapshot.state_message
    if snapshot.completed_at is not None:
        view["CompletionTime"] = datetime.fromtimestamp(int(snapshot.completed_at), UTC)
    return view
