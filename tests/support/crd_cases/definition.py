"""JobDefinition: containers, tasks and nodes. What is about pods stands in `pods.py`."""

from tests.support.crd_cases.cases import bound, case

ROLE = "arn:aws:iam::111122223333:role/execution"
RESOURCES = [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "2048"}]
CONTAINER = {"image": "busybox:1.36", "resourceRequirements": RESOURCES}

BASE = {"type": "container", "containerProperties": CONTAINER}


def container(**members):
    return {"containerProperties": members}


def fargate(**members):
    return {
        "platformCapabilities": ["FARGATE"],
        **container(executionRoleArn=ROLE, **members),
    }


def task(**members):
    """The definition as an ECS task with one container."""
    body = {"containers": [{"name": "main", **CONTAINER}], **members}
    return {"containerProperties": None, "ecsProperties": {"taskProperties": [body]}}


def nodes(ranges=None, **members):
    """The definition as a multi-node job."""
    every = [{"targetNodes": "0:", "container": CONTAINER}] if ranges is None else ranges
    body = {"numNodes": 2, "mainNode": 0, "nodeRangeProperties": every, **members}
    return {"type": "multinode", "containerProperties": None, "nodeProperties": body}


EVERY = {"onReason": "*", "action": "EXIT"}


def needs(**amounts):
    wanted = {"VCPU": "1", "MEMORY": "2048", **amounts}
    return container(
        resourceRequirements=[{"type": kind, "value": value} for kind, value in wanted.items()]
    )


def efs(**members):
    volume = {"name": "shared", "efsVolumeConfiguration": {"fileSystemId": "fs-1", **members}}
    return container(volumes=[volume])


POD = {"podProperties": {"containers": [{"image": "busybox"}]}}
EKS = {"containerProperties": None, "eksProperties": POD}
MOUNT = [{"containerPath": "/data", "sourceVolume": "data"}]
POINT = {"accessPointId": "fsap-1"}

CASES = {
    "container-one-body": case(
        accepts=[{}, task(), EKS],
        refuses=[
            {"containerProperties": None},
            {**task(), "containerProperties": CONTAINER},
            {"nodeProperties": nodes()["nodeProperties"]},
        ],
    ),
    "multinode-body": case(
        accepts=nodes(),
        refuses=[{"type": "multinode"}, {**nodes(), "containerProperties": CONTAINER}],
    ),
    "container-complete": case(
        accepts={},
        refuses=[
            container(image=None),
            container(resourceRequirements=None),
            container(resourceRequirements=RESOURCES[:1]),
        ],
    ),
    "fargate-single-node": case(
        accepts=fargate(),
        refuses=[
            {**nodes(), "platformCapabilities": ["FARGATE"]},
            {**nodes(), "platformCapabilities": ["MANAGED_INSTANCES"]},
        ],
    ),
    "managed-instances-task": case(
        accepts={**task(), "platformCapabilities": ["MANAGED_INSTANCES"]},
        refuses={"platformCapabilities": ["MANAGED_INSTANCES"]},
    ),
    "eks-platform": case(
        accepts=[
            EKS,
            {**EKS, "propagateTags": False, "platformCapabilities": []},
        ],
        refuses=[
            {**EKS, "propagateTags": True},
            {**EKS, "platformCapabilities": ["EC2"]},
        ],
    ),
    "fargate-execution-role": case(
        accepts=[
            fargate(),
            {**task(executionRoleArn=ROLE), "platformCapabilities": ["FARGATE"]},
        ],
        refuses=[
            {"platformCapabilities": ["FARGATE"]},
            {**task(), "platformCapabilities": ["FARGATE"]},
        ],
    ),
    "fargate-container": case(
        accepts=[
            fargate(privileged=False),
            fargate(linuxParameters={"initProcessEnabled": True}),
            fargate(ulimits=[], linuxParameters={"devices": [], "tmpfs": []}),
            container(privileged=True),
        ],
        refuses=[
            fargate(privileged=True),
            fargate(ulimits=[{"name": "nofile", "softLimit": 1, "hardLimit": 1}]),
            fargate(linuxParameters={"sharedMemorySize": 64}),
            fargate(linuxParameters={"tmpfs": [{"containerPath": "/t", "size": 1}]}),
            fargate(instanceType="m7i.large"),
            fargate(resourceRequirements=[*RESOURCES, {"type": "GPU", "value": "1"}]),
        ],
    ),
    "only-fargate-container": case(
        accepts=[
            fargate(
                networkConfiguration={"assignPublicIp": "ENABLED"},
                ephemeralStorage={"sizeInGiB": 50},
            ),
            container(networkConfiguration={}, fargatePlatformConfiguration={}),
        ],
        refuses=[
            container(networkConfiguration={"assignPublicIp": "ENABLED"}),
            {"platformCapabilities": ["EC2"], **container(ephemeralStorage={"sizeInGiB": 50})},
        ],
        says="These are about Fargate: ",
    ),
    "mount-names-volume": case(
        accepts=[
            container(mountPoints=MOUNT, volumes=[{"name": "data"}]),
            container(mountPoints=[{"containerPath": "/data"}]),
        ],
        refuses=[
            container(mountPoints=MOUNT),
            container(mountPoints=MOUNT, volumes=[{"name": "other"}]),
        ],
    ),
    "task-mount-names-volume": case(
        accepts=task(
            containers=[{"image": "busybox", "mountPoints": MOUNT}], volumes=[{"name": "data"}]
        ),
        refuses=task(containers=[{"image": "busybox", "mountPoints": MOUNT}]),
    ),
    "volume-one-source": case(
        accepts=[
            container(volumes=[{"name": "data", "host": {"sourcePath": "/scratch"}}]),
            container(
                volumes=[
                    {
                        "name": "data",
                        "host": {},
                        "efsVolumeConfiguration": {"fileSystemId": "fs-1"},
                    }
                ]
            ),
        ],
        refuses=container(
            volumes=[
                {
                    "name": "data",
                    "host": {"sourcePath": "/scratch"},
                    "efsVolumeConfiguration": {"fileSystemId": "fs-1"},
                }
            ]
        ),
    ),
    "efs-encryption": case(
        accepts=[
            efs(),
            efs(authorizationConfig=POINT, transitEncryption="ENABLED"),
            efs(authorizationConfig={"iam": "DISABLED"}),
        ],
        refuses=[
            efs(authorizationConfig=POINT),
            efs(authorizationConfig={"iam": "ENABLED"}, transitEncryption="DISABLED"),
        ],
    ),
    "efs-access-point-root": case(
        accepts=[
            efs(rootDirectory="/data"),
            efs(authorizationConfig=POINT, transitEncryption="ENABLED", rootDirectory="/"),
        ],
        refuses=efs(authorizationConfig=POINT, transitEncryption="ENABLED", rootDirectory="/data"),
    ),
    "variable-reserved": case(
        accepts=container(environment=[{"name": "MODE", "value": "fast"}, {"name": "EMPTY"}]),
        refuses=container(environment=[{"name": "AWS_BATCH_JOB_ID", "value": "x"}]),
    ),
    "resource-whole": case(
        accepts=needs(VCPU="0.25", GPU="2"), refuses=[needs(MEMORY="512.5"), needs(GPU="1.5")]
    ),
    "resource-smallest": case(
        accepts=needs(VCPU="0.25", MEMORY="4"),
        refuses=[needs(MEMORY="3"), needs(VCPU="0"), needs(GPU="0")],
    ),
    "evaluate-condition": case(
        accepts={"retryStrategy": {"attempts": 2, "evaluateOnExit": [EVERY]}},
        refuses={"retryStrategy": {"attempts": 2, "evaluateOnExit": [{"action": "EXIT"}]}},
    ),
    "evaluate-needs-attempts": case(
        accepts=[
            {"retryStrategy": {"attempts": 3, "evaluateOnExit": [EVERY]}},
            {"retryStrategy": {"attempts": 3}},
            {"retryStrategy": {"evaluateOnExit": []}},
        ],
        refuses={"retryStrategy": {"evaluateOnExit": [{"action": "EXIT", "onExitCode": "1*"}]}},
    ),
}

