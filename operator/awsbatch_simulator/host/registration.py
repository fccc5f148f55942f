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
from awsbatch_simulator.host import agent, agent_log, machine, sizes
from awsbatch_simulator.host.agent import AgentConfig
from awsbatch_simulator.host.baking import baked_in
from awsbatch_simulator.region import Region

REGISTER, CREATE = "ecs:RegisterContainerInstance", "ecs:CreateCluster"


class NotRegistered(Exception):  # noqa: N818 - it is told as a state
    """The agent does not register; its text says why. It is final: the agent is not restarted.

    `logged` is the error that the agent writes into its log; empty: it does not even start.
    """

    def __init__(self, why: str, logged: str = "") -> None:
        super().__init__(why)
        self.logged = logged


def register(region: Region, instance: Instance, config: AgentConfig) -> ContainerInstance:
    """Join the cluster that the agent was told. Raises NotRegistered."""
    size = instance_type(instance.type)
    if size is None or instance.state is not InstanceState.RUNNING:
        raise NotRegistered("The instance does not run")
    _check_way(region, instance)
    _check_rights(region, instance, REGISTER)
    cluster = _cluster(region, instance, config)
    tags = (_own(instance.tags) if config.host_tags else {}) | dict(config.tags)
    attributes = [{"name": name, "value": value} for name, value in config.attributes.items()]
    try:
        check_attributes(attributes)
        check_tags(tags)
    except AwsFailure as failure:
        said = f"{failure.code}: {failure.message}"
        raise NotRegistered(said, said) from None
    made = container_instance(region, instance, size, cluster, config)
    made.attributes += attributes
    made.tags = tags
    if made.memory <= 0:
        said = "Reserved memory is higher than available memory on the host"
        raise NotRegistered(said, said)
    ecs_life.join(region, cluster, made)
    return made


def _check_way(region: Region, instance: Instance) -> None:
    """Whether the instance reaches ECS. Raises NotRegistered."""
    about = {"instanceId": instance.id, "subnetId": instance.interfaces[0].subnet_id}
    if region.world.faults.active("no_way_to_ecs", **about) is None:
        return
    host = f"ecs.{region.place.region}.amazonaws.com"
    post = f'Post \\"https://{host}/\\": dial tcp 10.0.0.5:443: i/o timeout'
    said = f"RequestError: send request failed caused by: {post}"
    raise NotRegistered(f"The instance does not reach {host}", said)


def _own(tags: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in tags.items() if not key.lower().startswith("aws:")}


def _cluster(region: Region, instance: Instance, config: AgentConfig) -> Cluster:
    name = config.cluster or agent.DEFAULT
    cluster = region.ecs.cluster(name)
    if cluster is not None and cluster.active and name in {cluster.name, cluster.arn}:
        return cluster
    if config.cluster:
        said = f"ClusterNotFoundException: Cluster not found: {name[:200]}"
        raise NotRegistered(said, "ClientException: Cluster not found.")
    _check_rights(region, instance, CREATE)
    cluster = Cluster(agent.DEFAULT, region.arn("ecs", f"cluster/{agent.DEFAULT}"))
    region.ecs.clusters[cluster.name] = cluster
    return cluster


def _check_rights(region: Region, instance: Instance, action: str) -> None:
    """Whether the instance's role may do it. Raises NotRegistered."""
    if may(region, instance, action):
        return
    role = _role(instance)
    said = agent_log.NO_CREDENTIALS
    if role:
        said = agent_log.denied(region.place.account, role, instance.id, action)
    raise NotRegistered(f"AccessDeniedException: no rights for {action}", said)


def _role(instance: Instance) -> str:
    given = instance.request.get("IamInstanceProfile") or {}
    return str(given.get("Arn") or given.get("Name") or "").rpartition("/")[2]


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
    image = baked_in(region, instance.image_id)
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
        cpu=machine.online(instance, size, image) * CPU_UNITS,
        memory=sizes.memory(size, settings) - config.reserved_memory,
        gpus=sizes.gpus(instance.type) if gpu else 0,
        registered_at=region.world.clock.now(),
        attributes=[
            {"name": name} | ({} if value is None else {"value": value})
            for name, value in attributes.items()
        ],
    )
