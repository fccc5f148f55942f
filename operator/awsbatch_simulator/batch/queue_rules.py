"""What CreateJobQueue and UpdateJobQueue refuse. Source: their fields in the API reference."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from awsbatch_simulator.batch.limits import ENVIRONMENTS_OF_A_QUEUE, refusal
from awsbatch_simulator.batch.model import (
    EC2,
    EKS,
    FARGATE,
    MANAGED_INSTANCES,
    MANAGED_TYPE,
    Environment,
    Status,
)
from awsbatch_simulator.ec2.types import architectures
from awsbatch_simulator.errors import not_implemented
from awsbatch_simulator.region import Region

# "Depending on the compute environment", says CreateJobQueue.jobQueueType; those of SageMaker are
# not simulated.
QUEUE_TYPES: Mapping[str, str] = {
    EC2: "ECS",
    FARGATE: "ECS_FARGATE",
    MANAGED_INSTANCES: MANAGED_TYPE,
    EKS: "EKS",
}
PRIORITIES = range(1001)
TIME_LIMIT_SECONDS = range(600, 86_401)
# What a time-limit action can be for; the user guide's pages on "Jobs stuck in RUNNABLE" say of
# each other reason that no action can be configured for it.
TIME_LIMIT_REASONS = frozenset(
    {
        "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY",
        "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE",
        "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT",
    }
)


def check_simulated(request: Mapping[str, Any]) -> None:
    """NotImplemented for queues of other kinds."""
    if request.get("serviceEnvironmentOrder"):
        raise not_implemented("batch", "job queues over service environments")
    if (kind := request.get("jobQueueType")) not in {None, *QUEUE_TYPES.values()}:
        raise not_implemented("batch", f"job queues of type {kind}")


def check_priority(priority: int) -> None:
    """0 to 1000."""
    if priority not in PRIORITIES:
        raise refusal(f"Job queue priority must be between 0 and 1000, not {priority}")


def check_order(
    region: Region, order: Sequence[Mapping[str, Any]], *, known: Collection[str] = ()
) -> list[Environment]:
    """The environments of an order, first to last; those in `known` need not be VALID any more."""
    if not 1 <= len(order) <= ENVIRONMENTS_OF_A_QUEUE:
        raise refusal(
            f"A job queue needs 1 to {ENVIRONMENTS_OF_A_QUEUE} compute environments, "
            f"not {len(order)}"
        )
    if len({entry["order"] for entry in order}) != len(order):
        raise refusal("computeEnvironmentOrder has the same order twice")
    found = []
    for entry in sorted(order, key=lambda each: each["order"]):
        environment = region.batch.environment(entry["computeEnvironment"])
        if environment is None:
            raise refusal(f"ComputeEnvironment {entry['computeEnvironment']} does not exist")
        if environment.arn not in known and environment.status is not Status.VALID:
            raise refusal(f"{environment.arn} is not Valid: its status is {environment.status}")
        found.append(environment)
    _check_mixture(found)
    return found


def _check_mixture(environments: list[Environment]) -> None:
    if len({each.arn for each in environments}) != len(environments):
        raise refusal("computeEnvironmentOrder names a compute environment twice")
    if len({each.platform for each in environments}) != 1:
        raise refusal("EC2 and Fargate compute environments can't be mixed in a job queue")
    kinds = {
        architecture
        for each in environments
        for architecture in architectures((each.resources or {}).get("instanceTypes", ()))
    }
    if len(kinds) > 1:
        raise refusal("Compute environments of a job queue must share the same architecture")


def ordered(
    environments: Sequence[Environment], order: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """ComputeEnvironmentOrder as AWS describes it: by order, with ARNs."""
    numbers = sorted(entry["order"] for entry in order)
    return [
        {"order": number, "computeEnvironment": environment.arn}
        for number, environment in zip(numbers, environments, strict=True)
    ]


def check_time_limits(actions: Sequence[Mapping[str, Any]]) -> None:
    """RUNNABLE, CANCEL, 10 minutes to 24 hours, and a reason that is one of AWS's codes."""
    for action in actions:
        if action["reason"] not in TIME_LIMIT_REASONS:
            raise refusal(f"Invalid job reason {action['reason'][:200]!r}")
        if action["state"] != "RUNNABLE":
            raise refusal("jobStateTimeLimitActions: the only supported state is RUNNABLE")
        if action["action"] != "CANCEL":
            raise refusal("jobStateTimeLimitActions: the only supported action is CANCEL")
        if action["maxTimeSeconds"] not in TIME_LIMIT_SECONDS:
            raise refusal("jobStateTimeLimitActions: maxTimeSeconds must be 600 to 86400")


def check_policy(region: Region, arn: str | None) -> None:
    """A scheduling policy that exists, if any."""
    if arn and arn not in region.batch.policies:
        raise refusal(f"Scheduling policy {arn} does not exist")
