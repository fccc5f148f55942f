"""How one round of polling is made up: pure functions over the followed jobs.

For few jobs DescribeJobs alone, 100 ids a call. For many, ListJobs (1,000 a page) for the groups
of queue and state where that takes fewer calls, and DescribeJobs only for what changed.
"""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.settings import Cadence

DESCRIBED_AT_ONCE = 100
LISTED_AT_ONCE = 1000
FEW = 1000  # jobs of a scope that are described without any list: at most 10 calls a round
DESCRIBE_CALLS = 40  # in a round of many jobs, at most
REFRESH_CALLS = 20  # of these, at most, for jobs that only lists have shown for a long time


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
    misses: int = 0  # DescribeJobs answers in a row that left it out
    urgent: bool = False  # a list, or we ourselves, say that it has changed

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


def listed_now(
    scope: Scope,
    jobs: Mapping[str, Followed],
    pages: Mapping[Listing, int],
    *,
    cadence: Cadence,
    now: float,
) -> list[Listing]:
    """The lists worth reading; `pages` says how long some of them were the last time."""
    if len(jobs) <= FEW:
        return []
    groups: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for job in jobs.values():
        if not job.state or job.urgent:
            continue  # to be described anyway
        counts = groups[job.queue, job.state]
        counts[0] += 1
        counts[1] += job.due <= now + cadence.unit
    worth = []
    for (queue, state), (members, due) in groups.items():
        listing = Listing(scope, queue, state)
        expected = pages.get(listing, math.ceil(members / LISTED_AT_ONCE))
        if expected < math.ceil(due / DESCRIBED_AT_ONCE):
            worth.append(listing)
    return worth


def described_now(jobs: Mapping[str, Followed], *, cadence: Cadence, now: float) -> list[list[str]]:
    """The ids to describe, a call's worth each. What does not fit stays due."""
    due = sorted(
        (job for job in jobs.values() if job.due <= now),
        key=lambda job: (not job.urgent, job.due, job.job_id),
    )
    if len(jobs) > FEW:
        chosen = due[: DESCRIBE_CALLS * DESCRIBED_AT_ONCE]
        room = DESCRIBE_CALLS * DESCRIBED_AT_ONCE - len(chosen)
        room = min(room, REFRESH_CALLS * DESCRIBED_AT_ONCE)
        chosen += _stale(jobs, cadence=cadence, now=now)[:room]
    else:
        chosen = due + _company(jobs, len(due), cadence=cadence, now=now)
    ids = [job.job_id for job in chosen]
    return [ids[at : at + DESCRIBED_AT_ONCE] for at in range(0, len(ids), DESCRIBED_AT_ONCE)]


def _company(
    jobs: Mapping[str, Followed], due: int, *, cadence: Cadence, now: float
) -> list[Followed]:
    """Jobs that are due soon and fill up the last call, which is made anyway."""
    room = -due % DESCRIBED_AT_ONCE
    if not room:
        return []
    soon = [job for job in jobs.values() if now < job.due <= now + cadence.unit]
    return sorted(soon, key=lambda job: (job.due, job.job_id))[:room]


def _stale(jobs: Mapping[str, Followed], *, cadence: Cadence, now: float) -> list[Followed]:
    """Jobs that were long not read in full, the longest first."""
    stale = [
        job
        for job in jobs.values()
        if job.due > now and job.state and now - job.read_at >= cadence.refresh
    ]
    return sorted(stale, key=lambda job: (job.read_at, job.job_id))
