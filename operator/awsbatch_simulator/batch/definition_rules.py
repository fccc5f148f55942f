"""What RegisterJobDefinition refuses. Source: its fields in the Batch API reference."""

from collections.abc import Mapping
from typing import Any

from awsbatch_simulator.batch.limits import check_retry, check_timeout, refusal

PROPERTIES = ("containerProperties", "ecsProperties", "eksProperties", "nodeProperties")
SCHEDULING_PRIORITIES = range(10_000)
NODES, NODE_GROUPS = 1000, 5
MINIMUM_MEMORY = 4  # MiB
FARGATE_VCPUS = frozenset({0.25, 0.5, 1, 2, 4, 8, 16})


def check_definition(request: Mapping[str, Any]) -> None:
    """All of a definition's own contradictions."""
    given = [name for name in PROPERTIES if name in request]
    kind = request["type"]
    if kind not in {"container", "multinode"}:
        raise refusal(f"type must be container or multinode, not {kind!r}")
    if len(given) != 1:
        raise refusal(f"Exactly one of {', '.join(PROPERTIES)} must be given, not {given}")
    if (kind == "multinode") != (given == ["nodeProperties"]):
        raise refusal(f"A job definition of type {kind} cannot have {given[0]}")
    check_retry(request.get("retryStrategy"))
    check_timeout(request.get("timeout"))
    if request.get("schedulingPriority", 0) not in SCHEDULING_PRIORITIES:
        raise refusal("schedulingPriority must be between 0 and 9999")
    if "nodeProperties" in request:
        _check_nodes(request["nodeProperties"])
    if "containerProperties" in request:
        _check_container(request["containerProperties"], request.get("platformCapabilities", ()))


def _check_nodes(nodes: Mapping[str, Any]) -> None:
    if not 1 <= nodes["numNodes"] <= NODES:
        raise refusal(f"numNodes must be between 1 and {NODES}, not {nodes['numNodes']}")
    if not 0 <= nodes["mainNode"] < nodes["numNodes"]:
        raise refusal("mainNode must be smaller than numNodes")
    if not 1 <= len(nodes["nodeRangeProperties"]) <= NODE_GROUPS:
        raise refusal(f"A multi-node parallel job has 1 to {NODE_GROUPS} node groups")


def _check_container(container: Mapping[str, Any], platforms: Any) -> None:
    if not container.get("image"):
        raise refusal("Container image must be specified")
    check_environment(container.get("environment", ()))
    sizes = requirements(container)
    if "VCPU" not in sizes or "MEMORY" not in sizes:
        raise refusal("Container vCPU and memory must be specified (resourceRequirements)")
    fargate = "FARGATE" in platforms
    check_sizes(sizes, fargate=fargate)
    if fargate and not container.get("executionRoleArn"):
        raise refusal("Fargate jobs need an executionRoleArn")
    if fargate and (container.get("privileged") or container.get("ulimits")):
        raise refusal("privileged and ulimits aren't applicable to Fargate jobs")
    if not fargate and container.get("fargatePlatformConfiguration"):
        raise refusal("fargatePlatformConfiguration is for jobs on Fargate only")


def check_environment(variables: Any) -> None:
    """AWS_BATCH… belongs to Batch."""
    for variable in variables:
        if variable.get("name", "").startswith("AWS_BATCH"):
            raise refusal(f"Environment variable {variable['name']} cannot start with AWS_BATCH")


def requirements(container: Mapping[str, Any]) -> dict[str, str]:
    """ResourceRequirements by type; the deprecated vcpus and memory count where they are alone."""
    listed = container.get("resourceRequirements") or ()
    sizes = {entry["type"]: entry["value"] for entry in listed}
    if len(sizes) != len(listed):
        raise refusal("resourceRequirements names a type twice")
    for old, new in (("vcpus", "VCPU"), ("memory", "MEMORY")):
        if container.get(old):
            if new in sizes:
                raise refusal(f"{old} and resourceRequirements {new} cannot both be specified")
            sizes[new] = str(container[old])
    return sizes


def check_sizes(sizes: Mapping[str, str], *, fargate: bool) -> None:
    """Whole vCPUs on EC2, AWS's steps on Fargate; 4 MiB of memory at least."""
    try:
        vcpus, memory = float(sizes["VCPU"]), int(sizes["MEMORY"])
    except ValueError:
        raise refusal("resourceRequirements values must be numbers") from None
    if fargate and vcpus not in FARGATE_VCPUS:
        raise refusal(f"VCPU must be one of {sorted(FARGATE_VCPUS)} on Fargate, not {vcpus}")
    if not fargate and (vcpus < 1 or vcpus != int(vcpus)):
        raise refusal(f"VCPU must be a whole number of at least 1 on EC2, not {sizes['VCPU']}")
    if memory < MINIMUM_MEMORY:
        raise refusal(f"MEMORY must be at least {MINIMUM_MEMORY} MiB, not {memory}")
