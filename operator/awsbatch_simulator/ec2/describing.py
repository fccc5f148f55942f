"""DescribeInstances. Source: its fields in the EC2 API reference."""

from collections.abc import Iterable
from typing import Any

from awsbatch_simulator.ec2.instance_filters import matcher
from awsbatch_simulator.ec2.model import Instance
from awsbatch_simulator.ec2.network import absent, id_like
from awsbatch_simulator.ec2.views import instance_view
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
PAGES = range(5, 1001)


def describe(region: Region, request: Fields) -> Fields:
    """By ids or filters, by page; reservations hold the instances that were launched together."""
    ids = request.get("InstanceIds") or []
    if ids and "MaxResults" in request:
        message = "The parameter instancesSet cannot be used with the parameter maxResults"
        raise AwsFailure("InvalidParameterCombination", message)
    owner = {"OwnerId": region.place.account}
    matches = matcher(
        request.get("Filters") or (), lambda each: instance_view(region, each) | owner
    )
    found = [each for each in _selected(region, ids) if matches(each)]
    shown, token = _page(found, request)
    answer: Fields = {"Reservations": _reservations(region, shown)}
    return answer | ({"NextToken": token} if token else {})


def _selected(region: Region, ids: list[str]) -> Iterable[Instance]:
    hidden = region.world.faults.hidden_seconds("ec2", "DescribeInstances")
    youngest = region.world.clock.now() - hidden if hidden else float("inf")
    visible = {
        each.id: each for each in region.ec2.instances.values() if each.launched_at <= youngest
    }
    for instance_id in ids:
        if instance_id not in visible:
            raise no_instance(instance_id)
    return [visible[each] for each in dict.fromkeys(ids)] if ids else visible.values()


def _page(found: list[Instance], request: Fields) -> tuple[list[Instance], str | None]:
    """Instances in the order of their ids; the token is the last id shown."""
    size = request.get("MaxResults")
    if size is not None and size not in PAGES:
        raise AwsFailure("InvalidParameterValue", "MaxResults must be between 5 and 1000")
    after = request.get("NextToken") or ""
    if after and not id_like(after, "i"):
        raise AwsFailure("InvalidNextToken", "The token is none that was given")
    left = sorted((each for each in found if each.id > after), key=lambda each: each.id)
    if size is None or len(left) <= size:
        return left, None
    return left[:size], left[size - 1].id


def _reservations(region: Region, instances: list[Instance]) -> list[Fields]:
    grouped: dict[str, list[Fields]] = {}
    for instance in instances:
        grouped.setdefault(instance.reservation_id, []).append(instance_view(region, instance))
    return [
        {
            "ReservationId": reservation,
            "OwnerId": region.place.account,
            "Groups": [],
            "Instances": views,
        }
        for reservation, views in grouped.items()
    ]


def no_instance(instance_id: str) -> AwsFailure:
    """An id that names no instance."""
    return absent(
        "instance ID",
        prefix="i",
        reference=instance_id,
        malformed="InvalidInstanceID.Malformed",
        unknown="InvalidInstanceID.NotFound",
    )
