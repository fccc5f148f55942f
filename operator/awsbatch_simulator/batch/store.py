"""Everything of Batch in one place, with the indexes that keep look-ups cheap.

Jobs are found by id, and in the lines of their queue (`lines.py`).
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from awsbatch_simulator.batch.lines import QueueJobs
from awsbatch_simulator.batch.model import Definition, Environment, Job, Policy, Queue
from awsbatch_simulator.clock import Timer

Thing = TypeVar("Thing", Environment, Queue)


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
    described: deque[str] = field(default_factory=deque)  # ids of jobs whose details are kept
    by_queue: dict[str, QueueJobs] = field(default_factory=dict)  # by queue ARN
    relations: dict[str, set[str]] = field(default_factory=dict)  # environment ARN: queue ARNs
    next_number: int = 0
    next_look: Timer | None = None
    placements_left: float = 0.0  # what the setting `placementRate` still lets it place
    placements_at: float = 0.0  # epoch seconds: when that was
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
