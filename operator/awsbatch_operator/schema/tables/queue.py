"""Job queues and scheduling policies."""

from awsbatch_operator.schema.additions import (
    Additions,
    Member,
    OwnMember,
    Struct,
    many,
    number,
    plain,
    text,
)
from awsbatch_operator.schema.forms import SHARE, WEIGHT
from awsbatch_operator.schema.references import ComputeEnvironmentRef
from awsbatch_operator.schema.rules import Rule, where_formed

_WEIGHT_RANGE = Rule(
    id="weight-range",
    cel=where_formed("self", WEIGHT, "double(self) >= 0.0001"),
    message=(
        "AWS takes weights from 0.0001 to 999.9999 (lower ones get more). Write one such as '0.5'."
    ),
)

SHAPES: Additions = {
    "CreateJobQueueRequest": Struct(
        members={
            "state": plain("ENABLED (default) takes jobs; DISABLED lets those in it finish."),
            "priority": number("Among queues that share an environment, higher ones go first."),
            "computeEnvironmentOrder": many(
                "The environments that run the jobs, tried in the order of `order`.", (1, 3)
            ),
            "jobQueueType": Member(
                doc="Kind of queue. Unset: as its environments need it. Immutable.",
                enum=("EKS", "ECS", "ECS_FARGATE", "ECS_MANAGED_INSTANCES"),
            ),
            "jobStateTimeLimitActions": many(
                "What to do with a job that blocks the queue.", (0, 10)
            ),
        },
    ),
    "ComputeEnvironmentOrder": Struct(
        members={"order": number("Place of the environment; lower ones are tried first.")},
        omit={"computeEnvironment": "computeEnvironmentRef stands in its place"},
        own={
            "computeEnvironmentRef": OwnMember(
                doc="The environment: a ComputeEnvironment by name, or one in AWS by ARN.",
                model=ComputeEnvironmentRef,
                required=True,
            )
        },
    ),
    "JobStateTimeLimitAction": Struct(
        members={
            "reason": text(
                "Status reason that the action is for, such as "
                "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT."
            ),
            "state": plain("State that the job is stuck in."),
            "maxTimeSeconds": number("Seconds to wait before the action.", 600, 86400),
            "action": Member(doc="What to do with the job.", enum=("CANCEL",)),
        },
    ),
    "CreateSchedulingPolicyRequest": Struct(
        members={
            "fairsharePolicy": plain("Shares of the capacity by share identifier."),
            "quotaSharePolicy": plain("Quota shares, and what becomes of idle ones."),
        },
    ),
    "FairsharePolicy": Struct(
        members={
            "shareDecaySeconds": number(
                "Seconds of past usage that count; 0 is AWS's default of 600.", 0, 604800
            ),
            "computeReservation": number(
                "Percentage of vCPUs kept for share identifiers without jobs.", 0, 99
            ),
            "shareDistribution": many(
                "Weights of share identifiers; others weigh 1.", (0, 500), key="shareIdentifier"
            ),
        },
    ),
    "ShareAttributes": Struct(
        members={
            "shareIdentifier": text(
                "Share identifier, or the beginning of some, ended by *.",
                256,
                form=SHARE,
            ),
            "weightFactor": Member(
                doc="Weight as a decimal, 0.0001 to 999.9999; a lower one gets more. Default: 1.",
                length=(1, 8),
                form=WEIGHT,
                decimal=True,
                rules=(_WEIGHT_RANGE,),
            ),
        },
    ),
    "QuotaSharePolicy": Struct(
        members={
            "idleResourceAssignmentStrategy": plain("Who gets what a quota share leaves idle.")
        },
    ),
}
