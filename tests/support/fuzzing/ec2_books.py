"""What EC2 keeps in its indexes and counts, against what there is: both must say the same."""

from collections import Counter
from typing import Any

from awsbatch_simulator.ec2 import quotas, views
from awsbatch_simulator.ec2.capacity_model import CapacityReservation
from awsbatch_simulator.ec2.model import Instance, InstanceState
from awsbatch_simulator.ec2.types import instance_type
from awsbatch_simulator.region import Region

COUNTING = frozenset(InstanceState) - {InstanceState.TERMINATED, InstanceState.STOPPED}


def errors(region: Region) -> list[str]:
    """What does not agree; nothing, if all is well."""
    store = region.ec2
    instances = list(store.instances.values())
    checks: list[tuple[str, Any, Any]] = [
        ("capacity", +store.sold, _sold(region)),
        ("vCPUs", +store.vcpus, _vcpus(_sold(region))),
        ("addresses", _used(region), Counter(_subnets(instances))),
        ("tags", _by_tag(region), _tags(instances)),
        ("interfaces", set(store.interfaces), _parts(instances)),
        ("places in reservations", _places(region), _reserved(instances)),
        ("image names", store.image_names, {each.name: each for each in store.images.values()}),
        ("deregistered images", set(store.images) & set(store.deregistered), set()),
        ("volumes", _attached(region), {one.id for each in instances for one in each.volumes}),
    ]
    shown = [
        (f"what is shown of {each.id}", dict(each.shown), dict(views.made(region, each)))
        for each in instances
        if each.shown is not None
    ]
    return [f"{name}: {kept} {real}" for name, kept, real in (*checks, *shown) if kept != real]


def _sold(region: Region) -> Counter[tuple[str, str, str]]:
    held = Counter(
        (each.market, each.type, each.zone)
        for each in region.ec2.instances.values()
        if _takes(each) and each.reservation is None
    )
    for each in region.ec2.reservations.values():
        if each.active:
            held["on-demand", each.type, each.zone] += each.count
    return held


def _takes(instance: Instance) -> bool:
    """Whether it takes capacity; one that was stopped does not while it shuts down."""
    if instance.state is InstanceState.SHUTTING_DOWN:
        return instance.counted
    return instance.state in COUNTING


def _vcpus(sold: Counter[tuple[str, str, str]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for (market, name, _), count in sold.items():
        quota, size = quotas.quota_of(name, market), instance_type(name)
        if quota is not None and size is not None:
            found[quota.code] += count * size.vcpus
    return found


def _used(region: Region) -> Counter[str]:
    return +Counter({name: len(each.used) for name, each in region.ec2.subnets.items()})


def _subnets(instances: list[Instance]) -> list[str]:
    return [
        one.subnet_id
        for each in instances
        if each.state is not InstanceState.TERMINATED
        for one in each.interfaces
    ]


def _by_tag(region: Region) -> set[tuple[tuple[str, str], str]]:
    return {(tag, one) for tag, found in region.ec2.by_tag.items() for one in found}


def _tags(instances: list[Instance]) -> set[tuple[tuple[str, str], str]]:
    return {(tag, each.id) for each in instances for tag in each.tags.items()}


def _parts(instances: list[Instance]) -> set[str]:
    return {
        one.id
        for each in instances
        if each.state is not InstanceState.TERMINATED
        for one in each.interfaces
    }


def _places(region: Region) -> set[tuple[str, str]]:
    def of(each: CapacityReservation) -> set[tuple[str, str]]:
        assert len(each.used_by) <= each.count
        return {(each.id, one) for one in each.used_by}

    return {pair for each in region.ec2.reservations.values() for pair in of(each)}


def _reserved(instances: list[Instance]) -> set[tuple[str, str]]:
    return {(each.reservation, each.id) for each in instances if each.reservation is not None}


def _attached(region: Region) -> set[str]:
    return {each.id for each in region.ec2.volumes.values() if each.instance_id is not None}
