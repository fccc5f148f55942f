"""What AWS keeps of what was sent: the form in which Describe answers it.

Three tables by the shapes of Batch's model (lists that AWS fills in, what it drops, what it writes
in another way), one walk over them, and the few defaults that depend on a neighbour. Sources, by
row: the real service as Terraform's acceptance tests expect it (internal/service/batch of
hashicorp/terraform-provider-aws: job_definition_test.go, container_properties_test.go,
compute_environment_test.go), and defaults in the text of the API reference.
"""

import copy
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from botocore.model import Shape

from awsbatch_simulator.batch import environment_kinds
from awsbatch_simulator.batch.model import FARGATE, FARGATE_TYPES, MANAGED_TYPE
from awsbatch_simulator.batch.model_limits import batch_model

Fields = dict[str, Any]

# Filled in where nothing was given, by shape.
FILLED_IN: Mapping[str, Mapping[str, Any]] = {
    "ContainerProperties": {
        "command": [],
        "environment": [],
        "mountPoints": [],
        "resourceRequirements": [],
        "secrets": [],
        "ulimits": [],
        "volumes": [],
    },
    "Device": {"permissions": []},
    "EcsTaskProperties": {"volumes": []},
    "EksContainer": {"args": [], "command": [], "env": [], "volumeMounts": []},
    "EksPodProperties": {
        "containers": [],
        "imagePullSecrets": [],
        "initContainers": [],
        "volumes": [],
    },
    "LinuxParameters": {"devices": [], "tmpfs": []},
    "LogConfiguration": {"options": {}, "secretOptions": []},
    "NodeRangeProperty": {"instanceTypes": []},
    "RegisterJobDefinitionRequest": {"parameters": {}},
    "RetryStrategy": {"evaluateOnExit": []},
    "TaskContainerProperties": {
        "command": [],
        "dependsOn": [],
        "environment": [],
        "essential": True,
        "mountPoints": [],
        "secrets": [],
        "ulimits": [],
    },
    "Tmpfs": {"mountOptions": []},
}
# Lists whose entries AWS ignores when their value is empty. Pods keep theirs: nothing is known.
DROPS_EMPTY_VALUES = frozenset({"EnvironmentVariables"})
# Enums that it answers in lower case.
LOWERED = frozenset({"RetryAction"})
LATEST = "LATEST"
# UpdatePolicy: what it has where an update gave only a part.
UPDATE_POLICY: Mapping[str, Any] = {
    "terminateJobsOnUpdate": False,
    "jobExecutionTimeoutMinutes": 30,
}
IMAGES: tuple[Mapping[str, str], ...] = ({"imageType": "ECS_AL2023"},)
KUBERNETES_IMAGES: tuple[Mapping[str, str], ...] = ({"imageType": "EKS_AL2023"},)


@cache
def _shape(name: str) -> Shape:
    """A shape of Batch's model; botocore makes it and its members anew whenever it is asked."""
    return batch_model().shape_for(name)


def definition(request: Mapping[str, Any]) -> Fields:
    """The content of a revision, from RegisterJobDefinition's request."""
    sent = {name: value for name, value in request.items() if name != "tags"}
    content: Fields = _stored(sent, _shape("RegisterJobDefinitionRequest"))
    kubernetes = "eksProperties" in content or any(
        "eksProperties" in each
        for each in content.get("nodeProperties", {}).get("nodeRangeProperties", ())
    )
    content["containerOrchestrationType"] = "EKS" if kubernetes else "ECS"
    if FARGATE in content.get("platformCapabilities", ()):
        _fill_fargate(content)
    if "eksProperties" in content:
        _fill_pod(content["eksProperties"].get("podProperties", {}))
    return content


def variables(given: Sequence[Mapping[str, Any]]) -> list[Fields]:
    """EnvironmentVariables, of a definition or as a job's overrides have made them."""
    found: list[Fields] = _stored(given, _shape("EnvironmentVariables"))
    return found


