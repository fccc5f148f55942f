"""What somebody else can change in AWS, and what differs from the spec of a lasting kind then."""

import json
from collections.abc import Callable
from typing import Any

from tests.support import manifests
from tests.support.installation import NAMESPACE, Installation
from tests.support.manifests import DEFINITION, ENVIRONMENT, POLICY, QUEUE, SPECS
from tests.support.remedies.deeds import TRUST

from awsbatch_operator.api.metadata import ObjectKey

Deed = Callable[[Installation], None]

SERVERLESS, SECOND, OWN = (
    ObjectKey("ComputeEnvironment", NAMESPACE, name) for name in ("serverless", "second", "own")
)
OTHER_POLICY = ObjectKey("SchedulingPolicy", NAMESPACE, "other")
TAGGED: dict[str, Any] = {"tags": {"team": "climate"}}
UPDATE_POLICY: dict[str, Any] = {"terminateJobsOnUpdate": True, "jobExecutionTimeoutMinutes": 60}
OTHER_ROLE = manifests.ROLE.replace("AWSBatchServiceRole", "other")
LIMIT = {
    "reason": "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY",
    "state": "RUNNABLE",
    "maxTimeSeconds": 600,
    "action": "CANCEL",
}


async def started(there: Installation, **changes: Any) -> tuple[ObjectKey, ...]:
    """Everything as specified; forget the calls so far."""
    specs = {
        **SPECS,
        ENVIRONMENT: manifests.environment(scalingPolicy={"minScaleDownDelayMinutes": 30})
        | {"updatePolicy": {**UPDATE_POLICY, "terminateJobsOnUpdate": False}}
        | {"ecsSettings": {"containerInsights": "ENABLED"}},
        OWN: {**manifests.unmanaged(), "unmanagedvCpus": 4},
        SERVERLESS: manifests.fargate(),
        SECOND: manifests.environment(),
        OTHER_POLICY: manifests.policy("2"),
        QUEUE: manifests.queue("pool", "second", schedulingPolicyRef={"name": POLICY.name}),
    }
    for key, spec in specs.items():
        there.apply(key, {**spec, **TAGGED, **changes})
    await there.until_ready(*specs)
    there.calls.clear()
    return tuple(specs)


def name_of(there: Installation, key: ObjectKey) -> str:
    """The AWS name of what the object has."""
    return str(there.status(key)["awsName"])


def arn_of(there: Installation, key: ObjectKey) -> str:
    """Its ARN."""
    return str(there.status(key)["arn"])


def changed_environment(key: ObjectKey, **changes: Any) -> Deed:
    """Somebody updates an environment."""

    def do(there: Installation) -> None:
        there.aws().update_compute_environment(computeEnvironment=name_of(there, key), **changes)

    return do


def changed_queue(**changes: Any) -> Deed:
    """Somebody updates the queue."""

    def do(there: Installation) -> None:
        there.aws().update_job_queue(jobQueue=name_of(there, QUEUE), **changes)

    return do


def other_order(there: Installation) -> None:
    """Somebody takes an environment out of the queue."""
    order = [{"order": 1, "computeEnvironment": arn_of(there, SECOND)}]
    changed_queue(computeEnvironmentOrder=order)(there)


def other_policy(there: Installation) -> None:
    """Somebody gives the queue another policy."""
    changed_queue(schedulingPolicyArn=arn_of(there, OTHER_POLICY))(there)


def other_role(there: Installation) -> None:
    """Somebody gives the environment another role of the same kind."""
    there.aws("iam").create_role(
        RoleName="other", Path="/service-role/", AssumeRolePolicyDocument=json.dumps(TRUST)
    )
    changed_environment(OWN, serviceRole=OTHER_ROLE)(there)


def other_shares(there: Installation) -> None:
    """Somebody replaces what the policy says."""
    there.aws().update_scheduling_policy(
        arn=arn_of(there, POLICY), fairsharePolicy={"shareDecaySeconds": 1}
    )


def other_revision(there: Installation) -> None:
    """Somebody registers a revision under our name."""
    there.aws().register_job_definition(
        jobDefinitionName=name_of(there, DEFINITION), **manifests.definition("theirs")
    )


RESOURCES = "computeResources"
# What somebody does, to which object; and what of it differs from the spec then.
DRIFTS: dict[str, tuple[ObjectKey, Deed, tuple[str, ...]]] = {
    "state": (ENVIRONMENT, changed_environment(ENVIRONMENT, state="DISABLED"), ("state",)),
    "updatePolicy": (
        ENVIRONMENT,
        changed_environment(
            ENVIRONMENT, updatePolicy=UPDATE_POLICY, computeResources={"maxvCpus": 16}
        ),
        ("updatePolicy.terminateJobsOnUpdate",),
    ),
    "ecsSettings": (
        ENVIRONMENT,
        changed_environment(
            ENVIRONMENT,
            ecsSettings={"containerInsights": "DISABLED"},
            computeResources={"maxvCpus": 16},
        ),
        ("ecsSettings",),
    ),
    "minvCpus": (
        ENVIRONMENT,
        changed_environment(ENVIRONMENT, computeResources={"minvCpus": 2}),
        (f"{RESOURCES}.minvCpus",),
    ),
    "maxvCpus": (
        ENVIRONMENT,
        changed_environment(ENVIRONMENT, computeResources={"maxvCpus": 99}),
        (f"{RESOURCES}.maxvCpus",),
    ),
    "scalingPolicy": (
        ENVIRONMENT,
        changed_environment(
            ENVIRONMENT, computeResources={"scalingPolicy": {"minScaleDownDelayMinutes": 60}}
        ),
        (f"{RESOURCES}.scalingPolicy.minScaleDownDelayMinutes",),
    ),
    "unmanagedvCpus": (OWN, changed_environment(OWN, unmanagedvCpus=9), ("unmanagedvCpus",)),
    "serviceRole": (OWN, other_role, ("serviceRole",)),
    "subnets": (
        SERVERLESS,
        changed_environment(SERVERLESS, computeResources={"subnets": ["subnet-2"]}),
        (f"{RESOURCES}.subnets",),
    ),
    "queue-state": (QUEUE, changed_queue(state="DISABLED"), ("state",)),
    "priority": (QUEUE, changed_queue(priority=99), ("priority",)),
    "limits": (
        QUEUE,
        changed_queue(jobStateTimeLimitActions=[LIMIT]),
        ("jobStateTimeLimitActions",),
    ),
    "order": (QUEUE, other_order, ("computeEnvironmentOrder",)),
    "policy": (QUEUE, other_policy, ("schedulingPolicyArn",)),
    "shares": (
        POLICY,
        other_shares,
        ("fairsharePolicy.shareDecaySeconds", "fairsharePolicy.shareDistribution"),
    ),
    "revision": (
        DEFINITION,
        other_revision,
        ("containerProperties.command (revision 2)",),
    ),
}
