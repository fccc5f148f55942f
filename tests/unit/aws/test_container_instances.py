"""Container instances of ECS clusters, and the jobs that wait in queues: what is asked when."""

import asyncio
import contextlib
from collections import Counter
from typing import Any

import pytest
from tests.support.stub_aws import Refused

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.scope import NoTokenError, Scope
from awsbatch_operator.aws.errors import AwsError

SCOPE = Scope("111122223333", "eu-central-1")
OWNER = ObjectKey("ComputeEnvironment", "ns", "e")
CLUSTER = "arn:aws:ecs:eu-central-1:111122223333:cluster/AWSBatch-e-1"
OTHER = "arn:aws:ecs:eu-central-1:111122223333:cluster/AWSBatch-f-1"


def container_instance(number: int, **more: Any) -> dict:
    return {
        "containerInstanceArn": f"{CLUSTER.replace(':cluster', ':container-instance')}/{number}",
        "ec2InstanceId": f"i-{number}",
        "status": "ACTIVE",
        "agentConnected": True,
        "version": number,
        "attributes": [
            {"name": "awsbatch.dev/pool", "value": "main"},
            {"name": "ecs.capability.docker-remote-api.1.44"},
        ],
        **more,
    }


class Ecs:
    """What ECS has, which a test changes, and the operator's AWS side over it."""

    def __init__(self, bench: Any) -> None:
        self.bench, self.clock, self.port = bench, bench.clock, bench.aws.ecs
        self.clusters: dict[str, list[dict]] = {CLUSTER: [], OTHER: []}
        bench.stub.answers["ListContainerInstances"] = self._list
        bench.stub.answers["DescribeContainerInstances"] = self._describe

    def _list(self, asked: dict) -> dict:
        found = [each["containerInstanceArn"] for each in self._of(asked)]
        at, size = int(asked.get("nextToken", 0)), asked["maxResults"]
        answer = {"containerInstanceArns": found[at : at + size]}
        return answer | ({"nextToken": str(at + size)} if at + size < len(found) else {})

    def _describe(self, asked: dict) -> dict:
        assert len(asked["containerInstances"]) <= 100
        found = [
            each
            for each in self._of(asked)
            if each["containerInstanceArn"] in asked["containerInstances"]
        ]
        return {"containerInstances": found, "failures": []}

    def _of(self, asked: dict) -> list[dict]:
        if asked["cluster"] not in self.clusters:
            raise Refused("ClusterNotFoundException", "Cluster not found.")
        return self.clusters[asked["cluster"]]

    async def asks(self, cluster: str = CLUSTER, **more: Any) -> list[dict]:
        return list(await self.port.container_instances(SCOPE, cluster, wake=OWNER, **more))

    async def calls_in(self, seconds: float) -> Counter[str]:
        self.bench.stub.sent.clear()
        await self.clock.advance(seconds)
        return Counter(self.bench.stub.operations())


@pytest.fixture
async def ecs(bench: Any):
    task = asyncio.create_task(bench.aws.run())
    await bench.clock.advance(0)
    yield Ecs(bench)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_at_rest_each_cluster_is_read_by_one_walk_a_minute(ecs):
    ecs.clusters[CLUSTER] = [container_instance(number) for number in range(250)]
    await ecs.asks(CLUSTER)
    await ecs.asks(OTHER)
    await ecs.clock.advance(60)
    ecs.bench.stub.sent.clear()
    assert (len(await ecs.asks(CLUSTER)), await ecs.asks(OTHER)) == (250, [])
    assert ecs.bench.stub.sent == []
    calls = await ecs.calls_in(60)
    assert calls == {"ListContainerInstances": 3 + 1, "DescribeContainerInstances": 3}


async def test_a_cluster_that_nobody_asks_for_any_more_is_not_read(ecs):
    await ecs.asks()
    await ecs.clock.advance(1800)
    assert await ecs.calls_in(600) == {}


async def test_whoever_waits_for_an_agent_reads_that_cluster_alone(ecs):
    await ecs.asks(CLUSTER)
    await ecs.asks(OTHER)
    await ecs.clock.advance(60)
    ecs.clusters[CLUSTER] = [container_instance(1)]
    ecs.bench.stub.sent.clear()
    [joined] = await ecs.asks(CLUSTER, fresh=True)
    assert joined["ec2InstanceId"] == "i-1"
    assert {asked["cluster"] for _, asked in ecs.bench.stub.sent} == {CLUSTER}
    assert await ecs.asks(CLUSTER) == [joined]


