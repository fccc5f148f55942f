"""Multi-node parallel jobs: what a submission may change of their nodes, and the nodes themselves.

Sources: NodeProperties, NodeRangeProperty, NodeOverrides; the user guide's "Multi-node parallel
jobs". How nodes run is in `attempts.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from awsbatch_simulator.batch.container_rules import check_sizes, requirements
from awsbatch_simulator.batch.definition_rules import NODES, target_nodes
from awsbatch_simulator.batch.limits import refusal
from awsbatch_simulator.batch.model import EC2, Job, JobStatus
from awsbatch_simulator.batch.overriding import merged_container
from awsbatch_simulator.errors import not_implemented
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
_OTHERS = ("ecsProperties", "eksProperties")
_OVERRIDES = ("ecsPropertiesOverride", "eksPropertiesOverride")


def overridden(nodes: Mapping[str, Any], overrides: Mapping[str, Any]) -> Fields:
    """NodeProperties of a job: those of its definition with NodeOverrides.

    The ranges of the overrides are those of the definition (aws/aws-parallelcluster#964 has the
    words).
    """
    count = overrides.get("numNodes") or nodes["numNodes"]
    if count != nodes["numNodes"]:
        _check_count(nodes, count)
    ranges = [dict(each) for each in nodes["nodeRangeProperties"]]
    for override in overrides.get("nodePropertyOverrides") or ():
        meant = [each for each in ranges if each["targetNodes"] == override["targetNodes"]]
        if not meant:
            raise refusal(
                "NodeOverride targets should match job definition. Non matching targets - "
                f"{override['targetNodes'][:100]}"
            )
        for each in meant:
            _override(each, override)
    return {"numNodes": count, "mainNode": nodes["mainNode"], "nodeRangeProperties": ranges}


def _check_count(nodes: Mapping[str, Any], count: int) -> None:
    """Source: NodeOverrides.numNodes."""
    targets = [each["targetNodes"] for each in nodes["nodeRangeProperties"]]
    if not any(text.endswith(":") for text in targets):
        raise refusal(
            "numNodes can be overridden only if a node range of the job definition has an open "
            "upper boundary"
        )
    if not 1 <= count <= NODES:
        raise refusal(f"numNodes must be between 1 and {NODES}, not {count}")
    if any(int(text.partition(":")[0] or 0) >= count for text in targets):
        raise refusal(f"A node range of the job definition begins above numNodes {count}")
    if nodes["mainNode"] >= count:
        raise refusal(f"mainNode {nodes['mainNode']} must be smaller than numNodes {count}")


def _override(nodes: Fields, override: Mapping[str, Any]) -> None:
    for member in _OVERRIDES:
        if override.get(member):
            raise not_implemented("batch", f"SubmitJob with {member} of nodes")
    _check_kind(nodes)
    given = override.get("containerOverrides") or {}
    nodes["container"] = merged_container(nodes["container"], given, platform=EC2)
    types = override.get("instanceTypes") or ()
    if len(types) > 1:
        raise refusal("instanceTypes of a node range is limited to one element")
    if types or given.get("instanceType"):
        nodes["instanceTypes"] = list(types) or [given["instanceType"]]


def _check_kind(nodes: Mapping[str, Any]) -> None:
    for member in _OTHERS:
        if nodes.get(member):
            raise not_implemented("batch", f"SubmitJob of multi-node parallel jobs with {member}")


def check(nodes: Mapping[str, Any]) -> None:
    """Each node has a size, and all ranges lie within the nodes."""
    for each in nodes["nodeRangeProperties"]:
        _check_kind(each)
        target_nodes(each["targetNodes"], nodes["numNodes"])
    for index in range(nodes["numNodes"]):
        check_sizes(requirements(_container(nodes, index)), EC2)


def _ranges(nodes: Mapping[str, Any], index: int) -> Sequence[Mapping[str, Any]]:
    """The ranges that a node is in, the widest first: nested ones override those around them."""
    count = nodes["numNodes"]
    meant = [
        (target_nodes(each["targetNodes"], count), each) for each in nodes["nodeRangeProperties"]
    ]
    found = [(len(targets), each) for targets, each in meant if index in targets]
    return [each for _, each in sorted(found, key=lambda pair: -pair[0])]


def _container(nodes: Mapping[str, Any], index: int) -> Fields:
    """The container of a node; what a nested range leaves empty is that of the one around it."""
    container: Fields = {}
    for each in _ranges(nodes, index):
        container |= {
            name: value
            for name, value in each["container"].items()
            if name not in container or value not in ([], {})
        }
    return container


def vcpus(nodes: Mapping[str, Any]) -> float:
    """What all nodes have together."""
    return sum(
        float(requirements(_container(nodes, index))["VCPU"]) for index in range(nodes["numNodes"])
    )


def spawn(region: Region, parent: Job, overrides: Mapping[str, Any]) -> None:
    """Make the nodes; each goes with its job until that is placed."""
    nodes = parent.nodes or {}
    sent = {
        each["targetNodes"]: each.get("containerOverrides") or {}
        for each in overrides.get("nodePropertyOverrides") or ()
    }
    for index in range(nodes["numNodes"]):
        ranges = _ranges(nodes, index)
        child = _node(region, parent, index, ranges)
        child.overrides = next(
            (sent[each["targetNodes"]] for each in reversed(ranges) if each["targetNodes"] in sent),
            {},
        )
        parent.children.append(child)
        region.batch.jobs[child.id] = child
        region.batch.queue_jobs(parent.queue).enter(child)


def _node(region: Region, parent: Job, index: int, ranges: Sequence[Mapping[str, Any]]) -> Job:
    container = _container(parent.nodes or {}, index)
    sizes = requirements(container)
    types = [each["instanceTypes"][0] for each in ranges if each.get("instanceTypes")]
    child_id = f"{parent.id}#{index}"
    return replace(
        parent,
        id=child_id,
        arn=region.arn("batch", f"job/{child_id}"),
        order=(parent.order[0], index),
        container=container,
        vcpus=float(sizes["VCPU"]),
        memory=int(sizes["MEMORY"]),
        gpus=int(sizes.get("GPU", 0)),
        instance_type=types[-1] if types else str(container.get("instanceType") or ""),
        status=JobStatus.SUBMITTED,
        attempts=[],
        outcome={},
        outcomes={},
        waits_for=set(),
        dependents=[],
        timers=[],
        parent=parent,
        nodes=None,
        node=index,
        children=[],
        fragment=None,
    )
