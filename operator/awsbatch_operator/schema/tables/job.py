"""RegisterJobDefinition and SubmitJob themselves."""

from awsbatch_operator.schema.additions import (
    MAP,
    TEXT,
    Additions,
    Struct,
    many,
    number,
    plain,
    text,
)
from awsbatch_operator.schema.forms import SHARE
from awsbatch_operator.schema.tables.container import COMMAND, DEPRECATED, ENVIRONMENT, RESOURCES

_PARAMETERS = many("Values for the Ref::name placeholders in commands.", (0, MAP), length=(0, TEXT))
_RETRY = plain("How often a job is tried, and when it is not.")
_TIMEOUT = plain("How long an attempt may run.")
_PROPAGATE = plain("Whether the ECS task gets the job's tags. Default: false.")
_PRIORITY = "Priority within a share identifier; higher ones go first."

SHAPES: Additions = {
    "RegisterJobDefinitionRequest": Struct(
        members={
            "type": plain("container: one node. multinode: several nodes that work together."),
            "parameters": _PARAMETERS,
            "schedulingPriority": number(_PRIORITY, 0, 9999),
            "containerProperties": plain("The container of a job with one."),
            "nodeProperties": plain("The nodes of a multi-node parallel job."),
            "retryStrategy": _RETRY,
            "propagateTags": _PROPAGATE,
            "timeout": _TIMEOUT,
            "platformCapabilities": many(
                "Where jobs may run: EC2 (default), FARGATE or MANAGED_INSTANCES.",
                (0, 3),
                unordered=True,
            ),
            "eksProperties": plain("The pod of a job on EKS."),
            "ecsProperties": plain("The ECS task of a job with several containers."),
            "consumableResourceProperties": plain("Consumable resources that a job needs."),
        },
    ),
    "SubmitJobRequest": Struct(
        members={
            "shareIdentifier": text(
                "Share of the queue's policy that the job counts for.",
                256,
                form=SHARE,
            ),
            "schedulingPriorityOverride": number(_PRIORITY, 0, 9999),
            "arrayProperties": plain("Makes the job an array of jobs."),
            "parameters": _PARAMETERS,
            "containerOverrides": plain("Overrides of a single container."),
            "nodeOverrides": plain("Overrides of a multi-node parallel job."),
            "retryStrategy": _RETRY,
            "propagateTags": _PROPAGATE,
            "timeout": _TIMEOUT,
            "eksPropertiesOverride": plain("Overrides of a job on EKS."),
            "ecsPropertiesOverride": plain("Overrides of a job with several containers."),
            "consumableResourcePropertiesOverride": plain(
                "Consumable resources instead of the definition's."
            ),
        },
    ),
    "ArrayProperties": Struct(
        members={"size": number("Number of jobs in the array.", 2, 10000)},
        required=("size",),
    ),
    "ContainerOverrides": Struct(
        members={
            "command": COMMAND,
            "instanceType": text("Instance type, for multi-node jobs only.", 64),
            "environment": ENVIRONMENT,
            "resourceRequirements": RESOURCES,
        },
        omit=DEPRECATED,
    ),
}
