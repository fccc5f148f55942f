"""SubmitJob's members for one run of a job (pure).

In this order, because each step is about what the one before it has made: the jobs that it depends
on, the values of an array, the failed indexes of a run that repeats only those, the packing of
several tasks into a job.
"""

from dataclasses import replace
from typing import Any

from awsbatch_operator.api import catalogue, job_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.kinds.batchjob.array_values import with_values
from awsbatch_operator.kinds.batchjob.desired import Desired
from awsbatch_operator.kinds.batchjob.environment import (
    Body,
    DefinitionShape,
    Part,
    VariableTakenError,
)
from awsbatch_operator.kinds.batchjob.packed import with_packing
from awsbatch_operator.kinds.batchjob.ranges import parsed
from awsbatch_operator.kinds.batchjob.retries import of_a_part, with_indexes
from awsbatch_operator.kinds.batchjob.submission import Submission

# Of a definition that is not known SubmitJob tells.
_UNKNOWN = DefinitionShape((Part(Body.CONTAINER),))


def fields_of(
    desired: Desired, submission: Submission
) -> tuple[dict[str, Any], Submission] | Finding:
    """The members, and the record of what they make; or why the run cannot be submitted."""
    depends_on = list(desired.dependencies.sent)
    named = {**desired.fields, **({"dependsOn": depends_on} if depends_on else {})}
    made = _with_values(named, desired, submission)
    if isinstance(made, Finding):
        return made
    made = _with_indexes(made, desired, submission)
    if isinstance(made, Finding):
        return made
    recorded = ""
    if desired.tasks_per_job:
        work = desired.work_in(submission.definition)
        packed = with_packing(made, desired.tasks_per_job, work, submission)
        if isinstance(packed, Finding):
            return packed
        made, packing = packed
        recorded = packing.recorded()
    if "arrayProperties" not in made and "dependsOn" in made:
        made = {**made, "dependsOn": of_a_part(made["dependsOn"], single=True)}
    if submission.packed != recorded:
        submission = replace(submission, packed=recorded)
    return made, submission


def _with_values(
    fields: dict[str, Any], desired: Desired, submission: Submission
) -> dict[str, Any] | Finding:
    """With the values of the jobs that this run has: each finds its own at its own index."""
    if desired.array_values is None:
        return fields
    listed = desired.array_values["values"]
    indexes = parsed(submission.indexes) or range(len(listed))
    values = {**desired.array_values, "values": [listed[each] for each in indexes]}
    shape = desired.shape or _UNKNOWN
    if shape.multinode:
        return Finding(
            catalogue.INVALID_SPEC,
            "spec.arrayValues makes an array, and the definition is of a multi-node parallel job: "
            "AWS Batch has no arrays of those.",
            "Remove arrayValues, or name a definition of type container.",
        )
    try:
        return with_values(fields, values, shape=shape)
    except VariableTakenError as error:
        return error.finding("spec.arrayValues.variable")


def _with_indexes(
    fields: dict[str, Any], desired: Desired, submission: Submission
) -> dict[str, Any] | Finding:
    retry = desired.wishes.retry
    if submission.indexes and retry is None:
        return Finding(
            job_reasons.RETRY_NOT_POSSIBLE,
            f"spec.retryFailedIndexes was taken away before run {submission.run}, of failed "
            "indexes, was submitted; it names the variable that carries them.",
            "Set spec.retryFailedIndexes again, or delete this object.",
        )
    variable = "" if retry is None else retry.variable
    shape = desired.shape or _UNKNOWN
    return with_indexes(fields, submission.indexes, variable, shape=shape)
