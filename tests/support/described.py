"""From what AWS describes to a manifest: nothing is changed but what AWS alone returns."""

from collections.abc import Mapping
from typing import Any

from awsbatch_operator.generate import RESOURCES
from awsbatch_operator.schema.declare import CustomResource
from awsbatch_operator.schema.model import AwsShape, input_shape
from awsbatch_operator.schema.tables import additions

_BY_KIND: Mapping[str, CustomResource[Any]] = {each.kind: each for each in RESOURCES}


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
