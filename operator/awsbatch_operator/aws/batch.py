"""BatchPort on boto3's Batch client."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Protocol

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.scope import Permit, Scope
from awsbatch_operator.aws.coalescing import Coalescer
from awsbatch_operator.aws.sender import Sender

# API reference: DescribeJobs takes 100 ids, the other Describe calls take 100 names or ARNs, a page
# of ListJobs has 1,000 summaries, with filters 100.
DESCRIBED_AT_ONCE = 100
LISTED_AT_ONCE = 1000
FILTERED_AT_ONCE = 100
REASON_LIMIT = 1024  # characters of TerminateJob's reason

# In the order in which a job passes through them: one that moves on while they are listed one after
# the other is seen twice rather than never.
ACTIVE_STATES = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")


class Touch(Protocol):
    """Tells the pollers what the workers do, so that they look where something happens."""

    def infrastructure(self, scope: Scope, *, changed: bool) -> None:
        """Environments or queues of the scope are in use, or were just changed."""

    def job(self, job_id: str) -> None:
        """The job was just terminated."""


class BatchAdapter:
    """AWS Batch through the Sender."""

    def __init__(self, sender: Sender, touch: Touch) -> None:
        self._sender = sender
        self._touch = touch
        most = DESCRIBED_AT_ONCE
        self._environments = Coalescer(self._describe_environments, most=most)
        self._queues = Coalescer(self._describe_queues, most=most)
        self._policies = Coalescer(self._describe_policies, most=most)
        self._jobs = Coalescer(self._describe_jobs, most=most)

    async def compute_environment(
        self, scope: Scope, name: str, *, fresh: bool = True
    ) -> Shape | None:
        self._touch.infrastructure(scope, changed=False)
        return await self._environments.get(scope, name)

    async def job_queue(self, scope: Scope, name: str, *, fresh: bool = True) -> Shape | None:
        self._touch.infrastructure(scope, changed=False)
        return await self._queues.get(scope, name)

    async def job_queues(self, scope: Scope, *, fresh: bool = True) -> Sequence[Shape]:
        request = {"maxResults": DESCRIBED_AT_ONCE}
        return await self._all(scope, "batch:DescribeJobQueues", request, "jobQueues")

    async def job_definitions(
        self, scope: Scope, name: str, *, fresh: bool = True
    ) -> Sequence[Shape]:
        request = {"jobDefinitionName": name, "status": "ACTIVE", "maxResults": DESCRIBED_AT_ONCE}
        found = await self._all(scope, "batch:DescribeJobDefinitions", request, "jobDefinitions")
        return sorted(found, key=lambda definition: -int(definition["revision"]))

    async def scheduling_policy(
        self, scope: Scope, name: str, *, fresh: bool = True
    ) -> Shape | None:
        request = {"maxResults": DESCRIBED_AT_ONCE}
        name_call = "batch:ListSchedulingPolicies"
        policies = await self._all(scope, name_call, request, "schedulingPolicies")
        arns = (str(policy["arn"]) for policy in policies)
        arn = next((arn for arn in arns if arn.partition("/")[2] == name), None)
        return None if arn is None else await self._policies.get(scope, arn)

    async def change(self, scope: Scope, operation: str, request: Shape) -> Shape:
        try:
            return await self._sender.call(scope, f"batch:{operation}", request)
        finally:
            self._touch.infrastructure(scope, changed=True)

    async def submit_job(self, scope: Scope, request: Shape) -> Shape:
        return await self._sender.call(scope, "batch:SubmitJob", request)

    async def terminate_job(self, scope: Scope, job_id: str, reason: str) -> None:
        request = {"jobId": job_id, "reason": reason[:REASON_LIMIT]}
        try:
            await self._sender.call(scope, "batch:TerminateJob", request)
        finally:
            self._touch.job(job_id)

    async def job(self, scope: Scope, job_id: str) -> Shape | None:
        return await self._jobs.get(scope, job_id)

    async def active_jobs(self, scope: Scope, queue: str) -> Sequence[Shape]:
        found: dict[str, Shape] = {}
        for state in ACTIVE_STATES:
            found.update(await self._listed(scope, queue, state))
        if not found:
            # A retried job goes back from RUNNING to RUNNABLE: it may have slipped behind us.
            found.update(await self._listed(scope, queue, "RUNNABLE"))
        return list(found.values())

    async def jobs_by_name(self, scope: Scope, queue: str, name: str) -> Sequence[Shape]:
        request = {
            "jobQueue": queue,
            "filters": [{"name": "JOB_NAME", "values": [name]}],
            "maxResults": FILTERED_AT_ONCE,
        }
        found = await self._all(scope, "batch:ListJobs", request, "jobSummaryList")
        return [job for job in found if job["jobName"] == name]  # AWS's filter ignores case

    def permit(self, scope: Scope, operation: str, holder: Hashable) -> Permit:
        return self._sender.permit(scope, f"batch:{operation}", holder)

    async def _listed(self, scope: Scope, queue: str, state: str) -> dict[str, Shape]:
        request = {"jobQueue": queue, "jobStatus": state, "maxResults": LISTED_AT_ONCE}
        jobs = await self._all(scope, "batch:ListJobs", request, "jobSummaryList")
        return {str(job["jobId"]): job for job in jobs}

    async def _all(self, scope: Scope, name: str, request: Shape, member: str) -> list[Shape]:
        pages = self._sender.pages(scope, name, request, member)
        return [item async for page in pages for item in page]

    async def _describe_environments(
        self, scope: Scope, names: Sequence[str]
    ) -> Mapping[str, Shape]:
        request = {"computeEnvironments": list(names)}
        name, member = "batch:DescribeComputeEnvironments", "computeEnvironments"
        found = await self._all(scope, name, request, member)
        return {
            **{environment["computeEnvironmentArn"]: environment for environment in found},
            **{environment["computeEnvironmentName"]: environment for environment in found},
        }

    async def _describe_queues(self, scope: Scope, names: Sequence[str]) -> Mapping[str, Shape]:
        request = {"jobQueues": list(names)}
        found = await self._all(scope, "batch:DescribeJobQueues", request, "jobQueues")
        by_arn = {queue["jobQueueArn"]: queue for queue in found}
        return by_arn | {queue["jobQueueName"]: queue for queue in found}

    async def _describe_policies(self, scope: Scope, arns: Sequence[str]) -> Mapping[str, Shape]:
        request = {"arns": list(arns)}
        name, member = "batch:DescribeSchedulingPolicies", "schedulingPolicies"
        found = await self._all(scope, name, request, member)
        return {policy["arn"]: policy for policy in found}

    async def _describe_jobs(self, scope: Scope, job_ids: Sequence[str]) -> Mapping[str, Shape]:
        found = await self._all(scope, "batch:DescribeJobs", {"jobs": list(job_ids)}, "jobs")
        return {job["jobId"]: job for job in found}
