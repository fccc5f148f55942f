"""How instances come and go: pending, running, stopped, shutting-down, terminated, forgotten."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from awsbatch_simulator.ec2 import addresses, images, network, notices, spot, supply, volumes
from awsbatch_simulator.ec2.capacity_model import CapacityReservation
from awsbatch_simulator.ec2.model import Instance, InstanceState, Interface, part_id
from awsbatch_simulator.ec2.types import instance_type
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.host import life as host_life
from awsbatch_simulator.region import Region

USER_TERMINATED = ("Client.UserInitiatedShutdown", "Client.UserInitiatedShutdown: User initiated")
LOCKED = ("Client.InternalError", "Client.InternalError: Client error on launch")
BY_ITSELF = (
    "Client.InstanceInitiatedShutdown",
    "Client.InstanceInitiatedShutdown: Instance initiated shutdown",
)


def check_capacity(region: Region, *, type_name: str, zone: str, spot: bool, subnet: str) -> None:
    """Raise AwsFailure where EC2 would not launch one more instance."""
    size = instance_type(type_name)
    if size is None:
        raise AwsFailure("InvalidParameterValue", f"There is no instance type {type_name}")
    offer = supply.Offer(size, zone, "spot" if spot else "on-demand")
    room = supply.room(region, offer, {subnet: 1}, most=1)
    if room.failure is not None:
        raise room.failure


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
    capacity: CapacityReservation | None = None,
) -> Instance:
    """A new instance: pending now, running a little later; in a capacity reservation if given.

    Without interfaces it has one in the subnet, in the security groups of the request.
    """
    now = region.world.clock.now()
    market = request.get("InstanceMarketOptions", {}).get("MarketType")
    image = images.visible(region, request.get("ImageId", ""))
    instance = Instance(
        id=f"i-{region.world.hex_id(17)}",
        type=type_name,
        image_id=request.get("ImageId", ""),
        zone=zone,
        launched_at=now,
        reservation_id=reservation,
        request=request,
        tags=tags,
        interfaces=(),
        image=image,
        imds_v2=image is None or image.imds_v2,
        spot=market == "spot",
        client_token=request.get("ClientToken", ""),
        cluster_arn=cluster_arn,
        tagged_at=now,
    )
    if image is not None:
        image.launched(now)
    _connect(region, instance, interfaces or (network.primary(region, subnet, request),))
    _begin(region, instance, capacity)
    return instance


def _begin(region: Region, instance: Instance, capacity: CapacityReservation | None) -> None:
    """It is there, counts against what it takes, and has volumes and a spot request."""
    region.ec2.add(instance)
    if instance.cluster_arn is not None:
        region.ec2.managed.setdefault(instance.cluster_arn, {})[instance.id] = instance
    if capacity is not None:
        instance.reservation = capacity.id
        capacity.used_by.add(instance.id)
    supply.occupy(region, instance)
    volumes.create_for(region, instance)
    spot.request_for(region, instance)
    notices.state_changed(region, instance)
    _later(region, "instance_pending", _become_running, instance)


def _connect(region: Region, instance: Instance, interfaces: Sequence[Interface]) -> None:
    tags = network.interface_tags(instance.request)
    instance.interfaces = tuple(
        replace(
            each,
            id=part_id("eni", instance.id, index),
            address=addresses.give(region, each.subnet_id, each.address),
            tags=dict(tags),
        )
        for index, each in enumerate(interfaces)
    )
    region.ec2.interfaces.update((each.id, each) for each in instance.interfaces)


def _later(region: Region, delay: str, callback: Any, instance: Instance) -> None:
    seconds = getattr(region.world.settings.delays, delay)
    region.world.clock.call_after(seconds, callback, region, instance)


def _become_running(region: Region, instance: Instance) -> None:
    """THE place where an instance becomes running, at first and after each stop.

    Whatever happens inside of it (it boots, its agent starts) is to begin here.
    """
    if instance.state is not InstanceState.PENDING:
        return
    if volumes.locked(region, instance):
        _fail(region, instance)
        return
    instance.state = InstanceState.RUNNING
    instance.running_since = region.world.clock.now()
    notices.state_changed(region, instance)
    host_life.begin(region, instance, shut_down_from_inside)


def _fail(region: Region, instance: Instance) -> None:
    """It cannot read its disks: a new instance ends, one that was stopped is stopped again."""
    if instance.started:
        stop(region, instance, LOCKED)
    else:
        terminate(region, instance, LOCKED)


def terminate(
    region: Region, instance: Instance, reason: tuple[str, str] = USER_TERMINATED
) -> None:
    """Shutting down: ECS deregisters the instance, what runs on it is lost."""
    if instance.state.gone:
        return
    _leave(region, instance, InstanceState.SHUTTING_DOWN, reason)
    if instance.cluster_arn is not None:
        region.ec2.managed[instance.cluster_arn].pop(instance.id, None)
    spot.ended(region, instance, "instance-terminated-by-user")
    host_life.gone(region, instance)
    _later(region, "instance_shutting_down", _terminated, instance)


def _leave(
    region: Region, instance: Instance, state: InstanceState, reason: tuple[str, str]
) -> None:
    now = datetime.fromtimestamp(region.world.clock.now(), UTC)
    who = "User initiated" if reason == USER_TERMINATED else reason[0]
    instance.state, instance.state_reason = state, reason
    instance.transition_reason = f"{who} ({now:%Y-%m-%d %H:%M:%S} GMT)"
    instance.running_since = None
    notices.state_changed(region, instance)


def _terminated(region: Region, instance: Instance) -> None:
    instance.state = InstanceState.TERMINATED
    supply.vacate(region, instance)
    volumes.release(region, instance)
    for each in instance.interfaces:
        addresses.give_back(region, each.subnet_id, each.address)
        region.ec2.interfaces.pop(each.id, None)
    notices.state_changed(region, instance)
    _later(region, "terminated_instance_forgotten", _forgotten, instance)


def _forgotten(region: Region, instance: Instance) -> None:
    region.ec2.forget(instance)
    host_life.forgotten(region, instance.id)


def stop(region: Region, instance: Instance, reason: tuple[str, str] = USER_TERMINATED) -> None:
    """Stopping: its addresses and volumes stay, its capacity goes; containers end."""
    if instance.state not in {InstanceState.PENDING, InstanceState.RUNNING}:
        return
    _leave(region, instance, InstanceState.STOPPING, reason)
    host_life.stopped(region, instance)
    _later(region, "instance_stopping", _stopped, instance)


def _stopped(region: Region, instance: Instance) -> None:
    if instance.state is InstanceState.STOPPING:
        instance.state = InstanceState.STOPPED
        supply.vacate(region, instance)
        notices.state_changed(region, instance)


def start(region: Region, instance: Instance) -> None:
    """A stopped instance is pending again. Raises AwsFailure where there is no capacity for it."""
    offer = supply.offer_of(instance)
    if offer is not None:
        room = supply.room(region, offer, {}, most=1)
        if room.failure is not None:
            raise room.failure
    instance.state, instance.state_reason = InstanceState.PENDING, None
    instance.transition_reason = ""
    instance.launched_at = region.world.clock.now()
    instance.started = True
    supply.occupy(region, instance)
    notices.state_changed(region, instance)
    _later(region, "instance_pending", _become_running, instance)


def shut_down_from_inside(region: Region, instance: Instance) -> None:
    """Its own system has shut it down: it stops or terminates as it was launched to.

    A one-time spot instance cannot stop.
    """
    if instance.on_shutdown == "stop" and not (
        instance.spot and not spot.persists(region, instance)
    ):
        stop(region, instance, BY_ITSELF)
    else:
        terminate(region, instance, BY_ITSELF)
