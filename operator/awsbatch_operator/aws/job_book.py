"""Which jobs are followed, what AWS's answers about them mean, and who hears of it.

    followed ──► DescribeJobs shows the end ──────────► over ──► forgotten after ten minutes
       ▲  └────► left out of three answers in a row ──► over            │
       └──────────────── followed again ◄───────────────┴───────────────┘

No clock and no AWS in here: every method is told the time (monotonic seconds) and what AWS said.
Only a DescribeJobs answer ever decides about a job. What ListJobs shows, or no longer shows, only
says whom to describe: lists are read page by page while the jobs move on.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.aws_settings import Cadence
from awsbatch_operator.aws.job_agenda import Agenda, Followed, Listing, interval, next_due
from awsbatch_operator.aws.job_details import DetailStore, detail_mark, summary_mark

_ENDED = ("SUCCEEDED", "FAILED")
_GONE_AFTER = 3  # DescribeJobs answers in a row without the job
# What reading raises of an answer that AWS never gives.
_ODD = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
_AT_ONCE = 1000  # jobs that one step looks through


@dataclass(frozen=True, slots=True)
class Over:
    """A job that is not asked about any more, and since when."""

    job: Followed
    since: float


class JobBook:
    """All followed jobs. For one thread."""

    def __init__(self, cadence: Cadence) -> None:
        self._cadence = cadence
        self._agendas: dict[Scope, Agenda] = {}
        self._scopes: dict[str, Scope] = {}  # of the jobs that are asked about
        self._over: dict[str, Over] = {}  # in the order in which they ended
        self._details = DetailStore()
        self._pages: dict[Listing, tuple[int, float]] = {}
        self._ready: dict[Scope, float] = {}
        self._unclear: list[tuple[Scope, str]] = []
        # Moments are numbers that only grow: what was asked for before one may show the past.
        self._moments = itertools.count(1)

    def follow(
        self, scope: Scope, job_id: str, *, queue: str, owner: ObjectKey, now: float
    ) -> float | None:
        """Ask about this job from now on. When it is due, or None if it was followed already."""
        known = self.followed(job_id)
        if known is not None:
            known.owner = owner
            return None
        self._over.pop(job_id, None)
        job = Followed(scope, job_id, queue, owner, since=now, state_since=now)
        job.due = next_due(job, self._cadence, now)
        agenda = self._agendas.get(scope)
        if agenda is None:
            agenda = self._agendas[scope] = Agenda(self._cadence)
        agenda.add(job)
        self._scopes[job_id] = scope
        return job.due

    def baseline(self, job_id: str, detail: Shape, now: float) -> None:
        """The owner knows this detail already: only what differs from it is news."""
        job = self.followed(job_id)
        if job is not None and job.described_at is None:
            job.mark, job.said = detail_mark(detail), str(detail.get("statusReason", ""))
            self._agendas[job.scope].enter_state(job, str(detail.get("status", "")), now)

    def forget(self, job_id: str) -> None:
        """Never ask about this job again."""
        self._drop(job_id)
        self._over.pop(job_id, None)
        self._details.drop(job_id)

    def hurry(self, job_id: str, now: float) -> tuple[Scope, float] | None:
        """Something was done to the job: what we know of it is old. When it is due now."""
        self._details.drop(job_id)
        expected = self.expect(job_id, now)
        job = self.followed(job_id)
        if job is not None:
            job.hurried = job.heard
            self._agendas[job.scope].leave_untold(job)
        return expected

    def expect(self, job_id: str, now: float) -> tuple[Scope, float] | None:
        """Something may have happened to the job. When it is due now; None if nobody follows it.

        What was seen of it stays, and what is on its way counts, for it may be all that we ever
        get: an event that comes again and again must not keep us from reading answers.
        """
        job = self.followed(job_id)
        if job is None:
            return None
        due = min(job.due, now + self._cadence.unit)
        job.heard = next(self._moments)
        self._agendas[job.scope].schedule(job, due, urgent=True)
        return job.scope, due

    def followed(self, job_id: str) -> Followed | None:
        """The job, if it is asked about."""
        scope = self._scopes.get(job_id)
        return self._agendas[scope].jobs.get(job_id) if scope is not None else None

    def seen(self, job_id: str) -> Shape | None:
        """The newest detail, if there is one and it was not crowded out."""
        return self._details.get(job_id)

    def __len__(self) -> int:
        return len(self._scopes)

    def owners(self, scope: Scope) -> list[ObjectKey]:
        """All whose jobs are followed in a scope."""
        agenda = self._agendas.get(scope)
        return [] if agenda is None else [job.owner for job in agenda.jobs.values()]

    def due(self, scope: Scope) -> float | None:
        """When to ask next in a scope; None if nothing is followed there."""
        agenda = self._agendas.get(scope)
        due = None if agenda is None else agenda.next_due()
        return None if due is None else max(due, self._ready.get(scope, 0.0))

    def listings(self, scope: Scope, now: float) -> list[Listing]:
        """The lists that are worth reading now, because describing would take more calls."""
        agenda = self._agendas.get(scope)
        if agenda is None:
            return []
        limit = now - self._cadence.refresh  # a long list may have become short since
        self._pages = {key: entry for key, entry in self._pages.items() if entry[1] > limit}
        pages = {listing: count for listing, (count, _) in self._pages.items()}
        return agenda.listings(scope, pages, now)

    def moment(self) -> int:
        """The number of a question that is about to be asked."""
        return next(self._moments)

    def begin_list(self) -> int:
        """The number of a list that is about to be read."""
        return self.moment()

    def page(self, listing: Listing, number: int, summaries: Iterable[Shape], now: float) -> None:
        """One page of a list."""
        agenda = self._agendas.get(listing.scope)
        if agenda is None:
            return
        for summary in summaries:
            job = agenda.jobs.get(str(summary.get("jobId")))
            if job is None:
                continue
            job.listed_in = number
            if job.urgent:
                continue  # it is described in any case
            mark = summary_mark(summary)
            here = job.group == (listing.queue, listing.state)
            if here and job.listed_mark in (None, mark):
                agenda.later(job, now)
            else:  # it has entered the list, or differs
                agenda.now(job, now)
            job.listed_mark = mark

    def end_list(self, listing: Listing, number: int, *, pages: int, now: float) -> Iterator[None]:
        """A list was read to its end: what it did not show has left it.

        Yields now and then, so that the caller can let others have a turn.
        """
        self._pages[listing] = (pages, now)
        agenda = self._agendas.get(listing.scope)
        members = [] if agenda is None else agenda.members((listing.queue, listing.state))
        for count, job in enumerate(members, start=1):
            if job.listed_in != number and not job.urgent and job.entered and agenda:
                job.listed_mark = None
                agenda.now(job, now)
            if not count % _AT_ONCE:
                yield

    def describes(self, scope: Scope, now: float) -> list[list[str]]:
        """The ids to describe now, one list a call."""
        agenda = self._agendas.get(scope)
        return [] if agenda is None else agenda.describes(now)

    def described(
        self,
        scope: Scope,
        asked: Sequence[str],
        found: Mapping[str, Shape],
        *,
        began: int,
        now: float,
    ) -> list[ObjectKey]:
        """What DescribeJobs answered to a question of that number; the owners of changed jobs.

        Of a job that we have ended meanwhile it may show the past: that one is asked about anew.
        """
        changed = []
        for job_id in asked:
            agenda = self._agendas.get(scope)
            job = None if agenda is None else agenda.jobs.get(job_id)
            if agenda is None or job is None or job.hurried > began:
                continue  # it was forgotten, or ended by us, meanwhile
            detail = found.get(job_id)
            if detail is None:
                news = self._missed(agenda, job, now)
            else:
                news = self._heard(agenda, job, detail, began=began, now=now)
            if news:
                changed.append(job.owner)
        return changed

    def lasted(self, scope: Scope, now: float) -> list[ObjectKey]:
        """The owners of jobs whose state was not worth telling when it began, and has lasted."""
        agenda = self._agendas.get(scope)
        return [] if agenda is None else [job.owner for job in agenda.lasted(now)]

    def ended_round(self, scope: Scope, *, calls: int, now: float) -> None:
        """A round is over: wait in proportion to what it took, and drop what nobody fetched."""
        if scope in self._agendas:
            self._ready[scope] = now + calls * self._cadence.call if calls > 1 else now
        limit = now - self._cadence.kept_after_end
        while self._over:
            job_id, over = next(iter(self._over.items()))
            if over.since >= limit:
                break
            self.forget(job_id)

    def unclear(self) -> list[tuple[Scope, str]]:
        """The jobs of which AWS's answers can be understood no more, each once."""
        found, self._unclear = self._unclear, []
        return found

    def _heard(
        self, agenda: Agenda, job: Followed, detail: Shape, *, began: int, now: float
    ) -> bool:
        """One job of which AWS says what it never says holds up no others.

        It says neither that the job goes on nor that it has ended, so what is known of it stays,
        and it is asked about again as ever.
        """
        try:
            return self._read(agenda, job, detail, began=began, now=now)
        except _ODD:
            if not job.unclear:
                self._unclear.append((job.scope, job.job_id))
            job.unclear = True
            agenda.schedule(job, now + interval(job, self._cadence, now), urgent=job.urgent)
            return False

    def _read(
        self, agenda: Agenda, job: Followed, detail: Shape, *, began: int, now: float
    ) -> bool:
        mark, state = detail_mark(detail), str(detail["status"])  # they may raise one of _ODD
        changed = mark != job.mark
        job.mark, job.misses, job.described_at, job.unclear = mark, 0, now, False
        self._details.put(job.job_id, detail)
        if state in _ENDED:
            self._end(job, now)
            return True
        agenda.enter_state(job, state, now)
        agenda.was_read(job)
        if job.heard > began:  # the answer may be of before what we have heard
            agenda.schedule(job, now + self._cadence.unit, urgent=True)
        else:
            agenda.later(job, now)
        return changed and agenda.tells(job, detail, now)

    def _missed(self, agenda: Agenda, job: Followed, now: float) -> bool:
        """AWS left the job out: it does not know it yet, or no more."""
        job.misses += 1
        young = job.described_at is None and now - job.since < self._cadence.unknown_grace
        if young or job.misses < _GONE_AFTER:
            due = now + interval(job, self._cadence, now)
            agenda.schedule(job, due, urgent=job.urgent)
            return False
        self._details.drop(job.job_id)
        self._end(job, now)
        return True

    def _end(self, job: Followed, now: float) -> None:
        self._drop(job.job_id)
        self._over[job.job_id] = Over(job, now)

    def _drop(self, job_id: str) -> None:
        scope = self._scopes.pop(job_id, None)
        if scope is None:
            return
        agenda = self._agendas[scope]
        agenda.remove(job_id)
        if not agenda.jobs:
            del self._agendas[scope]
            self._ready.pop(scope, None)
