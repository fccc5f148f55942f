"""A hard world in which machine images are made, and what was ever launched and made in it.

It looks on after each call: an image that something uses must never be removed.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tests.support.capacity_world import INSTANCES_LAG, TAGS_LAG
from tests.support.hard_world import HardWorld, Weather
from tests.support.image_guests import Guests

from awsbatch_operator.api.tags import BUILD, INTENT, POOL, ROLE
from awsbatch_operator.kinds.extendedami.usage import images_of
from awsbatch_simulator.ec2.model import InstanceState
from awsbatch_simulator.jobscript import JobScript

ABROAD = "eu-west-1"


class ImageWorld(HardWorld):
    """EC2 shows what is new late, and its tags later; builders follow a script.

    `wrong` is what must not have happened. Images in `by_hand` somebody else removes. `in_pools` is
    how many instances of pools there were at a time at most.
    """

    def __init__(self, seed: int, weather: Weather, *scripts: JobScript) -> None:
        super().__init__(seed, weather, *scripts)
        self.guests = Guests()
        self.simulator.world.boots = self.guests  # type: ignore[assignment]
        self.launched: dict[str, str] = {}  # tokens of builders and verifiers, by instance
        self.wrong: list[str] = []
        self.by_hand: set[str] = set()
        self.in_pools = 0
        self._there: set[str] = set()  # images, when it was last looked
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
        living = self.living()
        for each in living:
            if each.tags.get(ROLE):
                self.launched.setdefault(each.id, each.tags.get(INTENT, ""))
        self.in_pools = max(self.in_pools, sum(POOL in each.tags for each in living))
        for each in self.ec2.images.values():
            self.made_images.setdefault(each.id, each.tags.get(BUILD, ""))
        for name in self._there - self.ec2.images.keys() - self.by_hand:
            self.wrong += [f"{name} was removed, and {user} used it" for user in self._users(name)]
        self._there = set(self.ec2.images)

    def _users(self, image_id: str) -> Iterator[str]:
        """What uses the image in AWS; a parameter goes together with its object's images."""
        batch = self.simulator.world.region(self.simulator.place).batch
        for each in batch.environments.values():
            if image_id in images_of({"computeResources": each.resources}):
                yield f"the environment {each.name}"
        for each in self.living():
            if each.image_id == image_id and not each.tags.get(ROLE):
                yield f"the instance {each.id}"
        objects = self.kube.objects.of_kind("ExtendedAMI")
        if not any("deletionTimestamp" in each["metadata"] for each in objects):
            names = (name for name, each in self.parameters.items() if each.value == image_id)
            yield from (f"the parameter {name}" for name in names)

    def living(self) -> list[Any]:
        """The instances that are not terminated."""
        instances = self.ec2.instances.values()
        return [each for each in instances if each.state is not InstanceState.TERMINATED]

    def left(self) -> list[Any]:
        """What costs, or has a name."""
        region = self.simulator.world.region(self.simulator.place)
        return [
            *(each.id for each in self.living()),
            *self.ec2.templates,
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
        return [each.id for each in self.living() if each.tags.get(ROLE)]
