"""Why a job failed, from what AWS says about its last attempt (pure)."""

import re
from collections.abc import Iterator

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.kinds.batchjob import waiting
from awsbatch_operator.kinds.batchjob.failure_causes import (
    CAUSES,
    ENDINGS,
    QUEUE_DELETED,
    Cause,
    Failure,
)
from awsbatch_operator.kinds.batchjob.observed import Observed, is_stopping

# Of one text; AWS's are shorter. This runs on the event loop, and the time that a row takes grows
# faster than its text.
LOOKED_AT = 2048

_TIME_LIMIT = re.compile(
    r"^(?:Canceled|Terminated) by JobStateTimeLimit action due to reason: *([^\n]*)", re.MULTILINE
)

CANCELLED = Cause(Failure.CANCELLED)
EXITED = Cause(Failure.APPLICATION_EXIT)
KILLED = Cause(
    Failure.APPLICATION_EXIT,
    more_exact=(
        "137 means that it was killed (SIGKILL). Read the job's output (status.logs says where it "
        "is); if it ends in the middle, ask for more MEMORY."
    ),
)
NOT_KNOWN = Cause(Failure.INFRASTRUCTURE)


def diagnose(observed: Observed, *, queue_deleted: bool = False) -> Cause:
    """Why a FAILED job failed. A recognised cause counts before a bare exit code.

    What stands in `statusReason` of a job that was cancelled or terminated are the words of whoever
    did it, unless they are AWS's own. `queue_deleted`: the JobQueue of the job is being deleted.
    """
    telling = observed.telling
    # AWS ends the jobs within a job with it, and then names the reason on the whole alone.
    whole = "" if telling is observed.detail else _said_of_status(observed.detail)
    status = "\n".join(filter(None, (_said_of_status(telling), whole)))
    containers = "\n".join(_reasons(telling))
    limited = _TIME_LIMIT.search(status)
    if limited:
        return _by_time_limit(limited[1])
    stopped = observed.stopping or is_stopping(telling)
    said = containers if stopped else f"{containers}\n{status}"
    for causes, text in ((ENDINGS, status), (CAUSES, said)):
        for cause in causes:
            if cause.words is not None and cause.words.search(text):
                return cause
    if stopped:
        return QUEUE_DELETED if queue_deleted else CANCELLED
    match observed.container.get("exitCode"):
        case None | 0:
            return NOT_KNOWN
        case 137:
            return KILLED
        case _:
            return EXITED


def _by_time_limit(reason: str) -> Cause:
    words = "It waited in RUNNABLE for as long as the queue's jobStateTimeLimitActions allow."
    return Cause(Failure.CANCELLED, more_exact=f"{words} {waiting.remedy_for(reason)}".strip())


def _said_of_status(detail: Shape) -> str:
    """Batch's words on the job and its last attempt, a line each."""
    texts = [detail.get("statusReason")]
    texts += [
        attempt.get("statusReason")
        for name in ("attempts", "eksAttempts")
        for attempt in (detail.get(name) or ())[-1:]
    ]
    return "\n".join(_line(text) for text in texts if text)


def _reasons(detail: Shape) -> Iterator[str]:
    """What is said of the containers of the last attempt: one, several (ECS), or a pod's (EKS)."""
    containers = [detail.get("container") or {}]
    for attempt in (detail.get("attempts") or ())[-1:]:
        containers.append(attempt.get("container") or {})
        for task in attempt.get("taskProperties") or ():
            containers += task.get("containers") or ()
    for attempt in (detail.get("eksAttempts") or ())[-1:]:
        containers += [*(attempt.get("initContainers") or ()), *(attempt.get("containers") or ())]
    for container in containers:
        if container.get("reason"):
            yield _line(container["reason"])


def _line(text: object) -> str:
    return str(text)[:LOOKED_AT].replace("\n", " ")
