"""What the operator needs of AWS, call by call.

Requests and answers are plain mappings in AWS's own member names. A port method sends at most one
request on the wire if it changes anything: whoever calls it must know what to do when the outcome
is unknown. No method waits for a rate token. Every method raises AwsError (errors.py) and, before
anything is sent, NoTokenError and LeaseLostError.
"""

from collections.abc import Hashable, Sequence
from typing import Protocol

from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.api.scope import Permit, Scope


class BatchPort(Protocol):
    """AWS Batch.

    What many objects follow is read by feeds, and a look is answered from what the feed read last:
    if it has read the whole scope, its last poll did not fail, and no `change` has touched the
    thing since, or is under way. Else AWS is asked, once for all who ask at about the same time.
    With `fresh` AWS is always asked, after the call began.

    When a thing differs from what was read before, the feed wakes the objects that its tags name,
    before and after. `wake` is for whoever is not named there, such as an object whose name is
    taken by somebody else: it is woken when anything of that name appears, changes or goes, until
    half an hour after the name was last asked for (Cadence.followed). Whoever passes itself as
    `wake` is not woken for what this very look shows it, be it the owner or not. Environments and
    queues are polled every 30 s, and every 3 s while AWS works on one; definitions and policies
    every 4 min.
    """

    async def compute_environment(
        self, scope: Scope, name: str, *, fresh: bool = False, wake: ObjectKey | None = None
    ) -> Shape | None:
        """DescribeComputeEnvironments' detail, by name or ARN; None if AWS has none of it.

        What is DELETED is none, however long AWS goes on describing it.
        """

    async def compute_environments(self, scope: Scope, *, fresh: bool = False) -> Sequence[Shape]:
        """All environments of the account and region, whoever has them; DELETED ones left out."""

    async def job_queue(
        self, scope: Scope, name: str, *, fresh: bool = False, wake: ObjectKey | None = None
    ) -> Shape | None:
        """DescribeJobQueues' detail, by name or ARN; None if AWS has none of it.

        What is DELETED is none, however long AWS goes on describing it.
        """

    async def job_queues(self, scope: Scope, *, fresh: bool = False) -> Sequence[Shape]:
        """All queues of the account and region, for what may stand in the way of a deletion."""

    def others(self, kind: str, place: tuple[str, str], name: str) -> int | None:
        """How many ComputeEnvironments or JobQueues there are besides the one of that name.

        In AWS, in an (account, region), whoever made them, those that are being made included. It
        is what the feed has read last, and no call is made. None: it has not read the place yet.
        """

    async def job_definitions(
        self, scope: Scope, name: str, *, fresh: bool = False, wake: ObjectKey | None = None
    ) -> Sequence[Shape]:
        """All ACTIVE revisions of a definition, newest first."""

    async def scheduling_policy(
        self, scope: Scope, name: str, *, fresh: bool = False, wake: ObjectKey | None = None
    ) -> Shape | None:
        """DescribeSchedulingPolicies' detail, by name or ARN; None if there is none of it."""

    async def change(self, scope: Scope, operation: str, request: Shape) -> Shape:
        """One call of the call table that changes environments, queues, definitions or policies.

        `operation` is AWS's own word, such as "UpdateJobQueue"; once on the wire. What it touches
        is asked of AWS again at the next look, whatever became of the call. NoTokenError, too, if
        it makes a thing for which the account has no room any more.
        """

    async def submit_job(self, scope: Scope, request: Shape) -> Shape:
        """SubmitJob, once on the wire, with the rate token that `permit` kept back for it."""

    async def terminate_job(self, scope: Scope, job_id: str, reason: str) -> None: ...

    async def job(self, scope: Scope, job_id: str) -> Shape | None:
        """DescribeJobs' detail, read now (100 ids a call); None if AWS knows no such job."""

    async def active_jobs(self, scope: Scope, queue: str) -> Sequence[Shape]:
        """Summaries of all jobs of a queue that have not ended, by ListJobs for each status."""

    async def jobs_by_name(self, scope: Scope, queue: str, name: str) -> Sequence[Shape]:
        """Summaries of all jobs of that very name in the queue, in every state (ListJobs)."""

    async def children(
        self, scope: Scope, job_id: str, state: str, *, nodes: bool = False
    ) -> Sequence[Shape]:
        """Summaries of the jobs of an array that are in one state (ListJobs, 1,000 a page).

        With `nodes`, of the nodes of a multi-node parallel job.
        """

    async def waiting_jobs(
        self, scope: Scope, queue: str, *, fresh: bool = False, wake: ObjectKey | None = None
    ) -> Sequence[Shape]:
        """What waits in the queue, by its ARN: RUNNABLE jobs, and arrays with RUNNABLE children.

        Parts of DescribeJobs' details: jobId, jobName, jobQueue, jobDefinition, status, createdAt,
        shareIdentifier, schedulingPriority, arrayProperties, timeout, platformCapabilities,
        isCancelled and isTerminated if they are true, what the containers require (below container,
        ecsProperties and nodeProperties), whether there are eksProperties, and our tags.
        An array comes once, as its parent, which is PENDING; how many of its children wait says
        arrayProperties.statusSummary.RUNNABLE. Oldest first; of a state of a queue at most
        WAITING_MOST (waiting_jobs.py) are looked at.

        Polled every 15 s (Cadence.demand), ListJobs for the queue and DescribeJobs for what is new
        there. Owners of jobs are not woken by this, only `wake`.
        """

    async def queue_snapshot(self, scope: Scope, queue: str) -> Shape:
        """GetJobQueueSnapshot, read now: the first 100 RUNNABLE jobs in their order."""

    def permit(self, scope: Scope, operation: str, holder: Hashable) -> Permit:
        """A rate token of a mutating operation, e.g. "SubmitJob", kept back for its call.

        The next call of that account, region and limit that changes something claims it, within
        ten seconds; a call that is not made must give it back. Without a token NoTokenError says
        when to come again. `holder` names who asks: it keeps its place before all who ask later
        with the same priority, if it comes at about the time that it was told. One that is more
        than a second late holds nobody up but is first when it comes; after two minutes it has
        lost its place.
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
        """Poll this job until it has ended, or AWS knows it no more, or `forget`.

        `wake` is the owner's key. A job that is followed already goes on as before, with the new
        owner; one that was polled to its end is polled again.

        `detail` is what the owner already knows from AWS: only what differs from it wakes.
        """

    def seen(self, job_id: str) -> Shape | None:
        """The newest detail that the feed read, for ten minutes after the end as well; or None."""

    def forget(self, job_id: str) -> None:
        """Never poll this job again."""
