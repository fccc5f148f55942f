"""A job queue as AWS has it, and the jobs in it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.api.scope import Scope, ScopeRecord
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds.account_limits import QUEUES, Rooms
from awsbatch_operator.kinds.jobqueue.desired import waits_for_jobs
from awsbatch_operator.kinds.lasting import Detail

_RETURNED_ONLY = frozenset(
    {"jobQueueName", "jobQueueArn", "status", "statusReason", "tags", "serviceEnvironmentOrder"}
)


@dataclass(frozen=True, slots=True)
class Observed(Detail):
    """DescribeJobQueues' detail. `jobs` are counts by status; None while nobody has counted."""

    jobs: Mapping[str, int] | None = None
    job_ids: frozenset[str] = frozenset()

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


@dataclass(frozen=True, slots=True)
class Observer:
    """Looks at job queues. Raises AwsError and NoTokenError."""

    batch: BatchPort
    rooms: Rooms

    async def __call__(
        self, resource: Resource, recorded: ScopeRecord, scope: Scope, *, fresh: bool
    ) -> Observed | None:
        """The queue by name; with its jobs counted if they are waited for.

        They are counted in a fresh look only: no feed has them, and counting takes a call for each
        of their states.
        """
        detail = await self.batch.job_queue(scope, recorded.serving, fresh=fresh, wake=resource.key)
        if detail is None:
            if not resource.deleting:
                await self.rooms.look(QUEUES, scope, recorded.serving)
            return None
        draining = fresh and resource.deleting and waits_for_jobs(resource)
        if not draining or detail.get("status") == "DELETING":
            return Observed(detail)
        jobs = await self.batch.active_jobs(scope, str(detail["jobQueueArn"]))
        return Observed(
            detail,
            Counter(str(job.get("status", "UNKNOWN")) for job in jobs),
            frozenset(str(job["jobId"]) for job in jobs),
        )
