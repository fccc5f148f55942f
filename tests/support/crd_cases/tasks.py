"""JobDefinition: what is about ECS tasks, and about the nodes of multi-node jobs."""

from tests.support.crd_cases.cases import case
from tests.support.crd_cases.definition import CONTAINER, POD, ROLE, container, nodes, task

CASES = {
    "node-container-on-ec2": case(
        accepts=nodes(
            [{"targetNodes": "0:", "container": {**CONTAINER, "instanceType": "c7i.large"}}]
        ),
        refuses=[
            nodes([{"targetNodes": "0:", "container": {**CONTAINER, **more}}])
            for more in (
                {"networkConfiguration": {"assignPublicIp": "ENABLED"}},
                {"fargatePlatformConfiguration": {"platformVersion": "LATEST"}},
                {"ephemeralStorage": {"sizeInGiB": 50}},
            )
        ],
    ),
    "node-task-on-ec2": case(
        accepts=nodes([{"targetNodes": "0:", "ecsProperties": task()["ecsProperties"]}]),
        refuses=[
            nodes([{"targetNodes": "0:", "ecsProperties": task(**more)["ecsProperties"]}])
            for more in ({"networkMode": "host"}, {"ephemeralStorage": {"sizeInGiB": 50}})
        ],
    ),
    "task-essential": case(
        accepts=task(
            containers=[{**CONTAINER, "name": "a"}, {**CONTAINER, "name": "b", "essential": False}]
        ),
        refuses=task(containers=[{**CONTAINER, "essential": False}]),
    ),
    "single-node-instance-type": case(accepts={}, refuses=container(instanceType="c7i.large")),
    "only-fargate-task": case(
        accepts=[
            {
                **task(executionRoleArn=ROLE, ephemeralStorage={"sizeInGiB": 50}),
                "platformCapabilities": ["FARGATE"],
            },
            task(networkConfiguration={}),
        ],
        refuses=[
            task(ephemeralStorage={"sizeInGiB": 50}),
            task(networkConfiguration={"assignPublicIp": "ENABLED"}),
            {
                **task(networkConfiguration={"assignPublicIp": "ENABLED"}),
                "platformCapabilities": ["MANAGED_INSTANCES"],
            },
        ],
    ),
    "task-network-mode": case(
        accepts={**task(networkMode="host"), "platformCapabilities": ["MANAGED_INSTANCES"]},
        refuses=task(networkMode="host"),
    ),
    "main-node-exists": case(accepts=nodes(mainNode=1), refuses=nodes(mainNode=2)),
    "node-range-one-body": case(
        accepts=nodes(
            [
                {"targetNodes": "0", "container": CONTAINER},
                {"targetNodes": "1:", "ecsProperties": task()["ecsProperties"]},
            ]
        ),
        refuses=[
            nodes([{"targetNodes": "0:"}]),
            nodes([{"targetNodes": "0:", "container": CONTAINER, "eksProperties": POD}]),
        ],
    ),
}
