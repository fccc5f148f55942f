"""Where the campaign begins: valid specs of every shape."""

from collections.abc import Mapping
from typing import Any

from tests.support import manifests
from tests.support.manifests import PROFILE

Spec = dict[str, Any]

_ROLES = "arn:aws:iam::111122223333:role"
_BATCH = "arn:aws:batch:eu-central-1:111122223333"
_EKS = "arn:aws:eks:eu-central-1:111122223333:cluster"
_EXECUTION = f"{_ROLES}/ecsTaskExecutionRole"
_NEEDS = [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "2048"}]
_VOLUMES = [{"name": "data"}, {"name": "more"}]
_FILES = [
    {
        "name": "data",
        "efsVolumeConfiguration": {
            "fileSystemId": "fs-0a1b2c3d",
            "transitEncryption": "ENABLED",
            "authorizationConfig": {"iam": "ENABLED"},
        },
    }
]
_PROFILE = {"seccompProfile": {"type": "Localhost", "localhostProfile": "profiles/one.json"}}
_TRIES = {"attempts": 2, "evaluateOnExit": [{"action": "EXIT", "onExitCode": "0"}]}
_SPOT = "SPOT_PRICE_CAPACITY_OPTIMIZED"
_POOL = {
    "name": "main",
    "market": "OnDemand",
    "instanceTypes": ["m7i.large"],
    "subnets": ["subnet-1"],
    "instanceProfile": PROFILE,
}
_MANAGED_INSTANCES = {
    "infrastructureRoleArn": f"{_ROLES}/batch-operator",
    "instanceLaunchTemplate": {
        "ec2InstanceProfileArn": PROFILE,
        "networkConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]},
    },
}


def _pools(**members: Any) -> Spec:
    pool = {name: value for name, value in {**_POOL, **members}.items() if value is not None}
    return {**manifests.unmanaged(), "capacity": {"limits": {"maxvCpus": 64}, "pools": [pool]}}


def container(**members: Any) -> Spec:
    """ContainerProperties of a job of one container."""
    made = {
        "image": "busybox:1.36",
        "resourceRequirements": _NEEDS,
        "volumes": _VOLUMES,
        "executionRoleArn": _EXECUTION,
    }
    return {**made, **members}


def _task(**members: Any) -> Spec:
    container = {"name": "main", "image": "busybox:1.36", "resourceRequirements": _NEEDS}
    body = {
        "containers": [container],
        "volumes": _VOLUMES,
        "executionRoleArn": _EXECUTION,
        **members,
    }
    return {"taskProperties": [body]}


def _pod(**security: Any) -> Spec:
    limits = {"cpu": "1", "memory": "2048Mi"}
    container = {"name": "main", "image": "busybox:1.36", "resources": {"limits": limits}}
    first = {"name": "first", "image": "busybox:1.36"}
    held = {"securityContext": security} if security else {}
    body = {"containers": [{**container, **held}], "volumes": _VOLUMES, **held}
    return {"podProperties": {**body, **({"initContainers": [{**first, **held}]} if held else {})}}


def _nodes(**body: Any) -> Spec:
    every = {"targetNodes": "0:", **body}
    properties = {"numNodes": 2, "mainNode": 0, "nodeRangeProperties": [every]}
    return {"type": "multinode", "nodeProperties": properties}


