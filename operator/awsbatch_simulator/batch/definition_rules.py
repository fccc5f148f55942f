"""What RegisterJobDefinition refuses. Source: its fields in the Batch API reference."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from awsbatch_simulator.batch.container_rules import check_container, check_pod, check_task
from awsbatch_simulator.batch.limits import check_retry, check_timeout, refusal
from awsbatch_simulator.batch.model import EC2, FARGATE, MANAGED_INSTANCES

PROPERTIES = ("containerProperties", "ecsProperties", "eksProperties", "nodeProperties")
SCHEDULING_PRIORITIES = range(10_000)
NODES, NODE_GROUPS = 1000, 5
_NODE_KINDS = ("container", "ecsProperties", "eksProperties")
_TARGETS = re.compile(r"([0-9]{0,4}):([0-9]{0,4})")


def check_definition(request: Mapping[str, Any]) -> None:
    """All of a definition's own contradictions."""
    given = [name for name in PROPERTIES if name in request]
    kind = request["type"]
    if len(given) != 1:
        raise refusal(f"Exactly one of {', '.join(PROPERTIES)} must be given, not {given}")
    if (kind == "multinode") != (given == ["nodeProperties"]):
        raise refusal(f"A job definition of type {kind} cannot have {given[0]}")
    check_retry(request.get("retryStrategy"))
    check_timeout(request.get("timeout"))
    if request.get("schedulingPriority", 0) not in SCHEDULING_PRIORITIES:
        raise refusal("schedulingPriority must be between 0 and 9999")
    platform = _platform(request, given[0])
    match given[0]:
        case "nodeProperties":
            _check_nodes(request["nodeProperties"])
        case "containerProperties":
            check_container(request["containerProperties"], platform)
        case "ecsProperties":
            _check_tasks(request["ecsProperties"], platform)
        case _:
            check_pod(request["eksProperties"].get("podProperties", {}))


def _platform(request: Mapping[str, Any], properties: str) -> str:
    """The platform whose rules count: Fargate's where it is listed, EC2's otherwise."""
    capabilities: Collection[str] = request.get("platformCapabilities", ())
    if properties == "eksProperties":
        for name in ("platformCapabilities", "propagateTags"):
            if request.get(name):
                raise refusal(f"{name} is not applicable for EKS.")
    if MANAGED_INSTANCES in capabilities:
        if properties != "ecsProperties":
            raise refusal("Jobs with the MANAGED_INSTANCES platform capability use ecsProperties")
        return MANAGED_INSTANCES
    if FARGATE in capabilities and properties == "nodeProperties":
        raise refusal("nodeProperties is not applicable for Fargate.")
    return FARGATE if FARGATE in capabilities else EC2


def _check_tasks(properties: Mapping[str, Any], platform: str) -> None:
    if len(properties["taskProperties"]) != 1:
        raise refusal("taskProperties is limited to one task")
    check_task(properties["taskProperties"][0], platform)


def _check_nodes(nodes: Mapping[str, Any]) -> None:
    count, ranges = nodes["numNodes"], nodes["nodeRangeProperties"]
    if not 1 <= count <= NODES:
        raise refusal(f"numNodes must be between 1 and {NODES}, not {count}")
    if not 0 <= nodes["mainNode"] < count:
        raise refusal("mainNode must be smaller than numNodes")
    if not 1 <= len(ranges) <= NODE_GROUPS:
        raise refusal(f"A multi-node parallel job has 1 to {NODE_GROUPS} node groups")
    covered: set[int] = set()
    for each in ranges:
        covered |= set(target_nodes(each["targetNodes"], count))
        _check_range(each)
    if len(covered) != count:
        raise refusal(f"The node ranges must account for all nodes (0:{count - 1})")


def target_nodes(text: str, count: int) -> range:
    """The indexes that `n:m`, `n:` or `:m` means among so many nodes, both ends included."""
    found = _TARGETS.fullmatch(text)
    if found is None:
        raise refusal(f"targetNodes {text[:100]!r} is not a range of nodes such as 0:3, 0: or :3")
    first, last = int(found[1] or 0), int(found[2] or count - 1)
    if not first <= last < count:
        raise refusal(f"targetNodes {text} is not a range of {count} nodes")
    return range(first, last + 1)


def _check_range(nodes: Mapping[str, Any]) -> None:
    given = [name for name in _NODE_KINDS if name in nodes]
    if len(given) != 1:
        raise refusal(f"A node range has exactly one of {', '.join(_NODE_KINDS)}, not {given}")
    if len(nodes.get("instanceTypes", ())) > 1:
        raise refusal("instanceTypes of a node range is limited to one element")
    match given[0]:
        case "container":
            check_container(nodes["container"], EC2, node=True)
        case "ecsProperties":
            _check_tasks(nodes["ecsProperties"], EC2)
        case _:
            check_pod(nodes["eksProperties"].get("podProperties", {}))
