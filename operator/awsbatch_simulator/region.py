"""All that exists in one account and region: the stores of our own services."""

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass, field

from awsbatch_simulator.batch.store import BatchStore
from awsbatch_simulator.context import Place
from awsbatch_simulator.ec2.image_model import Image
from awsbatch_simulator.ec2.store import Ec2Store
from awsbatch_simulator.ecs.store import EcsStore
from awsbatch_simulator.host.store import HostStore
from awsbatch_simulator.ports import World
from awsbatch_simulator.ssm.store import SsmStore


@dataclass(slots=True, eq=False)
class Region:
    """One place, with its stores and the way back to the world."""

    world: World
    place: Place
    batch: BatchStore = field(default_factory=BatchStore)
    ecs: EcsStore = field(default_factory=EcsStore)
    ec2: Ec2Store = field(default_factory=Ec2Store)
    hosts: HostStore = field(default_factory=HostStore)
    ssm: SsmStore = field(default_factory=SsmStore)

    @property
    def images(self) -> Mapping[str, Image]:
        """The account's own images by id, those too that were deregistered."""
        return ChainMap(self.ec2.images, self.ec2.deregistered)

    def arn(self, service: str, resource: str) -> str:
        """The ARN of something in this place."""
        return f"arn:aws:{service}:{self.place.region}:{self.place.account}:{resource}"

    def now_ms(self) -> int:
        """Now, in epoch milliseconds: the unit of Batch."""
        return int(self.world.clock.now() * 1000)
