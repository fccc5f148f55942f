"""A job queue as AWS has it, and the jobs in it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from awsbatch_operator.api.scope import Recorded, Scope
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds.details import Detail

_RETURNED_ONLY = frozenset(
    {"jobQueueName", "jobQueueArn", "status", "statusReason", "tags", "serviceEnvironmentOrder"}
)


@dataclass(frozen=True, slots=True)
class Observed(Detail):
    """DescribeJobQueues' detail. `jobs` are counts by status; None while nobody has counted."""

    jobs: Mapping[str, int] | None = None

    @property
    def arn(self) -> str:
        """The queue's ARN."""
        return str(self.detail["jobQueueArn"])

    @property
    def content(self) -> Mapping[str, Any]:
        """The members that a spec can have."""
        return {name: value for name, value in self.detail.items() if name not in _RETURNED_ONLY}

    @property
    def environments(self) -> frozenset[str]:
        """ARNs of the compute environments in its order."""
        entries = self.detail.get("computeEnvironmentOrder") or ()
        return frozenset(str(entry["computeEnvironment"]) for entry in entries)


async def observe_queue(
    batch: BatchPort, recorded: Recorded, scope: Scope, *, draining: bool
) -> Observed | None:
    """The queue by name; with its jobs counted if they are waited for. Raises AwsError."""
    detail = await batch.job_queue(scope, recorded.aws_name)
    if detail is None or detail.get("status") == "DELETED":
        return None
    if not draining or detail.get("status") == "DELETING":
        return Observed(detail)
    jobs = await batch.active_jobs(scope, str(detail["jobQueueArn"]))
    return Observed(detail, Counter(str(job.get("status", "UNKNOWN")) for job in jobs))
