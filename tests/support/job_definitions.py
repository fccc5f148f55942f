"""Definitions as jobs have them inside: of a container, and of two nodes."""

from typing import Any

CONTAINER: dict[str, Any] = {
    "image": "public.ecr.aws/docker/library/busybox:1.37",
    "command": ["true"],
    "resourceRequirements": [
        {"type": "VCPU", "value": "1"},
        {"type": "MEMORY", "value": "512"},
    ],
}
INLINE: dict[str, Any] = {"type": "container", "containerProperties": CONTAINER}
NODES: dict[str, Any] = {
    "type": "multinode",
    "nodeProperties": {
        "numNodes": 2,
        "mainNode": 0,
        "nodeRangeProperties": [{"targetNodes": "0:1", "container": CONTAINER}],
    },
}
