"""CreateImage: an image of an instance, with a snapshot of each of its volumes.

Sources: CreateImage in the EC2 API reference; "Error codes for the Amazon EC2 API"; words of EC2:
`step_create_ami.go` of hashicorp/packer-plugin-amazon (an instance that is not in a state for it).
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from awsbatch_simulator.ec2 import disks, image_making, launching
from awsbatch_simulator.ec2.image_making import Source
from awsbatch_simulator.ec2.image_model import Disk, Image, ImageState
from awsbatch_simulator.ec2.model import Instance, InstanceState
from awsbatch_simulator.ec2.types import instance_type
from awsbatch_simulator.errors import AwsFailure, not_implemented
from awsbatch_simulator.host.baking import baked_of
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
_SOUND = frozenset({InstanceState.RUNNING, InstanceState.STOPPED})


def create(region: Region, request: Fields) -> Fields:
    """CreateImage: of an instance that runs (it is rebooted, and stays running) or has stopped."""
    [instance] = launching.named(region, [request["InstanceId"]])
    image_making.check_name(region, request)
    for member in ("BootModeOverride", "SnapshotLocation"):
        if request.get(member) not in {None, "regional"}:
            raise not_implemented("ec2", f"CreateImage with {member}")
    tags = image_making.tags_of(request)
    wanted = _of_instance(region, instance, request.get("BlockDeviceMappings") or ())
    _check_state(instance)
    image_making.check_room(region)
    image_id, base = f"ami-{region.world.hex_id(17)}", instance.image
    told = f"Created by CreateImage({instance.id}) for {image_id}"
    image = Image(
        id=image_id,
        name=request["Name"],
        owner=region.place.account,
        created_at=region.world.clock.now(),
        architecture=_architecture(instance),
        disks=image_making.make_snapshots(region, wanted, tags["snapshot"], told),
        root_device=disks.root_device(base),
        description=request.get("Description") or "",
        state=ImageState.PENDING,
        tags=tags["image"],
        imds_v2=instance.imds_v2,
        windows=base is not None and base.windows,
        source_instance=instance.id,
        source_image=instance.image_id,
        source_region=region.place.region,
        baked=baked_of(region, instance.id),
    )
    about = {"operation": "CreateImage", "instanceId": instance.id}
    image_making.begin(region, image, region.world.settings.delays.image_creating, about)
    return {"ImageId": image.id}


def _architecture(instance: Instance) -> str:
    """What it is made for: as its image is, or, of one of Batch's own, as its type is."""
    if instance.image is not None:
        return instance.image.architecture
    size = instance_type(instance.type)
    return "x86_64" if size is None else size.architecture


def _check_state(instance: Instance) -> None:
    if instance.state.gone:
        message = f"The instance '{instance.id}' is not in a state from which it can be imaged."
        raise AwsFailure("IncorrectInstanceState", message)
    if instance.state not in _SOUND:
        raise AwsFailure(
            "InvalidParameterValue",
            f"Instance is not in state 'running' or 'stopped': {instance.state}.",
        )


def _of_instance(region: Region, instance: Instance, mappings: Iterable[Fields]) -> list[Source]:
    """The disks of an image: the instance's volumes, with the mappings of the request over them."""
    volumes = {each.device: each.id for each in instance.volumes}
    found = {
        each.device: Disk(
            device=each.device,
            size=each.size,
            kind=each.kind,
            delete_on_termination=each.delete_on_termination,
            iops=each.iops,
            throughput=each.throughput,
            encrypted=each.encrypted,
            kms_key=each.kms_key,
        )
        for each in instance.volumes
    }
    root = disks.root_device(instance.image)
    for mapping in mappings:
        device, ebs = mapping.get("DeviceName"), mapping.get("Ebs")
        if not device:
            raise AwsFailure("MissingParameter", "A block device mapping needs a deviceName")
        if "NoDevice" in mapping:
            if device == root:
                raise disks.invalid(f"The root device {device} cannot be left out")
            found.pop(device, None)
        elif ebs is not None and device in found:
            found[device] = _kept(found[device], ebs)
        elif ebs is not None:
            found[device] = _added(region, device, ebs)
    return [(disk, volumes.get(device, "")) for device, disk in found.items()]


def _kept(disk: Disk, ebs: Fields) -> Disk:
    """Of a volume that the instance has, DeleteOnTermination alone can be changed."""
    if "Encrypted" in ebs or "KmsKeyId" in ebs:
        message = (
            f"the encrypted flag cannot be specified since device {disk.device} has a snapshot "
            "specified"
        )
        raise disks.invalid(message)
    same = {"VolumeSize": disk.size, "VolumeType": disk.kind, "Iops": disk.iops}
    same |= {"Throughput": disk.throughput, "SnapshotId": ""}
    for member, value in same.items():
        if member in ebs and ebs[member] != value:
            raise disks.invalid(f"{member} of {disk.device} cannot be changed by CreateImage")
    return replace(
        disk,
        delete_on_termination=ebs.get("DeleteOnTermination", disk.delete_on_termination),
        initialization_rate=ebs.get("VolumeInitializationRate"),
    )


def _added(region: Region, device: str, ebs: Fields) -> Disk:
    """A device that the instance has not: a volume to be made empty, or of a snapshot."""
    snapshot_id = ebs.get("SnapshotId") or ""
    if snapshot_id:
        disks.check_snapshot(region, snapshot_id)
    elif "VolumeSize" not in ebs:
        raise disks.invalid(f"Either snapshot ID or volume size must be provided for: {device}")
    [disk] = (
        each
        for each in disks.merged(region, None, [{"DeviceName": device, "Ebs": ebs}])
        if each.device == device
    )
    disks.check_performance(disk, ebs)
    return disk
