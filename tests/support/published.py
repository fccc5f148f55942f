"""Job definitions of the shapes that people publish, as RegisterJobDefinition takes them."""

from typing import Any

Body = dict[str, Any]

_ROLES = "arn:aws:iam::111122223333:role"
_SECRETS = "arn:aws:secretsmanager:eu-central-1:111122223333:secret"
_REGISTRY = "111122223333.dkr.ecr.eu-central-1.amazonaws.com"


def _needs(vcpus: str, memory: str, **others: str) -> list[dict[str, str]]:
    amounts = {"VCPU": vcpus, "MEMORY": memory, **others}
    return [{"type": kind, "value": amount} for kind, amount in amounts.items()]


def _container(image: str, *command: str, **members: Any) -> Body:
    body: Body = {"image": image, "command": list(command), **members}
    return {"type": "container", "containerProperties": body}


def _efs(name: str, **members: Any) -> Body:
    return {"name": name, "efsVolumeConfiguration": {"fileSystemId": "fs-0a1b2c3d", **members}}


FARGATE_WITH_EFS = {
    **_container(
        f"{_REGISTRY}/nightly-report:4",
        "python",
        "-m",
        "report",
        "--day",
        "Ref::day",
        resourceRequirements=_needs("0.5", "1024"),
        executionRoleArn=f"{_ROLES}/ecsTaskExecutionRole",
        jobRoleArn=f"{_ROLES}/nightly-report",
        environment=[{"name": "STAGE", "value": "production"}, {"name": "DEBUG", "value": ""}],
        secrets=[
            {"name": "DB_PASSWORD", "valueFrom": f"{_SECRETS}:report/db-Ab12Cd"},
            {"name": "API_KEY", "valueFrom": "/report/api-key"},
        ],
        volumes=[
            _efs(
                "shared",
                transitEncryption="ENABLED",
                authorizationConfig={"accessPointId": "fsap-0a1b2c3d", "iam": "ENABLED"},
            )
        ],
        mountPoints=[{"sourceVolume": "shared", "containerPath": "/mnt/shared"}],
        networkConfiguration={"assignPublicIp": "ENABLED"},
        fargatePlatformConfiguration={"platformVersion": "LATEST"},
        ephemeralStorage={"sizeInGiB": 40},
        runtimePlatform={"operatingSystemFamily": "LINUX", "cpuArchitecture": "ARM64"},
    ),
    "platformCapabilities": ["FARGATE"],
    "parameters": {"day": "yesterday"},
    "propagateTags": True,
    "timeout": {"attemptDurationSeconds": 3600},
}

GPU_TRAINING = {
    **_container(
        f"{_REGISTRY}/train:cuda12",
        "torchrun",
        "train.py",
        resourceRequirements=_needs("8", "61440", GPU="1"),
        linuxParameters={"sharedMemorySize": 16384},
        ulimits=[{"name": "memlock", "softLimit": -1, "hardLimit": -1}],
        environment=[{"name": "NCCL_DEBUG", "value": "INFO"}],
    ),
    "schedulingPriority": 50,
    "retryStrategy": {
        "attempts": 3,
        "evaluateOnExit": [
            {"onStatusReason": "Host EC2*", "action": "RETRY"},
            {"onReason": "*", "action": "EXIT"},
        ],
    },
}

MPI = {
    "type": "multinode",
    "nodeProperties": {
        "numNodes": 4,
        "mainNode": 0,
        "nodeRangeProperties": [
            {
                "targetNodes": "0:0",
                "container": {
                    "image": f"{_REGISTRY}/openfoam:11",
                    "command": ["/opt/lead.sh"],
                    "instanceType": "c7i.8xlarge",
                    "resourceRequirements": _needs("32", "60000"),
                },
            },
            {
                "targetNodes": "1:",
                "container": {
                    "image": f"{_REGISTRY}/openfoam:11",
                    "command": ["/opt/follow.sh"],
                    "resourceRequirements": _needs("32", "60000"),
                    "ulimits": [{"name": "stack", "softLimit": 67108864, "hardLimit": 67108864}],
                },
            },
        ],
    },
}

WITH_LOG_ROUTER = {
    "type": "container",
    "ecsProperties": {
        "taskProperties": [
            {
                "executionRoleArn": f"{_ROLES}/ecsTaskExecutionRole",
                "containers": [
                    {
                        "name": "work",
                        "image": f"{_REGISTRY}/ingest:7",
                        "essential": True,
                        "dependsOn": [
                            {"containerName": "router", "condition": "START"},
                            {"containerName": "fetch", "condition": "SUCCESS"},
                        ],
                        "logConfiguration": {
                            "logDriver": "awsfirelens",
                            "options": {"Name": "cloudwatch", "log_group_name": "/ingest"},
                        },
                        "resourceRequirements": _needs("2", "4096"),
                    },
                    {
                        "name": "fetch",
                        "image": f"{_REGISTRY}/fetch:7",
                        "essential": False,
                        "resourceRequirements": _needs("1", "512"),
                    },
                    {
                        "name": "router",
                        "image": "public.ecr.aws/aws-observability/aws-for-fluent-bit:stable",
                        "firelensConfiguration": {
                            "type": "fluentbit",
                            "options": {"enable-ecs-log-metadata": "true"},
                        },
                        "resourceRequirements": _needs("1", "256"),
                    },
                ],
            }
        ]
    },
}

