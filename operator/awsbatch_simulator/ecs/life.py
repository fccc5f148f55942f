"""How container instances join clusters and leave them.

Sources: DeregisterContainerInstance; ECS Developer Guide "Amazon ECS container instance lifecycle"
(a terminated one is INACTIVE at once and described for an hour more; a stopped one stays ACTIVE
without a connected agent).
"""

from awsbatch_simulator.batch import attempts
from awsbatch_simulator.batch.wake import look_soon
from awsbatch_simulator.ecs.model import Cluster, ContainerInstance, InstanceStatus
from awsbatch_simulator.region import Region

DESCRIBED_SECONDS = 3600.0  # after it was deregistered


def join(region: Region, cluster: Cluster, instance: ContainerInstance) -> None:
    """An agent has registered: jobs can be placed on the instance."""
    instance.cpu_left, instance.memory_left = instance.cpu, instance.memory
    instance.gpus_left = instance.gpus
    instance.idle_since = region.world.clock.now()
    region.ecs.enter(cluster, instance)
    look_soon(region, seconds=0)


def leave(region: Region, cluster: Cluster, instance: ContainerInstance, reason: str) -> None:
    """The instance is deregistered; what runs on it is lost for Batch."""
    instance.status, instance.agent_connected = InstanceStatus.INACTIVE, False
    instance.version += 1
    region.ecs.remove(cluster, instance)
    cluster.deregistered[instance.arn] = instance
    region.world.clock.call_after(DESCRIBED_SECONDS, cluster.deregistered.pop, instance.arn, None)
    _lose_tasks(region, instance, reason)


def _lose_tasks(region: Region, instance: ContainerInstance, reason: str) -> None:
    for task in list(instance.tasks.values()):
        attempts.lose(region, task.job, reason)


def connected(region: Region, instance: ContainerInstance) -> bool:
    """Whether the agent is connected to ECS, which a fault may say it is not."""
    if not instance.agent_connected:
        return False
    fault = region.world.faults.active(
        "agent_disconnected",
        instanceId=instance.ec2_instance_id,
        containerInstance=instance.arn,
    )
    return fault is None


def host_gone(region: Region, ec2_instance_id: str) -> None:
    """EC2 has terminated the instance: ECS deregisters what was connected, and nothing else."""
    reason = f"Host EC2 (instance {ec2_instance_id}) terminated."
    for cluster, instance in region.ecs.of_host(ec2_instance_id):
        if connected(region, instance):
            leave(region, cluster, instance, reason)
        else:
            _disconnect(region, instance, reason)


def host_stopped(region: Region, ec2_instance_id: str) -> None:
    """EC2 has stopped the instance: it stays registered, and its tasks are lost."""
    for _, instance in region.ecs.of_host(ec2_instance_id):
        _disconnect(region, instance, f"Host EC2 (instance {ec2_instance_id}) stopped.")


def _disconnect(region: Region, instance: ContainerInstance, reason: str) -> None:
    if instance.agent_connected:
        instance.agent_connected = False
        instance.version += 1
    _lose_tasks(region, instance, reason)


def connect(region: Region, ec2_instance_id: str) -> None:
    """The agents of a host that was started again are the container instances that they were."""
    for _, instance in region.ecs.of_host(ec2_instance_id):
        instance.agent_connected = True
        instance.version += 1
    look_soon(region, seconds=0)


def drain_host(region: Region, ec2_instance_id: str) -> None:
    """The agents of a host set themselves to DRAINING."""
    for _, instance in region.ecs.of_host(ec2_instance_id):
        if instance.status is InstanceStatus.ACTIVE:
            instance.status = InstanceStatus.DRAINING
            instance.version += 1


def deactivate(region: Region, cluster_arn: str) -> None:
    """A deleted cluster stays visible as INACTIVE."""
    cluster = region.ecs.cluster(cluster_arn)
    if cluster is not None:
        cluster.active = False
        for instance in list(cluster.instances.values()):
            leave(region, cluster, instance, "The cluster was deleted")
