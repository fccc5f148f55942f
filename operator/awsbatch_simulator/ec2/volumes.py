"""Volumes: they come with instances and mostly go with them.

Sources: RunInstances.BlockDeviceMappings, EbsBlockDevice, DescribeVolumes and DeleteVolume in the
EC2 API reference.
"""

from datetime import UTC, datetime
from typing import Any

from awsbatch_simulator.ec2 import disks, filters, paging
from awsbatch_simulator.ec2.capacity_model import Volume
from awsbatch_simulator.ec2.model import Instance, part_id
from awsbatch_simulator.ec2.network import absent
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
KIND = "volume"
REGION_OF_ARN = 3  # arn:partition:service:region:account:resource
_FILTERS = {
    "attachment.attach-time": ("Attachments", "AttachTime"),
    "attachment.delete-on-termination": ("Attachments", "DeleteOnTermination"),
    "attachment.device": ("Attachments", "Device"),
    "attachment.instance-id": ("Attachments", "InstanceId"),
    "attachment.status": ("Attachments", "State"),
    "availability-zone": ("AvailabilityZone",),
    "create-time": ("CreateTime",),
    "encrypted": ("Encrypted",),
    "size": ("Size",),
    "snapshot-id": ("SnapshotId",),
    "status": ("State",),
    "volume-id": ("VolumeId",),
    "volume-type": ("VolumeType",),
}


def create_for(region: Region, instance: Instance) -> None:
    """The volumes of a new instance: the image's, and those that were asked for."""
    tags, asked = _tags(instance.request), instance.request.get("BlockDeviceMappings") or ()
    for index, disk in enumerate(disks.merged(region, instance.image, asked)):
        provisioned = disk.kind == "gp3"
        volume = Volume(
            id=part_id("vol", instance.id, index),
            zone=instance.zone,
            size=disk.size,
            kind=disk.kind,
            created_at=instance.launched_at,
            tags=dict(tags),
            device=disk.device,
            delete_on_termination=disk.delete_on_termination,
            instance_id=instance.id,
            iops=disk.iops or (disks.GP3_IOPS if provisioned else None),
            throughput=disk.throughput or (disks.GP3_THROUGHPUT if provisioned else None),
            encrypted=disk.encrypted,
            kms_key=disk.kms_key,
            snapshot_id=disk.snapshot_id,
        )
        region.ec2.volumes[volume.id] = volume
        instance.volumes.append(volume)
    instance.changed()


def locked(region: Region, instance: Instance) -> bool:
    """Whether a volume is encrypted with a key that EC2 may not use, or that is not there."""
    return any(
        each.encrypted
        and (
            of_another_region(region, each.kms_key)
            or region.world.faults.active(
                "key_without_grant", kmsKeyId=each.kms_key, operation="RunInstances"
            )
        )
        for each in instance.volumes
    )


def of_another_region(region: Region, key: str) -> bool:
    """Whether the ARN of a key names another region; no region has any other's."""
    parts = key.split(":")
    return len(parts) > REGION_OF_ARN and parts[REGION_OF_ARN] != region.place.region


def _tags(request: Fields) -> dict[str, str]:
    for each in request.get("TagSpecifications") or ():
        if each.get("ResourceType") == KIND:
            return {tag["Key"]: tag.get("Value", "") for tag in each.get("Tags") or ()}
    return {}


def release(region: Region, instance: Instance) -> None:
    """An instance is terminated: its volumes go with it, or stay alone and cost money."""
    for volume in instance.volumes:
        volume.instance_id = None
        if volume.delete_on_termination:
            region.ec2.volumes.pop(volume.id, None)
    instance.volumes.clear()
    instance.changed()


def describe(region: Region, request: Fields) -> Fields:
    """DescribeVolumes: by ids or filters, by page."""
    ids = request.get("VolumeIds") or []
    found = [_of_id(region, each) for each in ids] if ids else region.ec2.volumes.values()
    hidden = region.world.faults.hidden_seconds("ec2", "DescribeVolumes")
    youngest = region.world.clock.now() - hidden
    views = [_view(region, each) for each in found if not hidden or each.created_at <= youngest]
    kept = filters.kept(views, request.get("Filters") or (), _FILTERS)
    return paging.answer("Volumes", kept, request, key="VolumeId", most=1000)


def delete(region: Region, request: Fields) -> Fields:
    """DeleteVolume: one that no instance has."""
    volume = _of_id(region, request["VolumeId"])
    if volume.instance_id is not None:
        message = f"Volume {volume.id} is currently attached to {volume.instance_id}"
        raise AwsFailure("VolumeInUse", message)
    del region.ec2.volumes[volume.id]
    return {}


def _of_id(region: Region, volume_id: str) -> Volume:
    found = region.ec2.volumes.get(volume_id)
    if found is None:
        raise absent(
            "volume",
            prefix="vol",
            reference=volume_id,
            malformed="InvalidVolumeID.Malformed",
            unknown="InvalidVolume.NotFound",
        )
    return found


def _view(region: Region, volume: Volume) -> Fields:
    created = datetime.fromtimestamp(int(volume.created_at), UTC)
    attachment = {
        "VolumeId": volume.id,
        "InstanceId": volume.instance_id,
        "Device": volume.device,
        "State": "attached",
        "AttachTime": created,
        "DeleteOnTermination": volume.delete_on_termination,
    }
    view: Fields = {
        "VolumeId": volume.id,
        "VolumeArn": region.arn("ec2", f"volume/{volume.id}"),
        "AvailabilityZone": volume.zone,
        "CreateTime": created,
        "Size": volume.size,
        "SnapshotId": volume.snapshot_id,
        "VolumeType": volume.kind,
        "State": "available" if volume.instance_id is None else "in-use",
        "Encrypted": volume.encrypted,
        "MultiAttachEnabled": False,
        "Attachments": [attachment] if volume.instance_id is not None else [],
        "Tags": [{"Key": key, "Value": value} for key, value in volume.tags.items()],
    }
    for name, value in (("Iops", volume.iops), ("Throughput", volume.throughput)):
        if value is not None:
            view[name] = value
    if volume.encrypted:
        view["KmsKeyId"] = key_arn(region, volume.kms_key)
    return view


def key_arn(region: Region, given: str) -> str:
    """The ARN of a key that was given by its id, its alias or its ARN; empty: the default key."""
    if given.startswith("arn:"):
        return given
    key = given or "alias/aws/ebs"
    return region.arn("kms", key if key.startswith("alias/") else f"key/{key}")
