"""Spot instances: their requests, prices and interruptions.

Sources: DescribeSpotInstanceRequests, DescribeSpotPriceHistory and GetSpotPlacementScores in the
EC2 API reference; "Spot Instance request status", "Spot Instance interruption notices" and "EC2
instance rebalance recommendations" in the EC2 User Guide.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.simulator.instances import ZONES, Zoned, instance, run, spot, state, tagged

from awsbatch_simulator.ec2 import incidents
from awsbatch_simulator.ec2.incidents import Order


def order(cloud: Zoned, incident: str, **fields: Any) -> list[str]:
    return incidents.carry_out(
        [cloud.region], Order.model_validate({"incident": incident} | fields)
    )


def heard(cloud: Zoned) -> list[tuple[str, dict[str, Any]]]:
    """What EC2 tells from now on."""
    told: list[tuple[str, dict[str, Any]]] = []
    cloud.world.ec2_listeners.append(lambda _region, kind, detail: told.append((kind, detail)))
    return told


def status(cloud: Zoned) -> tuple[str, str]:
    [request] = cloud("DescribeSpotInstanceRequests")["SpotInstanceRequests"]
    return request["State"], request["Status"]["Code"]


def test_behind_a_spot_instance_there_is_a_request_with_tags_of_its_own():
    cloud = Zoned()
    tags = [tagged("spot-instances-request", intent="7")]
    [instance_id] = run(cloud, **spot(MaxPrice="0.5"), TagSpecifications=tags)
    mine = [{"Name": "tag:intent", "Values": ["7"]}]
    [request] = cloud("DescribeSpotInstanceRequests", Filters=mine)["SpotInstanceRequests"]
    assert request["SpotInstanceRequestId"] == instance(cloud, instance_id)["SpotInstanceRequestId"]
    assert (request["InstanceId"], request["SpotPrice"]) == (instance_id, "0.5")
    assert status(cloud) == ("active", "fulfilled")
    cloud("TerminateInstances", InstanceIds=[instance_id])
    assert status(cloud) == ("closed", "instance-terminated-by-user")
    cloud.step(4 * 3600)
    assert cloud("DescribeSpotInstanceRequests") == {"SpotInstanceRequests": []}


def test_a_cancelled_request_leaves_its_instance_running():
    cloud = Zoned()
    [instance_id] = run(cloud, **spot())
    cloud.step(20)
    request = instance(cloud, instance_id)["SpotInstanceRequestId"]
    cloud("CancelSpotInstanceRequests", SpotInstanceRequestIds=[request])
    assert status(cloud) == ("cancelled", "request-canceled-and-instance-running")
    assert state(cloud, instance_id) == "running"


def test_an_interruption_says_so_two_minutes_before_it_ends_the_instance():
    cloud = Zoned()
    [instance_id] = run(cloud, **spot())
    cloud.step(20)
    told = heard(cloud)
    assert order(cloud, "interrupt") == [instance_id]
    warning = {"instance-id": instance_id, "instance-action": "terminate"}
    assert told == [("EC2 Spot Instance Interruption Warning", warning)]
    assert status(cloud) == ("active", "instance-terminated-no-capacity")
    cloud.step(119)
    assert state(cloud, instance_id) == "running"
    cloud.step(1)
    shown = instance(cloud, instance_id)
    assert shown["State"]["Name"] == "shutting-down"
    assert shown["StateReason"]["Code"] == "Server.SpotInstanceTermination"
    assert status(cloud) == ("closed", "instance-terminated-no-capacity")
    assert [kind for kind, _ in told[1:]] == ["EC2 Instance State-change Notification"]


def test_an_order_strikes_those_that_it_means_and_spot_instances_only():
    cloud = Zoned()
    run(cloud)
    [here] = run(cloud, **spot())
    [there] = run(
        cloud, SubnetId="subnet-2", **spot(), TagSpecifications=[tagged("instance", p="a")]
    )
    assert order(cloud, "interrupt", match={"availabilityZone": ZONES[0]}) == [here]
    assert order(cloud, "rebalance", match={"tag:p": "a"}) == [there]
    assert order(cloud, "interrupt", instanceIds=[here, there]) == [there]  # `here` is told already


def test_a_rebalance_recommendation_is_told_and_changes_nothing():
    cloud = Zoned()
    [instance_id] = run(cloud, **spot())
    told = heard(cloud)
    order(cloud, "rebalance", instanceIds=[instance_id])
    [(kind, detail)] = told
    assert (kind, detail["instance-id"]) == (
        "EC2 Instance Rebalance Recommendation",
        instance_id,
    )
    cloud.step(600)
    assert state(cloud, instance_id) == "running"


def test_an_instance_that_is_to_stop_stops_and_its_request_lives_on():
    cloud = Zoned()
    persistent = spot(SpotInstanceType="persistent", InstanceInterruptionBehavior="stop")
    [instance_id] = run(cloud, **persistent)
    cloud.step(20)
    order(cloud, "interrupt", seconds=10)
    cloud.step(30)
    assert state(cloud, instance_id) == "stopped"
    assert status(cloud) == ("active", "instance-stopped-no-capacity")


def history(cloud: Zoned, **fields: Any) -> list[dict[str, Any]]:
    return list(cloud("DescribeSpotPriceHistory", **fields)["SpotPriceHistory"])


def test_the_history_has_a_price_for_each_zone_and_follows_the_settings():
    cloud = Zoned()
    points = history(cloud, InstanceTypes=["m5.large"], ProductDescriptions=["Linux/UNIX"])
    assert sorted(each["AvailabilityZone"] for each in points) == list(ZONES)
    assert all(0.03 < float(each["SpotPrice"]) < 0.06 for each in points)
    cloud.market(spotPrices={"m5.large:*b": 0.012})
    [point] = history(cloud, InstanceTypes=["m5.large"], AvailabilityZone=ZONES[1])
    assert point["SpotPrice"] == "0.012000"
    assert history(cloud, InstanceTypes=["m5.large"], ProductDescriptions=["Windows"]) == []
    assert history(cloud, InstanceTypes=["u-6tb1.56xlarge"]) == []  # no spot, no price


def test_the_history_begins_with_the_price_that_held_then():
    cloud = Zoned()
    now = datetime.fromtimestamp(cloud.world.clock.now(), UTC)
    start = now - timedelta(hours=12)
    only = {"InstanceTypes": ["m5.large"], "AvailabilityZone": ZONES[0]}
    moments = [each["Timestamp"] for each in history(cloud, **only, StartTime=start, EndTime=now)]
    assert moments == sorted(moments, reverse=True)
    assert moments[-1] <= start < moments[-2]
    page = cloud("DescribeSpotPriceHistory", **only, StartTime=start, MaxResults=1)
    rest = cloud("DescribeSpotPriceHistory", **only, StartTime=start, NextToken=page["NextToken"])
    assert len(page["SpotPriceHistory"] + rest["SpotPriceHistory"]) == len(moments)
    assert rest["NextToken"] == ""


def test_placement_scores_are_low_for_few_types_and_for_little_capacity():
    cloud = Zoned()
    types = ["m5.large", "c5.large", "r5.large"]

    def score(**fields: Any) -> list[int]:
        answer = cloud("GetSpotPlacementScores", **{"TargetCapacity": 9} | fields)
        return [each["Score"] for each in answer["SpotPlacementScores"]]

    assert score(InstanceTypes=types) == [9]
    assert score(InstanceTypes=types[:2]) == [3]
    cloud.market(capacity={"spot:*:*": 1})
    assert score(InstanceTypes=types, TargetCapacity=18) == [4]
    assert score(InstanceTypes=types, SingleAvailabilityZone=True) == [3]
