"""One attempt of a job: placed, started, run, ended; then another one, or the job's end.

A multi-node parallel job has a task for each of its nodes: all are placed together, the others
start when the main node runs, and the main node's end is that of the attempt.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from awsbatch_simulator.batch import retry, several
from awsbatch_simulator.batch.model import FARGATE_SPOT, Environment, Job, JobStatus
from awsbatch_simulator.batch.orders import EXITED, TIMED_OUT, containers, task_refusal, work_order
from awsbatch_simulator.batch.transitions import fail_unstarted, finish, move
from awsbatch_simulator.batch.wake import look_soon
from awsbatch_simulator.ec2.disks import root_device
from awsbatch_simulator.ecs import tasks
from awsbatch_simulator.ecs.model import ContainerInstance, Task
from awsbatch_simulator.region import Region
from awsbatch_simulator.runners.base import Ended
from awsbatch_simulator.runners.script import KILLED
from awsbatch_simulator.runners.start import start_run, start_several, starting_seconds
from awsbatch_simulator.settings import JobRunner

INTERRUPTED = "Your Spot Task was interrupted."
MAIN_NODE_ENDED = "The main node has ended"
LOOPBACK = "127.0.0.1"


def place(
    region: Region, job: Job, environment: Environment, hosts: Sequence[ContainerInstance | None]
) -> None:
    """STARTING: each part's task holds its part of an instance, or of the Fargate environment.

    `hosts` has one for each part. Of a multi-node parallel job all nodes have their room at once,
    and the main node starts first. A task that ECS does not take ends the job; no attempt is
    counted.
    """
    for part in job.parts:
        if (reason := task_refusal(part)) is not None:
            fail_unstarted(region, job, reason)
            return
    for part, host in zip(job.parts, hosts, strict=True):
        _hold(region, part, environment, host)
    job.environment = environment
    if job.nodes:
        move(region, job, JobStatus.STARTING)
    _start(region, job.leading)


def _hold(
    region: Region, job: Job, environment: Environment, host: ContainerInstance | None
) -> None:
    job.environment = environment
    job.task = tasks.create(region, environment.cluster_arn, job, host)
    job.outcome, job.outcomes = {"taskArn": job.task.arn}, {}
    if host is None:
        environment.fargate_vcpus += job.vcpus
        return
    job.outcome["containerInstanceArn"] = host.arn
    if job.node is not None:
        host.single_tenant = True
        job.outcome["networkInterfaces"] = [
            {"attachmentId": region.world.uuid(), "privateIpv4Address": _address(region, host)}
        ]


def _address(region: Region, host: ContainerInstance) -> str:
    """Where nodes find each other: with the process runner all of them run on this machine."""
    if region.world.settings.job_runner is JobRunner.PROCESS:
        return LOOPBACK
    instance = region.ec2.instances.get(host.ec2_instance_id)
    return "" if instance is None else instance.interfaces[0].address


def _start(region: Region, job: Job) -> None:
    """The container's image is pulled, and the container started."""
    if job.task is None:  # a node whose instance has gone meanwhile
        return
    move(region, job, JobStatus.STARTING)
    delay = starting_seconds(region, partial(work_order, job, region.place))
    job.timers.append(region.world.clock.call_after(delay, _run, region, job, job.task.arn))


def _run(region: Region, job: Job, task_arn: str) -> None:
    """RUNNING: the container's command runs, by whichever runner is set."""
    if job.task is None or job.task.arn != task_arn or job.status is not JobStatus.STARTING:
        return
    task, root_gib = job.task, _root_gib(region, job.task)
    done = partial(_ended, region, job, task_arn)
    if job.several:
        parts = containers(job, region.place, root_gib=root_gib)
        job.outcomes = {each.name: {"logStreamName": each.work.log_stream} for each in parts}
        job.run = start_several(region, parts, done)
    else:
        work = work_order(job, region.place, root_gib=root_gib)
        job.run = start_run(region, work, done)
        if job.run is not None:
            job.outcome["logStreamName"] = work.log_stream
    if job.run is None:  # no container has started
        return
    job.started_at = region.now_ms()
    tasks.started(region, task)
    move(region, job, JobStatus.RUNNING)
    if job.leads:
        _time_limit(region, job, task_arn)
    if job.node is not None and job.leads:
        _main_node_runs(region, job)
    _interrupt_later(region, job)


def _time_limit(region: Region, job: Job, task_arn: str) -> None:
    """Of a job, or of all nodes as a whole: from the start of the main one."""
    if job.timeout_seconds:
        timer = region.world.clock.call_after(job.timeout_seconds, _time_out, region, job, task_arn)
        job.timers.append(timer)


