"""From AWS to Observed: by the job's id where it is known, else by the recorded name."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from awsbatch_operator.api.instant import Clock, Instant
from awsbatch_operator.api.metadata import Resource, Shape
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.api.tags import RUN, Owner, Ownership, ownership
from awsbatch_operator.aws.ports import BatchPort, JobFeed, LogsPort
from awsbatch_operator.kinds.batchjob.masking import masked_lines
from awsbatch_operator.kinds.batchjob.memory import SubmissionMemory
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed
from awsbatch_operator.kinds.batchjob.submission import (
    Submission,
    end_condition,
    recorded_job_id,
    submission_of,
    sweep_due,
)

DEFAULT_LOG_GROUP = "/aws/batch/job"  # AWS Batch user guide, "Use the awslogs log driver"
DEFAULT_LOG_LINES = 5
LOG_PATIENCE_SECONDS = 3.0  # how long a job that wrote nothing yet may still be writing


@dataclass(frozen=True, slots=True)
class ObserveSettings:
    """How long to settle, and whether log lines may stand in status at all."""

    settling_seconds: float = 60.0
    status_log_lines: bool = True


class LeadershipStart:
    """When this process won the lease; set once by app, before any work starts."""

    def __init__(self) -> None:
        self.at: Instant | None = None


@dataclass(frozen=True, slots=True)
class Observer:
    """Reads one run. All that it needs is injected."""

    batch: BatchPort
    feed: JobFeed
    logs: LogsPort
    memory: SubmissionMemory
    clock: Clock
    leadership: LeadershipStart
    settings: ObserveSettings

    async def observe(self, resource: Resource, owner: Owner, scope: Scope) -> Observed | None:
        """None: no submission of this object was ever recorded. Raises AwsError."""
        submission = submission_of(resource)
        if submission is None:
            return None
        recorded = recorded_job_id(resource, submission)
        job_id = recorded or self.memory.job_id(submission.uid, submission.run)
        if job_id is None:
            return await self._look_up(submission, owner, scope)
        if recorded and end_condition(resource):
            observed = Observed(Knowledge.OVER)
        else:
            observed = await self._by_id(resource, submission, job_id, scope)
        if self._sweep_is_due(submission, deleting=resource.deleting):
            found = await self._find(submission, owner, scope)
            observed = replace(observed, twins=_living_twins(found, job_id), swept=True)
        return observed

    async def _by_id(
        self, resource: Resource, submission: Submission, job_id: str, scope: Scope
    ) -> Observed:
        detail = self.feed.seen(job_id) or await self.batch.job(scope, job_id)
        if detail is None:
            return Observed(Knowledge.FORGOTTEN)
        return await self._known(resource, submission, detail, scope)

    async def _known(
        self, resource: Resource, submission: Submission, detail: Shape, scope: Scope
    ) -> Observed:
        job_id, state = str(detail["jobId"]), str(detail["status"])
        since = self.memory.since(submission.uid, submission.run, state, self.clock.now())
        observed = Observed(Knowledge.KNOWN, detail=detail, since=since)
        if not observed.ended:
            self.feed.follow(scope, job_id, submission.queue, resource.key, detail=detail)
            return observed
        self.feed.forget(job_id)
        return await self._with_logs(resource, observed, scope)

    async def _look_up(self, submission: Submission, owner: Owner, scope: Scope) -> Observed:
        if self.memory.was_refused(submission.uid, submission.run):
            return Observed(Knowledge.REFUSED)
        settled_at = self._settled_at(submission)
        if self.clock.now() < settled_at:
            return Observed(Knowledge.SETTLING, settled_at=settled_at)
        found = await self._find(submission, owner, scope)
        if not found:
            return Observed(Knowledge.ABSENT)
        oldest = found[0]
        self.memory.submitted(submission.uid, submission.run, oldest["jobId"])
        twins = _living_twins(found, oldest["jobId"])
        return Observed(Knowledge.KNOWN, detail=oldest, since=self.clock.now(), twins=twins)

    async def _find(self, submission: Submission, owner: Owner, scope: Scope) -> Sequence[Shape]:
        """All jobs of this very run, oldest first; the tags decide, not the name alone."""
        summaries = await self.batch.jobs_by_name(scope, submission.queue, submission.job_name)
        found = []
        for summary in summaries:
            detail = await self.batch.job(scope, summary["jobId"])
            if detail is None:
                continue
            tags = detail.get("tags", {})
            ours = ownership(tags, owner) is Ownership.OURS
            if ours and tags.get(RUN) == str(submission.run):
                found.append(detail)
        return sorted(found, key=lambda job: (job.get("createdAt", 0), job["jobId"]))

    def _settled_at(self, submission: Submission) -> Instant:
        """AWS's listing is trusted some time after the last moment a call may have gone out."""
        moments = [submission.time]
        if self.leadership.at is not None:
            moments.append(self.leadership.at)
        sent = self.memory.sent(submission.uid, submission.run)
        if sent is not None:
            moments.append(sent)
        return max(moments).plus(self.settings.settling_seconds)

    def _sweep_is_due(self, submission: Submission, *, deleting: bool) -> bool:
        if deleting and submission.attempt > 1:
            return True  # nothing of the object may stay behind
        due = sweep_due(submission)
        return due is not None and self.clock.now() >= due

    async def _with_logs(self, resource: Resource, observed: Observed, scope: Scope) -> Observed:
        count = resource.spec.get("logs", {}).get("statusLines", DEFAULT_LOG_LINES)
        stream = observed.container.get("logStreamName")
        if not (self.settings.status_log_lines and count and stream):
            return replace(observed, log_lines=())
        group = log_group(observed)
        lines = await self.logs.last_lines(scope, group, stream, count=count)
        seen = observed.since or self.clock.now()
        waited = self.clock.now().since(seen) >= LOG_PATIENCE_SECONDS
        known = masked_lines(lines) if lines or waited else None
        return replace(observed, log_lines=known, log_group=group)


def _living_twins(found: Sequence[Shape], job_id: str) -> tuple[str, ...]:
    """The other jobs of the run that still have to be stopped."""
    others = (Observed(Knowledge.KNOWN, detail=job) for job in found if job["jobId"] != job_id)
    return tuple(job.job_id for job in others if not (job.ended or job.stopping))


def log_group(observed: Observed) -> str:
    """Where the container's driver writes, unless the definition says otherwise."""
    configuration = observed.container.get("logConfiguration") or {}
    return str((configuration.get("options") or {}).get("awslogs-group", DEFAULT_LOG_GROUP))
