"""From AWS to Observed: by the job's id where it is known, else by the recorded name."""

from dataclasses import dataclass, replace

from awsbatch_operator.api.instant import Clock, Instant
from awsbatch_operator.api.metadata import ObjectKey, RecordError, Resource, Shape
from awsbatch_operator.api.scope import LeadershipStart, Scope
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.ports import BatchPort, JobFeed
from awsbatch_operator.kinds.batchjob.act import SubmissionMemory
from awsbatch_operator.kinds.batchjob.child_reading import ChildReader
from awsbatch_operator.kinds.batchjob.observed import (
    Knowledge,
    Observed,
    Said,
    Sweep,
    has_ended,
    is_not_shown_yet,
    sweep_of,
    that_counts,
)
from awsbatch_operator.kinds.batchjob.output import OutputReader
from awsbatch_operator.kinds.batchjob.placement import PlacementReader
from awsbatch_operator.kinds.batchjob.record import (
    is_annotated,
    is_concluded,
    is_lost,
    is_over,
    recorded_job_id,
    submission_of,
)
from awsbatch_operator.kinds.batchjob.run_causes import stop_said
from awsbatch_operator.kinds.batchjob.strays import is_of, other_cluster
from awsbatch_operator.kinds.batchjob.submission import Submission
from awsbatch_operator.kinds.batchjob.task_reading import TaskReader

SETTLING_TIMES = 5  # the longest settling, in settling times


@dataclass(frozen=True, slots=True)
class _Look:
    """Whose run is looked for, where, and whether the poller's word is not enough.

    `sent` is the last moment at which a call of the run may have gone out, as far as is known.
    """

    resource: Resource
    submission: Submission
    owner: Owner
    scope: Scope
    fresh: bool
    sent: Instant


@dataclass(frozen=True, slots=True)
class _Listed:
    """The jobs of a run in AWS's listing.

    `undescribed`: DescribeJobs leaves one of them out. `other_cluster`: one of them was submitted
    for this very run under that cluster id, before the object was handed over to us.
    """

    jobs: tuple[Shape, ...] = ()
    undescribed: bool = False
    queue_gone: bool = False
    other_cluster: str = ""


