"""The requests that capacity is made by, sent to the simulator, which refuses what EC2 refuses."""

from dataclasses import replace

import pytest
from tests.simulator.cloud import Cloud
from tests.unit.capacity.planning_model import CLUSTER, OWNER, machine
from tests.unit.capacity.values import LARGE, NOW, offers, pool

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.tokens import OF_TEMPLATES, with_passing_token
from awsbatch_operator.capacity import requests
from awsbatch_operator.capacity.block_record import Reserve
from awsbatch_operator.capacity.launches import Intent
from awsbatch_operator.capacity.machines import Template, template
from awsbatch_operator.capacity.model import Market
from awsbatch_operator.capacity.views import instance_view


def views(cloud):
    return [
        instance_view(each)
        for reservation in cloud("DescribeInstances")["Reservations"]
        for each in reservation["Instances"]
    ]


def intent(made, mine, **changes):
    usual = Intent(
        pool="main",
        token="awsbatch-1",
        round=1,
        template=made.name,
        version=1,
        count=2,
        minimum=1,
        market=Market.ON_DEMAND,
        offers=offers(mine),
        time=NOW,
        end=NOW.plus(3600),
    )
    return replace(usual, **changes)


@pytest.fixture
def mine():
    return pool("main", LARGE)


@pytest.fixture
def made(mine):
    found = template(OWNER, mine, machine(mine))
    assert isinstance(found, Template)
    return found


@pytest.fixture
def cloud(made):
    cloud = Cloud()
    cloud.known.zones |= {f"subnet-{zone}": f"eu-central-1{zone}" for zone in "ab"}
    make = requests.make_template("main", made).request
    sent = with_passing_token(make, Instant(0.0), OF_TEMPLATES)
    for _ in range(2):  # the same once more makes no second one
        cloud("CreateLaunchTemplate", **sent)
    return cloud


def test_the_instances_of_a_fleet_say_whose_they_are_and_go_when_they_are_told_to(
    cloud, made, mine
):
    request = requests.launch(OWNER, intent(made, mine), made.content, CLUSTER).request
    assert request == requests.launch(OWNER, intent(made, mine), made.content, CLUSTER).request
    answer = cloud("CreateFleet", **request)
    assert answer["Errors"] == []
    cloud.step(20)
    found = views(cloud)
    assert len(found) == 2
    assert {(each.pool, each.intent, each.content, each.end) for each in found} == {
        ("main", "awsbatch-1", made.content, NOW.plus(3600))
    }
    [call] = requests.terminate("main", [each.id for each in found])
    cloud(call.operation, **call.request)
    cloud("DeleteLaunchTemplate", **requests.delete_template(made.name).request)
    assert not cloud("DescribeLaunchTemplates")["LaunchTemplates"]


def test_instances_are_launched_into_the_reservation_that_was_made_for_them(cloud, made, mine):
    end = Instant(float(int(cloud.world.clock.now()) + 7200))
    wanted = Reserve("awsbatch-r1", LARGE.name, "eu-central-1a", 2, end)
    for _ in range(2):  # by the same token: one reservation
        reserve = requests.reserve(OWNER, "main", wanted)
        reservation = cloud(reserve.operation, **reserve.request)["CapacityReservation"]
    [shown] = cloud("DescribeCapacityReservations")["CapacityReservations"]
    into = intent(
        made,
        mine,
        offers=offers(mine)[:1],
        reservation=reservation["CapacityReservationId"],
    )
    launch = requests.launch(OWNER, into, made.content, CLUSTER)
    cloud(launch.operation, **launch.request)
    cloud.step(20)
    [shown] = cloud("DescribeCapacityReservations")["CapacityReservations"]
    assert (shown["TotalInstanceCount"], shown["AvailableInstanceCount"]) == (2, 0)
    assert len(views(cloud)) == 2
    release = requests.release("main", reservation["CapacityReservationId"])
    cloud(release.operation, **release.request)
    [shown] = cloud("DescribeCapacityReservations")["CapacityReservations"]
    assert shown["State"] == "cancelled"
