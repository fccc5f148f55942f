"""On which instance a job ran, from what ECS and EC2 say of it."""

from typing import Any

import pytest
from tests.support.clock import SteppedClock
from tests.unit.kinds.batchjob.jobs import NOW, SCOPE, known

from awsbatch_operator.api.scope import NoTokenError
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.kinds.batchjob.placement import ASIDE_SECONDS, PlacementReader

HOST = "arn:aws:ecs:eu-central-1:111122223333:container-instance/c/1"
TYPE = {"name": "ecs.instance-type", "value": "m7i.large"}
ZONE = {"name": "ecs.availability-zone", "value": "eu-central-1a"}
DENIED = AwsError(ErrorKind.DENIED, operation="Describe", message="no")


class Aws:
    """ECS and EC2, which know one instance."""

    def __init__(self, instance: dict[str, Any], **errors: Exception) -> None:
        self.instance, self.errors = instance, errors
        self.asked: list[str] = []

    def _called(self, service: str) -> None:
        self.asked.append(service)
        if service in self.errors:
            raise self.errors[service]

    async def container_instances_by_arn(self, _: Any, arns: Any) -> dict[str, Any]:
        self._called("ecs")
        return {arn: {"ec2InstanceId": "i-1", "attributes": [TYPE, ZONE]} for arn in arns}

    async def instances_by_id(self, _: Any, ids: Any) -> dict[str, Any]:
        self._called("ec2")
        return dict.fromkeys(ids, self.instance) if self.instance else {}


def reader(aws: Aws) -> tuple[PlacementReader, SteppedClock]:
    ports: Any = aws
    clock = SteppedClock(start=NOW.epoch)
    return PlacementReader(ports, ports, clock), clock


RUNNING = known("RUNNING", container={"containerInstanceArn": HOST})
OURS = {"Key": "awsbatch.dev/market", "Value": "SpotBlock"}
EC2 = {"InstanceType": "m7i.large", "Placement": {"AvailabilityZone": "eu-central-1a"}}


@pytest.mark.parametrize(
    ("instance", "market"),
    [
        (EC2, "OnDemand"),
        (EC2 | {"InstanceLifecycle": "spot"}, "Spot"),
        (EC2 | {"Tags": [OURS]}, "SpotBlock"),
        ({}, None),
    ],
)
async def test_the_market_is_that_of_our_tag_or_what_ec2_says(instance, market):
    placed, _ = reader(Aws(instance))
    placement = (await placed.added(RUNNING, SCOPE)).placement
    assert placement.get("market") == market
    assert placement["instanceId"] == "i-1"
    assert (placement["instanceType"], placement["availabilityZone"]) == (
        "m7i.large",
        "eu-central-1a",
    )


async def test_without_the_right_to_ask_ec2_all_but_the_market_is_told():
    aws = Aws(EC2, ec2=DENIED)
    placed, clock = reader(aws)
    for _ in range(3):
        placement = (await placed.added(RUNNING, SCOPE)).placement
        assert set(placement) == {"instanceId", "instanceType", "availabilityZone"}
    assert aws.asked.count("ec2") == 1
    clock.skip(ASIDE_SECONDS)
    await placed.added(RUNNING, SCOPE)
    assert aws.asked.count("ec2") == 2


async def test_a_want_of_tokens_is_no_trouble_and_is_asked_again():
    aws = Aws(EC2, ecs=NoTokenError(1.0))
    placed, _ = reader(aws)
    for _ in range(2):
        assert (await placed.added(RUNNING, SCOPE)).placement == {}
    assert aws.asked == ["ecs", "ecs"]


@pytest.mark.parametrize(
    "detail",
    [
        {"ecsProperties": {"taskProperties": [{"containerInstanceArn": HOST}]}},
        {"attempts": [{"container": {"containerInstanceArn": HOST}}]},
        {"attempts": [{"taskProperties": [{"containerInstanceArn": HOST}]}]},
    ],
)
async def test_the_host_of_each_shape_of_job_is_found(detail):
    placed, _ = reader(Aws(EC2))
    assert (await placed.added(known("FAILED", **detail), SCOPE)).placement["instanceId"] == "i-1"


@pytest.mark.parametrize("state", ["SUBMITTED", "RUNNABLE", "STARTING"])
async def test_of_a_job_that_does_not_run_nothing_is_asked(state):
    aws = Aws(EC2)
    placed, _ = reader(aws)
    await placed.added(known(state, container={"containerInstanceArn": HOST}), SCOPE)
    await placed.added(known("RUNNING", container={}), SCOPE)
    assert aws.asked == []
