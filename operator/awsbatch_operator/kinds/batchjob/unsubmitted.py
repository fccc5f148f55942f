"""The status of a job that has failed because of another one, whether or not it was sent (pure)."""

from dataclasses import replace
from typing import Any

from awsbatch_operator.api.conditions import Situation, Verdict, condition
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.api.words import joined, some_of
from awsbatch_operator.kinds import statuses
from awsbatch_operator.kinds.batchjob.actions import Action
from awsbatch_operator.kinds.batchjob.dependencies import Dependencies
from awsbatch_operator.kinds.batchjob.desired import Desired
from awsbatch_operator.kinds.batchjob.failure_causes import Failure
from awsbatch_operator.kinds.batchjob.observed import MAY_BE_SENT, Observed
from awsbatch_operator.kinds.batchjob.record import failed_unsubmitted
from awsbatch_operator.kinds.contract import KindStatus, Seen

_FAILED = Failure.DEPENDENCY_FAILED.value


def without_submission(
    resource: Resource, seen: Seen[Desired, Observed, Action]
) -> KindStatus | None:
    """That the job has failed because of one that it depends on, and was not submitted.

    None: it has not. It stays so while a gate keeps the turn from looking at the others.
    """
    unsent = seen.observed is None or seen.observed.knowledge in MAY_BE_SENT
    if not unsent or resource.deleting:
        return None
    if isinstance(seen.desired, Desired):
        message = seen.desired.dependencies.failure
    elif failed_unsubmitted(resource):
        message = str((condition(resource.status, "Failed") or {})["message"])
    else:
        message = ""
    if not message:
        return None
    fields = statuses.kept_fields(resource)
    fields["failure"] = _FAILED
    fields.setdefault("completionTime", seen.now.rfc3339())
    return KindStatus(fields, Verdict(Situation.FAILED, _FAILED, message))


def kept_before(resource: Resource) -> dict[str, Any]:
    """The fields as they stand, without those of a failure that is over: it may run after all."""
    fields = statuses.kept_fields(resource)
    if failed_unsubmitted(resource):
        fields.pop("failure", None)
        fields.pop("completionTime", None)
    return fields


def with_dependency(judged: Verdict, desired: object) -> Verdict:
    """The failure of a job in AWS, with the name of the job that it is due to."""
    if not isinstance(desired, Desired):
        return judged
    told = told_of_failure(desired.dependencies, Failure(judged.reason))
    return replace(judged, message=joined(judged.message, told)) if told else judged


def told_of_failure(dependencies: Dependencies, failure: Failure) -> str:
    """Which job has failed, of one that AWS has failed because of that; "" if that is not known.

    AWS does not say which. Of one that it depends on and that has not succeeded there is no doubt.
    """
    names = dependencies.open
    if failure is not Failure.DEPENDENCY_FAILED or not names:
        return ""
    which = f"BatchJob {names[0]}" if len(names) == 1 else f"one of the BatchJobs {some_of(names)}"
    return f"The job that has failed is {which}."
