"""The jobs of one queue, with the orders in which they are asked for.

Every order is a sorted list beside the jobs. What is found, entered or left in one costs a few
comparisons and the moving of some pointers, whether there are a hundred jobs or 100,000; nothing
here looks at all of them, and a page of a list begins where the last one ended.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass, field

from awsbatch_simulator.batch.model import Job, JobStatus

DISPATCHED = frozenset({JobStatus.STARTING, JobStatus.RUNNING})


def _line_order(job: Job) -> tuple[int, int]:
    return job.order


def _share_order(job: Job) -> tuple[int, tuple[int, int]]:
    """In a share the higher scheduling priority goes first, then the older job."""
    return -int(job.static.get("schedulingPriority", 0)), job.order


def share_of(job: Job) -> str:
    """The share identifier of a job; empty: it has none."""
    return str(job.static.get("shareIdentifier", ""))


class Ranked:
    """Jobs by their number, which is their age; children have none of their own."""

    __slots__ = ("_jobs", "_numbers")

    def __init__(self) -> None:
        self._jobs: dict[int, Job] = {}
        self._numbers: list[int] = []

    def __len__(self) -> int:
        return len(self._jobs)

    def __iter__(self) -> Iterator[Job]:
        """All of them, the oldest first."""
        return map(self._jobs.__getitem__, self._numbers)

    def add(self, job: Job) -> None:
        """One more."""
        number = job.order[0]
        self._jobs[number] = job
        if not self._numbers or number > self._numbers[-1]:
            self._numbers.append(number)
        else:
            insort(self._numbers, number)

    def discard(self, job: Job) -> None:
        """One less, if it is there."""
        if self._jobs.pop(job.order[0], None) is not None:
            del self._numbers[bisect_left(self._numbers, job.order[0])]

    def newest_first(self, below: int | None = None) -> Iterator[Job]:
        """The youngest first, of those with a smaller number."""
        at = len(self._numbers) if below is None else bisect_left(self._numbers, below)
        while at:
            at -= 1
            yield self._jobs[self._numbers[at]]

    def created_before(self, milliseconds: int) -> int | None:
        """The number below which all were created before that; None: all of them were."""
        at = bisect_left(self._numbers, milliseconds, key=self._created_at)
        return self._numbers[at] if at < len(self._numbers) else None

    def _created_at(self, number: int) -> int:
        return self._jobs[number].created_at


class Names:
    """Jobs by their names, in lower case: whole ones and beginnings."""

    __slots__ = ("_jobs", "_names")

    def __init__(self) -> None:
        self._jobs: dict[str, list[Job]] = {}  # the oldest first
        self._names: list[str] = []

    def add(self, job: Job) -> None:
        """One more; it is the youngest."""
        name = job.name.lower()
        if name not in self._jobs:
            self._jobs[name] = []
            insort(self._names, name)
        self._jobs[name].append(job)

    def discard(self, job: Job) -> None:
        """One less, if it is there."""
        name = job.name.lower()
        jobs = self._jobs.get(name, [])
        at = bisect_left(jobs, job.order, key=_line_order)
        if at == len(jobs) or jobs[at] is not job:
            return
        del jobs[at]
        if not jobs:
            del self._jobs[name]
            del self._names[bisect_left(self._names, name)]

    def named(self, name: str, below: int | None = None) -> Iterator[Job]:
        """Those of that name, the youngest first, of those with a smaller number."""
        jobs = self._jobs.get(name, [])
        at = len(jobs) if below is None else bisect_left(jobs, (below, -1), key=_line_order)
        while at:
            at -= 1
            yield jobs[at]

    def beginning(self, start: str) -> Iterator[Job]:
        """Those whose name begins so, the youngest first."""
        first, found = bisect_left(self._names, start), []
        for at in range(first, len(self._names)):
            if not self._names[at].startswith(start):
                break
            found += self._jobs[self._names[at]]
        return iter(sorted(found, key=_line_order, reverse=True))


@dataclass(slots=True)
class Use:
    """What the jobs of a share take now."""

    jobs: int = 0
    vcpus: float = 0.0


@dataclass(slots=True)
class QueueJobs:
    """The jobs of one queue; an array's children and nodes stand in no list of jobs."""

    by_age: Ranked = field(default_factory=Ranked)
    by_status: dict[JobStatus, Ranked] = field(
        default_factory=lambda: {status: Ranked() for status in JobStatus}
    )
    by_name: Names = field(default_factory=Names)
    line: list[Job] = field(default_factory=list)  # RUNNABLE, in order of dispatch; children too
    line_moved_at: int = 0  # when a job left the line last
    shares: dict[str, list[Job]] = field(default_factory=dict)  # the line of each share that waits
    used: dict[str, Use] = field(default_factory=dict)  # by share; "": of jobs without one
    unfinished: dict[str, Job] = field(default_factory=dict)  # children and nodes too

    def enter(self, job: Job) -> None:
        """A job was submitted."""
        self.unfinished[job.id] = job
        if job.parent is None:
            self.by_age.add(job)
            self.by_status[job.status].add(job)
            self.by_name.add(job)

    def move(self, job: Job, status: JobStatus) -> None:
        """A job changes its status; a node stands in no line, its job does."""
        before = job.status
        if job.node is None:
            if before is JobStatus.RUNNABLE:
                self._leave_line(job)
            self._use(job, (status in DISPATCHED) - (before in DISPATCHED))
        if job.parent is None:
            self.by_status[before].discard(job)
            self.by_status[status].add(job)
        if before.finished:  # a node of a job that is tried again
            self.unfinished[job.id] = job
        job.status = status
        if status is JobStatus.RUNNABLE and job.node is None:
            self._join_line(job)
        if status.finished:
            self.unfinished.pop(job.id, None)

    def _join_line(self, job: Job) -> None:
        if not self.line or job.order > self.line[-1].order:
            self.line.append(job)
        else:
            insort(self.line, job, key=_line_order)
        if share := share_of(job):
            insort(self.shares.setdefault(share, []), job, key=_share_order)

    def _leave_line(self, job: Job) -> None:
        del self.line[bisect_left(self.line, job.order, key=_line_order)]
        if share := share_of(job):
            waiting = self.shares[share]
            del waiting[bisect_left(waiting, _share_order(job), key=_share_order)]
            if not waiting:
                del self.shares[share]

    def _use(self, job: Job, change: int) -> None:
        """The job begins (1) or ends (-1) to take what it takes; a node is a part of its job."""
        if not change:
            return
        share = share_of(job)
        use = self.used.setdefault(share, Use())
        use.jobs += change
        use.vcpus += change * job.vcpus
        if not use.jobs:
            del self.used[share]

    def next_of(self, share: str, after: Job | None) -> Job | None:
        """Who goes next in a share, after that one, which may have left the line."""
        waiting = self.shares.get(share, [])
        at = 0 if after is None else bisect_right(waiting, _share_order(after), key=_share_order)
        return waiting[at] if at < len(waiting) else None

    def forget(self, job: Job) -> None:
        """AWS no longer knows the job."""
        self.by_age.discard(job)
        self.by_status[job.status].discard(job)
        self.by_name.discard(job)
