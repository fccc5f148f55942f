"""How container instances join clusters and leave them."""

from awsbatch_simulator.batch import attempts
from awsbatch_simulator.batch.wake import look_soon
from awsbatch_simulator.ecs.model import Cluster, ContainerInstance, InstanceStatus
from awsbatch_simulator.region import Region


def join(region: Region, cluster: Cluster, instance: ContainerInstance) -> None:
    """An agent has registered: jobs can be placed on the instance."""
    instance.cpu_left, instance.memory_left = instance.cpu, instance.memory
    instance.idle_since = region.world.clock.now()
    cluster.instances[instance.arn] = instance
    region.ecs.by_ec2_id[instance.ec2_instance_id] = (cluster, instance)
    look_soon(region, seconds=0)


def leave(region: Region, cluster: Cluster, instance: ContainerInstance, reason: str) -> None:
    """The instance is deregistered; what runs on it is lost for Batch."""
    instance.status, instance.agent_connected = InstanceStatus.INACTIVE, False
    cluster.instances.pop(instance.arn, None)
    region.ecs.by_ec2_id.pop(instance.ec2_instance_id, None)
    for task in list(instance.tasks.values()):
        attempts.lose(region, task.job, reason)


def host_gone(region: Region, ec2_instance_id: str) -> None:
    """ECS deregisters an instance that EC2 has terminated."""
    if (found := region.ecs.by_ec2_id.get(ec2_instance_id)) is not None:
        leave(region, *found, f"Host EC2 (instance {ec2_instance_id}) terminated.")


def deactivate(region: Region, cluster_arn: str) -> None:
    """A deleted cluster stays visible as INACTIVE."""
    cluster = region.ecs.cluster(cluster_arn)
    if cluster is not None:
        cluster.active = False
        for instance in list(cluster.instances.values()):
            leave(region, cluster, instance, "The cluster was deleted")
