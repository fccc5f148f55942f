"""The requests that capacity is made by, sent to the simulator, which refuses what EC2 refuses."""

from tests.simulator.cloud import Cloud
from tests.unit.capacity.planning_model import OWNER, machine
from tests.unit.capacity.values import LARGE, NOW, offers, pool

from awsbatch_operator.capacity import requests
from awsbatch_operator.capacity.launches import Intent
from awsbatch_operator.capacity.machines import template
from awsbatch_operator.capacity.model import Market
from awsbatch_operator.capacity.views import instance_view


def test_an_instance_of_a_template_of_ours_says_whose_it_is_and_ends_when_it_is_told_to():
    cloud, mine = Cloud(), pool("main", LARGE)
    made = template(OWNER, mine, machine(mine))
    cloud("CreateLaunchTemplate", **requests.make_template("main", made).request)
    cloud("CreateLaunchTemplate", **requests.make_template("main", made).request)  # the same
    intent = Intent(
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
        reservation="cr-1",
        end=NOW.plus(3600),
    )
    request = dict(requests.launch(OWNER, intent, made.content).request)
    assert request == dict(requests.launch(OWNER, intent, made.content).request)
    del request["CapacityReservationSpecification"]  # the simulator makes none
    cloud("RunInstances", **request)
    cloud.step(20)
    found = [
        instance_view(each)
        for reservation in cloud("DescribeInstances")["Reservations"]
        for each in reservation["Instances"]
    ]
    assert {(each.pool, each.intent, each.content, each.end) for each in found} == {
        ("main", "awsbatch-1", made.content, NOW.plus(3600))
    }
    [call] = requests.terminate("main", [each.id for each in found])
    cloud(call.operation, **call.request)
    [shown] = cloud("DescribeLaunchTemplates")["LaunchTemplates"]
    assert shown["LaunchTemplateName"] == made.name
    cloud("DeleteLaunchTemplate", **requests.delete_template(made.name).request)
    assert not cloud("DescribeLaunchTemplates")["LaunchTemplates"]
