"""What CreateImage and CopyImage share: an image is pending, then available or failed.

Sources: CreateImage, CopyImage and Image in the EC2 API reference; "Error codes for the Amazon EC2
API"; words of EC2: hashicorp/terraform#2990 (too many snapshots make the image fail),
aws-samples/aws-backup-automation#2 (a key that cannot be used).
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from awsbatch_simulator.ec2 import requests, volumes
from awsbatch_simulator.ec2.image_model import Disk, Image, ImageState, Snapshot, SnapshotState
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
TAGGED = frozenset({"image", "snapshot"})
NAME = re.compile(r"[A-Za-z0-9()\[\] ./\-'@_]{3,128}")
DESCRIPTION_CHARACTERS = 255
_TOO_MANY = (
    "Client.SnapshotLimitExceeded",
    "Maximum allowed in-use snapshot limit exceeded.",
)
_NO_KEY = (
    "AMI snapshot copy failed with error: Given key ID is not accessible. You must have "
    "DescribeKey permissions on the default CMK"
)
_LOCKED = ("Client.InternalError", _NO_KEY)
Reason = tuple[str, str]
Source = tuple[Disk, str]  # the volume of which there is to be a snapshot; empty: none


def tags_of(request: Fields) -> dict[str, dict[str, str]]:
    """The tags of the image and of its snapshots, by type. Raises AwsFailure."""
    return {kind: requests.tags_for(request, kind, among=TAGGED) for kind in sorted(TAGGED)}


def check_name(region: Region, request: Fields) -> None:
    """Raise AwsFailure for a name that no image may have, or that another one has."""
    name = request["Name"]
    if not NAME.fullmatch(name):
        raise AwsFailure(
            "InvalidAMIName.Malformed",
            "AMI names must be between 3 and 128 characters long, and may contain letters, "
            "numbers, '(', ')', '.', '-', '/' and '_'",
        )
    if len(request.get("Description") or "") > DESCRIPTION_CHARACTERS:
        raise _invalid(f"Description: up to {DESCRIPTION_CHARACTERS} characters")
    if (holder := region.ec2.image_names.get(name)) is not None:
        message = f"AMI name {name} is already in use by AMI {holder.id}"
        raise AwsFailure("InvalidAMIName.Duplicate", message)


def check_room(region: Region) -> None:
    """Raise AwsFailure where the account has as many images as it may."""
    most = region.world.settings.market.images
    if len(region.ec2.images) >= most:
        message = f"You have reached the quota of {most} AMIs in this Region."
        raise AwsFailure("ResourceLimitExceeded", message)


def make_snapshots(
    region: Region, sources: Iterable[Source], tags: dict[str, str], description: str
) -> tuple[Disk, ...]:
    """The disks with their new snapshots; one that comes of no volume stays as it is."""
    made = []
    for disk, volume_id in sources:
        if not volume_id:
            made.append(disk)
            continue
        snapshot = Snapshot(
            id=f"snap-{region.world.hex_id(17)}",
            size=disk.size,
            volume_id=volume_id,
            started_at=region.world.clock.now(),
            tags=dict(tags),
            description=description,
            encrypted=disk.encrypted,
            kms_key=disk.kms_key,
        )
        region.ec2.snapshots[snapshot.id] = snapshot
        made.append(replace(disk, snapshot_id=snapshot.id))
    return tuple(made)


def begin(region: Region, image: Image, seconds: float, about: dict[str, str]) -> None:
    """It is pending, and will be available unless something is wrong."""
    region.ec2.register(image)
    fault = region.world.faults.active("image_fails", name=image.name, **about)
    reason = (fault.spec.code, fault.spec.message) if fault is not None else None
    if fault is not None and fault.spec.seconds:
        seconds = fault.spec.seconds
    if reason is None and len(region.ec2.snapshots) > region.world.settings.market.snapshots:
        reason = _TOO_MANY
    operation = about["operation"]
    region.world.clock.call_after(seconds, _end, region, image, operation, reason)


def _end(region: Region, image: Image, operation: str, reason: Reason | None) -> None:
    """Its snapshots are complete, or it has failed; what was made of it stays."""
    made = [region.ec2.snapshots.get(each) for each in image.snapshots]
    mine = [each for each in made if each is not None and each.state is SnapshotState.PENDING]
    reason = reason or _locked(region, operation, mine)
    for snapshot in mine:
        if reason is not None:
            snapshot.state, snapshot.state_message = SnapshotState.ERROR, reason[1]
        else:
            snapshot.state = SnapshotState.COMPLETED
            snapshot.completed_at = region.world.clock.now()
    if image.state is ImageState.PENDING:
        image.state = ImageState.AVAILABLE if reason is None else ImageState.FAILED
        image.state_reason = reason


def _locked(region: Region, operation: str, made: Iterable[Snapshot]) -> Reason | None:
    """Whether EC2 may not use the key of an encrypted copy: that is seen only in the end."""
    for each in made if operation == "CopyImage" else ():
        if each.encrypted and (
            volumes.of_another_region(region, each.kms_key)
            or region.world.faults.active(
                "key_without_grant", kmsKeyId=each.kms_key, operation=operation
            )
        ):
            return _LOCKED
    return None


def _invalid(message: str) -> AwsFailure:
    return AwsFailure("InvalidParameterValue", message)
