"""The block devices of a launch: those of the image, with those of the request over them.

Sources: EbsBlockDevice and BlockDeviceMapping in the EC2 API reference; words of EC2:
scylladb/scylla-cluster-tests#2484 (smaller than its snapshot), nortontruter/infracoders-workshop#3
(neither snapshot nor size), boto/boto3#2474 (iops of a type without).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from awsbatch_simulator.ec2.image_model import Disk, Image, SnapshotState
from awsbatch_simulator.ec2.network import absent
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
ROOT_DEVICE = "/dev/xvda"
DEFAULT_TYPE = "gp2"
# GiB that a volume of a type may have.
SIZES: Mapping[str, range] = MappingProxyType(
    {
        "standard": range(1, 1025),
        "gp2": range(1, 16_385),
        "gp3": range(1, 65_537),
        "io1": range(4, 16_385),
        "io2": range(4, 65_537),
        "sc1": range(125, 16_385),
        "st1": range(125, 16_385),
    }
)
WITH_IOPS = frozenset({"io1", "io2", "gp3"})
NEEDS_IOPS = frozenset({"io1", "io2"})
WITH_THROUGHPUT = frozenset({"gp3"})
GP3_IOPS, GP3_THROUGHPUT = 3000, 125  # where nobody says how much
# An image that nobody knows, such as those of Batch's own: as ECS-optimized Amazon Linux 2023.
_UNKNOWN = (Disk(ROOT_DEVICE, 30, "gp3"),)


def root_device(image: Image | None) -> str:
    """The name of the root device."""
    return ROOT_DEVICE if image is None else image.root_device


def merged(region: Region, image: Image | None, mappings: Iterable[Fields]) -> tuple[Disk, ...]:
    """The disks of an instance, the image's first; `mappings` are the request's.

    Of a size below that of a snapshot, which `check` refuses, comes the snapshot's size.
    """
    found = {each.device: each for each in (_UNKNOWN if image is None else image.disks)}
    for mapping in mappings:
        device = mapping.get("DeviceName", "")
        if "NoDevice" in mapping:
            found.pop(device, None)
        elif mapping.get("Ebs") is not None:
            found[device] = _disk(region, found.get(device), device, mapping["Ebs"])
    return tuple(found.values())


def _disk(region: Region, before: Disk | None, device: str, ebs: Fields) -> Disk:
    """One disk: what the image says of it, and what is asked for."""
    snapshot = ebs.get("SnapshotId") or (before.snapshot_id if before else "")
    least = _snapshot_size(region, before, snapshot)
    base = before or Disk(device, least)
    kind = ebs.get("VolumeType") or base.kind
    same = base if kind == base.kind else replace(base, iops=None, throughput=None)
    encrypted = bool(ebs.get("Encrypted")) or base.encrypted or _encrypted(region, snapshot)
    return Disk(
        device=device,
        size=max(ebs.get("VolumeSize") or base.size, least),
        kind=kind,
        snapshot_id=snapshot,
        delete_on_termination=ebs.get("DeleteOnTermination", base.delete_on_termination),
        iops=ebs.get("Iops", same.iops),
        throughput=ebs.get("Throughput", same.throughput),
        encrypted=encrypted,
        kms_key=ebs.get("KmsKeyId") or base.kms_key,
        initialization_rate=ebs.get("VolumeInitializationRate", base.initialization_rate),
    )


def _snapshot_size(region: Region, before: Disk | None, snapshot_id: str) -> int:
    """GiB of a snapshot; that of an image of others is what its mapping says."""
    if not snapshot_id:
        return 1
    snapshot = region.ec2.snapshots.get(snapshot_id)
    if snapshot is not None:
        return snapshot.size
    return before.size if before is not None and before.snapshot_id == snapshot_id else 1


def _encrypted(region: Region, snapshot_id: str) -> bool:
    snapshot = region.ec2.snapshots.get(snapshot_id)
    return snapshot is not None and snapshot.encrypted


def check(region: Region, image: Image, mappings: Iterable[Fields]) -> None:
    """Raise AwsFailure for mappings that EC2 refuses."""
    mappings = tuple(mappings)
    there = {each.device: each for each in image.disks}
    for device, count in Counter(each.get("DeviceName") for each in mappings).items():
        if not device:
            raise AwsFailure("MissingParameter", "A block device mapping needs a deviceName")
        if count > 1:
            message = f"The device '{device}' is used in more than one block-device mapping"
            raise invalid(message)
    for mapping in mappings:
        device, ebs = mapping["DeviceName"], mapping.get("Ebs")
        if "NoDevice" in mapping:
            if device == image.root_device:
                raise invalid(f"The root device {device} cannot be left out")
        elif ebs is not None:
            _check_disk(region, image, there.get(device), device, ebs)


def _check_disk(
    region: Region, image: Image, before: Disk | None, device: str, ebs: Fields
) -> None:
    snapshot = ebs.get("SnapshotId")
    own = before.snapshot_id if before is not None else ""
    if snapshot and snapshot != own:
        if device == image.root_device:
            raise invalid("snapshotId cannot be modified on root device")
        check_snapshot(region, snapshot)
    if before is None and not snapshot and "VolumeSize" not in ebs:
        raise invalid(f"Either snapshot ID or volume size must be provided for: {device}")
    disk = _disk(region, before, device, ebs)
    size, least = ebs.get("VolumeSize"), _snapshot_size(region, before, disk.snapshot_id)
    if size is not None and size < least and disk.snapshot_id:
        raise invalid(
            f"Volume of size {size}GB is smaller than snapshot '{disk.snapshot_id}', expect size "
            f">= {least}GB"
        )
    if ebs.get("Encrypted") is False and disk.encrypted:
        raise invalid(f"The encrypted flag cannot be false for {device}: its snapshot is encrypted")
    if ebs.get("KmsKeyId") and not disk.encrypted:
        message = "The parameter KmsKeyId requires the parameter Encrypted to be set."
        raise AwsFailure("InvalidParameterDependency", message)
    check_performance(disk, ebs)


def check_performance(disk: Disk, ebs: Fields) -> None:
    """Raise AwsFailure for a type, a size, IOPS or a throughput that volumes cannot have."""
    sizes = SIZES.get(disk.kind)
    if sizes is None:
        raise _value(f"Invalid value '{disk.kind}' for VolumeType.")
    if disk.size not in sizes or ebs.get("VolumeSize", disk.size) not in sizes:
        size = ebs.get("VolumeSize", disk.size)
        raise _value(f"Volume of {size} GiB: {disk.kind} has {sizes.start} to {sizes[-1]}.")
    if "Iops" in ebs and disk.kind not in WITH_IOPS:
        message = f"The parameter iops is not supported for {disk.kind} volumes."
        raise AwsFailure("InvalidParameterCombination", message)
    if disk.kind in NEEDS_IOPS and disk.iops is None:
        message = f"The parameter iops must be specified for {disk.kind} volumes."
        raise AwsFailure("MissingParameter", message)
    if "Throughput" in ebs and disk.kind not in WITH_THROUGHPUT:
        message = f"The parameter throughput is not supported for {disk.kind} volumes."
        raise AwsFailure("InvalidParameterCombination", message)


def check_snapshot(region: Region, snapshot_id: str) -> None:
    """Raise AwsFailure for a snapshot of which no volume can be made."""
    snapshot = region.ec2.snapshots.get(snapshot_id)
    if snapshot is None:
        raise absent(
            "snapshot",
            prefix="snap",
            reference=snapshot_id,
            malformed="InvalidSnapshotID.Malformed",
            unknown="InvalidSnapshot.NotFound",
        )
    if snapshot.state is not SnapshotState.COMPLETED:
        message = f"Snapshot is in invalid state - {snapshot.state}"
        raise AwsFailure("IncorrectState", message)


def invalid(message: str) -> AwsFailure:
    """A mapping that cannot be."""
    return AwsFailure("InvalidBlockDeviceMapping", message)


def _value(message: str) -> AwsFailure:
    return AwsFailure("InvalidParameterValue", message)
