"""Specs of every lasting kind and of a job, as small as can be, and the keys to apply them."""

from typing import Any

from tests.support.installation import ACCOUNT, NAMESPACE

from awsbatch_operator.api.metadata import ObjectKey

ROLE = f"arn:aws:iam::{ACCOUNT}:role/service-role/AWSBatchServiceRole"
PROFILE = f"arn:aws:iam::{ACCOUNT}:instance-profile/ecsInstanceRole"

ENVIRONMENT = ObjectKey("ComputeEnvironment", NAMESPACE, "pool")
QUEUE = ObjectKey("JobQueue", NAMESPACE, "main")
DEFINITION = ObjectKey("JobDefinition", NAMESPACE, "simulate")
POLICY = ObjectKey("SchedulingPolicy", NAMESPACE, "fair")
DEFAULT_ACCOUNT = ObjectKey("AWSAccount", "", "default")
LASTING = (ENVIRONMENT, QUEUE, DEFINITION, POLICY)


def environment(**changes: Any) -> dict[str, Any]:
    """A MANAGED environment of EC2; `changes` go into computeResources."""
    return {
        "type": "MANAGED",
        "computeResources": {
            "type": "EC2",
            "allocationStrategy": "BEST_FIT_PROGRESSIVE",
            "minvCpus": 0,
            "maxvCpus": 16,
            "instanceTypes": ["m7i.large"],
            "subnets": ["subnet-1"],
            "securityGroupIds": ["sg-1"],
            "instanceRole": PROFILE,
            **changes,
        },
    }


def best_fit(**changes: Any) -> dict[str, Any]:
    """The same with a strategy with which AWS exchanges no instances by itself."""
    return environment(**{"allocationStrategy": "BEST_FIT", **changes})


def fargate(**changes: Any) -> dict[str, Any]:
    """A MANAGED environment of Fargate; `changes` go into computeResources."""
    return {
        "type": "MANAGED",
        "computeResources": {
            "type": "FARGATE",
            "maxvCpus": 16,
            "subnets": ["subnet-1"],
            "securityGroupIds": ["sg-1"],
            **changes,
        },
    }


def unmanaged() -> dict[str, Any]:
    """An environment whose instances others bring."""
    return {"type": "UNMANAGED", "serviceRole": ROLE}


def queue(*environments: str, **changes: Any) -> dict[str, Any]:
    """A queue over these ComputeEnvironments, in this order."""
    return {
        "priority": 10,
        "computeEnvironmentOrder": [
            {"order": number, "computeEnvironmentRef": {"name": name}}
            for number, name in enumerate(environments or ("pool",), start=1)
        ],
        **changes,
    }


def definition(*command: str, **changes: Any) -> dict[str, Any]:
    """A definition of one container."""
    return {
        "type": "container",
        "containerProperties": {
            "image": "busybox",
            "command": list(command or ("true",)),
            "resourceRequirements": [
                {"type": "VCPU", "value": "1"},
                {"type": "MEMORY", "value": "512"},
            ],
        },
        **changes,
    }


def serverless_definition() -> dict[str, Any]:
    """A definition of one container for queues on Fargate."""
    made = definition(platformCapabilities=["FARGATE"])
    made["containerProperties"] |= {
        "executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/ecsTaskExecutionRole",
        "resourceRequirements": [
            {"type": "VCPU", "value": "1"},
            {"type": "MEMORY", "value": "2048"},
        ],
    }
    return made


def job(**changes: Any) -> dict[str, Any]:
    """A job of the definition in the queue."""
    return {
        "jobQueueRef": {"name": QUEUE.name},
        "jobDefinitionRef": {"name": DEFINITION.name},
        **changes,
    }


def policy(weight: str = "1.5", **changes: Any) -> dict[str, Any]:
    """A fair-share policy for one share."""
    shares = [{"shareIdentifier": "team", "weightFactor": weight}]
    return {
        "fairsharePolicy": {"shareDecaySeconds": 600, "shareDistribution": shares},
        **changes,
    }


SPECS = {
    ENVIRONMENT: environment(),
    QUEUE: queue(),
    DEFINITION: definition(),
    POLICY: policy(),
}
