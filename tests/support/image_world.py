"""A hard world in which machine images are made, and what was ever launched and made in it."""

from dataclasses import replace
from typing import Any

from tests.support.capacity_world import INSTANCES_LAG, TAGS_LAG
from tests.support.hard_world import HardWorld, Weather
from tests.support.image_guests import Guests

from awsbatch_operator.api.tags import BUILD, INTENT, ROLE
from awsbatch_simulator.ec2.model import InstanceState

ABROAD = "eu-west-1"


class ImageWorld(HardWorld):
    """EC2 shows what is new late, and its tags later; builders follow a script."""

    def __init__(self, seed: int, weather: Weather) -> None:
        super().__init__(seed, weather)
        self.guests = Guests()
        self.simulator.world.boots = self.guests  # type: ignore[assignment]
        self.launched: dict[str, str] = {}  # tokens by instance
        self.made_images: dict[str, str] = {}  # builds by image
        for operation in ("DescribeInstances", "DescribeImages", "DescribeSnapshots"):
            self.fault(effect="hide", service="ec2", operation=operation, seconds=INSTANCES_LAG)
        self.fault(effect="world", service="ec2", name="hidden_tags", seconds=TAGS_LAG)

    @property
    def ec2(self) -> Any:
        """EC2's store."""
        return self.simulator.world.region(self.simulator.place).ec2

    @property
    def abroad(self) -> Any:
        """That of the further region."""
        place = replace(self.simulator.place, region=ABROAD)
        return self.simulator.world.region(place).ec2

    @property
    def parameters(self) -> Any:
        """Parameters of one's own."""
        return self.simulator.world.region(self.simulator.place).ssm.parameters

    def wire(self, on_call: Any = lambda *_: None) -> Any:
        answer = super().wire(on_call)

        def watched(**call: Any) -> Any:
            try:
                return answer(**call)
            finally:
                self._look()

        return watched

    def _look(self) -> None:
        for each in self.ec2.instances.values():
            self.launched.setdefault(each.id, each.tags.get(INTENT, ""))
        for each in self.ec2.images.values():
            self.made_images.setdefault(each.id, each.tags.get(BUILD, ""))

    def left(self) -> list[Any]:
        """What costs, or has a name."""
        region = self.simulator.world.region(self.simulator.place)
        instances = self.ec2.instances.values()
        return [
            *(each.id for each in instances if each.state is not InstanceState.TERMINATED),
            *self.ec2.images,
            *self.ec2.snapshots,
            *self.ec2.volumes,
            *self.abroad.images,
            *self.abroad.snapshots,
            *self.parameters,
            *(
                each.name
                for each in region.ecs.clusters.values()
                if each.active and "-" in each.name
            ),
        ]

    def builders(self) -> list[str]:
        """Those that are not terminated."""
        return [
            each.id
            for each in self.ec2.instances.values()
            if each.tags.get(ROLE) and each.state is not InstanceState.TERMINATED
        ]
