"""Capacity reservations for immediate use, and which instances run in them.

Sources: CreateCapacityReservation, DescribeCapacityReservations, ModifyCapacityReservation,
CancelCapacityReservation and CapacityReservationSpecification in the EC2 API reference; "On-Demand
Capacity Reservations" in the EC2 User Guide: a reservation counts against the on-demand quota,
what runs in it goes on as an ordinary on-demand instance when it ends, and an instance takes an
open one with its attributes unless it says otherwise.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from awsbatch_simulator.ec2 import once, supply
from awsbatch_simulator.ec2.capacity_model import CapacityReservation, ReservationState
from awsbatch_simulator.ec2.network import absent
from awsbatch_simulator.ec2.requests import tags_for
from awsbatch_simulator.ec2.reservation_views import PLATFORM, view
from awsbatch_simulator.ec2.supply import Holds, Offer
from awsbatch_simulator.ec2.types import instance_type
from awsbatch_simulator.errors import AwsFailure, not_implemented
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
KIND = "capacity-reservation"
COUNTS = range(1, 1001)
CRITERIA = frozenset({"open", "targeted"})
_NOT_SIMULATED = (
    *("AvailabilityZoneId", "OutpostArn", "PlacementGroupArn", "StartDate"),
    *("CommitmentDuration", "DeliveryPreference"),
)


def create(region: Region, request: Fields) -> Fields:
    """CreateCapacityReservation: active at once, or refused for want of capacity or quota."""
    return once.per_token(
        region, "CreateCapacityReservation", request, lambda: _made(region, request), most=64
    )


def _made(region: Region, request: Fields) -> Fields:
    for name in _NOT_SIMULATED:
        if request.get(name):
            raise not_implemented("ec2", f"CreateCapacityReservation with {name}")
    tags = tags_for(request, KIND, among=frozenset({KIND}))
    offer, number = _offer(region, request), request["InstanceCount"]
    if number not in COUNTS:
        raise _invalid(f"InstanceCount must be between {COUNTS.start} and {COUNTS[-1]}.")
    made = CapacityReservation(
        id=f"cr-{region.world.hex_id(17)}",
        type=offer.size.name,
        platform=_platform(request),
        zone=offer.zone,
        count=number,
        criteria=_criteria(request.get("InstanceMatchCriteria", "open")),
        created_at=region.world.clock.now(),
        tags=tags,
        tenancy=_tenancy(request),
        ebs_optimized=request.get("EbsOptimized", False),
        end_at=_end(region, request),
    )
    supply.check_offered(region, offer)
    _reserve(region, offer, number)
    region.ec2.reservations[made.id] = made
    _expire_in_time(region, made)
    return {"CapacityReservation": view(region, made)}


def _platform(request: Fields) -> str:
    platform = str(request["InstancePlatform"])
    if platform != PLATFORM:
        raise not_implemented("ec2", f"reservations for the platform {platform[:100]}")
    return platform


def _tenancy(request: Fields) -> str:
    tenancy = str(request.get("Tenancy", "default"))
    if tenancy != "default":
        raise not_implemented("ec2", f"reservations with the tenancy {tenancy[:100]}")
    return tenancy


def _criteria(given: str) -> str:
    if given not in CRITERIA:
        raise _invalid(f"Invalid value '{given}' for InstanceMatchCriteria.")
    return given


def _offer(region: Region, request: Fields) -> Offer:
    size = instance_type(request["InstanceType"])
    if size is None:
        raise _invalid(f"Invalid value '{request['InstanceType']}' for InstanceType.")
    zone = request.get("AvailabilityZone")
    if not zone:
        message = "The request must contain the parameter availabilityZone"
        raise AwsFailure("MissingParameter", message)
    lookup, place = region.world.lookup, region.place
    known = {lookup.subnet_zone(place, each) for each in lookup.default_subnets(place)}
    if zone not in known:
        raise _invalid(f"Invalid availability zone: [{zone}]")
    return Offer(size, zone, "on-demand")


def _end(region: Region, request: Fields) -> float | None:
    end, kind = request.get("EndDate"), request.get("EndDateType")
    if kind not in {None, "limited", "unlimited"}:
        raise _invalid(f"Invalid value '{kind}' for EndDateType.")
    if (kind == "limited") != (end is not None):
        message = "EndDate is required for, and only for, the EndDateType limited."
        raise AwsFailure("InvalidParameterCombination", message)
    if not isinstance(end, datetime):
        return None
    if end.timestamp() <= region.world.clock.now():
        raise _invalid("EndDate must be in the future.")
    return end.timestamp()


def _reserve(region: Region, offer: Offer, number: int) -> None:
    """Take capacity, all of it or none. Raises AwsFailure if there is not so much."""
    room = supply.room(region, offer, {}, most=number)
    if room.failure is not None:
        failure = room.failure
        if failure.code == "VcpuLimitExceeded":
            failure = AwsFailure("InstanceLimitExceeded", failure.message)
        raise failure
    supply.count(region, offer, number)


def _expire_in_time(region: Region, reservation: CapacityReservation) -> None:
    if reservation.end_at is not None:
        clock = region.world.clock
        clock.call_at(reservation.end_at, _expired, region, reservation, reservation.end_at)


def _expired(region: Region, reservation: CapacityReservation, end_at: float) -> None:
    if reservation.active and reservation.end_at == end_at:  # it may have been given another end
        _release(region, reservation, ReservationState.EXPIRED)


def _release(region: Region, reservation: CapacityReservation, state: ReservationState) -> None:
    """Its instances go on as ordinary ones and count from now on, over every limit if need be."""
    offer = _of(reservation)
    reservation.state = state
    if offer is not None:
        supply.count(region, offer, -reservation.count)
    for instance_id in tuple(reservation.used_by):
        instance = region.ec2.instances.get(instance_id)
        if instance is not None:
            instance.reservation = None
            supply.occupy(region, instance)
    reservation.used_by.clear()
    delay = region.world.settings.delays.reservation_forgotten
    region.world.clock.call_after(delay, region.ec2.reservations.pop, reservation.id, None)


def _of(reservation: CapacityReservation) -> Offer | None:
    size = instance_type(reservation.type)
    return None if size is None else Offer(size, reservation.zone, "on-demand")


def modify(region: Region, request: Fields) -> Fields:
    """ModifyCapacityReservation: another count, end or kind of match."""
    reservation = active(region, request["CapacityReservationId"])
    for name in ("StartDate", "QuoteId"):
        if request.get(name):
            raise not_implemented("ec2", f"ModifyCapacityReservation with {name}")
    dated = "EndDate" in request or "EndDateType" in request
    end = _end(region, request) if dated else reservation.end_at
    criteria = _criteria(request.get("InstanceMatchCriteria", reservation.criteria))
    if criteria != reservation.criteria and reservation.used_by:
        message = "To modify the instance eligibility, the Capacity Reservation must be idle."
        raise AwsFailure("InvalidCapacityReservationState", message)
    _resize(region, reservation, request.get("InstanceCount", reservation.count))
    reservation.criteria, reservation.end_at = criteria, end
    if dated:
        _expire_in_time(region, reservation)
    return {"Return": True}


def _resize(region: Region, reservation: CapacityReservation, number: int) -> None:
    change, offer = number - reservation.count, _of(reservation)
    if number < 1 or abs(change) > COUNTS[-1]:
        raise _invalid(f"Invalid value '{number}' for InstanceCount.")
    if number < len(reservation.used_by):
        raise _invalid("InstanceCount is less than the number of instances that use it.")
    if offer is not None and change > 0:
        _reserve(region, offer, change)
    elif offer is not None:
        supply.count(region, offer, change)
    reservation.count = number


def cancel(region: Region, request: Fields) -> Fields:
    """CancelCapacityReservation: the capacity goes back, the instances stay."""
    for name in ("ApplyCancellationCharges", "QuoteId"):
        if request.get(name):
            raise not_implemented("ec2", f"CancelCapacityReservation with {name}")
    _release(region, active(region, request["CapacityReservationId"]), ReservationState.CANCELLED)
    return {"Return": True}


def of_id(region: Region, reference: str) -> CapacityReservation:
    """The reservation of that id. Raises AwsFailure if there is none."""
    found = region.ec2.reservations.get(reference)
    if found is None:
        raise absent(
            "capacity reservation ID",
            prefix="cr",
            reference=reference,
            malformed="InvalidCapacityReservationId.Malformed",
            unknown="InvalidCapacityReservationId.NotFound",
        )
    return found


def active(region: Region, reference: str) -> CapacityReservation:
    """The reservation of that id, which must not have ended."""
    found = of_id(region, reference)
    if not found.active:
        message = f"The Capacity Reservation {reference} is {found.state.value}."
        raise AwsFailure("InvalidCapacityReservationState", message)
    return found


def places(
    region: Region, request: Fields, offer: Offer, *, most: int, held: Holds
) -> Sequence[CapacityReservation]:
    """The reservations that new instances run in, one entry for each of the first of them.

    Raises AwsFailure where a request insists on reservations that have no room.
    """
    specification = request.get("CapacityReservationSpecification") or {}
    target = specification.get("CapacityReservationTarget") or {}
    preference = specification.get("CapacityReservationPreference", "open")
    if reference := target.get("CapacityReservationId"):
        named = active(region, reference)
        fits = (named.type, named.zone, offer.market) == (offer.size.name, offer.zone, "on-demand")
        found = _free(named, held)[:most] if fits else []
    elif preference == "none" or offer.market != "on-demand":
        return ()
    else:
        found = [
            place
            for each in region.ec2.reservations.values()
            if each.criteria == "open" and (each.type, each.zone) == (offer.size.name, offer.zone)
            for place in _free(each, held)
        ][:most]
    if not found and (target or preference == "capacity-reservations-only"):
        raise AwsFailure(
            "ReservationCapacityExceeded",
            "The requested reservation does not have sufficient compatible and available capacity "
            "for this request.",
        )
    return found


def only_reserved(request: Fields) -> bool:
    """Whether a request's instances run in reservations or not at all."""
    specification = request.get("CapacityReservationSpecification") or {}
    target = specification.get("CapacityReservationTarget") or {}
    preference = specification.get("CapacityReservationPreference")
    return bool(target) or preference == "capacity-reservations-only"


def _free(reservation: CapacityReservation, held: Holds) -> list[CapacityReservation]:
    return [reservation] * max(0, reservation.free - held.reservations[reservation.id])


def _invalid(message: str) -> AwsFailure:
    return AwsFailure("InvalidParameterValue", message)