def retry_strategy(strategy: Mapping[str, Any]) -> Fields:
    """RetryStrategy."""
    found: Fields = _stored(strategy, _shape("RetryStrategy"))
    return found


def compute_resources(given: Mapping[str, Any], *, kubernetes: bool = False) -> Fields:
    """ComputeResource; an allocationStrategy that was not given is not shown."""
    filled: Fields = copy.deepcopy(dict(given))
    if given["type"] in FARGATE_TYPES | {MANAGED_TYPE}:
        return filled
    filled.setdefault("minvCpus", 0)
    filled.setdefault("desiredvCpus", filled["minvCpus"])
    filled["instanceTypes"] = filled.get("instanceTypes") or ["optimal"]
    images = KUBERNETES_IMAGES if kubernetes else IMAGES
    filled["ec2Configuration"] = [
        {name: value for name, value in each.items() if name != "batchImageStatus"}
        for each in filled.get("ec2Configuration") or images
    ]
    return filled


def updated_resources(
    current: Mapping[str, Any], changes: Mapping[str, Any], *, kubernetes: bool = False
) -> Fields:
    """ComputeResource after an update: what an empty value removes is gone.

    On Fargate an empty list of subnets or groups changes nothing; updateToLatestImageVersion is an
    order and not kept. Source: the members of ComputeResourceUpdate.
    """
    fargate = str(current.get("type")).startswith(FARGATE)
    resources = dict(current)
    for name, value in changes.items():
        if name == "updateToLatestImageVersion" or (fargate and value == []):
            continue
        if name == environment_kinds.PROVIDER and name in resources:
            resources[name] = environment_kinds.updated_provider(resources[name], value)
            continue
        removed = "" in value.values() if name == "launchTemplate" else value == ""
        if removed:
            resources.pop(name, None)
        else:
            resources[name] = value
    return compute_resources(resources, kubernetes=kubernetes)


def update_policy(current: Mapping[str, Any] | None, given: Mapping[str, Any]) -> Fields:
    """UpdatePolicy after an update; there is none before the first one that gives it."""
    return {**UPDATE_POLICY, **(current or {}), **given}


def _stored(value: Any, shape: Shape) -> Any:
    match shape.type_name:
        case "structure":
            made = copy.deepcopy(dict(FILLED_IN.get(shape.name, {})))
            for name, entry in value.items():
                made[name] = _stored(entry, shape.members[name])
            return made
        case "list":
            drops = shape.name in DROPS_EMPTY_VALUES
            return [
                _stored(entry, shape.member) for entry in value if not drops or entry.get("value")
            ]
        case "map":
            return dict(value)
        case "string" if shape.name in LOWERED:
            return value.lower()
        case _:
            return value


def _fill_fargate(content: Fields) -> None:
    """FargatePlatformConfiguration and EcsTaskProperties: the platform version is LATEST."""
    if "containerProperties" in content:
        content["containerProperties"].setdefault(
            "fargatePlatformConfiguration", {"platformVersion": LATEST}
        )
    for task in content.get("ecsProperties", {}).get("taskProperties", ()):
        task.setdefault("platformVersion", LATEST)


def _fill_pod(pod: Fields) -> None:
    """EksPodProperties.dnsPolicy, EksContainer.name, and requests that limits stand for.

    The documented defaults. Of a node range's pod they are not shown: Terraform's test
    NodeProperties_withEKS expects it without.
    """
    if pod:
        given = "hostNetwork" in pod
        pod.setdefault("dnsPolicy", "ClusterFirst" if given else "ClusterFirstWithHostNet")
    for each in (*pod.get("containers", ()), *pod.get("initContainers", ())):
        each.setdefault("name", "Default")
        resources = each.get("resources", {})
        if resources.get("limits"):
            resources["requests"] = {**resources["limits"], **resources.get("requests", {})}
