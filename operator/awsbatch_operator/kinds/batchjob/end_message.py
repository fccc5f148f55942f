"""What is told of the end of a job, without its remedy (pure)."""

from collections.abc import Sequence

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.words import joined
from awsbatch_operator.kinds.batchjob import waiting
from awsbatch_operator.kinds.batchjob.array_status import failure_words, success_words
from awsbatch_operator.kinds.batchjob.children import JobShape
from awsbatch_operator.kinds.batchjob.containers import attempts_of
from awsbatch_operator.kinds.batchjob.log_place import AWSLOGS, log_place
from awsbatch_operator.kinds.batchjob.observed import Observed
from awsbatch_operator.kinds.batchjob.tasks import without_shell

# Characters of AWS's words in the message of an end: it has to hold the remedy as well, at its end.
WORDS_TOLD = 700
REASON_TOLD = 400


def told_attempts(observed: Observed) -> Sequence[Shape]:
    """Those of the job whose end is told; of a multi-node job AWS may list them for the whole."""
    return attempts_of(observed.telling) or attempts_of(observed.detail)


def success_message(observed: Observed) -> str:
    """How it succeeded."""
    exit_code, children = observed.container.get("exitCode", 0), observed.children
    if children is None:
        return f"The job ended with exit code {exit_code}{_took(observed)}."
    words = success_words(children)
    if children.shape is JobShape.ARRAY:
        return f"{words}{_took(observed)}."
    return f"{words} with exit code {exit_code}{_took(observed)}."


def failure_message(observed: Observed) -> str:
    """How many jobs within it failed, what AWS says of the one that is told, and its exit code."""
    container = observed.container
    words = waiting.words_of(observed.telling) or waiting.words_of(observed.detail)
    words = words[:WORDS_TOLD]
    parts = [failure_words(observed.children) if observed.children else ""]
    parts.append(f"AWS says: {words}" if words else "")
    if container.get("reason"):
        parts.append(f"The container: {str(container['reason'])[:REASON_TOLD]}")
    if observed.submission.packed:
        parts.append(without_shell(observed.telling))
    if container.get("exitCode") is not None:
        parts.append(f"Exit code {container['exitCode']}{_took(observed)}.")
    attempts = len(told_attempts(observed))
    if attempts > 1:
        parts.append(f"It was tried {attempts} times.")
    return joined(*parts) or "The job failed before it started."


def without_lines(observed: Observed) -> str:
    """Why the status has no lines of its output; "" if it has, or there are none."""
    place = log_place(observed)
    if place.driver != AWSLOGS:
        return f" Its output went to the log driver {place.driver} ({place.destination})."
    if not observed.output.skipped:
        return ""
    return " Many jobs ended at once, so its last lines were not read; they are in its log stream."


def _took(observed: Observed) -> str:
    array = observed.children is not None and observed.children.shape is JobShape.ARRAY
    timed = observed.telling if array else observed.detail
    started, stopped = timed.get("startedAt"), timed.get("stoppedAt")
    if not (started and stopped):
        return ""
    return f" after {max(stopped - started, 0) / 1000:.0f} s"
