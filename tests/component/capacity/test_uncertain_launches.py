"""Launches of which not all is known: nothing is launched twice, and nothing is left behind."""

from tests.support.instances import CALLS_A_MINUTE, Fleet, job_key, launching, pool
from tests.support.manifests import ENVIRONMENT


async def all_go_again(there: Fleet) -> None:
    """Whatever was launched has something to do, or goes."""
    await there.run_until(lambda: not there.alive(), within=900)
    assert there.busiest_minute() <= CALLS_A_MINUTE


async def test_a_lost_answer_is_made_up_for_by_a_look_and_no_second_launch():
    there = Fleet()
    there.fault(effect="drop_after", service="ec2", operation="CreateFleet", times=1)
    async with there.running():
        there.furnish(jobs=1)
        await there.run_until(lambda: there.succeeded(1))
        assert there.launches() == 1
        await all_go_again(there)


async def test_a_launch_that_never_reached_ec2_is_looked_for_and_then_made():
    there = Fleet()
    there.fault(effect="drop_before", service="ec2", operation="CreateFleet", times=1)
    async with there.running():
        there.furnish(jobs=1)
        text = await there.until(ENVIRONMENT, "Reconciling", "LaunchSettling")
        assert text.startswith("Whether a launch of 1 instance for pool main reached EC2 is not")
        await there.run_until(lambda: there.succeeded(1))
        assert there.launches() == 2
        await all_go_again(there)


async def test_tags_and_instances_that_come_to_light_late_are_waited_for():
    for late in (
        {"effect": "world", "name": "hidden_tags", "seconds": 30},
        {"effect": "hide", "service": "ec2", "operation": "DescribeInstances", "seconds": 30},
    ):
        there = Fleet()
        there.fault(**late)
        there.fault(effect="drop_after", service="ec2", operation="CreateFleet", times=1)
        async with there.running():
            there.furnish(jobs=2)
            await there.until(job_key(1), "Complete")
            await there.until(job_key(2), "Complete")
            assert there.launches() == 1
            assert len(there.alive()) == 1


async def test_what_a_fleet_does_not_give_is_asked_for_elsewhere():
    there = Fleet()
    short = {"on-demand:c7i.large:*": 1, "on-demand:m7i.large:*": 1}
    there.settle(market={"capacity": short})
    async with there.running():
        there.furnish(pool(instanceTypes=["m7i.large", "m7i.xlarge", "c7i.large"]), jobs=8)
        await there.run_until(lambda: there.succeeded(*range(1, 9)))
        types = {each["InstanceType"] for each in there.alive()}
        assert types == {"c7i.large", "m7i.large", "m7i.xlarge"}
        assert "Launched 1 x c7i.large" in there.told("InstancesLaunched")[0]
        assert sum(int(each["CpuOptions"]["CoreCount"]) for each in there.alive()) * 2 == 8
        await all_go_again(there)


async def test_two_pools_that_want_the_same_types_do_not_both_launch_for_a_job():
    there = Fleet()
    async with there.running():
        there.furnish(pool(name="one"), pool(name="two"), jobs=8)
        await there.run_until(lambda: there.succeeded(*range(1, 9)))
        assert there.launches() == 1
        assert sum(row["launched"] for row in there.capacity()["pools"]) == len(there.alive()) == 2


async def test_a_spec_that_is_edited_while_a_launch_is_open_forgets_none_of_its_instances():
    there = Fleet()
    there.fault(effect="drop_after", service="ec2", operation="CreateFleet", times=1)
    async with there.running():
        there.furnish(jobs=1)
        await there.run_until(lambda: there.launches() == 1)
        there.apply(ENVIRONMENT, launching(pool(instanceTypes=["c7i.xlarge"])))
        await there.run_until(lambda: there.succeeded(1))
        assert there.launches() <= 2
        await all_go_again(there)


async def test_a_throttled_launch_that_the_spec_no_longer_wants_is_not_sent_again():
    there = Fleet()
    there.fault(effect="throttle", service="ec2", operation="CreateFleet", times=1)
    async with there.running():
        there.furnish(jobs=1)
        await there.run_until(lambda: there.launches() == 1)
        there.apply(ENVIRONMENT, launching(pool(instanceTypes=["c7i.xlarge"])))
        await there.run_until(lambda: there.succeeded(1))
        first, second = there.bodies("CreateFleet")
        assert first != second
        assert [each["InstanceType"] for each in there.alive()] == ["c7i.xlarge"]
