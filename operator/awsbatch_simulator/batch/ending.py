"""CancelJob and TerminateJob, one job or fifty at a time."""

from collections.abc import Callable
from typing import Any

from awsbatch_simulator.batch import attempts
from awsbatch_simulator.batch.limits import BULK_JOBS, REASON_CHARACTERS, refusal
from awsbatch_simulator.batch.model import Job, JobStatus
from awsbatch_simulator.batch.transitions import fail_unstarted, settle
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
_NOT_STARTED = {JobStatus.SUBMITTED, JobStatus.PENDING, JobStatus.RUNNABLE}


def cancel_job(region: Region, request: Fields) -> Fields:
    """CancelJob: it succeeds even where nothing is cancelled."""
    return _one(region, request, cancel)


def terminate_job(region: Region, request: Fields) -> Fields:
    """TerminateJob: as CancelJob for jobs that do not run yet, and it stops those that do."""
    return _one(region, request, terminate)


def cancel_jobs(region: Region, request: Fields) -> Fields:
    """CancelJobs: unknown jobs count as successfully processed."""
    return _many(region, request, cancel)


def terminate_jobs(region: Region, request: Fields) -> Fields:
    """TerminateJobs: unknown jobs count as successfully processed."""
    return _many(region, request, terminate)


def _check_reason(request: Fields) -> None:
    if len(request["reason"]) > REASON_CHARACTERS:
        raise refusal(f"reason can have up to {REASON_CHARACTERS} characters")


def _one(region: Region, request: Fields, end: Callable[[Region, Job, str], None]) -> Fields:
    _check_reason(request)
    job = region.batch.jobs.get(request["jobId"])
    if job is not None:
        end(region, job, request["reason"])
    return {}


def _many(region: Region, request: Fields, end: Callable[[Region, Job, str], None]) -> Fields:
    _check_reason(request)
    if len(request["jobs"]) > BULK_JOBS:
        raise refusal(f"Up to {BULK_JOBS} jobs at a time, not {len(request['jobs'])}")
    for job_id in request["jobs"]:
        if (job := region.batch.jobs.get(job_id)) is not None:
            end(region, job, request["reason"])
    return {"successful": list(request["jobs"]), "errors": []}


def cancel(region: Region, job: Job, reason: str) -> None:
    """End a job that has not started; nothing happens to any other, nor to a single node."""
    if job.node is not None:
        return
    for child in job.children:
        cancel(region, child, reason)
    if job.status in _NOT_STARTED:
        job.cancelled, job.end_reason, job.fragment = True, reason, None
        _end_soon(region, job)


def terminate(region: Region, job: Job, reason: str) -> None:
    """End a job, whatever it is doing; of a node only what runs: it is placed with the others."""
    if job.status.finished or (job.node is not None and job.status in _NOT_STARTED):
        return
    for child in () if job.nodes else job.children:
        terminate(region, child, reason)
    job.terminated, job.end_reason, job.fragment = True, reason, None
    _end_soon(region, job)


def end_with_queue(region: Region, job: Job, reason: str) -> None:
    """End a job whose queue is deleted: a PENDING one does not wait for its dependencies."""
    if job.node is not None:  # it ends with its job
        return
    if job.status in _NOT_STARTED and not job.released:
        job.terminated, job.end_reason, job.fragment = True, reason, None
        delay = region.world.settings.delays.job_ending
        region.world.clock.call_after(delay, _fail, region, job)
    else:
        terminate(region, job, reason)


def _fail(region: Region, job: Job) -> None:
    if job.status in _NOT_STARTED:
        fail_unstarted(region, job, job.end_reason)
    else:
        _end(region, job)


def _end_soon(region: Region, job: Job) -> None:
    delay = region.world.settings.delays.job_ending
    region.world.clock.call_after(delay, _end, region, job)


def _end(region: Region, job: Job) -> None:
    """The effect. PENDING jobs wait until their dependencies end; a cancel never stops a task."""
    match job.status:
        case JobStatus.SUBMITTED | JobStatus.RUNNABLE:
            fail_unstarted(region, job, job.end_reason)
        case JobStatus.PENDING:
            settle(region, job)
        case JobStatus.STARTING | JobStatus.RUNNING if job.terminated:
            attempts.stop(region, job)
        case _:
            pass
