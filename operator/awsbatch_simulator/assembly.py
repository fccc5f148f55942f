"""Puts a simulator together: the one place that knows all its parts."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from awsbatch_simulator import notices
from awsbatch_simulator.batch.service import BatchService
from awsbatch_simulator.bridge.messages import MotoMessages
from awsbatch_simulator.bridge.moto import MotoBridge
from awsbatch_simulator.clock import SimulatedClock
from awsbatch_simulator.context import Place
from awsbatch_simulator.dispatch import Dispatcher
from awsbatch_simulator.ec2 import addresses
from awsbatch_simulator.ec2.service import Ec2Service
from awsbatch_simulator.ecs.service import EcsService
from awsbatch_simulator.identity import AccessKey, AccessKeys
from awsbatch_simulator.logs.service import Logs
from awsbatch_simulator.lookup import MotoLookup
from awsbatch_simulator.pricing import Pricing
from awsbatch_simulator.protocol.codec import Codec
from awsbatch_simulator.service_quotas import ServiceQuotas
from awsbatch_simulator.settings import Settings
from awsbatch_simulator.sts import Sts
from awsbatch_simulator.world import World

ACCOUNT = "111122223333"  # AWS's own example account
REGION = "eu-central-1"


@dataclass(frozen=True, slots=True)
class Simulator:
    """A world with its ways in, and the credentials of its own account."""

    world: World
    dispatcher: Dispatcher
    place: Place
    key: AccessKey
    admin_token: str


def build(
    *,
    clock: SimulatedClock,
    settings: Settings,
    ids: random.Random,
    secrets: random.Random,
    place: Place = Place(ACCOUNT, REGION),  # noqa: B008 - frozen
    codec: Codec | None = None,
) -> Simulator:
    """A fresh simulator. `secrets` makes keys and tokens: SystemRandom() outside of tests.

    Simulators that share a codec read each service's model once (EC2's takes half a second).
    """
    world = World(clock, settings, ids)
    world.change(settings)
    bridge = MotoBridge()
    bridge.occupied = partial(_occupied, world)
    lookup = MotoLookup(bridge)
    keys = AccessKeys(secrets)
    logs = Logs(world)
    world.lookup = lookup
    world.logs = logs
    world.messages = MotoMessages(bridge, clock)
    world.ec2_listeners.append(notices.pass_on)
    world.services["logs"] = logs
    world.reports["logs"] = logs.report
    for name, service in (
        ("batch", BatchService(world)),
        ("ecs", EcsService(world)),
        ("ec2", Ec2Service(world)),
    ):
        world.services[name] = service
        world.reports[name] = service.report
    world.services["sts"] = Sts(world, keys, lookup)
    world.services["pricing"] = Pricing(world)
    world.services["service-quotas"] = ServiceQuotas(world)
    return Simulator(
        world=world,
        dispatcher=Dispatcher(world, keys, bridge, codec or Codec()),
        place=place,
        key=keys.create(place.account, "sandbox"),
        admin_token=f"{secrets.getrandbits(256):064x}",
    )


def _occupied(world: World, place: Place) -> Mapping[str, int]:
    """How many addresses of its subnets instances have."""
    with world.lock:
        return addresses.occupied(world.region(place))
