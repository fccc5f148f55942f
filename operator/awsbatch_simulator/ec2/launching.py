"""RunInstances and TerminateInstances, and what CreateFleet shares with them.

Sources: their fields in the EC2 API reference; "Ensuring idempotency in Amazon EC2 API requests" in
the EC2 Developer Guide: a client token of RunInstances holds in a zone if the request names one (or
a subnet), and in the region otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from awsbatch_simulator.ec2 import (
    life,
    network,
    once,
    placement_groups,
    requests,
    reservations,
    spot,
    supply,
    templates,
)
from awsbatch_simulator.ec2.capacity_model import CapacityReservation
from awsbatch_simulator.ec2.describing import no_instance
from awsbatch_simulator.ec2.model import Instance
from awsbatch_simulator.ec2.network import Destination
from awsbatch_simulator.ec2.store import Launch
from awsbatch_simulator.ec2.supply import Holds, Offer
from awsbatch_simulator.ec2.types import instance_type
from awsbatch_simulator.ec2.views import instance_view
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
TOKEN_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request for instances that EC2 takes, whatever capacity there is."""

    request: Fields  # RunInstances', with what its template says
    tags: dict[str, str]  # AWS's own
    destination: Destination
    offer: Offer


@dataclass(frozen=True, slots=True)
class Step:
    """How many of them can be launched now, where their capacity is, and why there are no more."""

    prepared: Prepared
    count: int
    places: Sequence[CapacityReservation]  # of the first of them
    failure: AwsFailure | None


def run(region: Region, request: Fields) -> Fields:
    """RunInstances: with a client token, the same request brings the same instances."""
    token = request.get("ClientToken", "")
    once.check(token, most=TOKEN_CHARACTERS)
    own_tags: dict[str, str] = {}
    if "LaunchTemplate" in request:
        resolved = templates.resolve(region, request["LaunchTemplate"])
        request, own_tags = templates.applied(resolved, request), resolved.tags
    key = (_scope(region, request), token)
    parameters = once.canonical(request, "ClientToken", "DryRun")
    if token and (before := region.ec2.launches.get(key)) is not None:
        return _replayed(region, before, parameters)
    prepared = prepare(region, request, own_tags)
    if request.get("DryRun"):
        raise dry()
    answer = _launched(region, prepared)
    if token:
        ids = tuple(each["InstanceId"] for each in answer["Instances"])
        region.ec2.launches[key] = Launch(parameters, answer, ids)
    return answer


def dry() -> AwsFailure:
    """What a request is answered that was only to be tried."""
    message = "Request would have succeeded, but DryRun flag is set."
    return AwsFailure("DryRunOperation", message, 412)


def _scope(region: Region, request: Fields) -> str:
    """The zone that a request names, by itself or by a subnet; empty: none."""
    interfaces = request.get("NetworkInterfaces") or [{}]
    subnet = request.get("SubnetId") or interfaces[0].get("SubnetId")
    if subnet:
        return region.world.lookup.subnet_zone(region.place, subnet) or ""
    placement = request.get("Placement") or {}
    return str(placement.get("AvailabilityZone") or placement.get("AvailabilityZoneId") or "")


def _replayed(region: Region, before: Launch, parameters: str) -> Fields:
    if before.parameters != parameters:
        raise once.mismatch()
    known = [region.ec2.instances.get(instance_id) for instance_id in before.instance_ids]
    living = [each for each in known if each is not None]
    if all(each.state.gone for each in living):
        raise AwsFailure(
            "IdempotentInstanceTerminated",
            "The client token was used for instances that have been terminated.",
        )
    views = [instance_view(region, each) for each in living]
    return before.answer | {"Instances": views}


def prepare(region: Region, request: Fields, own_tags: dict[str, str]) -> Prepared:
    """Check a request (the template's part is in it). Raises AwsFailure for what EC2 refuses."""
    requests.check(region, request)
    placement_groups.check(region, request.get("Placement") or {})
    destination = network.destination(region, request)
    size = instance_type(request["InstanceType"])
    if size is None:
        raise AwsFailure("InvalidParameterValue", "There is no such instance type")
    options = request.get("InstanceMarketOptions") or {}
    offer = Offer(size, destination.zone, options.get("MarketType") or "on-demand")
    supply.check_offered(region, offer)
    if offer.market == "spot":
        limit = (options.get("SpotOptions") or {}).get("MaxPrice")
        spot.check_price(region, type_name=size.name, zone=offer.zone, limit=limit)
    _check_refusal(region, offer, destination)
    return Prepared(request, own_tags, destination, offer)


