"""Volumes: they come with instances and mostly go with them.

Sources: RunInstances.BlockDeviceMappings, EbsBlockDevice, DescribeVolumes and DeleteVolume in the
EC2 API reference. The root volume is that of the ECS-optimized Amazon Linux 2023 image: gp3, 30
GiB.
"""

from datetime import UTC, datetime
from typing import Any

from awsbatch_simulator.ec2 import filters, paging
from awsbatch_simulator.ec2.capacity_model import Volume
from awsbatch_simulator.ec2.model import Instance, part_id
from awsbatch_simulator.ec2.network import absent
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
ROOT_DEVICE = "/dev/xvda"
ROOT: Fields = {"VolumeType": "gp3", "VolumeSize": 30}
KIND = "volume"
_IOPS, _THROUGHPUT, _SMALLEST = 3000, 125, 8  # gp3's figures; GiB where nobody said how many
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


def mappings(request: Fields) -> dict[str, Fields]:
    """The volumes of an instance by device: the root, and those that were asked for."""
    found: dict[str, Fields] = {ROOT_DEVICE: ROOT}
    for each in request.get("BlockDeviceMappings") or ():
        device = each.get("DeviceName", "")
        if "NoDevice" in each:
            found.pop(device, None)
        elif "Ebs" in each:
            found[device] = (ROOT if device == ROOT_DEVICE else {}) | (each["Ebs"] or {})
    return found


def create_for(region: Region, instance: Instance) -> None:
    """The volumes of a new instance."""
    tags = _tags(instance.request)
    for index, (device, disk) in enumerate(mappings(instance.request).items()):
        kind = disk.get("VolumeType", "gp2")
        volume = Volume(
            id=part_id("vol", instance.id, index),
            zone=instance.zone,
            size=disk.get("VolumeSize", _SMALLEST),
            kind=kind,
            created_at=instance.launched_at,
            tags=dict(tags),
            device=device,
            delete_on_termination=disk.get("DeleteOnTermination", True),
            instance_id=instance.id,
            iops=disk.get("Iops", _IOPS if kind == "gp3" else None),
            throughput=disk.get("Throughput", _THROUGHPUT if kind == "gp3" else None),
            encrypted=bool(disk.get("Encrypted", False)),
        )
        region.ec2.volumes[volume.id] = volume
        instance.volumes.append(volume)
    instance.changed()


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
        "SnapshotId": "",
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
    return view
