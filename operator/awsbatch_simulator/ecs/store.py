"""Everything of ECS in one account and region."""

from dataclasses import dataclass, field

from awsbatch_simulator.ecs.model import Cluster, ContainerInstance


@dataclass(slots=True)
class EcsStore:
    """Clusters with their instances and tasks; instances by EC2 id too."""

    clusters: dict[str, Cluster] = field(default_factory=dict)  # by name
    by_ec2_id: dict[str, tuple[Cluster, ContainerInstance]] = field(default_factory=dict)

    def cluster(self, reference: str) -> Cluster | None:
        """A cluster by name or ARN, inactive ones included."""
        return self.clusters.get(reference.rpartition("cluster/")[2])
