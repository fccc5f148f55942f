"""How jobs change their status, and what that means for those who wait for them.

SUBMITTED, then PENDING while a job depends on others, RUNNABLE until the scheduler finds room,
STARTING, RUNNING, and SUCCEEDED or FAILED. The parent of an array is PENDING while its children
run.
Sources: "Job states" and "Array jobs" in the user guide.
"""

from awsbatch_simulator.batch import events
from awsbatch_simulator.batch.model import Job, JobStatus
from awsbatch_simulator.batch.wake import look_soon
from awsbatch_simulator.hosting import JobEvent
from awsbatch_simulator.region import Region

DEPENDENCY_FAILED = "Dependent Job failed"
CHILD_FAILED = "Array Child Job failed"
_TOGETHER = {JobStatus.PENDING, JobStatus.RUNNABLE}  # where nodes are wherever their job is


def move(region: Region, job: Job, status: JobStatus, reason: str | None = None) -> None:
    """Change the status; the one way to do it."""
    before, now = job.status, region.now_ms()
    jobs = region.batch.queue_jobs(job.queue)
    if before is JobStatus.RUNNABLE:
        jobs.line_moved_at = now
    jobs.move(job, status)
    job.status_reason, job.fragment = reason, None
    job.moved_at, job.head_since = now, None
    if job.parent is not None and job.index is not None:
        _child_moved(region, job.parent, before, status)
    if job.nodes and status in _TOGETHER:
        _move_nodes(region, job, status)
    events.tell(region, JobEvent.STATE_CHANGE, job)
    runnable = JobStatus.RUNNABLE
    if job.node is None and (status is runnable or (before is runnable and status.finished)):
        look_soon(region)  # one more in the line, or one less in the way of the others


def _move_nodes(region: Region, job: Job, status: JobStatus) -> None:
    """The nodes go along with their job, also when all of it is tried again."""
    for node in job.children:
        node.stopped_at, node.terminated, node.end_reason = None, False, ""
        move(region, node, status)


def _child_moved(region: Region, parent: Job, before: JobStatus, after: JobStatus) -> None:
    """Count the child anew; the parent ends when all of them have.

    A parent that was cancelled or terminated has FAILED then, also when its children had all begun
    to run before and have SUCCEEDED: it is "cancelled when all child jobs are completed", says
    CancelJob.
    """
    parent.summary[before] -= 1
    parent.summary[after] += 1
    parent.summary_at = region.now_ms()
    parent.fragment = None
    failed = parent.summary[JobStatus.FAILED]
    if failed + parent.summary[JobStatus.SUCCEEDED] == parent.array_size and parent.released:
        if parent.cancelled or parent.terminated:
            finish(region, parent, JobStatus.FAILED, parent.end_reason)
        elif failed:
            finish(region, parent, JobStatus.FAILED, CHILD_FAILED)
        else:
            finish(region, parent, JobStatus.SUCCEEDED, None)


def wait_for(job: Job, other: Job) -> None:
    """Make a job wait for another, unless that one has ended already."""
    if other.status is JobStatus.FAILED:
        job.dependency_failed = True
    elif other.status is not JobStatus.SUCCEEDED:
        job.waits_for.add(other.id)
        other.dependents.append(job)


def finish(
    region: Region, job: Job, status: JobStatus, reason: str | None, *, at: int | None = None
) -> None:
    """The job's end: those that depend on it go on or fail with it; AWS forgets it in a week.

    `at` is when its last attempt stopped, if it ends with one: the two are the same moment.
    """
    if job.status.finished:
        return
    job.stopped_at = region.now_ms() if at is None else at
    for timer in job.timers:
        timer.cancel()
    job.timers.clear()
    move(region, job, status, reason)
    for dependent in job.dependents:
        region.world.clock.call_after(0, _dependency_ended, region, dependent, job)
    job.dependents.clear()
    if job.parent is None:
        delay = region.world.settings.delays.job_forgotten
        job.timers.append(region.world.clock.call_after(delay, forget, region, job))


def _dependency_ended(region: Region, job: Job, other: Job) -> None:
    job.waits_for.discard(other.id)
    if other.status is JobStatus.FAILED:
        job.dependency_failed = True
    settle(region, job)


def settle(region: Region, job: Job) -> None:
    """A job that has not started, with dependencies that may have changed: fail it or let it go.

    A cancel of a PENDING job takes effect here: once its dependencies have ended.
    """
    if job.status not in {JobStatus.SUBMITTED, JobStatus.PENDING} or job.released:
        return
    if job.dependency_failed:
        fail_unstarted(region, job, DEPENDENCY_FAILED)
    elif job.waits_for:
        return
    elif job.cancelled or job.terminated:
        fail_unstarted(region, job, job.end_reason)
    elif job.array_size:
        _release(region, job)
    else:
        move(region, job, JobStatus.RUNNABLE)


def _release(region: Region, parent: Job) -> None:
    """Nothing keeps the array any more: each child goes its own way."""
    move(region, parent, JobStatus.PENDING)
    parent.released = True
    for child in parent.children:
        child.waits_for.discard(parent.id)
        settle(region, child)


def fail_unstarted(region: Region, job: Job, reason: str) -> None:
    """FAILED without ever having run; an array fails with its children, and so do nodes."""
    for child in job.children:
        finish(region, child, JobStatus.FAILED, reason)
    finish(region, job, JobStatus.FAILED, reason)


def forget(region: Region, job: Job) -> None:
    """AWS no longer knows a job that has ended, nor its children."""
    for timer in job.timers:
        timer.cancel()
    for each in (job, *job.children):
        region.batch.jobs.pop(each.id, None)
    region.batch.queue_jobs(job.queue).forget(job)
