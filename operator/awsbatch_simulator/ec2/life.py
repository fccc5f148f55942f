"""How instances come and go: pending, running, shutting-down, terminated, forgotten."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from awsbatch_simulator.ec2 import network
from awsbatch_simulator.ec2.model import Instance, InstanceState, Interface
from awsbatch_simulator.ec2.types import InstanceType, instance_type
from awsbatch_simulator.ecs import life as ecs_life
from awsbatch_simulator.ecs.model import ContainerInstance
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

USER_TERMINATED = ("Client.UserInitiatedShutdown", "Client.UserInitiatedShutdown: User initiated")


def check_capacity(region: Region, *, type_name: str, zone: str, spot: bool) -> None:
    """Raise InsufficientInstanceCapacity where a fault says that EC2 has none."""
    market = "spot" if spot else "on-demand"
    fault = region.world.faults.active(
        "insufficient_capacity", instanceType=type_name, availabilityZone=zone, market=market
    )
    if fault is not None:
        raise AwsFailure(
            "InsufficientInstanceCapacity",
            f"We currently do not have sufficient {type_name} capacity in the Availability Zone "
            f"you requested ({zone}).",
            500,
        )


def launch(
    region: Region,
    *,
    type_name: str,
    subnet: str,
    zone: str,
    request: dict[str, Any],
    tags: dict[str, str],
    reservation: str,
    cluster_arn: str | None = None,
    interfaces: Sequence[Interface] = (),
) -> Instance:
    """A new instance: pending now, running a little later.

    Without interfaces it has one in the subnet, in the security groups of the request.
    """
    store = region.ec2
    interfaces = interfaces or (network.primary(region, subnet, request),)
    market = request.get("InstanceMarketOptions", {}).get("MarketType")
    instance = Instance(
        id=f"i-{region.world.hex_id(17)}",
        type=type_name,
        image_id=request.get("ImageId", ""),
        zone=zone,
        launched_at=region.world.clock.now(),
        reservation_id=reservation,
        request=request,
        tags=tags,
        interfaces=tuple(
            each if each.address else replace(each, address=_address(region)) for each in interfaces
        ),
        spot=market == "spot",
        client_token=request.get("ClientToken", ""),
        cluster_arn=cluster_arn,
    )
    store.instances[instance.id] = instance
    if cluster_arn is not None:
        store.managed.setdefault(cluster_arn, {})[instance.id] = instance
    delay = region.world.settings.delays.instance_pending
    region.world.clock.call_after(delay, _running, region, instance)
    return instance


def _address(region: Region) -> str:
    """A private address that no other instance has had for long."""
    region.ec2.addresses += 1
    return f"10.0.{region.ec2.addresses // 250 % 256}.{region.ec2.addresses % 250 + 4}"


def _running(region: Region, instance: Instance) -> None:
    if instance.state is not InstanceState.PENDING:
        return
    instance.state = InstanceState.RUNNING
    if instance.cluster_arn is not None:
        delay = region.world.settings.delays.agent_join
        region.world.clock.call_after(delay, _join, region, instance)


def _join(region: Region, instance: Instance) -> None:
    """The agent of an instance that Batch has launched registers with its cluster."""
    cluster = region.ecs.cluster(instance.cluster_arn or "")
    size = instance_type(instance.type)
    never = region.world.faults.active(
        "agent_never_joins",
        instanceType=instance.type,
        instanceId=instance.id,
        availabilityZone=instance.zone,
    )
    if instance.state.gone or cluster is None or size is None or never is not None:
        return
    arn = region.arn("ecs", f"container-instance/{cluster.name}/{region.world.hex_id(32)}")
    ecs_life.join(region, cluster, registered(region, instance, size, arn))


def registered(
    region: Region, instance: Instance, size: InstanceType, arn: str
) -> ContainerInstance:
    """What the agent registers for an instance of that size."""
    attributes = {
        "ecs.instance-type": instance.type,
        "ecs.availability-zone": instance.zone,
        "ecs.ami-id": instance.image_id,
        "ecs.os-type": "linux",
        "ecs.cpu-architecture": size.architecture,
        "ecs.capability.logging-driver": "awslogs",
    }
    return ContainerInstance(
        arn=arn,
        ec2_instance_id=instance.id,
        cpu=size.vcpus * 1024,
        memory=size.registered_memory,
        registered_at=region.world.clock.now(),
        attributes=[{"name": name, "value": value} for name, value in attributes.items()],
    )


def terminate(
    region: Region, instance: Instance, reason: tuple[str, str] = USER_TERMINATED
) -> None:
    """Shutting down: ECS deregisters the instance, what runs on it is lost."""
    if instance.state.gone:
        return
    now = datetime.fromtimestamp(region.world.clock.now(), UTC)
    instance.state = InstanceState.SHUTTING_DOWN
    instance.state_reason = reason
    instance.transition_reason = f"User initiated ({now:%Y-%m-%d %H:%M:%S} GMT)"
    if instance.cluster_arn is not None:
        region.ec2.managed[instance.cluster_arn].pop(instance.id, None)
    ecs_life.host_gone(region, instance.id)
    delay = region.world.settings.delays.instance_shutting_down
    region.world.clock.call_after(delay, _terminated, region, instance)


def _terminated(region: Region, instance: Instance) -> None:
    instance.state = InstanceState.TERMINATED
    delay = region.world.settings.delays.terminated_instance_forgotten
    region.world.clock.call_after(delay, region.ec2.instances.pop, instance.id, None)