def _main_node_runs(region: Region, main: Job) -> None:
    """The job is RUNNING with its main node, and now the other ones start."""
    whole = main.whole
    whole.started_at = main.started_at
    move(region, whole, JobStatus.RUNNING)
    for node in whole.children:
        if node is not main:
            _start(region, node)


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
        job.whole.timed_out = True
        stop(region, job)


def stop(region: Region, job: Job) -> None:
    """End what runs. A job that is STARTING has no process yet: it fails at once.

    Of a multi-node parallel job the main node is ended, and the others with it.
    """
    part = job.leading
    if part.run is not None:
        part.run.stop()
    elif part.task is not None:
        _ended(region, part, part.task.arn, Ended(None, status_reason=job.end_reason))


def lose(region: Region, job: Job, reason: str) -> None:
    """The host is gone, and the task with it; whatever its process still says is ignored."""
    run, task = job.run, job.task
    if task is None:
        return
    _ended(region, job, task.arn, Ended(None, status_reason=reason))
    if run is not None:
        run.stop()


def _ended(region: Region, job: Job, task_arn: str, ended: Ended) -> None:
    """A task is over. News of one that is over already is ignored.

    A node that is not the main one ends for itself: Batch does nothing about the others.
    """
    if job.task is None or job.task.arn != task_arn or job.status.finished:
        return
    judged = job.whole if job.leads else job
    status_reason, stopped = _status_reason(judged, ended), region.now_ms()
    _close(region, job, ended, status_reason, stopped)
    if not job.leads:
        _finish_node(region, job, ended, stopped)
    elif job.node is None:
        _judge(region, job, ended, status_reason, stopped)
    else:
        _end_nodes(region, job)
        whole = job.whole
        whole.attempts.append(job.attempts[-1])
        _judge(region, whole, ended, status_reason, stopped)
        if whole.status.finished:
            _finish_node(region, job, ended, stopped)
    look_soon(region)


def _end_nodes(region: Region, main: Job) -> None:
    """The main node has ended, and the others are stopped. Source: "Job lifecycle for MNP jobs"."""
    for node in main.whole.children:
        run, task = node.run, node.task
        if node is main or task is None:
            continue
        began = node.run is not None
        ended = Ended(KILLED if began else None, status_reason=MAIN_NODE_ENDED)
        _ended(region, node, task.arn, ended)
        if run is not None:
            run.stop()


def _finish_node(region: Region, node: Job, ended: Ended, stopped: int) -> None:
    status = JobStatus.SUCCEEDED if ended.exit_code == 0 else JobStatus.FAILED
    reason = str(node.attempts[-1]["statusReason"])
    finish(region, node, status, reason, at=stopped)


def _judge(region: Region, job: Job, ended: Ended, status_reason: str, stopped: int) -> None:
    """An attempt is over: another one follows, or it is the job's end."""
    if job.terminated:
        finish(region, job, JobStatus.FAILED, status_reason, at=stopped)
    elif job.timed_out:
        finish(region, job, JobStatus.FAILED, TIMED_OUT, at=stopped)
    elif ended.exit_code == 0:
        finish(region, job, JobStatus.SUCCEEDED, status_reason, at=stopped)
    elif job.cancelled:  # too late to keep it from starting, in time to keep it from a retry
        finish(region, job, JobStatus.FAILED, job.end_reason, at=stopped)
    elif retry.retries(
        attempt=len(job.attempts),
        allowed=job.attempts_allowed,
        rules=job.retry_rules,
        status_reason=status_reason,
        reason=ended.reason,
        exit_code=ended.exit_code,
    ):
        move(region, job, JobStatus.RUNNABLE)
    else:
        finish(region, job, JobStatus.FAILED, status_reason, at=stopped)


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
    began = job.task is not None and job.task.started_at is not None
    if job.task is not None:
        tasks.ended(region, job.task, status_reason)
    if job.task is not None and job.task.instance is None and job.environment is not None:
        job.environment.fargate_vcpus -= job.vcpus
    job.task, job.run = None, None
    for timer in job.timers:
        timer.cancel()
    job.timers.clear()
    if ended.exit_code is not None and not job.several:
        job.outcome["exitCode"] = ended.exit_code
    if ended.reason and not job.several:
        job.outcome["reason"] = ended.reason[:255]
    attempt: dict[str, Any] = {
        "container": {} if job.several else {"networkInterfaces": [], **job.outcome},
        "stoppedAt": stopped,
        "statusReason": status_reason,
        "taskProperties": several.ended(job, ended.parts),
    }
    if job.started_at is not None and began:
        attempt["startedAt"] = job.started_at
    job.attempts.append(attempt)
    job.fragment = None
