"""EC2 shows late what was made and what was ended: nothing is asked for again and again."""

from tests.support.instances import Fleet, job_key, pool
from tests.support.manifests import ENVIRONMENT, QUEUE


async def test_an_instance_that_ec2_does_not_list_yet_is_ended_once():
    there = Fleet()
    there.fault(effect="hide", service="ec2", operation="DescribeInstances", seconds=30)
    async with there.running():
        there.furnish(jobs=1)
        await there.run_until(lambda: len(there.alive()) == 1)
        for key in (job_key(), QUEUE, ENVIRONMENT):
            there.remove(key)
        await there.until_gone(ENVIRONMENT, within=900)
        assert there.alive() == []
        assert there.calls.count("ec2:TerminateInstances") == 1


async def test_a_reservation_that_ec2_does_not_show_yet_is_asked_for_rarely():
    there = Fleet()
    lag = {"effect": "hide", "operation": "DescribeCapacityReservations", "seconds": 30}
    there.fault(service="ec2", **lag)
    block = {"durationSeconds": 3600, "instanceCount": 1, "fallback": ["NewReservation"]}
    async with there.running():
        there.furnish(pool(market="SpotBlock", spotBlock=block), jobs=1)
        await there.run_until(lambda: there.launches() == 1)
        assert there.calls.count("ec2:CreateCapacityReservation") <= 8
        [made] = there.aws("ec2").describe_capacity_reservations()["CapacityReservations"]
        assert made["TotalInstanceCount"] == 1


async def test_a_reservation_that_is_gone_before_it_was_shown_makes_way_for_the_next_way():
    there = Fleet()
    lag = {"effect": "hide", "operation": "DescribeCapacityReservations", "seconds": 60}
    there.fault(service="ec2", **lag)
    ways = ["NewReservation", "OnDemandUntilDeadline"]
    block = {"durationSeconds": 3600, "instanceCount": 1, "start": "Immediately", "fallback": ways}
    async with there.running():
        there.furnish(pool(market="SpotBlock", instanceTypes=["m7i.large"], spotBlock=block))
        await there.run_until(lambda: "ec2:CreateCapacityReservation" in there.calls)
        there.mend()
        ec2 = there.aws("ec2")
        [made] = ec2.describe_capacity_reservations()["CapacityReservations"]
        ec2.cancel_capacity_reservation(CapacityReservationId=made["CapacityReservationId"])
        await there.run_until(lambda: there.row()["joined"] == 1)
        assert "by OnDemandUntilDeadline" in there.row()["block"]["decision"]
