"""What AWS answers for what was registered is the same content, and nothing else is."""

from typing import Any

import pytest

from awsbatch_operator.schema.canonical import canonical, differences
from awsbatch_operator.schema.request import registrable

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
        {**container(), "platformCapabilities": ["FARGATE"]},
        {
            **container(fargatePlatformConfiguration={"platformVersion": "LATEST"}, **EMPTY),
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
        task(INIT, {**APP, "dependsOn": APP["dependsOn"][::-1], **EMPTY}, ROUTER, volumes=[]),
    ),
    "what is essential": (
        task({"name": "a", "image": "b"}),
        task({"name": "a", "image": "b", "essential": True}),
    ),
    "node groups": (
        {"nodeProperties": {"nodeRangeProperties": [{"targetNodes": "0:", "container": MAIN}]}},
        {
            "nodeProperties": {
                "nodeRangeProperties": [
                    {"targetNodes": "0:", "container": {**MAIN, **EMPTY}, "instanceTypes": []}
                ]
            }
        },
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
        pod(initContainers=[{"image": "b"}]),
        pod(initContainers=[{"image": "b", "name": "Default"}]),
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

# Two contents that only look alike.
OTHERS = {
    "an action": (retried("RETRY"), retried("exit")),
    "a variable's value": (
        container(environment=[{"name": "A", "value": "1"}]),
        container(environment=[]),
    ),
    "a pod's variable": (
        pod({"image": "b", "env": [{"name": "A"}]}),
        pod({"image": "b", "env": []}),
    ),
    "another path of a device": (
        container(linuxParameters={"devices": [{"hostPath": "/dev/a"}]}),
        container(linuxParameters={"devices": [{"hostPath": "/dev/a", "containerPath": "/dev/b"}]}),
    ),
    "fewer permissions": (
        container(linuxParameters={"devices": [{"hostPath": "/dev/a"}]}),
        container(linuxParameters={"devices": [{"hostPath": "/dev/a", "permissions": ["READ"]}]}),
    ),
    "requests below the limits": (pod(limited()), pod(limited(requests={"cpu": "0.5"}))),
    "another DNS policy": (pod(limited()), pod(limited(), dnsPolicy="ClusterFirst")),
    "an image that is always pulled": (
        pod({"image": "b:1"}),
        pod({"image": "b:1", "imagePullPolicy": "Always"}),
    ),
    "a named container": (pod({"image": "b"}), pod({"image": "b", "name": "main"})),
    "a condition of what is waited for": (
        task(APP, INIT),
        task({**APP, "dependsOn": [{"containerName": "init", "condition": "START"}]}, INIT),
    ),
    "the order of init containers": (
        pod(
            {"image": "b"},
            initContainers=[{"name": "a", "image": "b"}, {"name": "c", "image": "d"}],
        ),
        pod(
            {"image": "b"},
            initContainers=[{"name": "c", "image": "d"}, {"name": "a", "image": "b"}],
        ),
    ),
    "more memory, written as earlier": (
        container(),
        {
            "type": "container",
            "containerProperties": {"image": "busybox:1.36", "vcpus": 1, "memory": 4096},
        },
    ),
}


@pytest.mark.parametrize("form", ANSWERS)
def test_what_aws_answers_for_a_spec_is_the_spec(form):
    spec, answer = ANSWERS[form]
    assert differences(spec, answer) == ()
    assert canonical(spec) == canonical(answer)
    assert canonical(canonical(answer)) == canonical(answer)


@pytest.mark.parametrize("form", ANSWERS)
def test_what_is_registered_is_the_spec_without_what_is_empty(form):
    for content in ANSWERS[form]:
        request = registrable(content)
        assert canonical(request) == canonical(content)
        assert nothing_in(request) == []


@pytest.mark.parametrize("what", OTHERS)
def test_what_only_looks_alike_is_another_content(what):
    one, other = OTHERS[what]
    assert differences(one, other)
    assert differences(other, one)
    assert canonical(one) != canonical(other)


def nothing_in(value, path=""):
    """Where a request has members that say nothing."""
    if isinstance(value, dict):
        found = [
            place for name, each in value.items() for place in nothing_in(each, f"{path}.{name}")
        ]
        silent = [f"{path}.{name}" for name, each in value.items() if each in ([], {}, "", None)]
        return [*found, *(place for place in silent if not place.endswith("emptyDir"))]
    if isinstance(value, list):
        return [place for each in value for place in nothing_in(each, path)]
    return []
