"""Reading which jobs wait for an environment: its queues, their jobs, their order."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from awsbatch_operator.api.instant import Clock, Instant
from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.api.tags import holder
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.aws.runner import Aside
from awsbatch_operator.capacity.demand import (
    QueueView,
    Size,
    WaitingJob,
    needs,
    queue_view,
    waiting_job,
)
from awsbatch_operator.capacity.memory import Remembered
from awsbatch_operator.capacity.model import Need
from awsbatch_operator.capacity.subject import Subject

_OWNERS = 5000  # jobs that are kept with their objects; the oldest
_AT_ONCE = 500  # jobs that are read before the event loop gets a turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Reads. Raises AwsError and NoTokenError."""

    batch: BatchPort
    clock: Clock
    aside: Aside

    async def needs(self, subject: Subject, kept: Remembered, *, fresh: bool) -> Sequence[Need]:
        """The jobs that wait for the environment, in the order in which Batch would start them."""
        if not subject.serves:
            return ()
        scope, now, key = subject.scope, self.clock.now(), subject.resource.key
        queues: list[QueueView] = []
        seen: dict[str, Instant] = {}
        owners: dict[str, tuple[Size, ObjectKey]] = {}
        for queue in await self.batch.job_queues(scope):
            order = queue.get("computeEnvironmentOrder", ())
            if all(each["computeEnvironment"] != subject.environment for each in order):
                continue
            arn = str(queue["jobQueueArn"])
            found = await self.batch.waiting_jobs(scope, arn, fresh=fresh, wake=key)
            first = min(order, key=lambda each: int(each["order"]))["computeEnvironment"]
            overflows = first != subject.environment
            jobs = await self._read(found, kept.waiting if overflows else None, now)
            seen |= {job.job_id: job.since for job in jobs}
            if len(order) == 1:
                owners |= _owners(found, jobs, subject.owner.cluster_id, _OWNERS - len(owners))
            policy, snapshot = await self._order(queue, scope, fresh=fresh and bool(jobs))
            queues.append(queue_view(queue, jobs, policy=policy, snapshot=snapshot))
        kept.waiting, kept.queues, kept.owners = seen, len(queues), owners
        overflow = subject.wish.overflow_seconds
        return await self.aside.work_out(
            scope, lambda: needs(queues, subject.environment, overflow, now)
        )

    async def _read(
        self, details: Sequence[Shape], before: Mapping[str, Instant] | None, now: Instant
    ) -> Sequence[WaitingJob]:
        """The jobs; where it matters for how long they wait, since when they were seen to."""
        jobs = []
        for number, detail in enumerate(details, start=1):
            since = None if before is None else before.get(str(detail["jobId"]), now)
            job = waiting_job(detail, since)
            if job is not None:
                jobs.append(job)
            if not number % _AT_ONCE:
                await asyncio.sleep(0)
        return jobs

    async def _order(
        self, queue: Shape, scope: Scope, *, fresh: bool
    ) -> tuple[Shape | None, Shape | None]:
        """The queue's scheduling policy; and its front, where it matters and may be read."""
        arn = queue.get("schedulingPolicyArn")
        if not arn:
            return None, None
        policy = await self.batch.scheduling_policy(scope, str(arn))
        if not fresh:
            return policy or {}, None
        try:
            return policy or {}, await self.batch.queue_snapshot(scope, str(queue["jobQueueArn"]))
        except AwsError as error:
            if error.kind not in {ErrorKind.DENIED, ErrorKind.NOT_FOUND}:
                raise
            return policy or {}, None


def _owners(
    details: Sequence[Shape], jobs: Sequence[WaitingJob], cluster_id: str, most: int
) -> Mapping[str, tuple[Size, ObjectKey]]:
    """The BatchJobs of those that are ours, by their tags."""
    keys = {
        str(each["jobId"]): key
        for each in details
        if (key := holder(each.get("tags") or {}, cluster_id)) is not None
    }
    mine = [job for job in jobs if job.job_id in keys][: max(0, most)]
    return {job.job_id: (job.size, keys[job.job_id]) for job in mine}
