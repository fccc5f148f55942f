"""What AWS says about the recorded run of a BatchJob."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Shape

TERMINAL = frozenset({"SUCCEEDED", "FAILED"})


class Knowledge(Enum):
    """How much is known of the recorded submission."""

    REFUSED = "Refused"  # this process saw that AWS did not do it
    SETTLING = "Settling"  # outcome unknown, and AWS's listing may not show it yet
    ABSENT = "Absent"  # outcome unknown, looked up after settling, and not there
    KNOWN = "Known"  # the job exists
    OVER = "Over"  # its end stands in the status: AWS need not be asked, and may have forgotten it
    FORGOTTEN = "Forgotten"  # the job existed and AWS no longer knows it


@dataclass(frozen=True, slots=True)
class Observed:
    """The recorded run in AWS.

    `detail` is DescribeJobs' answer (KNOWN only). `since` tells since when this process has seen
    the job in its state. `twins` are ids of younger jobs of the same run, to be terminated.
    `swept` says that this look was a search for twins. `log_lines` are the last lines of a job
    that has ended, None while they have not been read.
    """

    knowledge: Knowledge
    detail: Shape = field(default_factory=dict)
    since: Instant | None = None
    settled_at: Instant | None = None
    twins: tuple[str, ...] = ()
    swept: bool = False
    log_lines: tuple[str, ...] | None = None
    log_group: str = ""

    @property
    def job_id(self) -> str:
        """The job's id; KeyError unless KNOWN."""
        return str(self.detail["jobId"])

    @property
    def state(self) -> str:
        """AWS's word for the state, "" unless KNOWN."""
        return str(self.detail.get("status", ""))

    @property
    def ended(self) -> bool:
        """Whether the job has come to its end."""
        return self.state in TERMINAL

    @property
    def stopping(self) -> bool:
        """Whether AWS has accepted a cancellation or termination."""
        return bool(self.detail.get("isTerminated") or self.detail.get("isCancelled"))

    @property
    def container(self) -> dict[str, Any]:
        """The container part of the detail; empty for multi-container jobs."""
        return dict(self.detail.get("container") or {})