POD = {
    "type": "container",
    "eksProperties": {
        "podProperties": {
            "serviceAccountName": "annotate",
            "containers": [
                {
                    "image": "public.ecr.aws/biocontainers/vep:110",
                    "command": ["vep"],
                    "args": ["--cache"],
                    "env": [{"name": "MODE", "value": "offline"}, {"name": "EXTRA", "value": ""}],
                    "resources": {"limits": {"cpu": "2", "memory": "8192Mi"}},
                    "volumeMounts": [{"name": "cache", "mountPath": "/cache", "readOnly": True}],
                    "securityContext": {"runAsUser": 1000, "runAsNonRoot": True},
                }
            ],
            "volumes": [
                {"name": "cache", "persistentVolumeClaim": {"claimName": "vep"}},
                {"name": "scratch", "emptyDir": {"sizeLimit": "10Gi"}},
            ],
            "metadata": {"labels": {"team": "genomics"}, "namespace": "batch"},
        }
    },
    "retryStrategy": {"attempts": 2},
}

FLUENTD = _container(
    "busybox:1.36",
    "sh",
    "-c",
    "echo done",
    resourceRequirements=_needs("1", "128"),
    logConfiguration={
        "logDriver": "fluentd",
        "options": {"fluentd-address": "localhost:24224", "tag": "batch.{{.Name}}"},
    },
)

SPLUNK = {
    **_container(
        "busybox:1.36",
        "true",
        resourceRequirements=_needs("0.25", "512"),
        executionRoleArn=f"{_ROLES}/ecsTaskExecutionRole",
        logConfiguration={
            "logDriver": "splunk",
            "options": {"splunk-url": "https://splunk.example.org:8088"},
            "secretOptions": [{"name": "splunk-token", "valueFrom": f"{_SECRETS}:splunk-Ab12Cd"}],
        },
    ),
    "platformCapabilities": ["FARGATE"],
}

LINUX_PARAMETERS = _container(
    f"{_REGISTRY}/mount:2",
    "/run.sh",
    resourceRequirements=_needs("4", "8192"),
    privileged=True,
    user="root",
    readonlyRootFilesystem=True,
    linuxParameters={
        "initProcessEnabled": True,
        "maxSwap": 4096,
        "swappiness": 10,
        "devices": [{"hostPath": "/dev/fuse"}],
        "tmpfs": [{"containerPath": "/run", "size": 64, "mountOptions": ["rw", "noexec"]}],
    },
    ulimits=[
        {"name": "nofile", "softLimit": 65536, "hardLimit": 65536},
        {"name": "core", "softLimit": 0, "hardLimit": 0},
    ],
)

WORKFLOW_TASK = {
    **_container(
        "quay.io/nextflow/bash:latest",
        "true",
        resourceRequirements=_needs("1", "1024"),
        volumes=[
            {"name": "aws-cli", "host": {"sourcePath": "/home/ec2-user/miniconda"}},
            {"name": "scratch"},
        ],
        mountPoints=[
            {"sourceVolume": "aws-cli", "containerPath": "/opt/cli", "readOnly": True},
            {"sourceVolume": "scratch", "containerPath": "/scratch", "readOnly": False},
        ],
    ),
    "consumableResourceProperties": {
        "consumableResourceList": [{"consumableResource": "licence", "quantity": 2}]
    },
}

PODS_OF_SEVERAL = {
    "type": "container",
    "eksProperties": {
        "podProperties": {
            "hostNetwork": False,
            "shareProcessNamespace": True,
            "imagePullSecrets": [{"name": "registry"}],
            "initContainers": [{"name": "fetch", "image": "curl:8", "args": ["-O", "data"]}],
            "containers": [
                {
                    "name": "work",
                    "image": "work:latest",
                    "resources": {"limits": {"cpu": "1", "memory": "512Mi", "nvidia.com/gpu": "1"}},
                },
                {
                    "name": "watch",
                    "image": "watch:1",
                    "resources": {"requests": {"cpu": "0.5", "memory": "128Mi"}},
                },
            ],
        }
    },
}

PUBLISHED: dict[str, Body] = {
    "fargate-with-efs-and-secrets": FARGATE_WITH_EFS,
    "gpu-training": GPU_TRAINING,
    "multi-node-mpi": MPI,
    "several-containers-with-firelens": WITH_LOG_ROUTER,
    "pod": POD,
    "fluentd": FLUENTD,
    "splunk-on-fargate": SPLUNK,
    "linux-parameters": LINUX_PARAMETERS,
    "workflow-task": WORKFLOW_TASK,
    "pods-of-several": PODS_OF_SEVERAL,
}
