"""DescribeInstances. Source: its fields in the EC2 API reference."""

from collections.abc import Callable, Iterable
from typing import Any

from awsbatch_simulator.ec2.instance_filters import TAG, matcher
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
    given = request.get("Filters") or ()
    tagless = _tagless(region)

    def view(instance: Instance) -> Fields:
        owner = {"OwnerId": region.place.account}
        return instance_view(region, instance, tagless=tagless(instance)) | owner

    matches = matcher(given, view, tagless=tagless)
    found = [each for each in _selected(region, ids, given) if matches(each)]
    shown, token = _page(found, request)
    answer: Fields = {"Reservations": _reservations(region, shown, tagless)}
    return answer | ({"NextToken": token} if token else {})


def _tagless(region: Region) -> Callable[[Instance], bool]:
    """Whether an instance's tags are too young to be seen."""
    fault = region.world.faults.active("hidden_tags", operation="DescribeInstances")
    if fault is None:
        return lambda _instance: False
    youngest = region.world.clock.now() - fault.delay_seconds
    return lambda instance: instance.tagged_at > youngest


def _selected(region: Region, ids: list[str], given: Iterable[Fields]) -> Iterable[Instance]:
    """The instances of the ids, or all that can meet the filters, found by their tags."""
    hidden = region.world.faults.hidden_seconds("ec2", "DescribeInstances")
    youngest = region.world.clock.now() - hidden if hidden else float("inf")
    if ids:
        found = []
        for instance_id in dict.fromkeys(ids):
            instance = region.ec2.instances.get(instance_id)
            if instance is None or instance.launched_at > youngest:
                raise no_instance(instance_id)
            found.append(instance)
        return found
    return [each for each in _candidates(region, given) if each.launched_at <= youngest]


def _candidates(region: Region, given: Iterable[Fields]) -> Iterable[Instance]:
    """By the first filter that names tags literally; all instances without such a one."""
    for each in given:
        name, values = each.get("Name") or "", each.get("Values") or []
        literal = not any(set("*?\\").intersection(value) for value in values)
        if name.startswith(TAG) and literal:
            pairs = [(name.removeprefix(TAG), value) for value in dict.fromkeys(values)]
            return [one for pair in pairs for one in region.ec2.by_tag.get(pair, {}).values()]
    return region.ec2.instances.values()


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


def _reservations(
    region: Region, instances: list[Instance], tagless: Callable[[Instance], bool]
) -> list[Fields]:
    grouped: dict[str, list[Fields]] = {}
    for instance in instances:
        view = instance_view(region, instance, tagless=tagless(instance))
        grouped.setdefault(instance.reservation_id, []).append(view)
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
