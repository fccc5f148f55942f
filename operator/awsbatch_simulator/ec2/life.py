"""How instances come and go: pending, running, shutting-down, terminated, forgotten."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from awsbatch_simulator import notices
from awsbatch_simulator.ec2 import network
from awsbatch_simulator.ec2.model import Instance, InstanceState, Interface
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.host import life as host_life
from awsbatch_simulator.hosting import Notice
from awsbatch_simulator.region import Region

USER_TERMINATED = ("Client.UserInitiatedShutdown", "Client.UserInitiatedShutdown: User initiated")
SELF_TERMINATED = (
    "Client.InstanceInitiatedShutdown",
    "Client.InstanceInitiatedShutdown: Instance initiated shutdown",
)


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
    notices.tell(region, Notice.STATE_CHANGE, instance.id)
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
    notices.tell(region, Notice.STATE_CHANGE, instance.id)
    host_life.begin(region, instance, shut_down)


def shut_down(region: Region, instance: Instance) -> None:
    """The instance has shut itself down: it is terminated if it was launched so."""
    if instance.request.get("InstanceInitiatedShutdownBehavior") == "terminate":
        terminate(region, instance, SELF_TERMINATED)
    else:
        host_life.stopped(region, instance)


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
    notices.tell(region, Notice.STATE_CHANGE, instance.id)
    host_life.gone(region, instance)
    delay = region.world.settings.delays.instance_shutting_down
    region.world.clock.call_after(delay, _terminated, region, instance)


def _terminated(region: Region, instance: Instance) -> None:
    instance.state = InstanceState.TERMINATED
    notices.tell(region, Notice.STATE_CHANGE, instance.id)
    delay = region.world.settings.delays.terminated_instance_forgotten
    region.world.clock.call_after(delay, _forget, region, instance)


def _forget(region: Region, instance: Instance) -> None:
    region.ec2.instances.pop(instance.id, None)
    host_life.forgotten(region, instance.id)
