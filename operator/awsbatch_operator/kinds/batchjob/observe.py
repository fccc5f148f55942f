"""From AWS to Observed: by the job's id where it is known, else by the recorded name."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from awsbatch_operator.api.instant import Clock, Instant
from awsbatch_operator.api.metadata import ObjectKey, Resource, Shape
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.api.tags import RUN, Owner, Ownership, ownership
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.ports import BatchPort, JobFeed
from awsbatch_operator.kinds.batchjob.memory import SubmissionMemory
from awsbatch_operator.kinds.batchjob.observed import (
    Knowledge,
    Observed,
    has_ended,
    is_stopping,
)
from awsbatch_operator.kinds.batchjob.output import Output
from awsbatch_operator.kinds.batchjob.submission import (
    Submission,
    end_condition,
    is_lost,
    recorded_job_id,
    submission_of,
    sweep_due,
)
from awsbatch_operator.kinds.recording import RecordError

SETTLING_TIMES = 5  # the longest settling, in settling times


class LeadershipStart:
    """When this process won the lease; set once by app, before any work starts."""

    def __init__(self) -> None:
        self.at: Instant | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """What AWS's listing shows of a run. `unseen`: it lists a job that it cannot describe yet."""

    jobs: tuple[Shape, ...] = ()
    unseen: bool = False
    queue_gone: bool = False


