"""What AWS answers for what was registered: forms that are the same content."""

from typing import Any

NEEDS = [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "2048"}]
MAIN = {"image": "busybox:1.36", "resourceRequirements": NEEDS}
# What AWS fills in where a container says nothing.
EMPTY: dict[str, Any] = {
    "command": [],
    "volumes": [],
    "environment": [],
    "mountPoints": [],
    "ulimits": [],
    "secrets": [],
    "logConfiguration": None,
    "linuxParameters": {"devices": [], "tmpfs": []},
}
EMPTY_IN_TASKS = {name: value for name, value in EMPTY.items() if name != "volumes"}
EXECUTION = "arn:aws:iam::111122223333:role/ecsTaskExecutionRole"
ROUTER = {"name": "log_router", "image": "fluent-bit", "essential": True}
APP = {
    "name": "app",
    "image": "busybox",
    "dependsOn": [
        {"containerName": "log_router", "condition": "START"},
        {"containerName": "init", "condition": "SUCCESS"},
    ],
}
INIT = {"name": "init", "image": "busybox", "essential": False}


def container(**members):
    return {"type": "container", "containerProperties": {**MAIN, **members}}


def task(*containers, **members):
    body = {"containers": list(containers), **members}
    return {"type": "container", "ecsProperties": {"taskProperties": [body]}}


def nodes(*groups):
    body = {"numNodes": 2, "mainNode": 0, "nodeRangeProperties": list(groups)}
    return {"type": "multinode", "nodeProperties": body}


def pod(*containers, **members):
    body = {"containers": list(containers), **members}
    return {"type": "container", "eksProperties": {"podProperties": body}}


def limited(**requests):
    limits = {"cpu": "1", "memory": "2048Mi"}
    return {"image": "busybox:1.36", "resources": {"limits": limits, **requests}}


def retried(action):
    strategy = {"attempts": 3, "evaluateOnExit": [{"onExitCode": "1*", "action": action}]}
    return {**container(), "retryStrategy": strategy}


# (what was registered, what AWS answers)
ANSWERS = {
    "empty lists": (container(), container(**EMPTY)),
    "lower-cased actions": (retried("RETRY"), retried("retry")),
    "variables without a value": (
        container(
            environment=[{"name": "A", "value": ""}, {"name": "B"}, {"name": "C", "value": "1"}]
        ),
        container(environment=[{"name": "C", "value": "1"}]),
    ),
    "only variables without a value": (
        container(environment=[{"name": "A", "value": ""}]),
        container(environment=[]),
    ),
    "members that are empty texts": (container(), container(user="", jobRoleArn="")),
    "Fargate's platform": (
        {**container(executionRoleArn=EXECUTION), "platformCapabilities": ["FARGATE"]},
        {
            **container(
                executionRoleArn=EXECUTION,
                fargatePlatformConfiguration={"platformVersion": "LATEST"},
                **EMPTY,
            ),
            "platformCapabilities": ["FARGATE"],
        },
    ),
    "a device": (
        container(linuxParameters={"devices": [{"hostPath": "/dev/fuse"}]}),
        container(
            linuxParameters={
                "devices": [
                    {
                        "hostPath": "/dev/fuse",
                        "containerPath": "/dev/fuse",
                        "permissions": ["READ", "WRITE", "MKNOD"],
                    }
                ],
                "tmpfs": [],
            }
        ),
    ),
    "an EFS volume": (
        container(volumes=[{"name": "a", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}]),
        container(
            volumes=[
                {
                    "name": "a",
                    "host": {},
                    "efsVolumeConfiguration": {
                        "fileSystemId": "fs-1",
                        "rootDirectory": "/",
                        "transitEncryption": "DISABLED",
                        "transitEncryptionPort": 0,
                        "authorizationConfig": {"iam": "DISABLED"},
                    },
                }
            ]
        ),
    ),
    "the order of containers and of what they wait for": (
        task(APP, ROUTER, INIT),
        task(
            INIT, {**APP, "dependsOn": APP["dependsOn"][::-1], **EMPTY_IN_TASKS}, ROUTER, volumes=[]
        ),
    ),
    "what is essential": (
        task({"name": "a", "image": "b"}),
        task({"name": "a", "image": "b", "essential": True}),
    ),
    "node groups": (
        nodes({"targetNodes": "0:", "container": MAIN}),
        nodes({"targetNodes": "0:", "container": {**MAIN, **EMPTY}, "instanceTypes": []}),
    ),
    "vcpus and memory as they were written earlier": (
        container(),
        {
            "type": "container",
            "containerProperties": {
                "image": "busybox:1.36",
                "vcpus": 1,
                "memory": 2048,
                "resourceRequirements": [],
            },
        },
    ),
    "vcpus and memory of none": (container(), container(vcpus=0, memory=0)),
    "a pod's container": (
        pod(limited()),
        pod(
            {
                **limited(requests={"cpu": "1", "memory": "2048Mi"}),
                "name": "Default",
                "imagePullPolicy": "IfNotPresent",
                "command": [],
                "args": [],
                "env": [],
                "volumeMounts": [],
            },
            dnsPolicy="ClusterFirstWithHostNet",
            hostNetwork=True,
            volumes=[],
        ),
    ),
    "a pod on its own network": (
        pod(limited(), hostNetwork=False),
        pod(limited(), hostNetwork=False, dnsPolicy="ClusterFirst"),
    ),
    "a pod that asks for its node's network": (
        pod(limited(), hostNetwork=True),
        pod(limited(), hostNetwork=True, dnsPolicy="ClusterFirst"),
    ),
    "an init container": (
        pod({**limited(), "name": "main"}, initContainers=[{"image": "b"}]),
        pod({**limited(), "name": "main"}, initContainers=[{"image": "b", "name": "Default"}]),
    ),
    "the newest image of a pod": (
        pod({"image": "busybox:latest"}),
        pod({"image": "busybox:latest", "imagePullPolicy": "Always"}),
    ),
    "a pod's variables without a value": (
        pod({"image": "b", "env": [{"name": "A", "value": ""}]}),
        pod({"image": "b", "env": [{"name": "A"}]}),
    ),
    "a pod's security settings": (
        pod({"image": "b"}),
        pod(
            {
                "image": "b",
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": False,
                    "privileged": False,
                    "capabilities": {"add": [], "drop": []},
                },
            }
        ),
    ),
    "a pod's scratch directory": (
        pod({"image": "b"}, volumes=[{"name": "a", "emptyDir": {}}]),
        pod({"image": "b"}, volumes=[{"name": "a", "emptyDir": {"medium": ""}}]),
    ),
    "what a definition says of itself": (
        container(),
        {
            **container(),
            "parameters": {},
            "propagateTags": False,
            "platformCapabilities": ["EC2"],
            "retryStrategy": {"attempts": 1, "evaluateOnExit": []},
            "consumableResourceProperties": {"consumableResourceList": []},
        },
    ),
}


def as_manifest(content: Any) -> Any:
    """The content as somebody writes it down: what is not there is left out."""
    if isinstance(content, dict):
        return {name: as_manifest(each) for name, each in content.items() if each is not None}
    return [as_manifest(each) for each in content] if isinstance(content, list) else content
