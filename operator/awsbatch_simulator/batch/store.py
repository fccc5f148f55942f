"""Everything of Batch in one place, with the indexes that keep look-ups cheap.

Jobs are found by id, by queue and status, by queue and name, and by queue in order of age, so that
100,000 jobs cost no more per call than a hundred.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from awsbatch_simulator.batch.model import (
    Definition,
    Environment,
    Job,
    JobStatus,
    Policy,
    Queue,
)
from awsbatch_simulator.clock import Timer

Thing = TypeVar("Thing", Environment, Queue)


def _line_order(job: Job) -> tuple[int, int]:
    return job.order


@dataclass(slots=True)
class QueueJobs:
    """The jobs of one queue; children of arrays stand only in the line."""

    by_age: dict[int, Job] = field(default_factory=dict)  # by number, oldest first
    by_status: dict[JobStatus, dict[int, Job]] = field(
        default_factory=lambda: {status: {} for status in JobStatus}
    )
    by_name: dict[str, dict[int, Job]] = field(default_factory=dict)  # names in lower case
    line: list[Job] = field(default_factory=list)  # RUNNABLE, in order of dispatch
    line_moved_at: int = 0  # when a job left the line last
    unfinished: dict[str, Job] = field(default_factory=dict)  # children too

    def enter(self, job: Job) -> None:
        """A job was submitted."""
        self.unfinished[job.id] = job
        if job.parent is None:
            number = job.order[0]
            self.by_age[number] = job
            self.by_status[job.status][number] = job
            self.by_name.setdefault(job.name.lower(), {})[number] = job

    def move(self, job: Job, status: JobStatus) -> None:
        """A job changes its status."""
        if job.status is JobStatus.RUNNABLE:
            del self.line[bisect_left(self.line, job.order, key=_line_order)]
        if job.parent is None:
            self.by_status[job.status].pop(job.order[0], None)
            self.by_status[status][job.order[0]] = job
        job.status = status
        if status is JobStatus.RUNNABLE:
            insort(self.line, job, key=_line_order)
        if status.finished:
            self.unfinished.pop(job.id, None)

    def forget(self, job: Job) -> None:
        """AWS no longer knows the job."""
        number = job.order[0]
        self.by_age.pop(number, None)
        self.by_status[job.status].pop(number, None)
        named = self.by_name.get(job.name.lower())
        if named is not None:
            named.pop(number, None)
            if not named:
                del self.by_name[job.name.lower()]

    def newest_first(self) -> Iterator[Job]:
        """All jobs but children, the youngest first."""
        return reversed(self.by_age.values())


@dataclass(slots=True)
class BatchStore:
    """All of Batch in one account and region."""

    environments: dict[str, Environment] = field(default_factory=dict)  # by name
    queues: dict[str, Queue] = field(default_factory=dict)  # by name
    # DELETED, by name, while they are still described to those who ask for them:
    deleted_environments: dict[str, Environment] = field(default_factory=dict)
    deleted_queues: dict[str, Queue] = field(default_factory=dict)
    definitions: dict[str, dict[int, Definition]] = field(default_factory=dict)
    last_revision: dict[str, int] = field(default_factory=dict)  # never counted back
    policies: dict[str, Policy] = field(default_factory=dict)  # by ARN
    jobs: dict[str, Job] = field(default_factory=dict)  # by id, children included
    by_queue: dict[str, QueueJobs] = field(default_factory=dict)  # by queue ARN
    relations: dict[str, set[str]] = field(default_factory=dict)  # environment ARN: queue ARNs
    next_number: int = 0
    next_look: Timer | None = None
    look: Callable[[Any], None] = lambda _: None  # the scheduler, once Batch is in use

    def queue_jobs(self, queue: Queue) -> QueueJobs:
        """The jobs of a queue."""
        jobs = self.by_queue.get(queue.arn)
        if jobs is None:
            jobs = self.by_queue[queue.arn] = QueueJobs()
        return jobs

    def number(self) -> int:
        """A number that grows with each job: its age."""
        self.next_number += 1
        return self.next_number

    def environment(self, reference: str) -> Environment | None:
        """An environment by name or ARN."""
        return _named(self.environments, reference, "compute-environment/")

    def queue(self, reference: str) -> Queue | None:
        """A queue by name or ARN."""
        return _named(self.queues, reference, "job-queue/")

    def deleted_environment(self, reference: str) -> Environment | None:
        """An environment by name or ARN that was deleted a while ago."""
        return _named(self.deleted_environments, reference, "compute-environment/")

    def deleted_queue(self, reference: str) -> Queue | None:
        """A queue by name or ARN that was deleted a while ago."""
        return _named(self.deleted_queues, reference, "job-queue/")

    def queues_of(self, environment: Environment) -> list[Queue]:
        """The queues that name the environment today."""
        return [queue for queue in self.queues.values() if environment.arn in queue.environments]


def _named(things: dict[str, Thing], reference: str, kind: str) -> Thing | None:
    if not reference.startswith("arn:"):
        return things.get(reference)
    found = things.get(reference.rpartition(kind)[2])
    return found if found is not None and found.arn == reference else None
