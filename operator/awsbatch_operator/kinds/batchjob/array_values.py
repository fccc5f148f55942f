r"""The values of an array: one environment variable that has all of them (pure).

SubmitJob gives all jobs of an array the same variables, so each has the whole list, in order, and
finds its own value at AWS_BATCH_JOB_ARRAY_INDEX. In a shell:

    value=$(printf '%s\n' "$SHARD" | cut -d, -f$((AWS_BATCH_JOB_ARRAY_INDEX + 1)))
"""

from typing import Any

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.kinds.batchjob.environment import DefinitionShape, with_variable

SEPARATOR = ","
VALUES_MOST = 4096  # more would not fit into VALUES_LENGTH
VALUE_LENGTH = 512
VALUES_LENGTH = 8192  # ECS: characters of all overrides of a task; see request.py


def with_values(fields: Shape, values: Shape, *, shape: DefinitionShape) -> dict[str, Any]:
    """SubmitJob's members with the size of the array and the variable; `values` as in the spec.

    AWS has no array of one job (ArrayProperties, size: 2 to 10,000), so one value makes a single
    job: it has the variable, and no AWS_BATCH_JOB_ARRAY_INDEX, which a shell counts as 0.
    Raises VariableTakenError.
    """
    listed = [str(each) for each in values["values"]]
    made = with_variable(fields, values["variable"], SEPARATOR.join(listed), shape=shape)
    return {**made, "arrayProperties": {"size": len(listed)}} if len(listed) > 1 else made
