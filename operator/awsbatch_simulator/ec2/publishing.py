"""What AWS publishes on request: `POST /_simulator/images`."""

from enum import StrEnum
from typing import Any

from awsbatch_simulator.ec2 import public_images
from awsbatch_simulator.model import Model
from awsbatch_simulator.ports import World


class Deed(StrEnum):
    """What happens."""

    PUBLISH = "publish"  # a newer image of `family`; its parameters name it from now on
    WITHDRAW = "withdraw"  # the owner of `imageId` deregisters it


class Order(Model):
    """A deed, and in which region."""

    deed: Deed
    region: str = ""  # empty: the simulator's own
    family: str = "amazon-linux-2023"  # below /aws/service/ecs/optimized-ami/
    image_id: str = ""


def carry_out(world: World, order: Order, *, region: str) -> dict[str, Any]:
    """Let it happen. Raises LookupError where there is no such family or image."""
    region = order.region or region
    match order.deed:
        case Deed.PUBLISH:
            image = public_images.publish(world, region, order.family)
            return {"imageId": image.id, "imageName": image.name, "region": region}
        case Deed.WITHDRAW:
            if not public_images.withdraw(world, region, order.image_id):
                raise LookupError(f"There is no public image {order.image_id!r} in {region}")
            return {"imageId": order.image_id, "region": region}
