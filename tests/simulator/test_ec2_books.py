"""Whatever happens to instances, what EC2 counts and finds is what there is."""

import random

import pytest
from tests.simulator.instances import Zoned, fleet_request, override, run, spot, tagged
from tests.support.fuzzing import ec2_books

from awsbatch_simulator.ec2 import incidents
from awsbatch_simulator.ec2.incidents import Order
from awsbatch_simulator.errors import AwsFailure

THINGS = (
    *("launch", "launch", "fleet", "reserve", "release", "tag", "incident"),
    *("StopInstances", "StartInstances", "TerminateInstances"),
)
TYPES = ("m5.large", "c5.xlarge", "g4dn.xlarge")


class Crowd:
    """Random things that happen to instances, fleets and reservations."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.cloud = Zoned(capacity={"*:*:*": 5}, quotas={"L-1216C47A": 24})
        self.requests = [
            fleet_request(self.cloud, *(override(name) for name in TYPES), units=4, market=market)
            for market in ("spot", "on-demand")
        ]

    def one(self) -> None:
        ids = list(self.cloud.region.ec2.instances) or ["i-0"]
        some = {"InstanceIds": self.random.sample(ids, min(2, len(ids)))}
        name = self.random.choice(THINGS)
        match name:
            case "launch":
                market = self.random.choice(({}, spot()))
                tags = {"TagSpecifications": [tagged("instance", a=self.random.choice("xyz"))]}
                run(self.cloud, 3, InstanceType=self.random.choice(TYPES), **market, **tags)
            case "fleet":
                self.cloud("CreateFleet", **self.random.choice(self.requests))
            case "reserve":
                self.cloud(
                    "CreateCapacityReservation",
                    InstanceType=self.random.choice(TYPES),
                    InstancePlatform="Linux/UNIX",
                    AvailabilityZone="eu-central-1a",
                    InstanceCount=2,
                )
            case "release":
                found = list(self.cloud.region.ec2.reservations) or ["cr-0"]
                chosen = self.random.choice(found)
                self.cloud("CancelCapacityReservation", CapacityReservationId=chosen)
            case "tag":
                tag = {"Key": "a", "Value": self.random.choice("xyz")}
                operation = self.random.choice(("CreateTags", "DeleteTags"))
                self.cloud(operation, Resources=some["InstanceIds"], Tags=[tag])
            case "incident":
                kind = self.random.choice(("interrupt", "shut_down", "say"))
                order = Order.model_validate({"incident": kind, "instanceIds": some["InstanceIds"]})
                incidents.carry_out([self.cloud.region], order)
            case operation:
                self.cloud(operation, **some)


@pytest.mark.parametrize("seed", range(2))
def test_counts_and_indexes_agree_with_what_there_is(seed):
    crowd = Crowd(seed)
    refused = 0
    for _ in range(50):
        try:
            crowd.one()
        except AwsFailure:
            refused += 1
        crowd.cloud.step(crowd.random.choice((0, 1, 20, 130)))
        assert ec2_books.errors(crowd.cloud.region) == []
        crowd.cloud("DescribeInstances")
    assert 0 < refused < 40
    crowd.cloud.step(20_000)
    assert ec2_books.errors(crowd.cloud.region) == []
