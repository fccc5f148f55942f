"""From what AWS describes to a manifest: nothing is changed but what AWS alone returns.

APPLIED is what the tests send to AWS and back: the examples, what people publish, and a few more.
"""

from collections.abc import Mapping
from typing import Any

from tests.support import manifests, quickstart
from tests.support.installation import NAMESPACE
from tests.support.manifests import ENVIRONMENT, POLICY, QUEUE
from tests.support.published import PUBLISHED
from tests.support.remedies.rows import There

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.generate import RESOURCES
from awsbatch_operator.schema.declare import CustomResource
from awsbatch_operator.schema.model import AwsShape, input_shape
from awsbatch_operator.schema.tables import additions

_BY_KIND: Mapping[str, CustomResource[Any]] = {each.kind: each for each in RESOURCES}


EXAMPLES = {
    ObjectKey(body["kind"], NAMESPACE, body["metadata"]["name"]): body["spec"]
    for body in quickstart.bodies()
    if body["kind"] != "BatchJob"
}
DEFINITIONS = {ObjectKey("JobDefinition", NAMESPACE, name): PUBLISHED[name] for name in PUBLISHED}
FAIR = ObjectKey("JobQueue", NAMESPACE, "fair")
ALIKE = ObjectKey("SchedulingPolicy", NAMESPACE, "alike")
OTHERS = {
    ENVIRONMENT: manifests.environment(),
    QUEUE: manifests.queue("pool"),
    POLICY: manifests.policy(),
    ALIKE: {},
    FAIR: manifests.queue("pool", schedulingPolicyRef={"name": POLICY.name}),
}
APPLIED: Mapping[ObjectKey, dict[str, Any]] = {**EXAMPLES, **DEFINITIONS, **OTHERS}


def spec_of(kind: str, detail: Mapping[str, Any]) -> dict[str, Any]:
    """The spec that says what a Describe call has answered.

    Members that the call which makes such a thing does not take are left out, and the name; ARNs
    stand as references, weights as decimals.
    """
    passed = _BY_KIND[kind].passthrough
    assert passed is not None
    taken = _taken(detail, input_shape(passed.operation))
    spec = {name: value for name, value in taken.items() if name not in passed.omit}
    if "computeEnvironmentOrder" in detail:
        spec["computeEnvironmentOrder"] = [
            {"order": place["order"], "computeEnvironmentRef": {"arn": place["computeEnvironment"]}}
            for place in detail["computeEnvironmentOrder"]
        ]
    if "schedulingPolicyArn" in detail:
        spec["schedulingPolicyRef"] = {"arn": detail["schedulingPolicyArn"]}
    own = {key: tag for key, tag in detail.get("tags", {}).items() if "awsbatch.dev/" not in key}
    return {**spec, "tags": own}


def _taken(value: Any, shape: AwsShape | None) -> Any:
    if shape is None:
        return value
    if shape.type in {"float", "double"}:
        return f"{value:.4f}"
    if shape.type == "list":
        return [_taken(each, shape.element) for each in value]
    if shape.type == "structure":
        left_out = additions()[shape.name].omit if shape.name in additions() else {}
        members = {name: each for name, each in shape.members.items() if name not in left_out}
        return {
            name: _taken(each, members[name]) for name, each in value.items() if name in members
        }
    return value


def described(there: There, key: ObjectKey) -> dict[str, Any]:
    """What AWS says of the object."""
    aws, status = there.aws(), there.status(key)
    name = status["awsName"]
    match key.kind:
        case "ComputeEnvironment":
            found = aws.describe_compute_environments(computeEnvironments=[name])
            return dict(found["computeEnvironments"][0])
        case "JobQueue":
            return dict(aws.describe_job_queues(jobQueues=[name])["jobQueues"][0])
        case "SchedulingPolicy":
            found = aws.describe_scheduling_policies(arns=[status["arn"]])
            return dict(found["schedulingPolicies"][0])
        case _:
            found = aws.describe_job_definitions(jobDefinitions=[status["arn"]])
            return dict(found["jobDefinitions"][0])