async def test_the_asker_hears_of_what_matters_and_of_nothing_else(ecs):
    ecs.clusters[CLUSTER] = [container_instance(1)]
    await ecs.asks()
    await ecs.clock.advance(60)
    ecs.bench.woken.clear()
    ecs.clusters[CLUSTER] = [container_instance(1, version=99, attachments=[{"id": "a"}])]
    await ecs.clock.advance(60)
    assert ecs.bench.woken == []
    ecs.clusters[CLUSTER] = [container_instance(1, agentConnected=False)]
    await ecs.clock.advance(60)
    assert ecs.bench.woken == [OWNER]
    [shown] = await ecs.asks()
    assert shown["attributes"] == [{"name": "awsbatch.dev/pool", "value": "main"}]
    assert shown["clusterArn"] == CLUSTER


async def test_a_cluster_that_was_deleted_by_hand_has_none_and_harms_no_other(ecs):
    ecs.clusters[OTHER] = [container_instance(1)]
    await ecs.asks(CLUSTER)
    await ecs.asks(OTHER)
    del ecs.clusters[CLUSTER]
    await ecs.clock.advance(60)
    assert await ecs.asks(CLUSTER) == []
    assert len(await ecs.asks(OTHER)) == 1


async def test_what_is_inactive_is_left_out(ecs):
    ecs.clusters[CLUSTER] = [container_instance(1, status="INACTIVE"), container_instance(2)]
    assert [each["ec2InstanceId"] for each in await ecs.asks()] == ["i-2"]


async def test_after_a_change_the_cluster_is_asked_about_again(ecs):
    ecs.clusters[CLUSTER] = [container_instance(1)]
    await ecs.asks(CLUSTER)
    await ecs.asks(OTHER)
    await ecs.clock.advance(60)
    request = {"cluster": CLUSTER, "containerInstances": ["a"], "status": "DRAINING"}
    await ecs.port.change(SCOPE, "UpdateContainerInstancesState", request)
    ecs.clusters[CLUSTER] = [container_instance(1, status="DRAINING")]
    assert [each["status"] for each in await ecs.asks(CLUSTER)] == ["DRAINING"]
    ecs.bench.stub.sent.clear()
    await ecs.asks(OTHER)
    assert ecs.bench.stub.sent == []


async def test_what_could_not_be_changed_is_told(ecs):
    failed = {"failures": [{"arn": "a", "reason": "INACTIVE"}], "containerInstances": []}
    ecs.bench.stub.answers["UpdateContainerInstancesState"] = lambda _: failed
    request = {"cluster": CLUSTER, "containerInstances": ["a"], "status": "DRAINING"}
    assert await ecs.port.change(SCOPE, "UpdateContainerInstancesState", request) == failed


async def test_a_change_needs_a_token_and_waits_for_none(ecs):
    permits = [
        ecs.port.permit(SCOPE, "DeregisterContainerInstance", number) for number in range(50)
    ]
    with pytest.raises(NoTokenError):
        ecs.port.permit(SCOPE, "DeregisterContainerInstance", "one more")
    for permit in permits:
        permit.give_back()


async def test_an_answer_without_a_list_is_not_taken_for_an_empty_cluster(ecs):
    ecs.bench.stub.answers["ListContainerInstances"] = lambda _: {}
    with pytest.raises(AwsError, match="containerInstanceArns"):
        await ecs.asks()


async def test_a_cluster_that_is_gone_is_not_read_any_more_until_somebody_asks(ecs):
    await ecs.asks()
    assert await ecs.calls_in(300)
    del ecs.clusters[CLUSTER]
    await ecs.clock.advance(120)
    assert await ecs.calls_in(1500) == {}
    ecs.clusters[CLUSTER] = [container_instance(1)]
    assert len(await ecs.asks()) == 1
    assert await ecs.calls_in(300)


async def test_for_whoever_looks_for_himself_no_cluster_is_read_besides(ecs):
    assert await ecs.port.container_instances(SCOPE, CLUSTER, fresh=True) == ()
    assert await ecs.calls_in(1800) == {}