BOUNDS = (
    bound(
        "spec.timeout.attemptDurationSeconds",
        accepts={"timeout": {"attemptDurationSeconds": 60}},
        refuses=[{"timeout": {"attemptDurationSeconds": 59}}, {"timeout": {}}],
    ),
    bound(
        "spec.retryStrategy.attempts",
        accepts=[{"retryStrategy": {"attempts": n}} for n in (1, 10)],
        refuses=[{"retryStrategy": {"attempts": n}} for n in (0, 11)],
    ),
    bound(
        "spec.retryStrategy.evaluateOnExit",
        accepts={"retryStrategy": {"attempts": 2, "evaluateOnExit": [EVERY] * 5}},
        refuses={"retryStrategy": {"attempts": 2, "evaluateOnExit": [EVERY] * 6}},
    ),
    bound(
        "spec.containerProperties.environment[1]",
        accepts=container(environment=[{"name": "A"}, {"name": "B"}]),
        refuses=container(environment=[{"name": "A"}, {"name": "A"}]),
    ),
    bound(
        "spec.containerProperties.environment[0].name",
        accepts={},
        refuses=container(environment=[{"value": "nameless"}]),
    ),
    bound(
        "spec.ecsProperties.taskProperties",
        accepts=task(),
        refuses={
            "containerProperties": None,
            "ecsProperties": {"taskProperties": [{"containers": [CONTAINER]}] * 2},
        },
    ),
    bound(
        "spec.nodeProperties.nodeRangeProperties[0].targetNodes",
        accepts=nodes([{"targetNodes": ":1", "container": CONTAINER}]),
        refuses=nodes([{"targetNodes": "0-1", "container": CONTAINER}]),
    ),
    bound(
        "spec.schedulingPriority",
        accepts={"schedulingPriority": 9999},
        refuses={"schedulingPriority": 10000},
    ),
    bound(
        "spec.containerProperties.ephemeralStorage.sizeInGiB",
        accepts=fargate(ephemeralStorage={"sizeInGiB": 21}),
        refuses=[fargate(ephemeralStorage={"sizeInGiB": n}) for n in (20, 201)],
    ),
    bound(
        "spec.containerProperties.environment",
        accepts=container(environment=[{"name": f"N{n}", "value": "x"} for n in range(1000)]),
        refuses=container(environment=[{"name": f"N{n}"} for n in range(2500)]),
    ),
    bound(
        "spec.retryStrategy.evaluateOnExit[0].action",
        accepts=[
            {"retryStrategy": {"attempts": 2, "evaluateOnExit": [{**EVERY, "action": action}]}}
            for action in ("RETRY", "retry", "EXIT", "exit")
        ],
        refuses={"retryStrategy": {"attempts": 2, "evaluateOnExit": [{**EVERY, "action": "STOP"}]}},
    ),
    bound("spec.keepRevisions", accepts={"keepRevisions": 1}, refuses={"keepRevisions": 0}),
)
