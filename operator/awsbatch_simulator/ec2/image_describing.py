"""DescribeImages and DescribeImageAttribute.

Sources: their texts and `Image` in the EC2 API reference; "Deprecate an AMI" in the EC2 User Guide;
hashicorp/packer-plugin-amazon#261 (a deprecated image is seen by its id, not by filters).
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from awsbatch_simulator.ec2 import filters, images, paging, public_images
from awsbatch_simulator.ec2.image_model import EVERYBODY, Disk, Image, ImageState
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.ports import Shown
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
MOST = 1000
SELF, AMAZON = "self", "amazon"
_DEVICE = "BlockDeviceMappings"
PATHS: dict[str, tuple[str, ...]] = {
    "architecture": ("Architecture",),
    "block-device-mapping.delete-on-termination": (_DEVICE, "Ebs", "DeleteOnTermination"),
    "block-device-mapping.device-name": (_DEVICE, "DeviceName"),
    "block-device-mapping.encrypted": (_DEVICE, "Ebs", "Encrypted"),
    "block-device-mapping.snapshot-id": (_DEVICE, "Ebs", "SnapshotId"),
    "block-device-mapping.volume-size": (_DEVICE, "Ebs", "VolumeSize"),
    "block-device-mapping.volume-type": (_DEVICE, "Ebs", "VolumeType"),
    "boot-mode": ("BootMode",),
    "creation-date": ("CreationDate",),
    "description": ("Description",),
    "ena-support": ("EnaSupport",),
    "hypervisor": ("Hypervisor",),
    "image-id": ("ImageId",),
    "image-type": ("ImageType",),
    "is-public": ("Public",),
    "kernel-id": (),
    "manifest-location": ("ImageLocation",),
    "name": ("Name",),
    "owner-alias": ("ImageOwnerAlias",),
    "owner-id": ("OwnerId",),
    "platform": ("Platform",),
    "product-code": (),
    "product-code.type": (),
    "ramdisk-id": (),
    "root-device-name": ("RootDeviceName",),
    "root-device-type": ("RootDeviceType",),
    "source-image-id": ("SourceImageId",),
    "source-image-region": ("SourceImageRegion",),
    "source-instance-id": ("SourceInstanceId",),
    "sriov-net-support": ("SriovNetSupport",),
    "state": ("State",),
    "state-reason-code": ("StateReason", "Code"),
    "state-reason-message": ("StateReason", "Message"),
    "virtualization-type": ("VirtualizationType",),
} | dict.fromkeys(  # what no image here has
    (
        *("free-tier-eligible", "image-allowed", "public-ssm-parameter-name"),
        *(
            f"image-watermark.{name}"
            for name in (
                *("source-image-creation-time", "source-image-id", "source-image-region"),
                *("watermark-creation-time", "watermark-key"),
            )
        ),
        "instance-type-specification.supported-instance-type",
        "instance-type-specification.unsupported-instance-type",
        *("scan-result.finding-scan-date", "scan-result.highest-finding-severity-label"),
        *(
            f"scan-result.{severity}-fix-available-since"
            for severity in ("critical", "high", "informational", "low", "medium")
        ),
    ),
    (),
)
_NOBODY_HAS = frozenset({"kernel", "ramdisk", "productCodes", "bootMode", "tpmSupport", "uefiData"})


def describe(region: Region, request: Fields) -> Fields:
    """DescribeImages: by ids, owners, users and filters, by page."""
    ids = request.get("ImageIds") or []
    found = _of_ids(region, ids) if ids else _listed(region, request)
    found = _of_owners(region, found, request.get("Owners") or ())
    found = _of_users(region, found, request.get("ExecutableUsers") or ())
    views = [view(region, each) for each in found]
    kept = filters.kept(views, request.get("Filters") or (), PATHS)
    return paging.answer("Images", kept, request, key="ImageId", most=MOST)


def _of_ids(region: Region, ids: Iterable[str]) -> list[Image]:
    """The images of those ids.

    One that was deregistered is seen a little longer, then answered with silence while instances
    of it live, and then it is unknown.
    """
    now = region.world.clock.now()
    hidden = region.world.faults.hidden_seconds("ec2", "DescribeImages")
    seen = region.world.settings.delays.deregistered_image_seen
    found = []
    for image_id in dict.fromkeys(ids):
        image = images.known(region, image_id)
        if image is None or (hidden and image.created_at > now - hidden):
            raise images.missing(image_id)
        if image.state is not ImageState.DEREGISTERED or now < image.deregistered_at + seen:
            found.append(image)
        elif not _lives(region, image_id):
            raise images.missing(image_id)
    return found


def _lives(region: Region, image_id: str) -> bool:
    """Whether an instance of an image is not terminated yet."""
    everybody = region.ec2.instances.values()
    return any(each.image_id == image_id and not each.state.gone for each in everybody)


def _listed(region: Region, request: Fields) -> list[Image]:
    """All that is not too young; disabled only what is asked for, deprecated one's own as well."""
    now = region.world.clock.now()
    youngest = now - region.world.faults.hidden_seconds("ec2", "DescribeImages")
    shown = bool(request.get("IncludeDeprecated"))
    disabled = bool(request.get("IncludeDisabled"))
    return [
        each
        for each in images.every(region)
        if each.created_at <= youngest
        and (disabled or each.state is not ImageState.DISABLED)
        and (
            shown
            or each.deprecated_at is None
            or each.deprecated_at > now
            or each.owner == region.place.account
        )
    ]


