"""What the operator needs of AWS, call by call.

Requests and answers are plain mappings in AWS's own member names. A port method sends at most one
request on the wire if it changes anything: whoever calls it must know what to do when the outcome
is unknown. Every method raises AwsError (errors.py) and, before anything is sent, LeaseLostError.
"""

from collections.abc import Hashable, Sequence
from typing import Protocol

from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.api.scope import Permit, Scope


class BatchPort(Protocol):
    """AWS Batch. Describe calls of several callers at about the same time become one.

    A `fresh` look is one that AWS was asked for after the call began. Otherwise what the shared
    feed read last may serve, unless we have changed the thing since.
    """

    async def compute_environment(
        self, scope: Scope, name: str, *, fresh: bool = True
    ) -> Shape | None:
        """DescribeComputeEnvironments' detail; None if AWS has none of that name."""

    async def job_queue(self, scope: Scope, name: str, *, fresh: bool = True) -> Shape | None:
        """DescribeJobQueues' detail; None if AWS has none of that name."""

    async def job_queues(self, scope: Scope, *, fresh: bool = True) -> Sequence[Shape]:
        """All queues of the account and region, for what may stand in the way of a deletion."""

    async def job_definitions(
        self, scope: Scope, name: str, *, fresh: bool = True
    ) -> Sequence[Shape]:
        """All ACTIVE revisions of a definition, newest first."""

    async def scheduling_policy(
        self, scope: Scope, name: str, *, fresh: bool = True
    ) -> Shape | None:
        """DescribeSchedulingPolicies' detail of the policy of that name; None if there is none."""

    async def change(self, scope: Scope, operation: str, request: Shape) -> Shape:
        """One call of the call table that changes environments, queues, definitions or policies.

        `operation` is AWS's own word, such as "UpdateJobQueue"; once on the wire.
        """

    async def submit_job(self, scope: Scope, request: Shape) -> Shape:
        """SubmitJob, once on the wire. A rate token must have been taken with `permit` before."""

    async def terminate_job(self, scope: Scope, job_id: str, reason: str) -> None: ...

    async def job(self, scope: Scope, job_id: str) -> Shape | None:
        """DescribeJobs' detail, read now (100 ids a call); None if AWS knows no such job."""

    async def active_jobs(self, scope: Scope, queue: str) -> Sequence[Shape]:
        """Summaries of all jobs of a queue that have not ended, by ListJobs for each status."""

    async def jobs_by_name(self, scope: Scope, queue: str, name: str) -> Sequence[Shape]:
        """Summaries of all jobs of that very name in the queue, in every state (ListJobs)."""

    def permit(self, scope: Scope, operation: str, holder: Hashable) -> Permit:
        """A rate token of a mutating operation, e.g. "SubmitJob", kept back for its call.

        Raises NoTokenError if there is none yet. Who has asked before is served before: `holder`
        names who asks, and keeps its place in the line while it comes back in time.
        """


class IdentityPort(Protocol):
    """STS."""

    async def caller(self, scope: Scope | None) -> Shape:
        """GetCallerIdentity as the scope's identity; None: the operator's own."""

    async def assume(self, role_arn: str, external_id: str | None, region: str) -> str:
        """The account id in which the role could be assumed just now (uncached)."""


class LogsPort(Protocol):
    """CloudWatch Logs."""

    async def last_lines(
        self, scope: Scope, group: str, stream: str, *, count: int
    ) -> Sequence[str]:
        """The newest lines, oldest first; empty if group or stream do not exist (yet)."""


class JobFeed(Protocol):
    """The shared poller of jobs that have not ended. It wakes the owner when a job changes."""

    def follow(
        self,
        scope: Scope,
        job_id: str,
        queue_arn: str,
        wake: ObjectKey,
        *,
        detail: Shape | None = None,
    ) -> None:
        """Poll this job until `forget`; `wake` is the owner's key. Nothing if it is followed.

        `detail` is what the owner already knows from AWS: only what differs from it wakes.
        """

    def seen(self, job_id: str) -> Shape | None:
        """The newest detail that the poller read, if it follows the job and still has one."""

    def gone(self, job_id: str) -> bool:
        """Whether AWS no longer knows the job (the owner was woken): it is not polled any more."""

    def forget(self, job_id: str) -> None:
        """Never poll this job again."""
