"""What somebody has made in AWS, past the operator, as the specs of manifests.py say."""

from typing import Any

from tests.support import manifests
from tests.support.installation import Installation
from tests.support.manifests import DEFINITION, ENVIRONMENT, POLICY, QUEUE

from awsbatch_operator.api.metadata import ObjectKey

SHARED = "shared"  # the name of all of it
FOREIGN = {"billing": "42"}  # the tags of whoever has made it


async def make(there: Installation, *keys: ObjectKey, tags: dict[str, str] | None = None) -> None:
    """Make what these objects would adopt; a queue comes with its environment."""
    aws, marks = there.aws(), FOREIGN if tags is None else tags
    if ENVIRONMENT in keys or QUEUE in keys:
        spec = {**manifests.environment(), "tags": marks}
        aws.create_compute_environment(computeEnvironmentName=SHARED, **spec)
        await there.clock.advance(60)
    if QUEUE in keys:
        order = [{"order": 1, "computeEnvironment": arn_of(there, ENVIRONMENT)}]
        queue = {"priority": 10, "computeEnvironmentOrder": order, "tags": marks}
        aws.create_job_queue(jobQueueName=SHARED, **queue)
        await there.clock.advance(60)
    if DEFINITION in keys:
        definition = {**manifests.definition(), "tags": marks}
        aws.register_job_definition(jobDefinitionName=SHARED, **definition)
    if POLICY in keys:
        share = {"shareIdentifier": "team", "weightFactor": 1.5}
        fair = {"shareDecaySeconds": 600, "shareDistribution": [share]}
        aws.create_scheduling_policy(name=SHARED, fairsharePolicy=fair, tags=marks)


def spec_of(key: ObjectKey, **changes: Any) -> dict[str, Any]:
    """The spec of an object that adopts it."""
    adopting = {"awsName": SHARED, "adoptionPolicy": "Adopt"}
    return {**manifests.SPECS[key], **adopting, **changes}


def described(there: Installation) -> dict[str, Any]:
    """All that AWS has, by kind and name (a definition's revisions by name and number)."""
    aws = there.aws()
    policies = [each["arn"] for each in aws.list_scheduling_policies()["schedulingPolicies"]]
    found = {}
    for each in aws.describe_compute_environments()["computeEnvironments"]:
        found[f"ComputeEnvironment {each['computeEnvironmentName']}"] = each
    for each in aws.describe_job_queues()["jobQueues"]:
        found[f"JobQueue {each['jobQueueName']}"] = each
    for each in aws.describe_job_definitions(status="ACTIVE")["jobDefinitions"]:
        found[f"JobDefinition {each['jobDefinitionName']}:{each['revision']}"] = each
    if policies:
        for each in aws.describe_scheduling_policies(arns=policies)["schedulingPolicies"]:
            found[f"SchedulingPolicy {each['name']}"] = each
    return found


def thing_of(there: Installation, key: ObjectKey, name: str = SHARED) -> dict[str, Any]:
    """What AWS says of the thing of that name, of a definition's first revision."""
    number = ":1" if key.kind == "JobDefinition" else ""
    thing: dict[str, Any] = described(there)[f"{key.kind} {name}{number}"]
    return thing


def tags_of(there: Installation, key: ObjectKey, name: str = SHARED) -> dict[str, str]:
    """Its tags."""
    return dict(thing_of(there, key, name).get("tags", {}))


def arn_of(there: Installation, key: ObjectKey, name: str = SHARED) -> str:
    """Its ARN."""
    thing = thing_of(there, key, name)
    prefix = key.kind[0].lower() + key.kind[1:]
    return str(thing["arn"] if key.kind == "SchedulingPolicy" else thing[f"{prefix}Arn"])


def tags_of_all(there: Installation, *keys: ObjectKey) -> dict[ObjectKey, dict[str, str]]:
    """The tags of several, read together: AWS counts its calls."""
    things = described(there)
    names = {
        key: f"{key.kind} {SHARED}{':1' if key.kind == 'JobDefinition' else ''}" for key in keys
    }
    return {key: dict(things[name].get("tags", {})) for key, name in names.items()}
