"""Finished jobs that AWS forgets before their time: `POST /_simulator/jobs`."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from awsbatch_simulator.batch.model import Job, JobStatus
from awsbatch_simulator.batch.transitions import forget
from awsbatch_simulator.model import Model
from awsbatch_simulator.region import Region

_FINISHED = tuple(status for status in JobStatus if status.finished)


class Order(Model):
    """Which of the finished jobs are forgotten now: those that are as each member says."""

    job_ids: tuple[str, ...] = ()  # empty: any
    job_queue: str = "*"  # a glob of the queue's name
    job_name: str = "*"  # a glob
    account: str = "*"  # a glob
    region: str = "*"  # a glob


def carry_out(regions: Iterable[Region], order: Order) -> int:
    """Forget them; how many there were. Children and nodes go with their parent."""
    found = [
        (region, job)
        for region in regions
        if fnmatchcase(region.place.account, order.account)
        and fnmatchcase(region.place.region, order.region)
        for job in _finished(region)
        if (not order.job_ids or job.id in order.job_ids)
        and fnmatchcase(job.queue.name, order.job_queue)
        and fnmatchcase(job.name, order.job_name)
    ]
    for region, job in found:
        forget(region, job)
    return len(found)


def _finished(region: Region) -> Iterator[Job]:
    for jobs in region.batch.by_queue.values():
        for status in _FINISHED:
            yield from jobs.by_status[status]