@dataclass(frozen=True, slots=True)
class Observer:
    """Reads one run. All that it needs is injected."""

    batch: BatchPort
    feed: JobFeed
    output: Output
    memory: SubmissionMemory
    clock: Clock
    leadership: LeadershipStart
    settling_seconds: float = 60.0

    async def observe(self, resource: Resource, owner: Owner, scope: Scope) -> Observed | None:
        """None: no submission of this object was ever recorded. Raises AwsError, RecordError."""
        submission = self._submission(resource)
        if submission is None:
            return None
        observed = await self._run(resource, submission, owner, scope)
        return replace(observed, lost=is_lost(resource), sent=self._sent_at(resource, submission))

    def forget(self, key: ObjectKey) -> None:
        """The object has reached its end, or is gone."""
        self.output.forget(key)
        job_id = self.memory.forget(key)
        if job_id is not None:
            self.feed.forget(job_id)

    def _submission(self, resource: Resource) -> Submission | None:
        """What is recorded; or, if somebody has taken that away, what we have just sent."""
        try:
            recorded = submission_of(resource)
        except RecordError:
            remembered = self.memory.submission(resource.key, resource.uid)
            if remembered is None:
                raise
            return remembered
        return recorded or self.memory.submission(resource.key, resource.uid)

    async def _run(
        self, resource: Resource, submission: Submission, owner: Owner, scope: Scope
    ) -> Observed:
        recorded = recorded_job_id(resource, submission)
        job_id = recorded or self.memory.job_id(resource.key, submission)
        if job_id is None:
            return await self._look_up(resource, submission, owner, scope)
        if recorded and end_condition(resource):
            observed = Observed(Knowledge.OVER, submission)
        else:
            observed = await self._by_id(resource, submission, job_id, scope)
        if self._sweep_is_due(submission, deleting=resource.deleting):
            found = await self._find(submission, owner, scope)
            observed = replace(observed, twins=_living_twins(found.jobs, job_id), swept=True)
        return observed

    async def _by_id(
        self, resource: Resource, submission: Submission, job_id: str, scope: Scope
    ) -> Observed:
        detail = self.feed.seen(job_id) or await self.batch.job(scope, job_id)
        if detail is None:
            return Observed(Knowledge.FORGOTTEN, submission, detail={"jobId": job_id})
        return await self._known(resource, submission, detail, scope)

    async def _known(
        self, resource: Resource, submission: Submission, detail: Shape, scope: Scope
    ) -> Observed:
        key, job_id, now = resource.key, str(detail["jobId"]), self.clock.now()
        self.memory.is_job(key, submission, job_id)
        since = self.memory.since(key, submission, str(detail["status"]), now)
        observed = Observed(Knowledge.KNOWN, submission, detail=detail, since=since)
        if not observed.ended:
            self.feed.follow(scope, job_id, submission.queue, key, detail=detail)
            return observed
        self.feed.forget(job_id)
        if resource.deleting:
            return observed  # nobody will read its output here
        return await self.output.added(resource, observed, scope)

    async def _look_up(
        self, resource: Resource, submission: Submission, owner: Owner, scope: Scope
    ) -> Observed:
        """What became of a submission of which no job id is known."""
        refused = self.memory.was_refused(resource.key, submission)
        if refused and submission.attempt == 1:
            return Observed(Knowledge.REFUSED, submission)
        settled_at = self._settled_at(resource, submission)
        if not refused and self.clock.now() < settled_at:
            return Observed(Knowledge.SETTLING, submission, settled_at=settled_at)
        found = await self._find(submission, owner, scope)
        if found.jobs:
            oldest = found.jobs[0]
            observed = await self._known(resource, submission, oldest, scope)
            return replace(observed, twins=_living_twins(found.jobs, oldest["jobId"]))
        if found.unseen:
            return Observed(Knowledge.SETTLING, submission)
        if refused:
            return Observed(Knowledge.REFUSED, submission)
        if found.queue_gone:
            return Observed(Knowledge.UNTRACEABLE, submission)
        return Observed(Knowledge.ABSENT, submission)

    async def _find(self, submission: Submission, owner: Owner, scope: Scope) -> _Found:
        """All jobs of this very run, oldest first; the tags decide, not the name alone."""
        try:
            summaries = await self.batch.jobs_by_name(scope, submission.queue, submission.job_name)
        except AwsError as error:
            if error.kind is ErrorKind.NOT_FOUND:
                return _Found(queue_gone=True)  # with it, AWS has ended all of its jobs
            raise
        details = [await self.batch.job(scope, summary["jobId"]) for summary in summaries]
        jobs = [job for job in details if job is not None and _is_of(job, submission, owner)]
        jobs.sort(key=lambda job: (job.get("createdAt", 0), job["jobId"]))
        return _Found(tuple(jobs), unseen=None in details)

    def _sent_at(self, resource: Resource, submission: Submission) -> Instant:
        """The last moment at which a call of this run may have gone out, as far as is known."""
        moments = [submission.time]
        sent = self.memory.sent(resource.key, submission)
        if sent is not None:
            moments.append(sent)
        if "submittedTime" in resource.status and resource.status.get("run") == submission.run:
            moments.append(Instant.parse(str(resource.status["submittedTime"])))
        return max(moments)

    def _settled_at(self, resource: Resource, submission: Submission) -> Instant:
        """When AWS's listing can be trusted: later and later while AWS loses attempt after attempt.

        An earlier leader may have sent its call up to the end of its leadership.
        """
        moments = [self._sent_at(resource, submission)]
        if self.leadership.at is not None:
            moments.append(self.leadership.at)
        times = min(2 ** (submission.attempt - 1), SETTLING_TIMES)
        return max(moments).plus(self.settling_seconds * times)

    def _sweep_is_due(self, submission: Submission, *, deleting: bool) -> bool:
        if deleting and submission.attempt > 1:
            return True  # nothing of the object may stay behind
        due = sweep_due(submission)
        return due is not None and self.clock.now() >= due


def _is_of(job: Shape, submission: Submission, owner: Owner) -> bool:
    tags = job.get("tags") or {}
    ours = ownership(tags, owner) is Ownership.OURS
    return ours and tags.get(RUN) == str(submission.run)


def _living_twins(found: Sequence[Shape], job_id: str) -> tuple[str, ...]:
    """The other jobs of the run that still have to be stopped."""
    others = [job for job in found if job["jobId"] != job_id]
    return tuple(str(job["jobId"]) for job in others if not (has_ended(job) or is_stopping(job)))
