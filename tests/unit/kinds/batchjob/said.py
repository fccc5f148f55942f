"""What AWS says of a failed job, as a value; failure_texts.py and start_texts.py have the texts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

EXITED = "Essential container in task exited"
NOT_STARTED = "Task failed to start"


@dataclass(frozen=True, slots=True)
class Said:
    """What DescribeJobs shows of a failed job; `mends` are words that the remedy must have."""

    failure: str
    mends: str
    reason: str = ""  # of the container
    status: str = EXITED  # of the job
    exit_code: int | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    def detail(self) -> dict[str, Any]:
        """The members of JobDetail that tell it."""
        container: dict[str, Any] = {}
        if self.reason:
            container["reason"] = self.reason
        if self.exit_code is not None:
            container["exitCode"] = self.exit_code
        return {"container": container, "statusReason": self.status, **self.more}


def start(failure: str, mends: str, reason: str) -> Said:
    """A container that never ran."""
    return Said(failure, mends, reason, NOT_STARTED)


def ready(mends: str, words: str) -> Said:
    """A task whose resources could not be made ready."""
    return Said("Infrastructure", mends, "", f"ResourceInitializationError: {words}")


def ended(failure: str, mends: str, words: str, exit_code: int | None = None) -> Said:
    """A job that was cancelled or terminated, with whose words there are for it."""
    return Said(failure, mends, "", words, exit_code, {"isTerminated": True})
