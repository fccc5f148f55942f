"""What capacity costs at rest: calls a minute for twenty environments and their instances."""

import asyncio
import contextlib
from collections import Counter
from typing import Any

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.api.tags import Owner

SCOPE = Scope("111122223333", "eu-central-1")
ENVIRONMENTS, INSTANCES = 20, 40
WHERE = "arn:aws:ecs:eu-central-1:111122223333"


def answers() -> dict[str, Any]:
    """EC2's and ECS's answers: the instances are shared out evenly."""
    each = INSTANCES // ENVIRONMENTS

    def instance(number: int) -> dict[str, Any]:
        key = ObjectKey("ComputeEnvironment", "ns", f"e{number // each}")
        tags = Owner("c1", key, f"u{number // each}").tags()
        return {
            "InstanceId": f"i-{number}",
            "State": {"Name": "running"},
            "Tags": [{"Key": name, "Value": value} for name, value in tags.items()],
        }

    instances = [instance(number) for number in range(INSTANCES)]

    def members(asked: dict) -> list[dict[str, Any]]:
        name = asked["cluster"].rpartition("/")[2]
        return [
            {
                "containerInstanceArn": f"{WHERE}:container-instance/{name}/{number}",
                "status": "ACTIVE",
            }
            for number in range(each)
        ]

    return {
        "DescribeInstances": lambda _: {"Reservations": [{"Instances": instances}]},
        "ListContainerInstances": lambda asked: {
            "containerInstanceArns": [one["containerInstanceArn"] for one in members(asked)]
        },
        "DescribeContainerInstances": lambda asked: {"containerInstances": members(asked)},
    }


async def test_at_rest_it_is_one_walk_of_ec2_and_one_of_each_cluster_a_minute(bench):
    bench.stub.answers |= answers()
    task = asyncio.create_task(bench.aws.run())

    async def look() -> None:
        for number in range(ENVIRONMENTS):
            key = ObjectKey("ComputeEnvironment", "ns", f"e{number}")
            cluster = f"{WHERE}:cluster/e{number}"
            found = await bench.aws.ec2.instances(SCOPE, f"u{number}", wake=key)
            joined = await bench.aws.ecs.container_instances(SCOPE, cluster, wake=key)
            assert len(found) == len(joined) == INSTANCES // ENVIRONMENTS

    await look()
    await bench.clock.advance(90)
    bench.stub.sent.clear()
    bench.woken.clear()
    for _ in range(2):
        await look()
        await bench.clock.advance(60)
    assert Counter(bench.stub.operations()) == {
        "DescribeInstances": 2,
        "ListContainerInstances": 2 * ENVIRONMENTS,
        "DescribeContainerInstances": 2 * ENVIRONMENTS,
    }
    assert bench.woken == []
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
