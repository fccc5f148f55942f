"""What feeds read: infrastructure of AWS Batch that a test changes, over a stub of AWS."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.aws.ports import BatchPort

SCOPE = Scope("111122223333", "eu-central-1")
CLUSTER = "c1"
PREFIX = "arn:aws:batch:eu-central-1:111122223333"


def key(name: str, kind: str = "ComputeEnvironment") -> ObjectKey:
    return ObjectKey(kind, "ns", name)


def tags(name: str, kind: str = "ComputeEnvironment", cluster: str = CLUSTER) -> dict[str, str]:
    return Owner(cluster, key(name, kind), "uid").tags()


def environment(name: str, *, status: str = "VALID", cluster: str = CLUSTER, **more: Any) -> dict:
    arn = f"{PREFIX}:compute-environment/{name}"
    own = {"computeEnvironmentName": name, "computeEnvironmentArn": arn, "status": status}
    return {**own, "tags": tags(name, cluster=cluster), **more}


def queue(name: str, **more: Any) -> dict:
    arn = f"{PREFIX}:job-queue/{name}"
    return {"jobQueueName": name, "jobQueueArn": arn, "tags": tags(name, "JobQueue"), **more}


def policy(name: str, **more: Any) -> dict:
    arn = f"{PREFIX}:scheduling-policy/{name}"
    return {"name": name, "arn": arn, "tags": tags(name, "SchedulingPolicy"), **more}


def definition(name: str, revision: int = 1, *, cluster: str = CLUSTER, **more: Any) -> dict:
    arn = f"{PREFIX}:job-definition/{name}:{revision}"
    own = {"jobDefinitionName": name, "jobDefinitionArn": arn, "revision": revision}
    return {**own, "tags": tags(name, "JobDefinition", cluster), **more}


class World:
    """What AWS has, which a test changes, and the operator's AWS side over it."""

    def __init__(self, bench: Any) -> None:
        self.bench, self.clock = bench, bench.clock
        self.batch: BatchPort = bench.aws.batch
        self.woken: list[ObjectKey] = bench.woken
        self.environments: list[dict] = []
        self.queues: list[dict] = []
        self.policies: list[dict] = []
        self.definitions: list[dict] = []
        bench.stub.answers |= {
            "DescribeComputeEnvironments": self._environments,
            "DescribeJobQueues": self._queues,
            "ListSchedulingPolicies": lambda asked: self._page(
                asked, "schedulingPolicies", [{"arn": each["arn"]} for each in self.policies]
            ),
            "DescribeSchedulingPolicies": self._policies,
            "DescribeJobDefinitions": self._definitions,
        }

    async def wakes_in(self, seconds: float) -> list[ObjectKey]:
        self.woken.clear()
        await self.clock.advance(seconds)
        return list(self.woken)

    async def calls_in(self, seconds: float) -> Counter[str]:
        self.bench.stub.sent.clear()
        await self.clock.advance(seconds)
        return self.calls

    @property
    def calls(self) -> Counter[str]:
        return Counter(self.bench.stub.operations())

    async def asks(self, name: str = "e", **more: Any) -> Shape | None:
        return await self.batch.compute_environment(SCOPE, name, **more)

    def _environments(self, asked: dict) -> dict:
        names = asked.get("computeEnvironments")
        if names is None:
            return self._page(asked, "computeEnvironments", self.environments)
        found = [each for each in self.environments if each["computeEnvironmentName"] in names]
        return {"computeEnvironments": found}

    def _queues(self, asked: dict) -> dict:
        names = asked.get("jobQueues")
        if names is None:
            return self._page(asked, "jobQueues", self.queues)
        return {"jobQueues": [each for each in self.queues if each["jobQueueName"] in names]}

    def _policies(self, asked: dict) -> dict:
        assert len(asked["arns"]) <= 100
        found = [each for each in self.policies if each["arn"] in asked["arns"]]
        return {"schedulingPolicies": found}

    def _definitions(self, asked: dict) -> dict:
        assert asked["status"] == "ACTIVE"
        name = asked.get("jobDefinitionName")
        matching = [d for d in self.definitions if name in (None, d["jobDefinitionName"])]
        return self._page(asked, "jobDefinitions", matching)

    def _page(self, asked: dict, member: str, things: list[dict]) -> dict:
        at, size = int(asked.get("nextToken") or 0), asked["maxResults"]
        token = str(at + size) if at + size < len(things) else None
        return {member: things[at : at + size], "nextToken": token}


@pytest.fixture
async def world(bench: Any) -> AsyncIterator[World]:
    task = asyncio.create_task(bench.aws.run())
    await bench.clock.advance(0)
    yield World(bench)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def read(world: World) -> None:
    """The scope is used, and has been read once."""
    await world.asks("e")
    await world.clock.advance(0)
    world.woken.clear()
    world.bench.stub.sent.clear()
