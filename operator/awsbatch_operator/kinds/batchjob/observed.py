"""What AWS says about the recorded run of a BatchJob."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.kinds.batchjob.submission import Submission

TERMINAL = frozenset({"SUCCEEDED", "FAILED"})


class Knowledge(Enum):
    """How much is known of the recorded submission."""

    REFUSED = "Refused"  # this process saw that AWS did not do it
    SETTLING = "Settling"  # outcome unknown, and AWS's listing may not show it yet
    ABSENT = "Absent"  # outcome unknown, looked up after settling, and not there
    KNOWN = "Known"  # the job exists
    OVER = "Over"  # its end stands in the status: AWS need not be asked, and may have forgotten it
    FORGOTTEN = "Forgotten"  # AWS does not know the job: not yet, or not any more
    UNTRACEABLE = "Untraceable"  # outcome unknown, and AWS no longer has the queue to look through


@dataclass(frozen=True, slots=True)
class Observed:
    """The recorded run in AWS.

    `submission` is the record that the run was looked for by; `lost`: it is to be written again.
    `sent` is the last moment at which a call may have gone out. `detail` is DescribeJobs' answer,
    and of a job that is FORGOTTEN its id alone. `since` tells since when this process has seen the
    job in its state. `twins` are ids of further jobs of the same run, to be terminated; `swept`
    says that this look was a search for them. `log_lines` are the last lines of a job that has
    ended, None while they have not been read, which is done at `log_due`; `log_trouble` says why
    they cannot be, and `log_skipped` that too many others are read first.
    """

    knowledge: Knowledge
    submission: Submission
    lost: bool = False
    sent: Instant | None = None
    detail: Shape = field(default_factory=dict)
    since: Instant | None = None
    settled_at: Instant | None = None
    twins: tuple[str, ...] = ()
    swept: bool = False
    log_lines: tuple[str, ...] | None = None
    log_group: str = ""
    log_trouble: str = ""
    log_due: Instant | None = None
    log_skipped: bool = False

    @property
    def job_id(self) -> str:
        """The job's id; KeyError unless KNOWN or FORGOTTEN."""
        return str(self.detail["jobId"])

    @property
    def state(self) -> str:
        """AWS's word for the state, "" unless KNOWN."""
        return str(self.detail.get("status", ""))

    @property
    def ended(self) -> bool:
        """Whether the job has come to its end."""
        return has_ended(self.detail)

    @property
    def stopping(self) -> bool:
        """Whether AWS has accepted a cancellation or termination."""
        return is_stopping(self.detail)

    @property
    def container(self) -> dict[str, Any]:
        """The container part of the detail; empty for multi-container jobs."""
        return dict(self.detail.get("container") or {})


def has_ended(detail: Shape) -> bool:
    """Whether the job has come to its end."""
    return detail.get("status") in TERMINAL


def is_stopping(detail: Shape) -> bool:
    """Whether AWS has accepted a cancellation or termination."""
    return bool(detail.get("isTerminated") or detail.get("isCancelled"))
