"""Machine images that everybody may use: AWS's own, and what a test publishes or withdraws.

Sources: block devices by the name of an image: aws/amazon-ecs-ami (`al2023.pkr.hcl`: 30 GiB gp3,
`al2.pkr.hcl`: 30 GiB gp2), "Storage configuration" in the ECS Developer Guide (Amazon Linux 1: 8
GiB and 22 GiB of `/dev/xvdcz`); "Deprecate an AMI" in the EC2 User Guide: a public image is
deprecated two years after its creation, at the latest.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from awsbatch_simulator.ec2.disks import GP3_IOPS, GP3_THROUGHPUT
from awsbatch_simulator.ec2.image_model import EVERYBODY, Disk, Image, ImageState, Publications
from awsbatch_simulator.ports import PublicImage, PublicParameter, World

AMAZON = frozenset(
    {
        *("591542846629", "137112412989", "801119661308"),  # ECS, Amazon Linux, Windows
        *("898082745236", "013907871322"),  # Deep Learning, SUSE
    }
)
DEPRECATED_AFTER = 2 * 365 * 86_400.0  # seconds
RECOMMENDED = "recommended"
ECS_FAMILIES = "/aws/service/ecs/optimized-ami/"
_DATE = re.compile(r"20[0-9]{6}")
# The first that matches the name: root volume's size in GiB, its type, ImdsSupport v2.0.
_ROOTS: tuple[tuple[re.Pattern[str], int, str, bool], ...] = (
    (re.compile(r"al2023-ami-ecs-"), 30, "gp3", True),
    (re.compile(r"(al2023|al20[0-9]+-preview)-ami-minimal"), 2, "gp3", True),
    (re.compile(r"(al2023|al20[0-9]+-preview)-ami"), 8, "gp3", True),
    (re.compile(r"amzn2-ami-ecs-"), 30, "gp2", False),
    (re.compile(r"amzn2-ami-minimal"), 2, "gp2", False),
    (re.compile(r"Windows"), 30, "gp2", False),
    (re.compile(r""), 8, "gp2", False),
)
_DOCKER = (re.compile(r"amzn-ami-.*-amazon-ecs-optimized"), Disk("/dev/xvdcz", 22))


def find(world: World, region: str, image_id: str) -> Image | None:
    """A public image of a region; None also for one that its owner has withdrawn."""
    known = _of(world, region)
    if image_id in known.withdrawn:
        return None
    found = known.images.get(image_id)
    if found is None and (given := world.lookup.public_image(region, image_id)) is not None:
        found = known.images[image_id] = _image(given)
    return found


def withdrawn(world: World, region: str, image_id: str) -> Image | None:
    """A public image that its owner has deregistered."""
    return _of(world, region).withdrawn.get(image_id)


def every(world: World, region: str) -> Iterable[Image]:
    """All public images of a region."""
    known = _of(world, region)
    if not known.complete:
        for image_id, given in world.lookup.public_images(region).items():
            if image_id not in known.images and image_id not in known.withdrawn:
                known.images[image_id] = _image(given)
        known.complete = True
    return known.images.values()


def parameter(world: World, region: str, name: str) -> PublicParameter | None:
    """A parameter of AWS's own, as it is now."""
    published = _of(world, region).parameters.get(name)
    return published or world.lookup.public_parameters(region).get(name)


def parameters(world: World, region: str) -> Mapping[str, PublicParameter]:
    """All parameters of AWS's own, by name."""
    return {**world.lookup.public_parameters(region), **_of(world, region).parameters}


def publish(world: World, region: str, family: str) -> Image:
    """A newer image of an ECS-optimized family (`amazon-linux-2023`, `amazon-linux-2023/arm64`).

    The parameters of its path `recommended` name it from now on. Raises LookupError for a family
    that there is not.
    """
    path = f"{ECS_FAMILIES}{family.strip('/')}/{RECOMMENDED}"
    now, before = world.clock.now(), parameter(world, region, path)
    if before is None:
        raise LookupError(f"There is no parameter {path} in {region}")
    told = json.loads(before.value)
    last = find(world, region, told["image_id"]) or withdrawn(world, region, told["image_id"])
    if last is None:
        raise LookupError(f"There is no image {told['image_id']}, which {path} names, in {region}")
    version = f"{told['image_version'].rpartition('.')[0]}.{_stamp(now, before.version)}"
    image_id = f"ami-{world.hex_id(17)}"
    image = replace(
        last,
        id=image_id,
        name=last.name.replace(told["image_version"], version),
        created_at=now,
        deprecated_at=now + DEPRECATED_AFTER,
        disks=_with_snapshots(image_id, last.disks),
        state=ImageState.AVAILABLE,
        state_reason=None,
        launched_at=0.0,
        launch_shown=0.0,
        deregistered_at=0.0,
        shown=None,
    )
    known = _of(world, region)
    known.images[image.id] = image
    told |= {"image_id": image.id, "image_name": image.name, "image_version": version}
    _write(known, path, json.dumps(told), before.version + 1, now)
    for name in ("image_id", "image_name", "image_version"):
        _write(known, f"{path}/{name}", told[name], before.version + 1, now)
    return image


def _write(known: Publications, name: str, value: str, version: int, now: float) -> None:
    known.parameters[name] = PublicParameter(name, value, version, now)


def _stamp(now: float, number: int) -> str:
    """The date, and so that two of one day differ a number."""
    return f"{datetime.fromtimestamp(now, UTC):%Y%m%d}{number:02d}"


def withdraw(world: World, region: str, image_id: str) -> bool:
    """Its owner deregisters a public image; parameters that name it stay. False: there is none."""
    image = find(world, region, image_id)
    if image is None:
        return False
    image.state, image.deregistered_at = ImageState.DEREGISTERED, world.clock.now()
    image.shown = None
    known = _of(world, region)
    known.withdrawn[image_id] = known.images.pop(image_id)
    return True


def _of(world: World, region: str) -> Publications:
    return world.publications.setdefault(region, Publications())


def _image(given: PublicImage) -> Image:
    _, size, kind, imds_v2 = next(each for each in _ROOTS if each[0].match(given.name))
    root = Disk(given.root_device, size, kind)
    if kind == "gp3":
        root = replace(root, iops=GP3_IOPS, throughput=GP3_THROUGHPUT)
    more = (_DOCKER[1],) if _DOCKER[0].match(given.name) else ()
    created_at = _created_at(given.name)
    return Image(
        id=given.id,
        name=given.name,
        owner=given.owner,
        created_at=created_at,
        architecture=given.architecture,
        disks=_with_snapshots(given.id, (root, *more)),
        root_device=given.root_device,
        description=given.description,
        permissions={EVERYBODY},
        published=True,
        imds_v2=imds_v2,
        windows=given.windows,
        deprecated_at=created_at + DEPRECATED_AFTER if created_at else None,
    )


def _with_snapshots(image_id: str, disks: Iterable[Disk]) -> tuple[Disk, ...]:
    """Each with a snapshot of its own, which is the same at every start."""
    return tuple(replace(each, snapshot_id=_snapshot(image_id, each.device)) for each in disks)


def _snapshot(image_id: str, device: str) -> str:
    digest = hashlib.sha256(f"{image_id}{device}".encode()).hexdigest()
    return f"snap-{digest[:17]}"


def _created_at(name: str) -> float:
    """When an image was made, by the date in its name; 0: there is none."""
    found = _DATE.search(name)
    try:
        return (
            datetime.strptime(found[0] if found else "", "%Y%m%d").replace(tzinfo=UTC).timestamp()
        )
    except ValueError:
        return 0.0
