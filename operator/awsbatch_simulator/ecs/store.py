"""Everything of ECS in one account and region."""

from dataclasses import dataclass, field

from awsbatch_simulator.ecs.model import Cluster, ContainerInstance

Registered = tuple[Cluster, ContainerInstance]


@dataclass(slots=True)
class EcsStore:
    """Clusters with their instances and tasks; instances by EC2 id too."""

    clusters: dict[str, Cluster] = field(default_factory=dict)  # by name
    # By EC2 id, then by ARN: with a second agent a host is two container instances.
    by_ec2_id: dict[str, dict[str, Registered]] = field(default_factory=dict)

    def cluster(self, reference: str) -> Cluster | None:
        """A cluster by name or ARN, inactive ones included."""
        return self.clusters.get(reference.rpartition("cluster/")[2])

    def of_host(self, ec2_id: str) -> list[Registered]:
        """All that is registered of an EC2 instance, the first agent's first."""
        return list(self.by_ec2_id.get(ec2_id, {}).values())

    def joined(self, ec2_id: str) -> ContainerInstance | None:
        """The container instance of a host's first agent."""
        return next((instance for _, instance in self.of_host(ec2_id)), None)

    def enter(self, cluster: Cluster, instance: ContainerInstance) -> None:
        """A container instance is registered."""
        cluster.instances[instance.arn] = instance
        self.by_ec2_id.setdefault(instance.ec2_instance_id, {})[instance.arn] = (cluster, instance)

    def remove(self, cluster: Cluster, instance: ContainerInstance) -> None:
        """It is deregistered."""
        cluster.instances.pop(instance.arn, None)
        of_host = self.by_ec2_id.get(instance.ec2_instance_id, {})
        of_host.pop(instance.arn, None)
        if not of_host:
            self.by_ec2_id.pop(instance.ec2_instance_id, None)
