"""One attempt of a job: placed, started, run, ended; then another one, or the job's end."""

from functools import partial
from typing import Any

from awsbatch_simulator.batch import retry
from awsbatch_simulator.batch.model import FARGATE_SPOT, Environment, Job, JobStatus
from awsbatch_simulator.batch.orders import EXITED, TIMED_OUT, task_refusal, work_order
from awsbatch_simulator.batch.transitions import finish, move
from awsbatch_simulator.batch.wake import look_soon
from awsbatch_simulator.ec2.disks import root_device
from awsbatch_simulator.ecs import tasks
from awsbatch_simulator.ecs.model import ContainerInstance, Task
from awsbatch_simulator.region import Region
from awsbatch_simulator.runners.base import Ended
from awsbatch_simulator.runners.start import start_run, starting_seconds

INTERRUPTED = "Your Spot Task was interrupted."


def place(
    region: Region, job: Job, environment: Environment, instance: ContainerInstance | None
) -> None:
    """STARTING: a task holds its part of an instance, or of the Fargate environment.

    A task that ECS does not take ends the job; no attempt is counted.
    """
    if (reason := task_refusal(job)) is not None:
        finish(region, job, JobStatus.FAILED, reason)
        return
    job.environment = environment
    job.task = tasks.create(region, environment.cluster_arn, job, instance)
    if instance is None:
        environment.fargate_vcpus += job.vcpus
    job.outcome = {"taskArn": job.task.arn}
    if instance is not None:
        job.outcome["containerInstanceArn"] = instance.arn
    move(region, job, JobStatus.STARTING)
    delay = starting_seconds(region, work_order(job, region.place))
    job.timers.append(region.world.clock.call_after(delay, _run, region, job, job.task.arn))


def _run(region: Region, job: Job, task_arn: str) -> None:
    """RUNNING: the container's command runs, by whichever runner is set."""
    if job.task is None or job.task.arn != task_arn or job.status is not JobStatus.STARTING:
        return
    work = work_order(job, region.place, root_gib=_root_gib(region, job.task))
    done = partial(_ended, region, job, task_arn)
    job.run = start_run(region, work, done)
    if job.run is None:  # the container never started
        return
    job.outcome["logStreamName"] = work.log_stream
    job.started_at = region.now_ms()
    tasks.started(region, job.task)
    move(region, job, JobStatus.RUNNING)
    if job.timeout_seconds:
        timer = region.world.clock.call_after(job.timeout_seconds, _time_out, region, job, task_arn)
        job.timers.append(timer)
    _interrupt_later(region, job)


def _root_gib(region: Region, task: Task) -> int:
    """The size of the root disk that the task's containers are on; 0 on Fargate."""
    host = (
        None if task.instance is None else region.ec2.instances.get(task.instance.ec2_instance_id)
    )
    if host is None:
        return 0
    root = root_device(host.image)
    return next((each.size for each in host.volumes if each.device == root), 0)


def _interrupt_later(region: Region, job: Job) -> None:
    """Fargate Spot takes its capacity back, if a fault says so.

    Source of the words: ECS Developer Guide, "Fargate capacity providers".
    """
    environment = job.environment
    if environment is None or environment.kind != FARGATE_SPOT:
        return
    fault = region.world.faults.active(
        "spot_task_interrupted", computeEnvironment=environment.name, jobName=job.name
    )
    if fault is not None:
        seconds = fault.spec.seconds
        job.timers.append(region.world.clock.call_after(seconds, lose, region, job, INTERRUPTED))


def _time_out(region: Region, job: Job, task_arn: str) -> None:
    if job.task is not None and job.task.arn == task_arn:
        job.timed_out = True
        stop(region, job)


def stop(region: Region, job: Job) -> None:
    """End what runs. A job that is STARTING has no process yet: it fails at once."""
    if job.run is not None:
        job.run.stop()
    elif job.task is not None:
        _ended(region, job, job.task.arn, Ended(None, status_reason=job.end_reason))


def lose(region: Region, job: Job, reason: str) -> None:
    """The host is gone, and the task with it; whatever its process still says is ignored."""
    run, task = job.run, job.task
    if task is None:
        return
    _ended(region, job, task.arn, Ended(None, status_reason=reason))
    if run is not None:
        run.stop()


def _ended(region: Region, job: Job, task_arn: str, ended: Ended) -> None:
    """An attempt is over. News of an attempt that is over already is ignored."""
    if job.task is None or job.task.arn != task_arn or job.status.finished:
        return
    status_reason, stopped = _status_reason(job, ended), region.now_ms()
    _close(region, job, ended, status_reason, stopped)
    number = len(job.attempts)
    if job.terminated:
        finish(region, job, JobStatus.FAILED, status_reason, at=stopped)
    elif job.timed_out:
        finish(region, job, JobStatus.FAILED, TIMED_OUT, at=stopped)
    elif ended.exit_code == 0:
        finish(region, job, JobStatus.SUCCEEDED, status_reason, at=stopped)
    elif job.cancelled:  # too late to keep it from starting, in time to keep it from a retry
        finish(region, job, JobStatus.FAILED, job.end_reason, at=stopped)
    elif retry.retries(
        attempt=number,
        allowed=job.attempts_allowed,
        rules=job.retry_rules,
        status_reason=status_reason,
        reason=ended.reason,
        exit_code=ended.exit_code,
    ):
        move(region, job, JobStatus.RUNNABLE)
    else:
        finish(region, job, JobStatus.FAILED, status_reason, at=stopped)
    look_soon(region)


def _status_reason(job: Job, ended: Ended) -> str:
    if job.terminated:
        return job.end_reason
    if job.timed_out:
        return TIMED_OUT
    if ended.exit_code is None:
        return ended.status_reason or "Task failed to start"
    return ended.status_reason or EXITED


def _close(region: Region, job: Job, ended: Ended, status_reason: str, stopped: int) -> None:
    """Free the task's room and write the attempt down."""
    if job.task is not None:
        tasks.ended(region, job.task, status_reason)
    if job.task is not None and job.task.instance is None and job.environment is not None:
        job.environment.fargate_vcpus -= job.vcpus
    job.task, job.run = None, None
    for timer in job.timers:
        timer.cancel()
    job.timers.clear()
    if ended.exit_code is not None:
        job.outcome["exitCode"] = ended.exit_code
    if ended.reason:
        job.outcome["reason"] = ended.reason[:255]
    attempt: dict[str, Any] = {
        "container": {**job.outcome, "networkInterfaces": []},
        "stoppedAt": stopped,
        "statusReason": status_reason,
        "taskProperties": [],
    }
    if job.started_at is not None and "logStreamName" in job.outcome:
        attempt["startedAt"] = job.started_at
    job.attempts.append(attempt)
    job.fragment = None
