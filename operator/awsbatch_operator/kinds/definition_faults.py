"""What is wrong with a definition that its schema cannot see (pure).

Of a JobDefinition and of a definition in a BatchJob alike: whatever is found before AWS is asked to
register the one is found of the other, in the same words.

CEL would have to take a range apart and count with its parts, where a rule that cannot be evaluated
ends in the API server's own words.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.kinds.execution_role import without_execution_role

_RANGES = "nodeProperties.nodeRangeProperties"
_RANGE = re.compile(r"(\d*)(:?)(\d*)")


def definition_faults(content: Shape, path: str = "spec") -> tuple[Finding, ...]:
    """Of a definition that fits its schema; `path` is where it stands in its object."""
    nodes = content.get("nodeProperties")
    found = () if nodes is None else tuple(_node_faults(nodes, f"{path}.{_RANGES}"))
    cannot_run = without_execution_role(content, path)
    return found if cannot_run is None else (*found, cannot_run)


def _node_faults(nodes: Mapping[str, Any], path: str) -> Iterator[Finding]:
    """Of ranges that reach beyond the last node, or leave one out.

    "Your accumulative node ranges must account for all nodes" (NodeRangeProperty.targetNodes in the
    API reference).
    """
    count, covered, wrong = int(nodes["numNodes"]), set[int](), False
    for at, each in enumerate(nodes["nodeRangeProperties"]):
        text = str(each["targetNodes"])
        meant = targeted(text, count)
        if not meant or meant[-1] >= count:
            wrong = True
            yield Finding(
                catalogue.INVALID_SPEC,
                f"{path}[{at}].targetNodes: {text} are no nodes of {count}, which have the "
                f"numbers 0 to {count - 1}.",
                "Correct targetNodes, or raise numNodes.",
            )
        covered |= set(meant[:count])
    left = sorted(set(range(count)) - covered)
    if left and not wrong:
        yield Finding(
            catalogue.INVALID_SPEC,
            f"{path}: no targetNodes has node {left[0]}, and AWS has to be told of every node "
            "what runs on it.",
            f"Let the ranges together cover 0 to {count - 1}; one that ends with a colon, such as "
            '"1:", goes on to the last node.',
        )


def targeted(text: str, count: int) -> range:
    """The nodes that "1", "0:3", ":3" or "2:" means among so many; none if it goes downwards."""
    found = _RANGE.fullmatch(text)
    if found is None:
        return range(0)
    first = int(found[1] or 0)
    last = int(found[3] or count - 1) if found[2] else first
    return range(first, last + 1)
