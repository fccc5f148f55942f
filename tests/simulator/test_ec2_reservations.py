"""Capacity reservations for immediate use.

Sources: CreateCapacityReservation, ModifyCapacityReservation, CancelCapacityReservation and
CapacityReservationSpecification in the EC2 API reference; "On-Demand Capacity Reservations" in the
EC2 User Guide.
"""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.simulator.instances import (
    Zoned,
    bought,
    fleet,
    instance,
    override,
    refused,
    run,
    spot,
    tagged,
)

STANDARD = "L-1216C47A"
EXCEEDED = "ReservationCapacityExceeded: The requested reservation does not have sufficient"


def request(count: int = 2, **fields: Any) -> dict[str, Any]:
    return {
        "InstanceType": "m5.large",
        "InstancePlatform": "Linux/UNIX",
        "AvailabilityZone": "eu-central-1a",
        "InstanceCount": count,
    } | fields


def reserve(cloud: Zoned, count: int = 2, **fields: Any) -> str:
    made = cloud("CreateCapacityReservation", **request(count, **fields))
    return str(made["CapacityReservation"]["CapacityReservationId"])


def shown(cloud: Zoned, reservation: str) -> dict[str, Any]:
    found = cloud("DescribeCapacityReservations", CapacityReservationIds=[reservation])
    return dict(found["CapacityReservations"][0])


def counts(cloud: Zoned, reservation: str) -> tuple[int, int]:
    view = shown(cloud, reservation)
    return view["TotalInstanceCount"], view["AvailableInstanceCount"]


def ends(cloud: Zoned, seconds: float) -> dict[str, Any]:
    end = datetime.fromtimestamp(cloud.world.clock.now() + seconds, UTC)
    return {"EndDateType": "limited", "EndDate": end}


def target(reservation: str) -> dict[str, Any]:
    named = {"CapacityReservationId": reservation}
    return {"CapacityReservationSpecification": {"CapacityReservationTarget": named}}


def preference(value: str) -> dict[str, Any]:
    return {"CapacityReservationSpecification": {"CapacityReservationPreference": value}}


def test_a_reservation_holds_capacity_and_quota_whether_it_is_used_or_not():
    cloud = Zoned(capacity={"*:*:*": 3}, quotas={STANDARD: 100})
    reservation = reserve(cloud, 2, InstanceMatchCriteria="targeted")
    assert counts(cloud, reservation) == (2, 2)
    assert cloud.region.ec2.vcpus[STANDARD] == 4
    assert len(run(cloud, 9)) == 1  # what is left for others
    assert len(run(cloud, 9, **target(reservation))) == 2
    assert counts(cloud, reservation) == (2, 0)
    assert cloud.region.ec2.vcpus[STANDARD] == 6


def test_where_there_is_not_so_much_none_is_reserved():
    cloud = Zoned(capacity={"*:*:*": 1}, quotas={STANDARD: 3})
    create = "CreateCapacityReservation"
    assert cloud.refused(create, **request(2)).startswith("InstanceLimitExceeded: ")
    cloud.market(quotas={STANDARD: 100})
    assert cloud.refused(create, **request(2)).startswith("InsufficientInstanceCapacity: ")
    assert cloud("DescribeCapacityReservations") == {"CapacityReservations": []}


def test_an_open_one_takes_every_instance_that_fits_and_does_not_decline():
    cloud = Zoned()
    reservation = reserve(cloud, 2, InstanceMatchCriteria="open")
    run(cloud, InstanceType="c5.large")
    run(cloud, SubnetId="subnet-2")
    run(cloud, **spot())
    run(cloud, **preference("none"))
    assert counts(cloud, reservation) == (2, 2)
    ids = run(cloud, 3)
    assert counts(cloud, reservation) == (2, 0)
    used = [instance(cloud, each).get("CapacityReservationId") for each in ids]
    assert used == [reservation, reservation, None]


def test_a_targeted_one_takes_only_who_names_it():
    cloud = Zoned()
    reservation = reserve(cloud, 1, InstanceMatchCriteria="targeted")
    run(cloud)
    assert counts(cloud, reservation) == (1, 1)
    [named] = run(cloud, **target(reservation))
    assert instance(cloud, named)["CapacityReservationId"] == reservation
    assert refused(cloud, **target(reservation)).startswith(EXCEEDED)
    other = reserve(cloud, 1, InstanceMatchCriteria="targeted")
    assert refused(cloud, **target(other), InstanceType="c5.large").startswith(EXCEEDED)
    assert refused(cloud, **target(other), SubnetId="subnet-2").startswith(EXCEEDED)


def test_who_wants_reservations_only_gets_no_more_than_they_hold():
    cloud = Zoned()
    assert refused(cloud, **preference("capacity-reservations-only")).startswith(EXCEEDED)
    reserve(cloud, 2)
    assert len(run(cloud, 5, **preference("capacity-reservations-only"))) == 2


def test_a_place_is_free_again_when_its_instance_is_terminated():
    cloud = Zoned()
    reservation = reserve(cloud, 1)
    cloud("TerminateInstances", InstanceIds=run(cloud))
    assert counts(cloud, reservation) == (1, 0)
    cloud.step(20)
    assert counts(cloud, reservation) == (1, 1)