BASES: Mapping[str, Mapping[str, Spec]] = {
    "ComputeEnvironment": {
        "EC2": manifests.environment(),
        "SPOT": manifests.environment(type="SPOT", allocationStrategy=_SPOT),
        "EC2 with a template": manifests.environment(
            launchTemplate={"launchTemplateName": "web", "version": "1"}
        ),
        "EC2 with a template of its own": manifests.environment(
            launchTemplate={
                "launchTemplateName": "web",
                "overrides": [{"launchTemplateName": "wide", "targetInstanceTypes": ["m7i.large"]}],
            }
        ),
        "EC2 of one type": manifests.environment(allocationStrategy="BEST_FIT"),
        "FARGATE": manifests.fargate(),
        "FARGATE_SPOT": manifests.fargate(type="FARGATE_SPOT"),
        "ECS_MANAGED_INSTANCES": {
            "type": "MANAGED",
            "computeResources": {
                "type": "ECS_MANAGED_INSTANCES",
                "maxvCpus": 16,
                "managedInstancesProvider": _MANAGED_INSTANCES,
            },
        },
        "EKS": {
            **manifests.environment(),
            "eksConfiguration": {
                "eksClusterArn": f"{_EKS}/of-{{object}}",  # AWS has five of them in a cluster
                "kubernetesNamespace": "batch",
            },
        },
        "UNMANAGED": manifests.unmanaged(),
        "with a pool": _pools(),
        "with a pool of Spot": _pools(market="Spot"),
        "with a pool by needs": _pools(
            instanceTypes=None, instanceRequirements={"families": ["m7i"]}
        ),
        "with a pool by accelerators": _pools(
            instanceTypes=None, instanceRequirements={"families": ["g4dn"], "acceleratorCount": 8}
        ),
        "with a block": _pools(
            market="SpotBlock", spotBlock={"durationSeconds": 3600, "instanceCount": 1}
        ),
        "with a block by minutes": _pools(
            market="SpotBlock", spotBlock={"blockDurationMinutes": 60, "instanceCount": 1}
        ),
        **{
            f"with a volume of {kind}": _pools(
                blockDeviceMappings=[
                    {"deviceName": "/dev/sdf", "ebs": {"volumeSize": 200, "volumeType": kind, **io}}
                ]
            )
            for kind, io in (("gp3", {}), ("io2", {"iops": 3000}))
        },
        "with an encrypted volume": _pools(
            blockDeviceMappings=[
                {"deviceName": "/dev/sdf", "ebs": {"volumeSize": 200, "encrypted": True}}
            ]
        ),
        "with a device": _pools(
            blockDeviceMappings=[{"deviceName": "/dev/sdf", "virtualName": "ephemeral0"}]
        ),
        "without a device": _pools(
            blockDeviceMappings=[{"deviceName": "/dev/sdf", "noDevice": ""}]
        ),
        "in a group": _pools(placement={"groupName": "near"}),
    },
    "JobQueue": {
        "a queue": manifests.queue("pool"),
        "a fair queue": manifests.queue("pool", schedulingPolicyRef={"name": "fair"}),
        "a queue of two": manifests.queue("pool", "second"),
        "a queue with a limit": manifests.queue(
            "pool",
            jobStateTimeLimitActions=[
                {
                    "reason": "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY",
                    "state": "RUNNABLE",
                    "maxTimeSeconds": 600,
                    "action": "CANCEL",
                }
            ],
        ),
    },
    "SchedulingPolicy": {
        "fair": manifests.policy(),
        "alike": {},
        "quota": {"quotaSharePolicy": {"idleResourceAssignmentStrategy": "FIFO"}},
    },
    "JobDefinition": {
        "container": {"type": "container", "containerProperties": container()},
        "Fargate": {
            "type": "container",
            "platformCapabilities": ["FARGATE"],
            "containerProperties": container(),
        },
        "task": {"type": "container", "ecsProperties": _task()},
        "task on Fargate": {
            "type": "container",
            "platformCapabilities": ["FARGATE"],
            "ecsProperties": _task(),
        },
        "pod": {"type": "container", "eksProperties": _pod()},
        "pod with a profile": {"type": "container", "eksProperties": _pod(**_PROFILE)},
        "nodes": _nodes(container=container()),
        "nodes with tasks": _nodes(ecsProperties=_task()),
        "nodes with pods": _nodes(eksProperties=_pod()),
        "nodes with pods with a profile": _nodes(eksProperties=_pod(**_PROFILE)),
        **{
            f"{name} with a file system": definition
            for name, definition in {
                "container": {
                    "type": "container",
                    "containerProperties": container(volumes=_FILES),
                },
                "task": {"type": "container", "ecsProperties": _task(volumes=_FILES)},
                "nodes": _nodes(container=container(volumes=_FILES)),
                "nodes of tasks": _nodes(ecsProperties=_task(volumes=_FILES)),
            }.items()
        },
        "with two tries": {
            "type": "container",
            "containerProperties": container(),
            "retryStrategy": _TRIES,
        },
    },
    "BatchJob": {
        "a job": manifests.job(jobQueueRef={"name": "later"}),
        "a job with two tries": manifests.job(jobQueueRef={"name": "later"}, retryStrategy=_TRIES),
        "a job by ARN": {
            "jobQueueRef": {"arn": f"{_BATCH}:job-queue/outside"},
            "jobDefinitionRef": {"arn": f"{_BATCH}:job-definition/outside:1"},
        },
        "a job with a share": manifests.job(
            jobQueueRef={"name": "later-fair"}, shareIdentifier="team"
        ),
        "a job that depends": manifests.job(
            jobQueueRef={"name": "later"}, dependsOn=[{"jobRef": {"name": "prepare"}}]
        ),
        "a job with its definition inside": {
            "jobQueueRef": {"name": "later"},
            "jobDefinition": {"type": "container", "containerProperties": container()},
        },
        "a job of an array": manifests.job(
            jobQueueRef={"name": "later"}, arrayProperties={"size": 2}
        ),
    },
}
