"""Tasks of jobs: they take room on a container instance and give it back."""

from typing import TYPE_CHECKING

from awsbatch_simulator.ecs.model import CPU_UNITS, ContainerInstance, Task, TaskStatus
from awsbatch_simulator.errors import server_exception
from awsbatch_simulator.region import Region

if TYPE_CHECKING:
    from awsbatch_simulator.batch.model import Job

FORGOTTEN_SECONDS = 3600.0  # ECS shows stopped tasks for an hour


def create(
    region: Region, cluster_arn: str, job: "Job", instance: ContainerInstance | None
) -> Task:
    """A task in a cluster, on an instance or (without one) on Fargate."""
    cluster = region.ecs.cluster(cluster_arn)
    if cluster is None:
        raise server_exception(f"{cluster_arn} is gone")
    task_id = region.world.hex_id(32)
    task = Task(
        arn=region.arn("ecs", f"task/{cluster.name}/{task_id}"),
        id=task_id,
        cluster=cluster,
        job=job,
        cpu=int(job.vcpus * CPU_UNITS),
        memory=job.memory,
        gpus=job.gpus,
        created_at=region.world.clock.now(),
        instance=instance,
    )
    cluster.tasks[task.arn] = task
    if instance is not None:
        instance.cpu_left -= task.cpu
        instance.memory_left -= task.memory
        instance.gpus_left -= task.gpus
        instance.tasks[task.arn] = task
        instance.has_worked = True
        instance.version += 1
    return task


def started(region: Region, task: Task) -> None:
    """The container runs."""
    task.status = TaskStatus.RUNNING
    task.started_at = region.world.clock.now()


def ended(region: Region, task: Task, reason: str) -> None:
    """The task's room is free again."""
    now = region.world.clock.now()
    task.status, task.stopped_reason = TaskStatus.STOPPED, reason
    region.world.clock.call_after(FORGOTTEN_SECONDS, task.cluster.tasks.pop, task.arn, None)
    instance = task.instance
    if instance is not None and instance.tasks.pop(task.arn, None) is not None:
        instance.cpu_left += task.cpu
        instance.memory_left += task.memory
        instance.gpus_left += task.gpus
        instance.version += 1
        if not instance.tasks:
            instance.single_tenant = False
            instance.idle_since = now