def test_at_its_end_it_expires_and_its_instances_go_on_as_ordinary_ones():
    cloud = Zoned(capacity={"*:*:*": 2})
    reservation = reserve(cloud, 2, **ends(cloud, 3600))
    [running] = run(cloud)
    cloud.step(3599)
    assert shown(cloud, reservation)["State"] == "active"
    cloud.step(1)
    view = shown(cloud, reservation)
    assert (view["State"], view["TotalInstanceCount"], view["AvailableInstanceCount"]) == (
        "expired",
        0,
        0,
    )
    assert instance(cloud, running)["State"]["Name"] == "running"
    assert "CapacityReservationId" not in instance(cloud, running)
    assert cloud.region.ec2.vcpus[STANDARD] == 2
    assert refused(cloud, **target(reservation)).startswith("InvalidCapacityReservationState: ")
    assert len(run(cloud, 9)) == 1


def test_another_end_counts_from_when_it_is_given():
    cloud = Zoned()
    reservation = reserve(cloud, 1, **ends(cloud, 100))
    modified = {"CapacityReservationId": reservation}
    cloud("ModifyCapacityReservation", **modified, **ends(cloud, 300))
    cloud.step(299)
    assert shown(cloud, reservation)["State"] == "active"
    cloud.step(1)
    assert shown(cloud, reservation)["State"] == "expired"


def test_its_count_can_grow_into_what_there_is_and_shrink_to_what_is_used():
    cloud = Zoned(capacity={"*:*:*": 3})
    reservation = reserve(cloud, 2)
    run(cloud)
    modify, named = "ModifyCapacityReservation", {"CapacityReservationId": reservation}
    refusal = cloud.refused(modify, **named, InstanceCount=4)
    assert refusal.startswith("InsufficientInstanceCapacity: ")
    cloud(modify, **named, InstanceCount=3)
    assert counts(cloud, reservation) == (3, 2)
    cloud(modify, **named, InstanceCount=1)
    assert counts(cloud, reservation) == (1, 0)
    assert cloud.refused(modify, **named, InstanceCount=0).startswith("InvalidParameterValue: ")
    assert len(run(cloud, 9)) == 2


def test_a_cancelled_one_gives_its_capacity_back_and_is_listed_for_a_while():
    cloud = Zoned(capacity={"*:*:*": 2})
    reservation = reserve(cloud, 2)
    cloud("CancelCapacityReservation", CapacityReservationId=reservation)
    assert shown(cloud, reservation)["State"] == "cancelled"
    again = {"CapacityReservationId": reservation}
    refusal = cloud.refused("CancelCapacityReservation", **again)
    assert refusal.startswith("InvalidCapacityReservationState: ")
    assert len(run(cloud, 9)) == 2
    cloud.step(3600)
    assert cloud("DescribeCapacityReservations") == {"CapacityReservations": []}


def test_the_same_token_brings_the_same_reservation():
    cloud = Zoned()
    first, second = (reserve(cloud, ClientToken="t") for _ in range(2))
    assert first == second
    assert len(cloud("DescribeCapacityReservations")["CapacityReservations"]) == 1
    refusal = cloud.refused("CreateCapacityReservation", **request(3, ClientToken="t"))
    assert refusal.startswith("IdempotentParameterMismatch: ")


def test_a_fleet_takes_reservations_too():
    cloud = Zoned()
    reservation = reserve(cloud, 2)
    answer = fleet(cloud, override("m5.large"), units=3, market="on-demand")
    assert bought(answer) == {("m5.large", "subnet-1"): 3}
    assert counts(cloud, reservation) == (2, 0)


def test_it_has_tags_and_is_found_by_them():
    cloud = Zoned()
    reserve(cloud)
    mine = reserve(cloud, TagSpecifications=[tagged("capacity-reservation", pool="gpu")])
    found = cloud(
        "DescribeCapacityReservations",
        Filters=[{"Name": "tag:pool", "Values": ["gpu"]}, {"Name": "state", "Values": ["active"]}],
    )["CapacityReservations"]
    assert [each["CapacityReservationId"] for each in found] == [mine]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"InstanceCount": 0}, "InvalidParameterValue"),
        ({"InstanceCount": 1001}, "InvalidParameterValue"),
        ({"InstanceType": "m99.large"}, "InvalidParameterValue"),
        ({"AvailabilityZone": "us-east-1a"}, "InvalidParameterValue"),
        ({"EndDateType": "limited"}, "InvalidParameterCombination"),
        ({"EndDate": datetime(2099, 1, 1, tzinfo=UTC)}, "InvalidParameterCombination"),
        (
            {"EndDateType": "limited", "EndDate": datetime(2020, 1, 1, tzinfo=UTC)},
            "InvalidParameterValue",
        ),
        ({"InstanceMatchCriteria": "closed"}, "InvalidParameterValue"),
        ({"StartDate": datetime(2099, 1, 1, tzinfo=UTC)}, "NotImplemented"),
    ],
)
def test_what_cannot_be_reserved(fields, code):
    cloud = Zoned()
    refusal = cloud.refused("CreateCapacityReservation", **request() | fields)
    assert refusal.startswith(f"{code}: ")
