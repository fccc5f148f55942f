"""Which jobs to ask AWS about now, and what its answers mean.

No clock and no AWS in here: every method is told the time (monotonic seconds) and what AWS said.
Only a DescribeJobs answer ever decides about a job. What ListJobs shows, or no longer shows, only
says whom to describe: lists are read page by page while the jobs move on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.details import DetailStore, detail_mark, summary_mark
from awsbatch_operator.aws.job_rounds import (
    Followed,
    Listing,
    described_now,
    interval,
    listed_now,
    next_due,
)
from awsbatch_operator.aws.settings import Cadence

TERMINAL = ("SUCCEEDED", "FAILED")
_GONE_AFTER = 3  # DescribeJobs answers in a row without the job


@dataclass(frozen=True, slots=True)
class Over:
    """A job that is not asked about any more, and since when."""

    job: Followed
    since: float
    gone: bool  # AWS no longer knows it; otherwise it has ended


class JobBook:
    """All followed jobs. For one thread."""

    def __init__(self, cadence: Cadence) -> None:
        self._cadence = cadence
        self._active: dict[Scope, dict[str, Followed]] = {}
        self._over: dict[str, Over] = {}
        self._scopes: dict[str, Scope] = {}
        self._details = DetailStore()
        self._pages: dict[Listing, tuple[int, float]] = {}
        self._ready: dict[Scope, float] = {}

    def follow(
        self, scope: Scope, job_id: str, *, queue: str, owner: ObjectKey, now: float
    ) -> float | None:
        """Ask about this job from now on. When it is due, or None if it was followed already."""
        known = self._find(job_id)
        if known is not None:
            known.owner = owner
            return None
        job = Followed(scope, job_id, queue, owner, since=now, state_since=now)
        job.due = next_due(job, self._cadence, now)
        self._active.setdefault(scope, {})[job_id] = job
        self._scopes[job_id] = scope
        return job.due

    def baseline(self, job_id: str, detail: Shape, now: float) -> None:
        """The owner knows this detail already: only what differs from it is news."""
        job = self._find(job_id)
        if job is not None and job.described_at is None:
            job.mark = detail_mark(detail)
            self._enter(job, str(detail.get("status", "")), now)

    def forget(self, job_id: str) -> None:
        """Never ask about this job again."""
        scope = self._scopes.pop(job_id, None)
        if scope is not None:
            self._drop(scope, job_id)
        self._over.pop(job_id, None)
        self._details.drop(job_id)

    def hurry(self, job_id: str, now: float) -> float | None:
        """Something was done to the job: what we know of it is old. When it is due now."""
        self._details.drop(job_id)
        job = self._find(job_id)
        if job is None or job_id in self._over:
            return None
        job.urgent = True
        job.due = min(job.due, now + self._cadence.unit)
        return job.due

    def seen(self, job_id: str) -> Shape | None:
        """The newest detail, if there is one and it was not crowded out."""
        return self._details.get(job_id)

    def gone(self, job_id: str) -> bool:
        """Whether AWS no longer knows the job."""
        over = self._over.get(job_id)
        return over is not None and over.gone

    def __len__(self) -> int:
        return sum(len(jobs) for jobs in self._active.values())

    def owners(self, scope: Scope) -> list[ObjectKey]:
        """All whose jobs are followed in a scope."""
        return [job.owner for job in self._active.get(scope, {}).values()]

    def scopes(self) -> list[Scope]:
        """Where there are jobs to ask about."""
        return list(self._active)

    def due(self, scope: Scope) -> float | None:
        """When to ask next in a scope; None if nothing is followed there."""
        jobs = self._active.get(scope)
        if not jobs:
            return None
        return max(min(job.due for job in jobs.values()), self._ready.get(scope, 0.0))

    def listings(self, scope: Scope, now: float) -> list[Listing]:
        """The lists that are worth reading now, because describing would take more calls."""
        jobs = self._active.get(scope, {})
        limit = now - self._cadence.refresh  # a long list may have become short since
        self._pages = {key: entry for key, entry in self._pages.items() if entry[1] > limit}
        pages = {listing: count for listing, (count, _) in self._pages.items()}
        return listed_now(scope, jobs, pages, cadence=self._cadence, now=now)

    def listed(
        self, listing: Listing, summaries: Mapping[str, str], *, pages: int, now: float
    ) -> None:
        """A list was read to its end: the marks of the summaries by job id."""
        self._pages[listing] = (pages, now)
        for job in self._active.get(listing.scope, {}).values():
            if job.urgent:
                continue  # it is described in any case
            here = job.queue == listing.queue and job.state == listing.state
            mark = summaries.get(job.job_id)
            if here and mark is not None and job.listed_mark in (None, mark):
                job.listed_mark = mark
                job.due = next_due(job, self._cadence, now)
            elif here or mark is not None:  # it left the list, entered it, or differs
                job.listed_mark = mark
                job.urgent = True
                job.due = min(job.due, now)

    def marks(self, scope: Scope, summaries: Iterable[Shape]) -> dict[str, str]:
        """The marks of those summaries whose jobs are followed."""
        jobs = self._active.get(scope, {})
        return {
            str(summary["jobId"]): summary_mark(summary)
            for summary in summaries
            if summary["jobId"] in jobs
        }

    def describes(self, scope: Scope, now: float) -> list[list[str]]:
        """The ids to describe now, one list a call."""
        return described_now(self._active.get(scope, {}), cadence=self._cadence, now=now)

    def described(
        self, scope: Scope, asked: Sequence[str], found: Mapping[str, Shape], now: float
    ) -> list[ObjectKey]:
        """What DescribeJobs answered. The owners of the jobs that changed."""
        jobs = self._active.get(scope, {})
        changed = []
        for job_id in asked:
            job = jobs.get(job_id)  # it may have been forgotten meanwhile
            if job is None:
                continue
            detail = found.get(job_id)
            news = self._missed(job, now) if detail is None else self._read(job, detail, now)
            if news:
                changed.append(job.owner)
        return changed

    def ended_round(self, scope: Scope, *, calls: int, now: float) -> None:
        """A round is over: wait in proportion to what it took, and drop what nobody fetched."""
        self._ready[scope] = now + calls * self._cadence.call if calls > 1 else now
        if not self._active.get(scope):
            self._active.pop(scope, None)
            self._ready.pop(scope, None)
        limit = now - self._cadence.kept_after_end
        for job_id in [job_id for job_id, over in self._over.items() if over.since < limit]:
            self.forget(job_id)

    def _read(self, job: Followed, detail: Shape, now: float) -> bool:
        mark = detail_mark(detail)
        changed = mark != job.mark
        job.mark, job.misses, job.urgent, job.described_at = mark, 0, False, now
        self._details.put(job.job_id, detail)
        state = str(detail["status"])
        self._enter(job, state, now)
        if state in TERMINAL:
            self._end(job, gone=False, now=now)
            return True
        job.due = next_due(job, self._cadence, now)
        return changed

    def _missed(self, job: Followed, now: float) -> bool:
        """AWS left the job out: it does not know it yet, or no more."""
        job.misses += 1
        young = job.described_at is None and now - job.since < self._cadence.unknown_grace
        if young or job.misses < _GONE_AFTER:
            job.due = now + interval(job, self._cadence, now)
            return False
        self._details.drop(job.job_id)
        self._end(job, gone=True, now=now)
        return True

    def _enter(self, job: Followed, state: str, now: float) -> None:
        if state != job.state:
            job.state, job.state_since, job.listed_mark = state, now, None

    def _end(self, job: Followed, *, gone: bool, now: float) -> None:
        self._drop(job.scope, job.job_id)
        self._over[job.job_id] = Over(job, now, gone)

    def _drop(self, scope: Scope, job_id: str) -> None:
        jobs = self._active.get(scope, {})
        jobs.pop(job_id, None)
        if not jobs:
            self._active.pop(scope, None)

    def _find(self, job_id: str) -> Followed | None:
        if job_id in self._over:
            return self._over[job_id].job
        scope = self._scopes.get(job_id)
        return self._active.get(scope, {}).get(job_id) if scope else None
