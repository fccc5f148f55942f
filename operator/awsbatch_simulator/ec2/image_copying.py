"""CopyImage: an image of another one, of this region or from elsewhere.

Source: its text in the EC2 API reference.
"""

import re
from dataclasses import replace
from typing import Any

from awsbatch_simulator.context import Place
from awsbatch_simulator.ec2 import image_making, images, once, volumes
from awsbatch_simulator.ec2.image_model import Disk, Image, ImageState
from awsbatch_simulator.errors import AwsFailure, not_implemented
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
REGION = re.compile(r"[a-z]{2}(-[a-z]+){1,2}-[0-9]")
NO_VOLUME = "vol-ffffffff"  # what a snapshot shows that was copied
MULTI_REGION = "mrk-"
COPY_MINUTES = range(15, 48 * 60 + 1, 15)
_ELSEWHERE = (
    "DestinationOutpostArn",
    "DestinationAvailabilityZone",
    "DestinationAvailabilityZoneId",
)


def copy(region: Region, request: Fields) -> Fields:
    """CopyImage, in the region that the copy is to be in; with a client token once."""
    return once.per_token(region, "CopyImage", request, lambda: _copied(region, request))


def _copied(region: Region, request: Fields) -> Fields:
    _check_copy(request)
    origin = Place(region.place.account, request["SourceRegion"])
    source = images.find(region.world.region(origin), request["SourceImageId"], "CopyImage")
    images.available(source)
    image_making.check_name(region, request)
    tags = image_making.tags_of(request)
    image_making.check_room(region)
    image_id = f"ami-{region.world.hex_id(17)}"
    key = _key(region.world.region(origin), source, request.get("KmsKeyId") or "")
    told = (
        f"Copied for DestinationAmi {image_id} from SourceAmi {source.id} for SourceSnapshot. "
        "Task created on copy."
    )
    wanted = [
        (_copy_of(each, request, key), NO_VOLUME if each.snapshot_id else "")
        for each in source.disks
    ]
    copied = source.tags if request.get("CopyImageTags") and _mine(region, source) else {}
    image = Image(
        id=image_id,
        name=request["Name"],
        owner=region.place.account,
        created_at=region.world.clock.now(),
        architecture=source.architecture,
        disks=image_making.make_snapshots(region, wanted, tags["snapshot"], told),
        root_device=source.root_device,
        description=request.get("Description") or "",
        state=ImageState.PENDING,
        tags={name: value for name, value in copied.items() if not name.startswith("aws:")}
        | tags["image"],
        imds_v2=source.imds_v2,
        windows=source.windows,
        source_image=source.id,
        source_region=origin.region,
        baked=source.baked,
    )
    about = {"operation": "CopyImage", "sourceImageId": source.id}
    image_making.begin(region, image, region.world.settings.delays.image_copying, about)
    return {"ImageId": image.id}


def _mine(region: Region, image: Image) -> bool:
    return image.owner == region.place.account


def _copy_of(disk: Disk, request: Fields, key: str) -> Disk:
    """A copy is encrypted if its source is, or if that is asked for."""
    encrypted = disk.encrypted or bool(request.get("Encrypted"))
    return replace(disk, encrypted=encrypted, kms_key=key if encrypted else "")


def _key(origin: Region, source: Image, given: str) -> str:
    """The key of a copy; one that the source is encrypted with is known to be of its region.

    The id of a multi-Region key means its replica in each region (AWS KMS developer guide).
    """
    plain = given and not given.startswith(("arn:", "alias/", MULTI_REGION))
    known = {volumes.key_arn(origin, each.kms_key) for each in source.disks if each.kms_key}
    arn = volumes.key_arn(origin, given)
    return arn if plain and arn in known else given


def _check_copy(request: Fields) -> None:
    for member in _ELSEWHERE:
        if request.get(member):
            raise not_implemented("ec2", f"CopyImage with {member}")
    if not REGION.fullmatch(request["SourceRegion"]):
        raise _invalid(f"Invalid value '{request['SourceRegion']}' for SourceRegion.")
    if request.get("KmsKeyId") and not request.get("Encrypted"):
        message = "The parameter KmsKeyId requires the parameter Encrypted to be set."
        raise AwsFailure("InvalidParameterDependency", message)
    minutes = request.get("SnapshotCopyCompletionDurationMinutes")
    if minutes is not None and minutes not in COPY_MINUTES:
        raise _invalid("SnapshotCopyCompletionDurationMinutes: 15 minutes or a multiple of them.")


def _invalid(message: str) -> AwsFailure:
    return AwsFailure("InvalidParameterValue", message)