@dataclass(frozen=True, slots=True)
class Observer:
    """Reads the recorded runs of an object. All that it needs is injected."""

    batch: BatchPort
    feed: JobFeed
    children: ChildReader
    placements: PlacementReader
    output: OutputReader
    tasks: TaskReader
    memory: SubmissionMemory
    clock: Clock
    leadership: LeadershipStart
    settling_seconds: float = 60.0

    async def observe(
        self, resource: Resource, owner: Owner, scope: Scope, *, fresh: bool
    ) -> Observed | None:
        """None: no submission of this object was ever recorded. Raises AwsError, RecordError.

        Not `fresh`: the poller's newest detail of the job serves. Where no id is known, and where
        further jobs of a run are due to be looked for, AWS's listing is asked in any case.
        """
        submission = self.recorded(resource)
        if submission is None:
            return None
        lost = is_lost(resource)
        here = (submission.account_id, submission.region) == (scope.account_id, scope.region)
        over = is_over(resource, submission)
        if not here and not over:
            return Observed(Knowledge.ELSEWHERE, submission, lost=lost)
        look = _Look(resource, submission, owner, scope, fresh, self._sent_at(resource, submission))
        observed = await self._newest(look)
        earlier = await self._earlier_runs(look)
        sweeps = (*observed.sweeps, *earlier)
        return replace(observed, lost=lost, sent=look.sent, sweeps=sweeps)

    def forget(self, key: ObjectKey) -> None:
        """The object has reached its end, or is gone."""
        self.children.forget(key)
        self.tasks.forget(key)
        self.output.forget(key)
        job_id = self.memory.forget(key)
        if job_id is not None:
            self.feed.forget(job_id)

    def recorded(self, resource: Resource) -> Submission | None:
        """What is recorded; or, if somebody has taken that away, what we have just sent.

        Raises RecordError.

        The status makes up for a lost annotation, but knows neither repeats nor earlier runs. Once
        the annotation is written again it counts: which of two jobs is the run stands in it alone.
        """
        remembered = self.memory.submission(resource.key, resource.uid)
        try:
            recorded = submission_of(resource)
        except RecordError:
            if remembered is None:
                raise
            return remembered
        if recorded is None or (remembered is not None and not is_annotated(resource)):
            return remembered
        return recorded

    async def _newest(self, look: _Look) -> Observed:
        """The newest run; with a sweep for further jobs of it, if one is due."""
        submission, resource = look.submission, look.resource
        shown = recorded_job_id(resource, submission)
        job_id = submission.counts or shown or self.memory.job_id(resource.key, submission)
        if not job_id:
            return await self._look_up(look)
        if shown and is_concluded(resource, submission):
            observed = Observed(Knowledge.CONCLUDED, submission, detail={"jobId": shown})
        else:
            observed = await self._by_id(look, job_id)
        if not self._sweep_is_due(look) or is_not_shown_yet(observed, self.clock.now()):
            return observed
        return await self._swept(look, observed)

    async def _swept(self, look: _Look, observed: Observed) -> Observed:
        """With what a look for further jobs of the run has found; the one that counts is shown.

        What a concluded run has said stays, whatever comes to light.
        """
        submission = look.submission
        listed = await self._list(look, submission)
        jobs = {str(job["jobId"]): job for job in listed.jobs}
        counts = observed.job_id
        if observed.knowledge is Knowledge.FOUND:
            jobs[counts] = observed.detail
        if observed.knowledge is not Knowledge.CONCLUDED and jobs:
            chosen = that_counts(list(jobs.values()), counts)
            if chosen["jobId"] != counts:
                observed = await self._found(look, chosen)
                counts = observed.job_id
        sweep = sweep_of(submission.run, jobs.values(), counts, complete=not listed.undescribed)
        return replace(observed, sweeps=(sweep,))

    async def _by_id(self, look: _Look, job_id: str) -> Observed:
        detail = None if look.fresh else self.feed.seen(job_id)
        if detail is None:
            detail = await self.batch.job(look.scope, job_id)
        if detail is None:
            shape = {"jobId": job_id}
            return Observed(Knowledge.FORGOTTEN, look.submission, sent=look.sent, detail=shape)
        return await self._found(look, detail)

    async def _found(self, look: _Look, detail: Shape) -> Observed:
        """The job is there: it is followed to its end, whatever was decided of it before.

        A job that DescribeJobs left out for a while may have been given up, by us and by the feed.
        """
        look = _with_said(look, detail)
        key, job_id, now = look.resource.key, str(detail["jobId"]), self.clock.now()
        self.memory.is_job(key, look.submission, job_id)
        since = self.memory.since(key, look.submission, str(detail["status"]), now)
        observed = Observed(Knowledge.FOUND, look.submission, detail=detail, since=since)
        said = self._said(look, observed)
        observed = replace(observed, said=said) if said else observed
        if not observed.ended:
            self.feed.follow(look.scope, job_id, look.submission.queue, key, detail=detail)
            counted = await self.children.counted(look.resource, observed, look.scope)
            if counted is not observed:
                observed = replace(counted, said=self._said(look, counted))
            return await self.placements.added(observed, look.scope)
        self.feed.forget(job_id)
        if look.resource.deleting:
            return observed  # nobody will read its output here
        observed = await self.children.added(look.resource, observed, look.scope)
        if observed.output.due is None:
            observed = await self.tasks.added(look.resource, observed, look.scope)
        if observed.output.due is not None:
            return observed
        observed = await self.placements.added(observed, look.scope)
        return await self.output.added(look.resource, observed, look.scope)

    def _said(self, look: _Look, observed: Observed) -> tuple[Said, ...]:
        """All that AWS was seen to say of the run."""
        key, now = look.resource.key, self.clock.now()
        return self.memory.heard(key, look.submission, observed.state, observed.words, now)

    async def _look_up(self, look: _Look) -> Observed:
        """What became of a submission of which no job id is known."""
        submission = look.submission
        refused = self.memory.was_refused(look.resource.key, submission)
        if refused and submission.attempt == 1:
            return Observed(Knowledge.REFUSED, submission)
        idle = not (look.fresh or look.resource.deleting)  # a fresh look comes before it is sent
        if idle and submission.is_put_by:
            return Observed(Knowledge.ABSENT, submission)
        if idle and self.memory.has_no_queue(look.resource.key, submission):
            return Observed(Knowledge.UNTRACEABLE, submission)
        settled_at = self._settled_at(look)
        if not refused and self.clock.now() < settled_at:
            return Observed(Knowledge.SETTLING, submission, settled_at=settled_at)
        listed = await self._list(look, submission)
        if listed.undescribed or listed.other_cluster:  # it may be the one that counts
            other = listed.other_cluster
            return Observed(Knowledge.SETTLING, submission, other_cluster=other)
        if listed.jobs:
            observed = await self._found(look, that_counts(listed.jobs, ""))
            sweep = sweep_of(submission.run, listed.jobs, observed.job_id)
            return replace(observed, sweeps=(sweep,))
        if refused:
            return Observed(Knowledge.REFUSED, submission)
        if listed.queue_gone:
            self.memory.queue_is_gone(look.resource.key, submission)
            return Observed(Knowledge.UNTRACEABLE, submission)
        # A run that is not sent any more is looked for all the same, as often as any repeat.
        looked = submission.stop is not None and self._sweep_is_due(look)
        sweeps = (sweep_of(submission.run, (), ""),) if looked else ()
        return Observed(Knowledge.ABSENT, submission, sweeps=sweeps)

    async def _earlier_runs(self, look: _Look) -> tuple[Sweep, ...]:
        """A look for jobs of each run before the newest that is due for one, or all on deletion."""
        now, sweeps = self.clock.now(), []
        for run, due in look.submission.earlier_due():
            if look.resource.deleting or due <= now:
                listed = await self._list(look, run)
                complete = not listed.undescribed
                sweeps.append(sweep_of(run.run, listed.jobs, "", complete=complete))
        return tuple(sweeps)

    async def _list(self, look: _Look, run: Submission) -> _Listed:
        """All jobs of this very run; the tags decide, not the name alone."""
        scope = look.scope
        try:
            summaries = await self.batch.jobs_by_name(scope, run.queue, run.job_name)
        except AwsError as error:
            if error.kind is ErrorKind.NOT_FOUND:
                return _Listed(queue_gone=True)  # with it, AWS has ended all of its jobs
            raise
        details = [await self.batch.job(scope, summary["jobId"]) for summary in summaries]
        known = [job for job in details if job is not None]
        jobs = tuple(job for job in known if is_of(job, run, look.owner))
        others = (other_cluster(job, run, look.owner) for job in known)
        other = next((each for each in others if each), "")
        return _Listed(jobs, undescribed=None in details, other_cluster=other)

    def _sent_at(self, resource: Resource, submission: Submission) -> Instant:
        moments = [submission.time, self.memory.sent(resource.key, submission)]
        if resource.status.get("run") == submission.run:
            moments.append(Instant.read(resource.status.get("submittedTime")))
        return max(moment for moment in moments if moment is not None)

    def _settled_at(self, look: _Look) -> Instant:
        """When AWS's listing can be trusted: later and later while AWS loses attempt after attempt.

        It counts from the last moment at which a call of this process may have been on the wire,
        and from when it won the lease: an earlier leader may have sent its call until then.
        """
        since = max(look.sent, self.leadership.at or look.sent)
        times = min(2 ** (look.submission.attempt - 1), SETTLING_TIMES)
        return since.plus(self.settling_seconds * times)

    def _sweep_is_due(self, look: _Look) -> bool:
        if look.resource.deleting and look.submission.may_have_twins:
            return True  # nothing of the object may stay behind
        due = look.submission.sweep_due
        return due is not None and self.clock.now() >= due


def _with_said(look: _Look, detail: Shape) -> _Look:
    """With why we ended the job, where our record of that is lost: AWS keeps what we told it."""
    submission = look.submission
    if submission.stop is not None or is_annotated(look.resource) or not has_ended(detail):
        return look
    stop = stop_said(str(detail.get("statusReason") or ""))
    return look if stop is None else replace(look, submission=replace(submission, stop=stop))
