"""Puts a simulator together: the one place that knows all its parts."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from awsbatch_simulator import notices
from awsbatch_simulator.batch.service import BatchService
from awsbatch_simulator.bridge.messages import MotoMessages
from awsbatch_simulator.bridge.moto import MotoBridge
from awsbatch_simulator.bridge.policies import MotoPolicies
from awsbatch_simulator.clock import SimulatedClock
from awsbatch_simulator.context import Place
from awsbatch_simulator.dispatch import Dispatcher
from awsbatch_simulator.ec2 import addresses
from awsbatch_simulator.ec2.service import Ec2Service
from awsbatch_simulator.ecs.service import EcsService
from awsbatch_simulator.given import GivenSecrets
from awsbatch_simulator.iam.authorizer import Authorizer
from awsbatch_simulator.identity import AccessKey, AccessKeys
from awsbatch_simulator.logs.service import Logs
from awsbatch_simulator.lookup import MotoLookup
from awsbatch_simulator.pricing import Pricing
from awsbatch_simulator.protocol.codec import Codec
from awsbatch_simulator.service_quotas import ServiceQuotas
from awsbatch_simulator.settings import Settings
from awsbatch_simulator.ssm.service import SsmService
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
    keys: AccessKeys  # makes keys of other users


def build(
    *,
    clock: SimulatedClock,
    settings: Settings,
    ids: random.Random,
    secrets: random.Random,
    place: Place = Place(ACCOUNT, REGION),  # noqa: B008 - frozen
    codec: Codec | None = None,
    given: GivenSecrets | None = None,
) -> Simulator:
    """A fresh simulator. `secrets` makes keys and tokens: SystemRandom() outside of tests.

    `given` are those of its own account, where somebody else must know them beforehand.
    Simulators that share a codec read each service's model once (EC2's takes half a second).
    """
    world = World(clock, settings, ids)
    world.change(settings)
    bridge = MotoBridge()
    bridge.occupied = partial(_occupied, world)
    authorizer = Authorizer(world, MotoPolicies(bridge))
    lookup, keys = MotoLookup(bridge), AccessKeys(secrets)
    logs = Logs(world)
    world.lookup = lookup
    world.logs = logs
    world.messages = MotoMessages(bridge, clock)
    world.ec2_listeners.append(notices.pass_on)
    world.services["logs"] = logs
    world.reports["logs"] = logs.report
    _serve(world, keys, lookup)
    return Simulator(
        world=world,
        dispatcher=Dispatcher(world, keys, bridge, codec or Codec(), authorizer),
        place=place,
        key=keys.create(place.account, "sandbox", given),
        admin_token=given.admin_token if given else f"{secrets.getrandbits(256):064x}",
        keys=keys,
    )


def _serve(world: World, keys: AccessKeys, lookup: MotoLookup) -> None:
    """The services that are the simulator's own; all others are moto's."""
    for name, service in (
        ("batch", BatchService(world)),
        ("ecs", EcsService(world)),
        ("ec2", Ec2Service(world)),
        ("ssm", SsmService(world)),
    ):
        world.services[name] = service
        world.reports[name] = service.report
    world.services["sts"] = Sts(world, keys, lookup)
    world.services["pricing"] = Pricing(world)
    world.services["service-quotas"] = ServiceQuotas(world)


def _occupied(world: World, place: Place) -> Mapping[str, int]:
    """How many addresses of its subnets instances have."""
    with world.lock:
        return addresses.occupied(world.region(place))
