"""A container of a single-container job or node range, and what tasks share with it."""

from awsbatch_operator.schema import forms
from awsbatch_operator.schema.additions import (
    MAP,
    TEXT,
    TEXTS,
    Additions,
    Member,
    Struct,
    arn,
    many,
    number,
    plain,
    text,
    words,
)
from awsbatch_operator.schema.tables import container_rules as rules

DEPRECATED = {
    "vcpus": "deprecated by AWS: resourceRequirements says the same",
    "memory": "deprecated by AWS: resourceRequirements says the same",
}
ENVIRONMENT = many("Environment variables.", key="name")
COMMAND = many("Command and its arguments.", (0, TEXTS), length=(0, TEXT))
RESOURCES = many("vCPUs, memory (MiB) and GPUs, one entry each.", (0, 3), key="type")
SECRETS = many("Environment variables filled from secrets.", key="name")
MOUNTS = many("Where volumes appear in the container.", key="containerPath")
TASK_VOLUMES = many("Volumes that mountPoints can name.", key="name")
ULIMITS = many("Resource limits of the container.")
IMAGE = text("Image to run, by tag or digest.", 255, form=forms.IMAGE)

SHAPES: Additions = {
    "ContainerProperties": Struct(
        members={
            "image": IMAGE,
            "command": COMMAND,
            "jobRoleArn": arn("Role that the job's own code has, by ARN."),
            "executionRoleArn": arn(
                "Role that pulls images, reads secrets and writes logs, by ARN."
            ),
            "volumes": TASK_VOLUMES,
            "environment": ENVIRONMENT,
            "mountPoints": MOUNTS,
            "readonlyRootFilesystem": plain("Whether the root file system is read-only."),
            "privileged": plain("Whether the container may do what root on the host may."),
            "ulimits": ULIMITS,
            "user": text("User name or id inside the container."),
            "instanceType": text("Instance type, for multi-node jobs only.", 64),
            "resourceRequirements": RESOURCES,
            "linuxParameters": plain("Devices, shared memory, tmpfs and swap."),
            "logConfiguration": plain("Log driver. Unset: CloudWatch Logs, /aws/batch/job."),
            "secrets": SECRETS,
            "networkConfiguration": plain("Network of a Fargate job."),
            "fargatePlatformConfiguration": plain("Platform of a Fargate job."),
            "enableExecuteCommand": plain("Whether ECS Exec can open a shell in the container."),
            "ephemeralStorage": plain("Disk of a Fargate job beyond the default of 20 GiB."),
            "runtimePlatform": plain("Operating system and architecture of a Fargate job."),
            "repositoryCredentials": plain("Credentials of a private registry."),
        },
        omit=DEPRECATED,
        rules=rules.CONTAINER,
    ),
    "KeyValuePair": Struct(
        members={
            "name": text("Name of the variable."),
            "value": text("Value of the variable.", TEXT, low=0),
        },
        required=("name",),
        rules=(rules.RESERVED_VARIABLE,),
    ),
    "ResourceRequirement": Struct(
        members={
            "type": plain("VCPU, MEMORY (in MiB) or GPU."),
            "value": text("How much, as a decimal in quotes.", 16, form=forms.AMOUNT),
        },
        rules=rules.RESOURCE,
    ),
    "Ulimit": Struct(
        members={
            "name": text("Name of the limit, such as nofile.", 64),
            "softLimit": number("Soft limit; -1: none.", -1),
            "hardLimit": number("Hard limit; -1: none.", -1),
        },
    ),
    "Secret": Struct(
        members={
            "name": text("Name of the variable."),
            "valueFrom": arn("Secrets Manager secret, or parameter of the Parameter Store."),
        },
    ),
    "LinuxParameters": Struct(
        members={
            "devices": many("Host devices in the container."),
            "initProcessEnabled": plain("Whether an init process reaps children."),
            "sharedMemorySize": number("Size of /dev/shm in MiB."),
            "tmpfs": many("Memory file systems."),
            "maxSwap": number("Swap that the container may use, in MiB; 0: none."),
            "swappiness": number("How readily pages are swapped; needs maxSwap.", 0, 100),
        },
    ),
    "Device": Struct(
        members={
            "hostPath": text("Device on the host."),
            "containerPath": text("Device in the container. Unset: as on the host."),
            "permissions": many("What the container may do with it.", (0, 3), unordered=True),
        },
    ),
    "Tmpfs": Struct(
        members={
            "containerPath": text("Where it is mounted."),
            "size": number("Size in MiB.", 1),
            "mountOptions": many("Mount options.", length=(1, 64)),
        },
    ),
    "LogConfiguration": Struct(
        members={
            "logDriver": plain("Log driver; Fargate takes awslogs and splunk only."),
            "options": many("Options of the log driver.", (0, MAP), length=(0, TEXT)),
            "secretOptions": many("Options filled from secrets.", key="name"),
        },
    ),
    "NetworkConfiguration": Struct(
        members={"assignPublicIp": plain("Whether the task has a public address.")},
    ),
    "FargatePlatformConfiguration": Struct(
        members={"platformVersion": text("Fargate version. Unset: LATEST.", 64)},
    ),
    "EphemeralStorage": Struct(
        members={"sizeInGiB": number("Disk size in GiB.", 21, 200)},
    ),
    "RuntimePlatform": Struct(
        members={
            "operatingSystemFamily": words(
                "Operating system. Default: LINUX.",
                "LINUX",
                "WINDOWS_SERVER_2019_CORE",
                "WINDOWS_SERVER_2019_FULL",
                "WINDOWS_SERVER_2022_CORE",
                "WINDOWS_SERVER_2022_FULL",
            ),
            "cpuArchitecture": words("Architecture. Default: X86_64.", "X86_64", "ARM64"),
        },
    ),
    "RepositoryCredentials": Struct(
        members={"credentialsParameter": arn("Secret that holds the credentials.")},
    ),
    "RetryStrategy": Struct(
        members={
            "attempts": number("How often a job is tried in all.", 1, 10),
            "evaluateOnExit": many(
                "What to do after a failed attempt; no match means try again.", (0, 5)
            ),
        },
        rules=(rules.EVALUATE_NEEDS_ATTEMPTS,),
    ),
    "EvaluateOnExit": Struct(
        members={
            "onStatusReason": text("Status reason to match, * at the end allowed.", 512),
            "onReason": text("Container's reason to match, * at the end allowed.", 512),
            "onExitCode": text(
                "Exit code to match, * at the end allowed.", 512, form=forms.EXIT_CODE
            ),
            # "The values aren't case sensitive" (API reference), and AWS answers in lower case.
            "action": words("RETRY or EXIT: try again, or end.", "RETRY", "EXIT", "retry", "exit"),
        },
        rules=(rules.EVALUATE_CONDITION,),
    ),
    "JobTimeout": Struct(
        members={
            "attemptDurationSeconds": number(
                "Seconds that one attempt may run; then it is terminated and not retried.", 60
            ),
        },
        required=("attemptDurationSeconds",),
    ),
    "ConsumableResourceProperties": Struct(
        members={"consumableResourceList": many("Resources that the job uses up.")},
    ),
    "ConsumableResourceRequirement": Struct(
        members={
            "consumableResource": arn("Name or ARN of the consumable resource."),
            "quantity": Member(doc="How many units.", low=0, high=2**53 - 1),
        },
        required=("consumableResource", "quantity"),
    ),
}
