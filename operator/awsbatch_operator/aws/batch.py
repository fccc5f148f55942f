"""BatchPort on boto3's Batch client, and on the feeds of what many objects follow."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol

from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.api.scope import NoTokenError, Permit, Scope
from awsbatch_operator.aws.calls import DESCRIBED_AT_ONCE, FILTERED_AT_ONCE, LISTED_AT_ONCE
from awsbatch_operator.aws.coalescing import Coalescer
from awsbatch_operator.aws.feed import Feed
from awsbatch_operator.aws.feed_scope import ANY_NAME
from awsbatch_operator.aws.limits import Prepaid
from awsbatch_operator.aws.sender import Sender
from awsbatch_operator.aws.sources import plain_name

_NO_LIMITS: Mapping[str, int] = {}
_TAKEN_SECONDS = 1.0
REASON_LIMIT = 1024  # characters of TerminateJob's reason

# In the order in which a job passes through them: one that moves on while they are listed one after
# the other is seen twice rather than never.
ACTIVE_STATES = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")


class HurriedJobs(Protocol):
    """The feed of jobs."""

    def hurry(self, job_id: str) -> None:
        """The job was just terminated: what was seen of it is old."""


@dataclass(frozen=True, slots=True)
class Feeds:
    """One for each kind of thing of AWS Batch that many objects follow, jobs aside."""

    environments: Feed
    queues: Feed
    policies: Feed
    definitions: Feed
    waiting: Feed

    def all(self) -> tuple[Feed, ...]:
        """Every one of them."""
        return self.environments, self.queues, self.policies, self.definitions, self.waiting

    def changed_by(self, operation: str, request: Shape) -> tuple[Iterable[Feed], str]:
        """What a call changes: in which feeds, and the name there."""
        for noun, feed, members in (
            ("ComputeEnvironment", self.environments, _ENVIRONMENT),
            ("JobQueue", self.queues, _QUEUE),
            ("SchedulingPolicy", self.policies, _POLICY),
            ("JobDefinition", self.definitions, _DEFINITION),
        ):
            if operation.endswith(noun):
                return (feed,), _name(request, members)
        arn = str(request.get("resourceArn", ""))
        for noun, feed in (
            (":compute-environment/", self.environments),
            (":job-queue/", self.queues),
            (":scheduling-policy/", self.policies),
            (":job-definition/", self.definitions),
        ):
            if noun in arn:
                return (feed,), plain_name(arn)
        return (self.environments, self.queues, self.policies, self.definitions), ANY_NAME


_ENVIRONMENT = ("computeEnvironmentName", "computeEnvironment")
_QUEUE = ("jobQueueName", "jobQueue")
_POLICY = ("name", "arn")
_DEFINITION = ("jobDefinitionName", "jobDefinition")


def _name(request: Shape, members: Sequence[str]) -> str:
    return next((plain_name(str(request[each])) for each in members if each in request), ANY_NAME)


class BatchAdapter:
    """AWS Batch through the Sender and the feeds."""

    def __init__(
        self, sender: Sender, feeds: Feeds, jobs: HurriedJobs, most: Mapping[str, int] = _NO_LIMITS
    ) -> None:
        self._sender = sender
        self._most = most
        self._feeds = feeds
        self._hurried = jobs
        self._jobs: Coalescer[Shape] = Coalescer(self._describe_jobs, most=DESCRIBED_AT_ONCE)

    async def compute_environment(
        self, scope: Scope, name: str, *, fresh: bool = False, wake: ObjectKey | None = None
    ) -> Shape | None:
        feed = self._feeds.environments
        return await _one(feed, scope, name, "computeEnvironmentArn", fresh=fresh, wake=wake)

    async def compute_environments(self, scope: Scope, *, fresh: bool = False) -> Sequence[Shape]:
        return await self._feeds.environments.all(scope, fresh=fresh)

    async def job_queue(
        self, scope: Scope, name: str, *, fresh: bool = False, wake: ObjectKey | None = None
    ) -> Shape | None:
        return await _one(self._feeds.queues, scope, name, "jobQueueArn", fresh=fresh, wake=wake)

    async def job_queues(self, scope: Scope, *, fresh: bool = False) -> Sequence[Shape]:
        return await self._feeds.queues.all(scope, fresh=fresh)

    def others(self, kind: str, place: tuple[str, str], name: str) -> int | None:
        feeds = {"ComputeEnvironment": self._feeds.environments, "JobQueue": self._feeds.queues}
        return feeds[kind].last_read.others(place, name)

    async def job_definitions(
        self, scope: Scope, name: str, *, fresh: bool = False, wake: ObjectKey | None = None
    ) -> Sequence[Shape]:
        return await self._feeds.definitions.get(scope, name, fresh=fresh, wake=wake)

    async def scheduling_policy(
        self, scope: Scope, name: str, *, fresh: bool = False, wake: ObjectKey | None = None
    ) -> Shape | None:
        return await _one(self._feeds.policies, scope, name, "arn", fresh=fresh, wake=wake)

    async def change(self, scope: Scope, operation: str, request: Shape) -> Shape:
        feeds, name = self._feeds.changed_by(operation, request)
        self._find_room(scope, operation, name)
        with ExitStack() as changing:
            for feed in feeds:
                changing.enter_context(feed.changing(scope, name))
            return await self._sender.call(scope, f"batch:{operation}", request)

    def _find_room(self, scope: Scope, operation: str, name: str) -> None:
        """NoTokenError if somebody has taken the last place since this creation was planned.

        What is under way counts from here on, so that of two that go out together one waits; its
        next look then says what it waits for.
        """
        kind = operation.removeprefix("Create")
        if kind == operation or kind not in self._most:
            return
        others = self.others(kind, (scope.account_id, scope.region), name)
        if others is not None and others >= self._most[kind]:
            raise NoTokenError(_TAKEN_SECONDS)

    async def submit_job(self, scope: Scope, request: Shape) -> Shape:
        return await self._sender.call(scope, "batch:SubmitJob", request)

    async def terminate_job(self, scope: Scope, job_id: str, reason: str) -> None:
        request = {"jobId": job_id, "reason": reason[:REASON_LIMIT]}
        try:
            await self._sender.call(scope, "batch:TerminateJob", request)
        except NoTokenError:
            raise  # it was not sent: nothing about the job is old
        except BaseException:
            self._hurried.hurry(job_id)
            raise
        self._hurried.hurry(job_id)

    async def job(self, scope: Scope, job_id: str) -> Shape | None:
        found = await self._jobs.get(scope, job_id)
        if found is not None and not found.get("status"):
            why = f"The answer does not say in which status the job {job_id} is"
            raise self._sender.no_answer(scope, "batch:DescribeJobs", why)
        return found

    async def active_jobs(self, scope: Scope, queue: str) -> Sequence[Shape]:
        found: dict[str, Shape] = {}
        paid = self._sender.prepay(scope, "batch:ListJobs", len(ACTIVE_STATES) + 1)
        try:
            for state in ACTIVE_STATES:
                found.update(await self._listed(scope, queue, state, paid))
            if not found:
                # A retried job goes back from RUNNING to RUNNABLE: it may have slipped behind us.
                found.update(await self._listed(scope, queue, "RUNNABLE", paid))
        finally:
            paid.close()
        return list(found.values())

    async def jobs_by_name(self, scope: Scope, queue: str, name: str) -> Sequence[Shape]:
        request = {
            "jobQueue": queue,
            "filters": [{"name": "JOB_NAME", "values": [name]}],
            "maxResults": FILTERED_AT_ONCE,
        }
        found = await self._all(scope, "batch:ListJobs", request, "jobSummaryList")
        return [job for job in found if job["jobName"] == name]  # AWS's filter ignores case

    async def children(
        self, scope: Scope, job_id: str, state: str, *, nodes: bool = False
    ) -> Sequence[Shape]:
        request = {
            "multiNodeJobId" if nodes else "arrayJobId": job_id,
            "jobStatus": state,
            "maxResults": LISTED_AT_ONCE,
        }
        return await self._all(scope, "batch:ListJobs", request, "jobSummaryList")

    async def waiting_jobs(
        self, scope: Scope, queue: str, *, fresh: bool = False, wake: ObjectKey | None = None
    ) -> Sequence[Shape]:
        return await self._feeds.waiting.get(scope, queue, fresh=fresh, wake=wake)

    async def queue_snapshot(self, scope: Scope, queue: str) -> Shape:
        return await self._sender.call(scope, "batch:GetJobQueueSnapshot", {"jobQueue": queue})

    def permit(self, scope: Scope, operation: str, holder: Hashable) -> Permit:
        return self._sender.permit(scope, f"batch:{operation}", holder)

    async def _listed(
        self, scope: Scope, queue: str, state: str, paid: Prepaid
    ) -> dict[str, Shape]:
        call, member = "batch:ListJobs", "jobSummaryList"
        request = {"jobQueue": queue, "jobStatus": state, "maxResults": LISTED_AT_ONCE}
        pages = self._sender.pages(scope, call, request, member, prepaid=paid)
        return {str(job["jobId"]): job async for page in pages for job in page}

    async def _all(self, scope: Scope, name: str, request: Shape, member: str) -> list[Shape]:
        pages = self._sender.pages(scope, name, request, member)
        return [item async for page in pages for item in page]

    async def _describe_jobs(self, scope: Scope, job_ids: Sequence[str]) -> Mapping[str, Shape]:
        found = await self._all(scope, "batch:DescribeJobs", {"jobs": list(job_ids)}, "jobs")
        known = {str(job["jobId"]): job for job in found if job.get("jobId")}
        if len(known) < len(found) and not known.keys() >= set(job_ids):
            # What seems to be left out may be the one without an id: it is not called gone.
            why = "The answer has a job without its id"
            raise self._sender.no_answer(scope, "batch:DescribeJobs", why)
        return known


async def _one(
    feed: Feed, scope: Scope, name_or_arn: str, arn: str, *, fresh: bool, wake: ObjectKey | None
) -> Shape | None:
    """The one thing of that name; of that very ARN, if that was asked for."""
    found = await feed.get(scope, plain_name(name_or_arn), fresh=fresh, wake=wake)
    by_arn = name_or_arn.startswith("arn:")
    return next((each for each in found if not by_arn or each[arn] == name_or_arn), None)
