"""examples/unmanaged and examples/spot-block on the real API server: instances come and go."""

from decimal import Decimal

import pytest
from tests.support.cluster import is_complete, is_true, message
from tests.support.deadline import wait_until
from tests.support.examples import bodies

BLOCK = ("ComputeEnvironment", "block")
OVER = {"shutting-down", "terminated"}


def instances(site):
    found = site.client("ec2").describe_instances()["Reservations"]
    listed = [each for one in found for each in one["Instances"]]
    return [each for each in listed if each["State"]["Name"] not in OVER]


def delete(site, cluster, applied):
    """All goes, and leaves neither instances nor what they were launched with."""
    for body in applied:
        cluster.delete(body["kind"], body["metadata"]["name"])
    cluster.wait_gone()
    ec2 = site.client("ec2")
    assert instances(site) == []
    assert templates(site, cluster) == []
    requests = ec2.describe_spot_instance_requests()["SpotInstanceRequests"]
    assert {each["State"] for each in requests} <= {"closed", "cancelled"}


def templates(site, cluster):
    """The launch templates of this namespace's environments."""
    found = site.client("ec2").describe_launch_templates()["LaunchTemplates"]
    return [each for each in found if tag_of(each, "awsbatch.dev/namespace") == cluster.namespace]


def rows(body):
    """The pools in the status."""
    return body.get("status", {}).get("capacity", {}).get("pools", ())


def test_unmanaged_runs_its_job_on_an_instance_that_comes_and_goes(site, cluster):
    applied = bodies("unmanaged")
    for body in applied:
        for pool in body["spec"].get("capacity", {}).get("pools", ()):
            pool["idleSeconds"] = 1  # nobody waits for minutes here
    cluster.apply(*applied)
    cluster.wait("BatchJob", "first-on-own-instances", is_complete, "is Complete")
    environment = ("ComputeEnvironment", "own-instances")
    wait_until(lambda: not instances(site), "the instance has gone")

    def is_at_zero(body):
        return all(row["launched"] == 0 for row in rows(body))

    cluster.wait(*environment, is_at_zero, "is at zero again")
    told = [each["reason"] for each in cluster.events(*environment)]
    assert told.count("InstancesLaunched") == told.count("InstancesEnded") == 1
    delete(site, cluster, applied)


@pytest.fixture(scope="module", autouse=True)
def spot_price(site):
    """Below what examples/spot-block pays at most. The operator keeps prices for hours."""
    prices = {"spotPrices": {"r5.large:*": 0.028}}
    site.aws.admin("PUT", "/_simulator/settings", {"market": prices})


def test_a_block_is_got_by_its_ladder_with_its_cost_its_end_and_how_sure_it_is(site, cluster):
    applied = bodies("spot-block")
    cluster.apply(*applied)
    body = cluster.wait(*BLOCK, has_joined(4), "has all four")
    block = rows(body)[0]["block"]
    assert block["decision"].startswith("4 x r5.large in ")
    assert "by Spot, which EC2 may take back before." in block["decision"]
    for rung in ("OwnReservation", "NewReservation", "OnDemandUntilDeadline"):
        assert f"{rung}: r5.large costs 0.1506, above maxPricePerHour 0.03" in block["decision"]
    assert Decimal(block["cost"]) <= 4 * 4 * Decimal("0.03")
    assert {tag_of(each, "awsbatch.dev/end") for each in instances(site)} == {block["endTime"]}
    body = cluster.wait(*BLOCK, is_true("DurationNotGuaranteed"), "says how sure it is")
    assert "EC2 may take them back before the end" in message(body, "DurationNotGuaranteed")
    delete(site, cluster, applied)


def test_a_block_is_not_bought_above_its_price(site, cluster):
    applied = bodies("spot-block")
    [environment] = [each for each in applied if each["kind"] == "ComputeEnvironment"]
    environment["spec"]["capacity"]["pools"][0]["maxPricePerHour"] = "0.02"
    cluster.apply(*applied)

    def finds_no_way(body):
        return any(
            "No way is open." in row.get("block", {}).get("decision", "") for row in rows(body)
        )

    body = cluster.wait(*BLOCK, finds_no_way, "finds no way")
    decision = rows(body)[0]["block"]["decision"]
    assert "Spot: r5.large costs 0.028, above maxPricePerHour 0.02" in decision
    assert instances(site) == []
    delete(site, cluster, applied)


def has_joined(count):
    return lambda body: any(row["joined"] == count for row in rows(body))


def tag_of(instance, key):
    return next(each["Value"] for each in instance["Tags"] if each["Key"] == key)
