"""How a job stands, as AWS says (pure)."""

from collections.abc import Mapping

from awsbatch_operator.api.conditions import Situation, Verdict
from awsbatch_operator.api.words import joined
from awsbatch_operator.engine.series import NOTE_BYTES, cut
from awsbatch_operator.kinds.batchjob import waiting
from awsbatch_operator.kinds.batchjob.array_status import (
    array_fields,
    in_progress,
)
from awsbatch_operator.kinds.batchjob.children import JobShape
from awsbatch_operator.kinds.batchjob.end_message import (
    failure_message,
    success_message,
    without_lines,
)
from awsbatch_operator.kinds.batchjob.failure import diagnose
from awsbatch_operator.kinds.batchjob.observed import Observed

_WAITING: Mapping[str, str] = {
    "SUBMITTED": "AWS Batch has taken the job and will look at it shortly.",
    "PENDING": "The job waits for the jobs it depends on.",
    "RUNNABLE": "The job waits for room in the compute environments of its queue.",
    "STARTING": "The job has its place; the image is being pulled and the container started.",
    "RUNNING": "The job's container runs.",
}


def verdict(observed: Observed, *, queue_deleted: bool = False) -> Verdict:
    """Complete, Failed, or on its way. `queue_deleted`: its JobQueue is being deleted."""
    match observed.state:
        case "SUCCEEDED":
            message = success_message(observed) + without_lines(observed)
            return Verdict(Situation.COMPLETE, "Succeeded", message)
        case "FAILED":
            cause = diagnose(observed, queue_deleted=queue_deleted)
            # An event has room for so much, and without the remedy it is worth little.
            room = NOTE_BYTES - len(joined(cause.remedy).encode()) - 1
            told = cut(failure_message(observed) + without_lines(observed), room)
            return Verdict(Situation.FAILED, cause.failure.value, joined(told, cause.remedy))
        case state:
            words, children = observed.words, observed.children
            array = children is not None and children.shape is JobShape.ARRAY
            shown = array_fields(children, observed.submission.time) if array and children else {}
            return in_progress(shown, words) or working(state, words)


def working(state: str, words: str = "") -> Verdict:
    """On its way, with AWS's word as the reason, and AWS's words about it if it has any."""
    message = _WAITING.get(state, f"AWS says {state}.")
    if words:
        message = joined(message, f"AWS says: {words}", waiting.remedy_for(words))
    return Verdict(Situation.WORKING, state.capitalize() or "Pending", message)
