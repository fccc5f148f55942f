"""What of images is half made, finished, or left over, by what EC2 shows of it alone (pure).

A tag proves little here: whoever copies an image or a snapshot of ours may take all tags along. So
an image has to have the name that its build gives, which EC2 takes once, and a snapshot the words
that EC2 itself writes when it takes one for an image.
"""

import re
from collections.abc import Collection, Iterable, Sequence

from awsbatch_operator.api.metadata import ObjectKey, RecordError, Resource, Shape
from awsbatch_operator.api.tags import NAME, NAMESPACE, ROLE, VERDICT
from awsbatch_operator.kinds.extendedami.observed import Verdict, image_of, tags_by_key
from awsbatch_operator.kinds.extendedami.record import recorded
from awsbatch_operator.kinds.extendedami.requests import image_name

# The description of a snapshot, as EC2 writes it for CreateImage and for CopyImage (there is no
# page of the API reference that promises it: one that looks otherwise is left alone).
_TAKEN = re.compile(r"(?:Created by CreateImage\(i-\w+\) for|Copied for DestinationAmi) (ami-\w+)")
_TAKEN_HERE = "Created by CreateImage("
_WHOLE = frozenset({"completed", "error"})


def loose_snapshots(
    found: Iterable[Shape], images: Collection[str], used: Collection[str], *, copies: bool
) -> tuple[Shape, ...]:
    """Those that EC2 has taken for an image which is not there.

    `images` are the ids of images that there are, `used` the snapshots that they have: one that is
    pending shows none. `copies`: those of copied images count, which are ours in further regions
    only.
    """
    return tuple(each for each in found if _is_loose(each, images, used, copies=copies))


def _is_loose(
    shape: Shape, images: Collection[str], used: Collection[str], *, copies: bool
) -> bool:
    told = str(shape.get("Description") or "")
    taken = _TAKEN.match(told)
    if taken is None or taken.group(1) in images or str(shape["SnapshotId"]) in used:
        return False
    if ROLE in tags_by_key(shape):
        return False  # it has the tags of a volume: somebody took it of a builder
    return (copies or told.startswith(_TAKEN_HERE)) and shape.get("State", "completed") in _WHOLE


def is_made_by_us(shape: Shape) -> bool:
    """Whether a snapshot is one that CreateImage took here, or that our CopyImage has tagged.

    Of copies only ours have the verdict on their image in their tags: whoever copies an image of
    ours with its tags gets snapshots without any.
    """
    told = str(shape.get("Description") or "")
    return told.startswith(_TAKEN_HERE) or VERDICT in tags_by_key(shape)


def snapshots_of(images: Iterable[Shape]) -> set[str]:
    """The snapshots that these images have."""
    return {name for each in images for name in image_of(each).snapshots}


def well_named(shape: Shape) -> bool:
    """Whether an image has the name that its build gives: a copy has another one."""
    image = image_of(shape)
    namespace, name = image.tags.get(NAMESPACE, ""), image.tags.get(NAME, "")
    return bool(image.build) and image.name == image_name(namespace, name, image.build)


def half_made(listed: Sequence[Shape]) -> tuple[Shape, ...]:
    """Images that were never finished, or did not pass."""
    done = {Verdict.VERIFIED, Verdict.UNVERIFIED}
    return tuple(each for each in listed if well_named(each) and image_of(each).verdict not in done)


def finished(listed: Sequence[Shape]) -> tuple[Shape, ...]:
    """Images that have passed: somebody may have wanted to keep them."""
    done = {Verdict.VERIFIED, Verdict.UNVERIFIED}
    return tuple(each for each in listed if well_named(each) and image_of(each).verdict in done)


def is_idle(resource: Resource) -> bool:
    """Whether the object believes that nothing is there which was launched or half made for it.

    It looks for nothing then. What cannot be read, or is paused, is never called idle.
    """
    if resource.paused or resource.deleting:
        return False
    try:
        record = recorded(resource)
    except RecordError:
        return False
    if record is not None:
        return record.clean
    return (resource.status.get("bake") or {}).get("needed") is False


def regions_of(resource: Resource) -> frozenset[str]:
    """Further regions that the object's images were ever copied to, or are to be."""
    named = {str(each) for each in resource.spec.get("regions") or ()}
    try:
        record = recorded(resource)
    except RecordError:
        record = None
    return frozenset(named | set(() if record is None else record.regions))


def key_of(shape: Shape, kind: str) -> ObjectKey:
    """The object that an image is of, by its tags."""
    tags = tags_by_key(shape)
    return ObjectKey(kind, tags.get(NAMESPACE, ""), tags.get(NAME, ""))
