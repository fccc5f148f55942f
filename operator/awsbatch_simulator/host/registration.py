"""What an agent registers with ECS, or why it cannot.

Sources: the ECS agent's ecs-agent/api/ecs/client/ecs_client.go, which also creates the cluster
`default` if its role lets it and no cluster is configured; ECS's RegisterContainerInstance.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase

from awsbatch_simulator.ec2.model import Instance, InstanceState
from awsbatch_simulator.ec2.types import InstanceType, instance_type
from awsbatch_simulator.ecs import life as ecs_life
from awsbatch_simulator.ecs.attributes import check_attributes, check_tags
from awsbatch_simulator.ecs.model import CPU_UNITS, Cluster, ContainerInstance
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.host import agent, sizes
from awsbatch_simulator.host.agent import AgentConfig
from awsbatch_simulator.region import Region

REGISTER, CREATE = "ecs:RegisterContainerInstance", "ecs:CreateCluster"


class NotRegistered(Exception):  # noqa: N818 - it is told as a state
    """The agent does not register; its text says why. It is final: the agent is not restarted."""


def register(region: Region, instance: Instance, config: AgentConfig) -> ContainerInstance:
    """Join the cluster that the agent was told. Raises NotRegistered."""
    size = instance_type(instance.type)
    if size is None or instance.state is not InstanceState.RUNNING:
        raise NotRegistered("The instance does not run")
    _check_rights(region, instance, REGISTER)
    cluster = _cluster(region, instance, config)
    tags = (_own(instance.tags) if config.host_tags else {}) | dict(config.tags)
    attributes = [{"name": name, "value": value} for name, value in config.attributes.items()]
    try:
        check_attributes(attributes)
        check_tags(tags)
    except AwsFailure as failure:
        raise NotRegistered(f"{failure.code}: {failure.message}") from None
    made = container_instance(region, instance, size, cluster, config)
    made.attributes += attributes
    made.tags = tags
    if made.memory <= 0:
        raise NotRegistered("Reserved memory is higher than available memory on the host")
    ecs_life.join(region, cluster, made)
    return made


def _own(tags: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in tags.items() if not key.lower().startswith("aws:")}


def _cluster(region: Region, instance: Instance, config: AgentConfig) -> Cluster:
    name = config.cluster or agent.DEFAULT
    cluster = region.ecs.cluster(name)
    if cluster is not None and cluster.active and name in {cluster.name, cluster.arn}:
        return cluster
    if config.cluster:
        raise NotRegistered(f"ClusterNotFoundException: Cluster not found: {name[:200]}")
    _check_rights(region, instance, CREATE)
    cluster = Cluster(agent.DEFAULT, region.arn("ecs", f"cluster/{agent.DEFAULT}"))
    region.ecs.clusters[cluster.name] = cluster
    return cluster


def _check_rights(region: Region, instance: Instance, action: str) -> None:
    """Whether the instance's role may do it. Raises NotRegistered."""
    if not may(region, instance, action):
        raise NotRegistered(f"AccessDeniedException: no rights for {action}")


def may(region: Region, instance: Instance, action: str) -> bool:
    """Whether there is a profile, and no fault says that its role may not."""
    given = instance.request.get("IamInstanceProfile") or {}
    profile = given.get("Arn") or given.get("Name")
    if not profile or not region.world.lookup.instance_profile_exists(region.place, profile):
        return False
    fault = region.world.faults.active(
        "instance_role_lacks_permissions",
        action=action,
        instanceId=instance.id,
        instanceProfile=profile,
    )
    return fault is None


def container_instance(
    region: Region,
    instance: Instance,
    size: InstanceType,
    cluster: Cluster,
    config: AgentConfig,
) -> ContainerInstance:
    """What is registered for an instance of that size."""
    settings = region.world.settings.hosts
    attributes = {
        "ecs.instance-type": instance.type,
        "ecs.availability-zone": instance.zone,
        "ecs.ami-id": instance.image_id,
        "ecs.os-type": "linux",
        "ecs.os-family": "LINUX",
        "ecs.cpu-architecture": size.architecture,
        "ecs.capability.logging-driver": "awslogs",
        "com.amazonaws.ecs.capability.logging-driver.awslogs": None,
        "ecs.vpc-id": instance.interfaces[0].vpc_id,
        "ecs.subnet-id": instance.interfaces[0].subnet_id,
    }
    baked = any(fnmatchcase(instance.image_id, glob) for glob in settings.gpu_images)
    gpu = baked if config.gpu is None else baked and config.gpu
    return ContainerInstance(
        arn=region.arn("ecs", f"container-instance/{cluster.name}/{region.world.hex_id(32)}"),
        ec2_instance_id=instance.id,
        cpu=sizes.vcpus(size, instance.request) * CPU_UNITS,
        memory=sizes.memory(size, settings) - config.reserved_memory,
        gpus=sizes.gpus(instance.type) if gpu else 0,
        registered_at=region.world.clock.now(),
        attributes=[
            {"name": name} | ({} if value is None else {"value": value})
            for name, value in attributes.items()
        ],
    )
