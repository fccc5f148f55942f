"""When jobs are asked about, and how: the agenda of one scope. No clock and no AWS in here.

For few jobs DescribeJobs alone, 100 ids a call. For many, ListJobs (1,000 a page) for the groups
of queue and state where that takes fewer calls, and DescribeJobs only for what changed.

An agenda may hold a hundred thousand jobs: nothing in it looks at all of them at once.
"""

import heapq
import math
from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import TypeVar

from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.aws_settings import Cadence
from awsbatch_operator.aws.calls import DESCRIBED_AT_ONCE, LISTED_AT_ONCE

FEW = 1000  # jobs of a scope that are described without any list: at most 10 calls a round
DESCRIBE_CALLS = 40  # in a round of many jobs, at most
_LOOKED_THROUGH = 10_000  # jobs that are looked at, at most, to find those for the refresh
REFRESH_CALLS = 20  # of these, at most, for jobs that only lists have shown for a long time


Group = tuple[str, str]
"""Queue and state."""


@dataclass(slots=True, eq=False)
class Followed:
    """One job, what we know of it, and when to ask again. Times are monotonic seconds."""

    scope: Scope
    job_id: str
    queue: str
    owner: ObjectKey
    since: float  # followed since
    state_since: float
    due: float = 0.0
    state: str = ""  # AWS's status; "" until it is known
    mark: str = ""  # of the last detail
    listed_mark: str | None = None  # of the last summary in this state
    described_at: float | None = None
    listed_in: int = 0  # number of the list that showed it last
    hurried: int = 0  # number of the moment at which we changed it ourselves
    heard: int = 0  # number of the moment at which we heard last that it may have changed
    misses: int = 0  # DescribeJobs answers in a row that left it out
    said: str = ""  # AWS's last statusReason of it
    unclear: bool = False  # the last answer does not say in which status it is
    urgent: bool = False  # a list, an event, or we ourselves say that it has changed
    entered: "tuple[float, Group | None] | None" = None  # where it stands in the agenda

    @property
    def group(self) -> "Group":
        """The jobs with which it would be listed."""
        return self.queue, self.state

    @property
    def read_at(self) -> float:
        """When it was last read in full, at the latest by whoever asked to follow it."""
        return self.since if self.described_at is None else self.described_at


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that may be read: the jobs of a queue in one state."""

    scope: Scope
    queue: str
    state: str


def interval(job: Followed, cadence: Cadence, now: float) -> float:
    """Seconds between two questions: a power of two times the unit."""
    limits = {"STARTING": cadence.starting, "RUNNING": cadence.running, "": cadence.unit}
    limit = limits.get(job.state, cadence.waiting)
    target = max(cadence.unit, min(limit, cadence.share * (now - job.state_since)))
    doublings = math.floor(math.log2(target / cadence.unit))
    return float(cadence.unit * 2.0**doublings)


def next_due(job: Followed, cadence: Cadence, now: float) -> float:
    """When to ask again. Jobs of the same interval are due together, so that calls are full."""
    step = interval(job, cadence, now)
    due = (math.floor(now / step) + 1) * step
    return due if due - now >= step / 2 else due + step


class Agenda:
    """The followed jobs of one scope, by the time at which they are due and by group."""

    def __init__(self, cadence: Cadence) -> None:
        self._cadence = cadence
        self.jobs: dict[str, Followed] = {}
        self._groups: dict[Group, dict[str, Followed]] = {}
        # By due time, then by group; None: to be described whatever lists may show.
        self._due: dict[float, dict[Group | None, dict[str, Followed]]] = {}
        self._times: list[float] = []
        self._by_reading: OrderedDict[str, Followed] = OrderedDict()  # the longest unread first
        self._untold: dict[str, float] = {}  # news that may wait, in the order in which it is due

    def add(self, job: Followed) -> None:
        """Ask about this job at its due time."""
        self.jobs[job.job_id] = job
        self._groups.setdefault(job.group, {})[job.job_id] = job
        self._by_reading[job.job_id] = job
        self._enter(job)

    def remove(self, job_id: str) -> None:
        """Never ask about it again."""
        job = self.jobs.pop(job_id)
        _take_out(self._groups, job.group, job_id)
        del self._by_reading[job_id]
        self._untold.pop(job_id, None)
        self._leave(job)

    def schedule(self, job: Followed, due: float, *, urgent: bool) -> None:
        """Ask about it then; `urgent`: describe it, and before others."""
        self._leave(job)
        job.due, job.urgent = due, urgent
        self._enter(job)

    def later(self, job: Followed, now: float) -> None:
        """It was read, or a list shows nothing new of it."""
        self.schedule(job, next_due(job, self._cadence, now), urgent=False)

    def now(self, job: Followed, now: float) -> None:
        """A list shows that something has happened to it."""
        self.schedule(job, min(job.due, now), urgent=True)

    def enter_state(self, job: Followed, state: str, now: float) -> None:
        """AWS says that it is in this state."""
        if state == job.state:
            return
        self._leave(job)
        _take_out(self._groups, job.group, job.job_id)
        job.state, job.state_since, job.listed_mark = state, now, None
        self._groups.setdefault(job.group, {})[job.job_id] = job
        self._enter(job)

    def was_read(self, job: Followed) -> None:
        """It was described just now."""
        self._by_reading.move_to_end(job.job_id)

    def tells(self, job: Followed, detail: Shape, now: float) -> bool:
        """Whether its owner hears at once of this news of a job that goes on.

        Each state that is told costs the owner a turn, and mostly a write, and a short job passes
        through four of them within seconds. Of few jobs everything is told at once; of many what
        AWS says in words, what comes of our own calls, and what an array has come to. Another
        state is told once it has lasted for a while, and never if the job has ended by then. The
        while begins with the state: what else changes meanwhile does not put it off.
        """
        words = str(detail.get("statusReason", ""))
        silent = words in {"", job.said}
        job.said = words
        many = len(self.jobs) > DESCRIBED_AT_ONCE
        at_once = not (many and silent) or bool(job.hurried) or "arrayProperties" in detail
        if at_once or job.state_since == now:
            self.leave_untold(job)
        if not at_once:
            self._untold.setdefault(job.job_id, now + self._cadence.passing)
        return at_once

    def leave_untold(self, job: Followed) -> None:
        """Nothing of what is known of it is to be told any more."""
        self._untold.pop(job.job_id, None)

    def lasted(self, now: float) -> list[Followed]:
        """The jobs whose owners hear now of a state that could wait."""
        due = list(takewhile(lambda job_id: self._untold[job_id] <= now, self._untold))
        for job_id in due:
            del self._untold[job_id]
        return [self.jobs[job_id] for job_id in due]

    def next_due(self) -> float | None:
        """When the first of them is due.

        What is to be told does not count: its jobs are asked about every few seconds, and rounds
        at times of its own would break up the calls that jobs of the same interval share.
        """
        while self._times and self._times[0] not in self._due:
            heapq.heappop(self._times)
        return self._times[0] if self._times else None

    def members(self, group: Group) -> list[Followed]:
        """The jobs of a group."""
        return list(self._groups.get(group, {}).values())

    def listings(self, scope: Scope, pages: Mapping[Listing, int], now: float) -> list[Listing]:
        """The lists worth reading; `pages` says how long some of them were the last time."""
        if len(self.jobs) <= FEW:
            return []
        due: Counter[Group] = Counter()
        for time in self._due:
            if time <= now + self._cadence.unit:
                for group, jobs in self._due[time].items():
                    if group is not None:
                        due[group] += len(jobs)
        worth = []
        for group, count in due.items():
            listing = Listing(scope, *group)
            shortest = math.ceil(len(self._groups[group]) / LISTED_AT_ONCE)
            if pages.get(listing, shortest) < math.ceil(count / DESCRIBED_AT_ONCE):
                worth.append(listing)
        return worth

    def describes(self, now: float) -> list[list[str]]:
        """The ids to describe now, a call's worth each. What does not fit stays due."""
        if len(self.jobs) > FEW:
            most = DESCRIBE_CALLS * DESCRIBED_AT_ONCE
            ids = list(islice(self._due_ids(now), most))
            room = min(most - len(ids), REFRESH_CALLS * DESCRIBED_AT_ONCE)
            ids += islice(self._stale_ids(now), room)
        else:
            ids = list(self._due_ids(now))
            # The last call is made anyway: it takes jobs along that are due soon.
            company = self._ids_between(now, now + self._cadence.unit)
            ids += islice(company, -len(ids) % DESCRIBED_AT_ONCE)
        return [ids[at : at + DESCRIBED_AT_ONCE] for at in range(0, len(ids), DESCRIBED_AT_ONCE)]

    def _due_ids(self, now: float) -> Iterator[str]:
        """What is due, the urgent first, then what has been due for longest."""
        times = sorted(time for time in self._due if time <= now)
        for time in times:
            yield from self._due[time].get(None, ())
        for time in times:
            for group, jobs in self._due[time].items():
                if group is not None:
                    yield from jobs

    def _ids_between(self, after: float, until: float) -> Iterator[str]:
        for time in sorted(time for time in self._due if after < time <= until):
            for jobs in self._due[time].values():
                yield from jobs

    def _stale_ids(self, now: float) -> Iterator[str]:
        """Jobs that were long not read in full, the longest first."""
        for job in islice(self._by_reading.values(), _LOOKED_THROUGH):
            if now - job.read_at < self._cadence.refresh:
                return
            if job.due > now and job.state:
                yield job.job_id

    def _enter(self, job: Followed) -> None:
        group = None if job.urgent or not job.state else job.group
        at_that_time = self._due.get(job.due)
        if at_that_time is None:
            at_that_time = self._due[job.due] = {}
            heapq.heappush(self._times, job.due)
        at_that_time.setdefault(group, {})[job.job_id] = job
        job.entered = (job.due, group)

    def _leave(self, job: Followed) -> None:
        if job.entered is None:
            return
        due, group = job.entered
        job.entered = None
        _take_out(self._due[due], group, job.job_id)
        if not self._due[due]:
            del self._due[due]


_GroupT = TypeVar("_GroupT", Group, Group | None)


def _take_out(groups: dict[_GroupT, dict[str, Followed]], group: _GroupT, job_id: str) -> None:
    jobs = groups[group]
    del jobs[job_id]
    if not jobs:
        del groups[group]
