"""Why a job failed, from what AWS says about its last attempt."""

import re
from enum import Enum

from awsbatch_operator.kinds.batchjob.observed import Observed


class Failure(Enum):
    """The classes of failure in `status.failure`."""

    APPLICATION_EXIT = "ApplicationExit"
    OUT_OF_MEMORY = "OutOfMemory"
    IMAGE_PULL = "ImagePull"
    DISK_FULL = "DiskFull"
    TIMED_OUT = "TimedOut"
    HOST_LOST = "HostLost"
    CANCELLED = "Cancelled"
    INFRASTRUCTURE = "Infrastructure"


# The words are AWS's: ECS agent errors in container.reason, Batch's own in statusReason
# (AWS Batch user guide, "Troubleshooting" and "Automated job retries").
_WORDS: tuple[tuple[Failure, re.Pattern[str]], ...] = (
    (Failure.OUT_OF_MEMORY, re.compile(r"OutOfMemory")),
    (Failure.DISK_FULL, re.compile(r"no space left on device", re.IGNORECASE)),
    (Failure.IMAGE_PULL, re.compile(r"CannotPull(Container|ECRContainer|ImageManifest)")),
    (Failure.TIMED_OUT, re.compile(r"Job attempt duration exceeded timeout")),
    (Failure.HOST_LOST, re.compile(r"Host EC2 .*terminated")),
)

REMEDIES: dict[Failure, str] = {
    Failure.APPLICATION_EXIT: "Read the log lines in status.logs; the stream has the rest.",
    Failure.OUT_OF_MEMORY: "Ask for more MEMORY in resourceRequirements.",
    Failure.IMAGE_PULL: (
        "Check the image's name, the execution role's right to pull it, and the subnet's way out."
    ),
    Failure.DISK_FULL: "Give the instances larger volumes, or the job less to write.",
    Failure.TIMED_OUT: "Raise timeout.attemptDurationSeconds if the job needs longer.",
    Failure.HOST_LOST: "Set retryStrategy.attempts, so that a lost host costs an attempt only.",
    Failure.CANCELLED: "Somebody cancelled or terminated the job in AWS.",
    Failure.INFRASTRUCTURE: "The reason is AWS's own; it failed before the container could run.",
}


def classify(observed: Observed) -> Failure:
    """The class of a FAILED job. A recognised cause counts before a bare exit code."""
    container = observed.container
    attempts = observed.detail.get("attempts") or [{}]
    last = attempts[-1].get("container") or {}
    said = " | ".join(
        str(text)
        for text in (
            container.get("reason"),
            last.get("reason"),
            observed.detail.get("statusReason"),
            attempts[-1].get("statusReason"),
        )
        if text
    )
    for failure, words in _WORDS:
        if words.search(said):
            return failure
    if observed.stopping:
        return Failure.CANCELLED
    if container.get("exitCode") not in {None, 0}:
        return Failure.APPLICATION_EXIT
    return Failure.INFRASTRUCTURE