def _of_owners(region: Region, found: Iterable[Image], owners: Iterable[str]) -> list[Image]:
    wanted = set(owners)
    if SELF in wanted:
        wanted.add(region.place.account)
    if AMAZON in wanted:
        wanted |= public_images.AMAZON
    return [each for each in found if not wanted or each.owner in wanted]


def _of_users(region: Region, found: Iterable[Image], users: Iterable[str]) -> list[Image]:
    """Images with explicit launch permissions: `self` or an account, `all` for public ones."""
    wanted = {region.place.account if each == SELF else each for each in users}
    return [each for each in found if not wanted or wanted & each.permissions]


def view(region: Region, image: Image) -> Fields:
    """Image as EC2 answers it, not to be changed."""
    if not image.published:
        return _made(region, image)
    if image.shown is None:
        image.shown = Shown(_made(region, image))
    return image.shown


def _made(region: Region, image: Image) -> Fields:
    mine = image.owner == region.place.account
    amazon = image.owner in public_images.AMAZON
    shown: Fields = {
        "ImageId": image.id,
        "Name": image.name,
        "ImageLocation": f"{AMAZON if amazon else image.owner}/{image.name}",
        "ImageType": "machine",
        "OwnerId": image.owner,
        "Public": image.public,
        "CreationDate": moment(image.created_at),
        "State": image.state.value,
        "Architecture": image.architecture,
        "BlockDeviceMappings": _mappings(image),
        "EnaSupport": True,
        "Hypervisor": "xen",
        "PlatformDetails": "Windows" if image.windows else "Linux/UNIX",
        "RootDeviceName": image.root_device,
        "RootDeviceType": "ebs",
        "SriovNetSupport": "simple",
        "UsageOperation": "RunInstances:0002" if image.windows else "RunInstances",
        "VirtualizationType": "hvm",
        "Tags": _tags(image) if mine else [],
    }
    return shown | _optional(region, image, mine=mine, amazon=amazon)


def _optional(region: Region, image: Image, *, mine: bool, amazon: bool) -> Fields:
    """Members that are there only for some images."""
    optional = {
        "Description": image.description,
        "ImageOwnerAlias": AMAZON if amazon else "",
        "ImdsSupport": "v2.0" if image.imds_v2 else "",
        "Platform": "windows" if image.windows else "",
        "DeprecationTime": moment(image.deprecated_at) if image.deprecated_at else "",
        "SourceInstanceId": image.source_instance,
        "SourceImageId": image.source_image,
        "SourceImageRegion": image.source_region,
    }
    if mine:
        optional |= {
            "DeregistrationProtection": image.protection.value,
            "LastLaunchedTime": _last_launch(region, image),
        }
    shown: Fields = {name: value for name, value in optional.items() if value}
    if image.state_reason is not None:
        code, message = image.state_reason
        shown["StateReason"] = {"Code": code, "Message": message}
    return shown


def _tags(image: Image) -> list[Fields]:
    return [{"Key": key, "Value": value} for key, value in image.tags.items()]


def _last_launch(region: Region, image: Image) -> str:
    launched = image.last_launch(region.world.clock.now())
    return moment(launched) if launched else ""


def moment(at: float) -> str:
    """A moment as images have it, a text."""
    return f"{datetime.fromtimestamp(int(at), UTC):%Y-%m-%dT%H:%M:%S}.000Z"


def _mappings(image: Image) -> list[Fields]:
    """Its block devices; while it is pending there are none to be seen."""
    if image.state is ImageState.PENDING:
        return []
    return [{"DeviceName": each.device, "Ebs": _ebs(each)} for each in image.disks]


def _ebs(disk: Disk) -> Fields:
    ebs: Fields = {
        "DeleteOnTermination": disk.delete_on_termination,
        "Encrypted": disk.encrypted,
        "VolumeSize": disk.size,
        "VolumeType": disk.kind,
    }
    optional = {
        "SnapshotId": disk.snapshot_id,
        "Iops": disk.iops,
        "Throughput": disk.throughput,
        "VolumeInitializationRate": disk.initialization_rate,
    }
    return ebs | {name: value for name, value in optional.items() if value}


def describe_attribute(region: Region, request: Fields) -> Fields:
    """DescribeImageAttribute: one attribute of one of the account's own images."""
    attribute = request["Attribute"]
    image = images.own(region, request["ImageId"], "DescribeImageAttribute")
    answer: Fields = {"ImageId": image.id}
    match attribute:
        case "description":
            return answer | {"Description": {"Value": image.description}}
        case "launchPermission":
            return answer | {"LaunchPermissions": [_permission(each) for each in _sorted(image)]}
        case "lastLaunchedTime":
            launched = _last_launch(region, image)
            return answer | {"LastLaunchedTime": {"Value": launched} if launched else {}}
        case "imdsSupport":
            return answer | {"ImdsSupport": {"Value": "v2.0"} if image.imds_v2 else {}}
        case "deregistrationProtection":
            return answer | {"DeregistrationProtection": {"Value": image.protection.value}}
        case "sriovNetSupport":
            return answer | {"SriovNetSupport": {"Value": "simple"}}
        case "blockDeviceMapping":
            raise AwsFailure("AuthFailure", "Unauthorized attempt to access restricted resource")
        case _ if attribute in _NOBODY_HAS:
            return answer
    raise AwsFailure("InvalidParameterValue", f"Invalid value '{attribute}' for Attribute.")


def _sorted(image: Image) -> list[str]:
    return sorted(image.permissions)


def _permission(name: str) -> Fields:
    if name == EVERYBODY:
        return {"Group": name}
    if name.startswith("arn:"):
        return {"OrganizationalUnitArn" if ":ou/" in name else "OrganizationArn": name}
    return {"UserId": name}
