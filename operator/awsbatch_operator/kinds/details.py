"""Compute environments and job queues alike: AWS's detail with state and status (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding, Reason
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.kinds.infrastructure import MOVING_SECONDS

# AWS refuses changes in these states; it says itself when it has finished.
_AT_WORK: Mapping[str, Reason] = {
    "CREATING": catalogue.CREATING,
    "UPDATING": catalogue.UPDATING,
    "DELETING": catalogue.DELETING,
}


@dataclass(frozen=True, slots=True)
class Detail:
    """What DescribeComputeEnvironments or DescribeJobQueues says of one."""

    detail: Shape

    @property
    def state(self) -> str:
        """ENABLED or DISABLED."""
        return str(self.detail.get("state", "ENABLED"))

    @property
    def status(self) -> str:
        """CREATING, UPDATING, DELETING, DELETED, VALID or INVALID."""
        return str(self.detail.get("status", ""))

    @property
    def reason(self) -> str:
        """What AWS says about its status."""
        return str(self.detail.get("statusReason") or "")

    @property
    def tags(self) -> Mapping[str, str]:
        """All tags, ours and others'."""
        return self.detail.get("tags") or {}

    @property
    def words(self) -> str:
        """Status and reason, as a sentence."""
        because = f": {self.reason.rstrip('.')}" if self.reason else ""
        return f"AWS says {self.status}{because}."


def at_work(observed: Detail) -> tuple[Finding, ...]:
    """AWS is still busy with an earlier change; none if it would take another."""
    reason = _AT_WORK.get(observed.status)
    if reason is None:
        return ()
    return (Finding(reason, observed.words, look_again_seconds=MOVING_SECONDS),)
