"""An installation in which images are made, and what EC2 has of them."""

from typing import Any

from tests.support.cheap_clients import unburden
from tests.support.image_guests import Guests
from tests.support.installation import NAMESPACE, Installation
from tests.support.lagging import Lagging
from tests.support.manifests import PROFILE

from awsbatch_operator.api.metadata import ObjectKey

IMAGE = ObjectKey("ExtendedAMI", NAMESPACE, "atmos")


def image(**changes: Any) -> dict[str, Any]:
    """An image with a package; members that are None are left out."""
    usual = {
        "base": {"family": "AL2023"},
        "packages": ["htop"],
        "builder": {"subnets": ["subnet-1"], "instanceProfile": PROFILE},
    }
    return {name: value for name, value in (usual | changes).items() if value is not None}


class _Cheap(Lagging):
    def connect(self, client: Any) -> None:
        super().connect(client)
        unburden(client)


class Darkroom(Installation):
    """An installation whose builders and verifiers follow a script."""

    def __init__(self, *others: Any, **settings: Any) -> None:
        super().__init__(*others, **settings)
        self.guests = Guests()
        self.simulator.world.boots = self.guests  # type: ignore[assignment]
        self.lagging = _Cheap(self.answers, lambda: self.clock.now().epoch)

    @property
    def ec2(self) -> Any:
        """The store of EC2."""
        return self.simulator.world.region(self.simulator.place).ec2

    def alive(self) -> list[str]:
        """The ids of all instances that are not terminated."""
        states = self.ec2.instances.values()
        return [each.id for each in states if each.state.value != "terminated"]

    def images(self) -> list[Any]:
        """The account's own images."""
        return list(self.ec2.images.values())

    def snapshots(self) -> list[str]:
        """The ids of the account's snapshots."""
        return sorted(self.ec2.snapshots)

    def nothing_left(self) -> bool:
        """Nothing of images is left in EC2 and ECS."""
        clusters = self.simulator.world.region(self.simulator.place).ecs.clusters.values()
        there = [each.name for each in clusters if each.active and "verify" in each.name]
        left = [*self.alive(), *self.images(), *self.snapshots(), *self.ec2.volumes, *there]
        return not left

    def told(self, reason: str) -> list[str]:
        """The texts of the events with this reason."""
        return [text for each, text in self.events(IMAGE) if each == reason]

    def build(self) -> dict[str, Any]:
        """What the status says of the build; `step` is its stage while no script has said one."""
        shown = dict(self.status(IMAGE).get("build", {}))
        return {"step": shown.get("stage"), **shown} if shown else {}


async def until_clean(there: Darkroom) -> None:
    """Wait until no instance is left."""
    await there.run_until(lambda: not there.alive(), within=3600)
