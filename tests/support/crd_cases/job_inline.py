"""BatchJob: the definition in the job, and the values of an array."""

from collections.abc import Mapping

from tests.support.crd_cases import definition
from tests.support.crd_cases.cases import Case, Patch, bound, case, patched

ARRAY = {"arrayProperties": {"size": 2}}
PACKED = {"packing": {"tasksPerJob": 2}}
NODES = {"nodeOverrides": {"numNodes": 2}}


def inline(patch: Patch | None = None, **members):
    """The job with a definition of its own, as the patch makes it of a valid one."""
    content = patched(definition.BASE, patch or {})
    return {"jobDefinitionRef": None, "jobDefinition": content, **members}


def values(*listed, variable="SHARD"):
    return {"arrayValues": {"variable": variable, "values": list(listed)}}


def inlined(table: Mapping[str, Case]) -> dict[str, Case]:
    """A JobDefinition's cases, of the definition in a job."""
    return {
        rule: case(
            accepts=[inline(patch) for patch in each.accepts],
            refuses=[inline(patch) for patch in each.refuses],
            says=each.says,
        )
        for rule, each in table.items()
    }


TASK = definition.task()
POD = {
    "containerProperties": None,
    "eksProperties": {"podProperties": {"containers": [{"name": "main", "image": "busybox"}]}},
}

CASES = {
    "one-definition": case(
        accepts=[{}, inline()],
        refuses=[{"jobDefinition": definition.BASE}, {"jobDefinitionRef": None}],
    ),
    "override-fits": case(
        accepts=[
            inline(containerOverrides={"command": ["true"]}),
            inline(TASK, ecsPropertiesOverride={"taskProperties": []}),
            inline(POD, eksPropertiesOverride={"podProperties": {}}),
            inline(definition.nodes(), **NODES),
        ],
        refuses=[
            inline(TASK, containerOverrides={"command": ["true"]}),
            inline(ecsPropertiesOverride={"taskProperties": []}),
            inline(eksPropertiesOverride={"podProperties": {}}),
            inline(**NODES),
        ],
    ),
    "one-array": case(accepts=values("a", "b"), refuses={**ARRAY, **values("a", "b")}),
    "values-or-nodes": case(accepts=NODES, refuses={**NODES, **values("a", "b")}),
    "array-of-one-node": case(
        accepts=[inline(**ARRAY), inline(definition.nodes())],
        refuses=[
            inline(definition.nodes(), **ARRAY),
            inline(definition.nodes(), **values("a", "b")),
        ],
    ),
    "array-variable-reserved": case(
        accepts=values("a", variable="AWS_REGION_OF_DATA"),
        refuses=values("a", variable="AWS_BATCH_SHARD"),
    ),
    "variable-form": case(
        accepts=[values("a", variable=name) for name in ("SHARD", "_x1")],
        refuses=[values("a", variable=odd) for odd in ("", "MY SHARD", "1ST", "A-B", "A=B")],
    ),
    "array-value-form": case(
        accepts=values("a b", "s3://bucket/key=1;x", "größe"),
        refuses=[values("a", odd) for odd in ("", "1,2", "a\nb")],
    ),
    "array-values-length": case(
        accepts=values(*["x" * 511] * 16), refuses=values(*["x" * 512] * 16)
    ),
    "packing-of-array": case(
        accepts=[{**PACKED, **ARRAY}, {**PACKED, **values("a", "b")}], refuses=PACKED
    ),
    "packing-of-one-container": case(
        accepts=[
            {**PACKED, **ARRAY, "containerOverrides": {"command": ["true"]}},
            inline(**PACKED, **ARRAY),
        ],
        refuses=[
            {**PACKED, **ARRAY, "ecsPropertiesOverride": {"taskProperties": []}},
            {**PACKED, **ARRAY, "eksPropertiesOverride": {"podProperties": {}}},
            inline(TASK, **PACKED, **ARRAY),
        ],
    ),
    "packing-without-order": case(
        accepts=[
            {**PACKED, **ARRAY, "dependsOn": [{"jobRef": {"name": "a"}, "type": each}]}
            for each in ("N_TO_N", "SEQUENTIAL")
        ],
        refuses={**PACKED, **ARRAY, "dependsOn": [{"type": "SEQUENTIAL"}]},
    ),
}

BOUNDS = (
    bound(
        "spec.arrayValues.values",
        accepts=[values("a"), values(*["1"] * 4_096)],
        refuses=[values(), values(*["1"] * 4_097)],
    ),
    bound(
        "spec.packing.tasksPerJob",
        accepts=[{**ARRAY, "packing": {"tasksPerJob": each}} for each in (2, 1000)],
        refuses=[{**ARRAY, "packing": {"tasksPerJob": each}} for each in (1, 1001)],
    ),
    bound("spec.arrayValues.values[0]", accepts=values("x" * 512), refuses=values("x" * 513)),
    bound("spec.jobDefinition.type", accepts=inline(), refuses=inline({"type": None})),
)
