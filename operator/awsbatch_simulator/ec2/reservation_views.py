"""Capacity reservations as EC2 shows them. Source: CapacityReservation in the EC2 API reference."""

from datetime import UTC, datetime
from typing import Any

from awsbatch_simulator.ec2 import filters, paging
from awsbatch_simulator.ec2.capacity_model import CapacityReservation
from awsbatch_simulator.ec2.network import absent
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
PLATFORM = "Linux/UNIX"
_FILTERS = {
    "availability-zone": ("AvailabilityZone",),
    "end-date": ("EndDate",),
    "end-date-type": ("EndDateType",),
    "instance-match-criteria": ("InstanceMatchCriteria",),
    "instance-platform": ("InstancePlatform",),
    "instance-type": ("InstanceType",),
    "outpost-arn": (),
    "owner-id": ("OwnerId",),
    "placement-group-arn": (),
    "start-date": ("StartDate",),
    "state": ("State",),
    "tenancy": ("Tenancy",),
}


def view(region: Region, reservation: CapacityReservation) -> Fields:
    """CapacityReservation as EC2 answers it."""
    shown: Fields = {
        "CapacityReservationId": reservation.id,
        "OwnerId": region.place.account,
        "CapacityReservationArn": region.arn("ec2", f"capacity-reservation/{reservation.id}"),
        "InstanceType": reservation.type,
        "InstancePlatform": reservation.platform,
        "AvailabilityZone": reservation.zone,
        "Tenancy": reservation.tenancy,
        "TotalInstanceCount": reservation.count if reservation.active else 0,
        "AvailableInstanceCount": reservation.free,
        "EbsOptimized": reservation.ebs_optimized,
        "EphemeralStorage": False,
        "State": reservation.state.value,
        "StartDate": _moment(reservation.created_at),
        "EndDateType": "unlimited" if reservation.end_at is None else "limited",
        "InstanceMatchCriteria": reservation.criteria,
        "CreateDate": _moment(reservation.created_at),
        "ReservationType": "default",
        "Tags": [{"Key": key, "Value": value} for key, value in reservation.tags.items()],
    }
    if reservation.end_at is not None:
        shown["EndDate"] = _moment(reservation.end_at)
    if reservation.used_by:
        shown["CapacityAllocations"] = [
            {"AllocationType": "used", "Count": len(reservation.used_by)}
        ]
    return shown


def describe(region: Region, request: Fields) -> Fields:
    """DescribeCapacityReservations: by ids or filters, by page."""
    ids = request.get("CapacityReservationIds") or []
    store = region.ec2.reservations
    for reference in ids:
        if reference not in store:
            raise absent(
                "capacity reservation ID",
                prefix="cr",
                reference=reference,
                malformed="InvalidCapacityReservationId.Malformed",
                unknown="InvalidCapacityReservationId.NotFound",
            )
    found = [store[each] for each in dict.fromkeys(ids)] if ids else store.values()
    hidden = region.world.faults.hidden_seconds("ec2", "DescribeCapacityReservations")
    youngest = region.world.clock.now() - hidden
    views = [view(region, each) for each in found if not hidden or each.created_at <= youngest]
    kept = filters.kept(views, request.get("Filters") or (), _FILTERS)
    return paging.answer(
        "CapacityReservations", kept, request, key="CapacityReservationId", most=1000
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
