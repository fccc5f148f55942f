"""Which images there are for an account in a region, and which of them it may use for what.

Sources: DescribeImages, DeregisterImage and ModifyImageAttribute in the EC2 API reference; "Error
codes for the Amazon EC2 API"; words of EC2: hashicorp/packer#12162 (an image that is pending cannot
be run) and SUSE-Enceladus/ec2imgutils#45 (nor be used for anything else).
"""

from collections.abc import Iterable

from awsbatch_simulator.ec2 import public_images
from awsbatch_simulator.ec2.image_model import Image, ImageState
from awsbatch_simulator.ec2.network import absent, id_like
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

KIND = "image"


def visible(region: Region, image_id: str) -> Image | None:
    """An image that the account owns, that is shared with it, or that is public."""
    found = region.ec2.images.get(image_id)
    if image_id in region.ec2.deregistered:
        return None
    found = found or public_images.find(region.world, region.place.region, image_id)
    return found or next((each for each in _shared(region) if each.id == image_id), None)


def every(region: Region) -> Iterable[Image]:
    """All images that the account may use, its own first."""
    yield from region.ec2.images.values()
    yield from _shared(region)
    yield from public_images.every(region.world, region.place.region)


def _shared(region: Region) -> Iterable[Image]:
    """Images of other accounts that this one has launch permissions for."""
    place = region.place
    for other in region.world.regions():
        if other.place.region != place.region or other.place.account == place.account:
            continue
        for image in other.ec2.images.values():
            if image.public or place.account in image.permissions:
                yield image


def known(region: Region, image_id: str) -> Image | None:
    """The same, and those that were deregistered while somebody may remember them."""
    place = region.place
    return (
        visible(region, image_id)
        or region.ec2.deregistered.get(image_id)
        or public_images.withdrawn(region.world, place.region, image_id)
    )


def find(region: Region, image_id: str, operation: str) -> Image:
    """The image of that id, as an operation sees it.

    Raises AwsFailure for none, for one that was deregistered, and for one that is too young where
    the fault `hide` is in place.
    """
    image = visible(region, image_id)
    if image is None:
        if known(region, image_id) is not None:
            message = f"The image ID '{image_id}' is no longer available"
            raise AwsFailure("InvalidAMIID.Unavailable", message)
        raise missing(image_id)
    hidden = region.world.faults.hidden_seconds("ec2", operation)
    if hidden and image.created_at > region.world.clock.now() - hidden:
        raise missing(image_id)
    return image


def missing(image_id: str) -> AwsFailure:
    """What EC2 says of an id that names no image."""
    if id_like(image_id, "ami"):
        message = f"The image id '[{image_id}]' does not exist"  # ambrosejcarr/seqc#324
        return AwsFailure("InvalidAMIID.NotFound", message)
    return absent(
        "image id",
        prefix="ami",
        reference=image_id,
        malformed="InvalidAMIID.Malformed",
        unknown="InvalidAMIID.NotFound",
    )


def own(region: Region, image_id: str, operation: str) -> Image:
    """One of the account's own, to be changed. Raises AwsFailure for none and for another's."""
    image = find(region, image_id, operation)
    if image.owner != region.place.account:
        raise AwsFailure("AuthFailure", f"Not authorized for image:{image_id}")
    return image


def available(image: Image) -> Image:
    """The same image. Raises AwsFailure if it is not available, or not yet."""
    if image.state is not ImageState.AVAILABLE:
        message = (
            f"The AMI ID '{image.id}' is currently {image.state} and may not be used for this "
            "operation"
        )
        raise AwsFailure("InvalidAMIID.Unavailable", message)
    return image


def to_launch(region: Region, image_id: str) -> Image:
    """An image that instances can be launched with. Raises AwsFailure."""
    image = find(region, image_id, "RunInstances")
    if image.state is not ImageState.AVAILABLE:
        message = f"AMI '{image_id}' is {image.state}, and cannot be run"
        raise AwsFailure("InvalidAMIID.Unavailable", message)
    return image


def architecture(region: Region, image_id: str) -> str | None:
    """What an image is made for (`x86_64`, `arm64`), None if there is none."""
    image = visible(region, image_id)
    return None if image is None else image.architecture


def trouble(region: Region, image_id: str) -> str:
    """Why nothing can be launched with an image, in EC2's words; empty: it can.

    No fault of a call counts: this is not a call of the account's.
    """
    image = visible(region, image_id)
    if image is None:
        return f"The image id '[{image_id}]' does not exist"
    if image.state is not ImageState.AVAILABLE:
        return f"AMI '{image_id}' is {image.state}, and cannot be run"
    return ""