def _check_refusal(region: Region, offer: Offer, destination: Destination) -> None:
    """Raise what a fault wants EC2 to answer to this offer."""
    fault = region.world.faults.active(
        "offer_refused",
        instanceType=offer.size.name,
        availabilityZone=offer.zone,
        market=offer.market,
        subnetId=destination.subnet,
    )
    if fault is not None:
        raise AwsFailure(fault.spec.code, fault.spec.message, fault.spec.status)


def step(region: Region, prepared: Prepared, *, most: int, held: Holds) -> Step:
    """How many instances can be launched; they are set aside in `held`. Launches nothing."""
    subnets = prepared.destination.subnets
    try:
        places = reservations.places(region, prepared.request, prepared.offer, most=most, held=held)
        limit = len(places) if reservations.only_reserved(prepared.request) else most
    except AwsFailure as refused:
        return Step(prepared, 0, (), refused)
    room = supply.room(region, prepared.offer, subnets, most=limit, reserved=len(places), held=held)
    failure = room.failure
    if failure is None and room.count < most:
        message = "The requested reservation does not have so much available capacity."
        failure = AwsFailure("ReservationCapacityExceeded", message)
    places = places[: room.count]
    held.add(prepared.offer, subnets, count=room.count, reserved=len(places))
    held.reservations.update(each.id for each in places)
    return Step(prepared, room.count, places, failure)


def carry_out(region: Region, taken: Step) -> list[Instance]:
    """Launch what a step has found room for."""
    prepared, reservation = taken.prepared, f"r-{region.world.hex_id(17)}"
    launched = []
    for index in range(taken.count):
        instance = life.launch(
            region,
            type_name=prepared.offer.size.name,
            subnet=prepared.destination.subnet,
            zone=prepared.offer.zone,
            request=prepared.request,
            tags=requests.tags_for(prepared.request, "instance") | prepared.tags,
            reservation=reservation,
            interfaces=prepared.destination.interfaces,
            capacity=taken.places[index] if index < len(taken.places) else None,
        )
        instance.launch_index = index
        launched.append(instance)
    return launched


def _launched(region: Region, prepared: Prepared) -> Fields:
    """As many as there is room for, at least MinCount."""
    request = prepared.request
    taken = step(region, prepared, most=request["MaxCount"], held=Holds())
    if taken.failure is not None and taken.count < request["MinCount"]:
        raise taken.failure
    launched = carry_out(region, taken)
    return {
        "ReservationId": launched[0].reservation_id,
        "OwnerId": region.place.account,
        "Groups": [],
        "Instances": [instance_view(region, each) for each in launched],
    }


def terminate(region: Region, request: Fields) -> Fields:
    """TerminateInstances: if one is unknown, none; if one is protected, none of its zone."""
    instances = named(region, request["InstanceIds"])
    protected = [each for each in instances if each.setting("DisableApiTermination", default=False)]
    spared = {each.zone for each in protected}
    changes = []
    for instance in instances:
        if instance.zone not in spared:
            before = instance.state
            life.terminate(region, instance)
            changes.append(change(instance, before))
    if protected:
        raise AwsFailure(
            "OperationNotPermitted",
            f"The instance '{protected[0].id}' may not be terminated. Modify its "
            "'disableApiTermination' instance attribute and try again.",
        )
    return {"TerminatingInstances": changes}


def named(region: Region, ids: Sequence[str]) -> list[Instance]:
    """The instances of those ids. Raises AwsFailure if one is unknown."""
    found = []
    for instance_id in ids:
        instance = region.ec2.instances.get(instance_id)
        if instance is None:
            raise no_instance(instance_id)
        found.append(instance)
    return found


def change(instance: Instance, before: Any) -> Fields:
    """InstanceStateChange: what it was, and what it is now."""
    after = instance.state
    return {
        "InstanceId": instance.id,
        "PreviousState": {"Code": before.code, "Name": before.value},
        "CurrentState": {"Code": after.code, "Name": after.value},
    }
