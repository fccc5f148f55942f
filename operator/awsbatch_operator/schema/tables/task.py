"""ECS tasks: jobs of several containers."""

from awsbatch_operator.schema.additions import (
    MAP,
    TEXT,
    Additions,
    Struct,
    arn,
    many,
    number,
    plain,
    text,
    words,
)
from awsbatch_operator.schema.rules import Rule
from awsbatch_operator.schema.tables.container import (
    COMMAND,
    ENVIRONMENT,
    IMAGE,
    MOUNTS,
    RESOURCES,
    SECRETS,
    TASK_VOLUMES,
    ULIMITS,
)

SHAPES: Additions = {
    "EcsProperties": Struct(
        members={"taskProperties": many("The task; AWS takes one.", (1, 1))},
    ),
    "EcsTaskProperties": Struct(
        members={
            "containers": many("Containers of the task.", (1, 10)),
            "ephemeralStorage": plain("Disk of a Fargate job beyond the default of 20 GiB."),
            "executionRoleArn": arn(
                "Role that pulls images, reads secrets and writes logs, by ARN."
            ),
            "platformVersion": text("Fargate version. Unset: LATEST.", 64),
            "ipcMode": words("Whose IPC resources the containers share.", "host", "task", "none"),
            "taskRoleArn": arn("Role that the job's own code has, by ARN."),
            "pidMode": words("Whose processes the containers see.", "host", "task"),
            "networkConfiguration": plain("Network of a Fargate job."),
            "runtimePlatform": plain("Operating system and architecture."),
            "volumes": TASK_VOLUMES,
            "enableExecuteCommand": plain("Whether ECS Exec can open a shell in the containers."),
            "networkMode": words("Network mode; AWS takes host (default).", "host"),
        },
        rules=(
            Rule(
                id="task-mount-names-volume",
                cel="""[has(self.volumes) ? self.volumes.map(v, v.name) : []].all(names,
                    self.containers.all(c, !has(c.mountPoints)
                        || c.mountPoints.all(m, !has(m.sourceVolume)
                            || m.sourceVolume in names)))""",
                message=(
                    "A mount point shows a volume of the same task. Add the missing one to "
                    "volumes, or correct sourceVolume."
                ),
            ),
            Rule(  # "All jobs must have at least one essential container" (API reference)
                id="task-essential",
                cel="self.containers.exists(c, !has(c.essential) || c.essential)",
                message=(
                    "A job ends with its essential containers, so AWS wants one. Remove "
                    "essential: false from the container that does the work."
                ),
                field=".containers",
            ),
        ),
    ),
    "TaskContainerProperties": Struct(
        members={
            "name": text("Name for dependsOn and overrides.", 255),
            "image": IMAGE,
            "command": COMMAND,
            "dependsOn": many("Containers that this one waits for.", (0, 10)),
            "environment": ENVIRONMENT,
            "essential": plain("Whether the task ends when this container does. Default: true."),
            "firelensConfiguration": plain("Log router."),
            "linuxParameters": plain("Devices, shared memory, tmpfs and swap."),
            "logConfiguration": plain("Log driver. Unset: CloudWatch Logs, /aws/batch/job."),
            "mountPoints": MOUNTS,
            "privileged": plain("Whether the container may do what root on the host may."),
            "readonlyRootFilesystem": plain("Whether the root file system is read-only."),
            "repositoryCredentials": plain("Credentials of a private registry."),
            "resourceRequirements": RESOURCES,
            "secrets": SECRETS,
            "ulimits": ULIMITS,
            "user": text("User name or id inside the container."),
            "startTimeout": number("Seconds to wait for the containers it depends on.", 2),
            "stopTimeout": number("Seconds between the request to stop and the kill.", 2),
        },
    ),
    "TaskContainerDependency": Struct(
        members={
            "containerName": text("Name of the other container.", 255),
            "condition": words("What it must have reached.", "START", "COMPLETE", "SUCCESS"),
        },
        required=("containerName", "condition"),
    ),
    "FirelensConfiguration": Struct(
        members={
            "type": plain("Log router: fluentd or fluentbit."),
            "options": many("Options of the log router.", (0, MAP), length=(0, TEXT)),
        },
    ),
    "EcsPropertiesOverride": Struct(
        members={"taskProperties": many("Overrides of the task; AWS takes one.", (0, 1))},
    ),
    "TaskPropertiesOverride": Struct(
        members={"containers": many("Overrides by container.", (0, 10))},
    ),
    "TaskContainerOverrides": Struct(
        members={
            "name": text("Name of the container in the definition.", 255),
            "command": COMMAND,
            "environment": ENVIRONMENT,
            "resourceRequirements": RESOURCES,
        },
        required=("name",),
    ),
}
