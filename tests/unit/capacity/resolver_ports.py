"""The ports of what a pool names, answering from values; what was asked is counted."""

from collections import Counter
from decimal import Decimal

from tests.unit.capacity.pool_values import by_name, described

from awsbatch_operator.api.scope import NoTokenError

GROUP = {"GroupId": "sg-1", "VpcId": "vpc-1"}
IMAGE = {"State": "available"}
TYPES = by_name(
    described("m6i.large"),
    described("r6i.large", gib=16),
    described("m6g.large", architecture="arm64", threads=1),
    described("g5.xlarge", 4, 16, gpus=1),
    *(described(f"c{number}.xlarge", 4) for number in range(70)),
)


class Aws:
    """The ports, answering from values; what was asked is counted."""

    def __init__(self):
        self.asked: Counter[str] = Counter()
        self.offered = {name: frozenset("ab") for name in TYPES}
        self.free = {"subnet-a": 5, "subnet-b": 5}
        self.on_demand_prices = {name: Decimal(1) for name in TYPES}
        self.tokens = True
        self.parameters = []
        self.held = "ami-1"  # by each parameter
        self.images_asked = []
        self.architecture = "x86_64"

    async def instance_types(self, scope, names=None):
        self.asked["all types" if names is None else "types"] += 1
        return {name: TYPES[name] for name in (TYPES if names is None else names) if name in TYPES}

    async def zones_of(self, scope, types):
        return {name: self.offered[name] for name in types}

    async def subnets(self, scope, ids, *, fresh=False):
        self.asked["fresh subnets" if fresh else "subnets"] += 1
        return {
            name: {
                "SubnetId": name,
                "AvailabilityZone": name[-1],
                "VpcId": "vpc-1",
                "AvailableIpAddressCount": self.free[name],
            }
            for name in ids
        }

    async def security_groups(self, scope, ids, *, fresh=False):
        self.asked["fresh groups"] += fresh
        return dict.fromkeys(ids, GROUP)

    async def images(self, scope, ids, *, fresh=False):
        self.asked["fresh images"] += fresh
        self.images_asked += ids
        return {each: {**IMAGE, "ImageId": each, "Architecture": self.architecture} for each in ids}

    async def image_parameter(self, scope, name, *, fresh=False):
        self.asked["fresh parameters"] += fresh
        self.parameters.append(name)
        return self.held

    async def on_demand(self, scope, types):
        if not self.tokens:
            raise NoTokenError(0.2)
        return {name: self.on_demand_prices[name] for name in types}

    async def spot(self, scope, types):
        return {(name, zone): Decimal("0.3") for name in types for zone in "ab"}
