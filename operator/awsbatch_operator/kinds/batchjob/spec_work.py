"""What a BatchJob may say of its work itself: the definition in it, and the values of its array."""

from typing import Annotated, ClassVar

from pydantic import Field

from awsbatch_operator.kinds.batchjob.array_values import VALUE_LENGTH, VALUES_MOST
from awsbatch_operator.kinds.batchjob.packing import TASKS_PER_JOB
from awsbatch_operator.kinds.batchjob.rules import ARRAY_VALUES_RULES, VALUE, VARIABLE
from awsbatch_operator.schema.declare import Inlined, PassThrough
from awsbatch_operator.schema.describe import reference
from awsbatch_operator.schema.fields import LIST_ATOMIC, Fields, ruled
from awsbatch_operator.schema.rules import Rule
from awsbatch_operator.schema.tables.definition_rules import SPEC as DEFINITION_RULES

DEFINITION = Inlined(
    name="jobDefinition",
    members=PassThrough(
        operation="RegisterJobDefinition",
        omit={
            "jobDefinitionName": "the operator names it after its content",
            "tags": "it is shared by all jobs of the same content",
        },
    ),
    description=(
        "What to run, in the place of jobDefinitionRef: the fields of a JobDefinition's spec that "
        "are AWS's own (kubectl explain jobdefinition.spec). It is registered in AWS once, however "
        "many jobs of the namespace have the same content, and deregistered with the last of them. "
        f"See {reference('RegisterJobDefinition')}"
    ),
    rules=DEFINITION_RULES,
)


class ArrayValues(Fields):
    """The values of an array, one for each of its jobs."""

    RULES: ClassVar[tuple[Rule, ...]] = ARRAY_VALUES_RULES

    variable: str = Field(
        description=(
            "Environment variable that has all values in every job, in order, with a comma "
            "between them. A job's own is at AWS_BATCH_JOB_ARRAY_INDEX, counted from 0."
        ),
        max_length=256,
        json_schema_extra=ruled(VARIABLE),
    )
    values: list[Annotated[str, Field(max_length=VALUE_LENGTH, json_schema_extra=ruled(VALUE))]] = (
        Field(
            description=(
                "What the jobs get, one each, up to 8,192 characters in all. One value makes a job "
                "that is no array. They have no comma and no line break."
            ),
            min_length=1,
            max_length=VALUES_MOST,
            json_schema_extra=dict(LIST_ATOMIC),
        )
    )


class TaskPacking(Fields):
    """How many jobs of an array are done by one job in AWS, one after another."""

    tasks_per_job: int = Field(
        description=(
            "Tasks of each job in AWS. It runs them through the image's /bin/sh, each with its own "
            "AWS_BATCH_JOB_ARRAY_INDEX, goes on after one that fails, and fails if any has. "
            "timeout and retryStrategy are about the whole job."
        ),
        ge=2,
        le=TASKS_PER_JOB,
    )
