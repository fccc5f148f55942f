"""A run of just the failed indexes of an array (pure).

AWS runs an array whole or not at all. So the failed indexes become a smaller array, and a variable
tells each of its jobs which index of the whole array it is about: it is a list, and the position in
it is the new index. AWS's arrays have at least two jobs, so a single failed index becomes a single
job, with the variable.
"""

from typing import Any

from awsbatch_operator.api import job_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.kinds.batchjob import ranges
from awsbatch_operator.kinds.batchjob.environment import (
    DefinitionShape,
    VariableTakenError,
    with_variable,
)
from awsbatch_operator.kinds.batchjob.request import overrides_too_long, too_long
from awsbatch_operator.kinds.batchjob.submission import Submission
from awsbatch_operator.kinds.batchjob.wishes import Wishes

_FIELD = "spec.retryFailedIndexes"


def chosen(
    wishes: Wishes, submission: Submission, failed: str | None, *, count: int = 0
) -> str | Finding:
    """The indexes of the whole array that failed in that run, or why there is nothing to retry.

    `failed` are those that the status shows, which are positions in the run's own array; `count`
    is how many jobs of it failed as AWS counts them, 0 if the status does not show that.
    """
    if not wishes.is_array:
        return _not(
            f"run {submission.run} is no array, so no index of it has failed",
            "Remove retryFailedIndexes; to run the job again, create another BatchJob.",
        )
    try:
        whole = ranges.parsed(submission.indexes)
        if len(whole) == 1:
            return submission.indexes  # the run was a single job, and it has failed
        positions = ranges.parsed(failed or "")
        if positions and len(positions) < count:
            return _not(
                f"AWS names {len(positions)} of the {count} indexes that failed in run "
                f"{submission.run}",
                "Remove retryFailedIndexes, and create another BatchJob for what is missing.",
            )
        indexes = ranges.shown(whole[each] if whole else each for each in positions)
    except (ValueError, IndexError):
        indexes = ""
    return indexes or _not(
        f"status.array.failedIndexes does not tell which indexes of run {submission.run} failed",
        "Remove retryFailedIndexes, and create another BatchJob for what is missing.",
    )


def with_indexes(
    fields: Shape, indexes: str, variable: str, *, shape: DefinitionShape
) -> dict[str, Any] | Finding:
    """SubmitJob's members for these indexes of the array; the Finding, if AWS would not take them.

    Without `indexes`, the members as they are: the array is whole.
    """
    if not indexes:
        return dict(fields)
    numbers = ranges.parsed(indexes)
    made = {name: value for name, value in fields.items() if name != "arrayProperties"}
    if len(numbers) > 1:
        made["arrayProperties"] = {**fields.get("arrayProperties", {}), "size": len(numbers)}
    if "dependsOn" in made:
        made["dependsOn"] = of_a_part(made["dependsOn"], single=len(numbers) == 1)
    listed = ",".join(map(str, numbers))
    try:
        made = with_variable(made, variable, listed, shape=shape)
    except VariableTakenError as error:
        return error.finding(f"{_FIELD}.indexMapVariable")
    long = overrides_too_long(made) or too_long(made)
    if long is not None:
        return _not(
            f"the list of {len(numbers)} failed indexes has {len(listed)} characters, which is "
            f"more than a request has room for ({long.message.removesuffix(' Nothing was sent.')})",
            "Remove retryFailedIndexes, and create another BatchJob that runs the array again.",
        )
    return made


def of_a_part(dependencies: Any, *, single: bool) -> list[dict[str, Any]]:
    """N_TO_N is for arrays of one size, so a part of one waits for all; one job has no order."""
    kept = []
    for each in dependencies:
        if each.get("type") == "N_TO_N" or (single and each.get("jobId")):
            kept.append({name: value for name, value in each.items() if name != "type"})
        elif not single or each.get("jobId"):
            kept.append(dict(each))
    return kept


def _not(why: str, remedy: str) -> Finding:
    message = f"{_FIELD}: there is no new run, because {why}."
    return Finding(job_reasons.RETRY_NOT_POSSIBLE, message, remedy)
