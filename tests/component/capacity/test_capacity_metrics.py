"""What metrics tell of instances: how many, at what cost, how soon, and what became of launches."""

from tests.support.instances import Fleet, job_key, pool
from tests.support.manifests import ENVIRONMENT, QUEUE


def instances(there, stage):
    return there.metric("capacity_instances", namespace="science", pool="main", stage=stage)


async def test_an_instance_is_counted_and_priced_from_its_launch_to_its_end():
    there = Fleet()
    async with there.running():
        there.furnish(jobs=1)
        await there.run_until(lambda: there.succeeded(1))
        await there.run_until(lambda: there.row()["idle"] == 1)
        shown = {stage: instances(there, stage) for stage in ("wanted", "launched", "joined")}
        assert shown == {"wanted": 1, "launched": 1, "joined": 1}
        assert (instances(there, "serving"), instances(there, "idle")) == (0, 1)
        cost = there.metric("capacity_hourly_dollars", environment=ENVIRONMENT.name)
        assert cost == float(there.row()["hourlyCost"]) > 0
        assert there.metric("capacity_launches_total", market="OnDemand", result="all") == 1
        assert there.metric("capacity_join_seconds_count", market="OnDemand") == 1
        assert 20 <= there.metric("capacity_join_seconds_sum") <= 60  # as the simulator takes
        await there.run_until(lambda: there.row()["launched"] == 0, within=400)
        assert instances(there, "launched") == 0
        assert there.metric("capacity_hourly_dollars") == 0
        for key in (job_key(), QUEUE, ENVIRONMENT):
            there.remove(key)
        await there.until_gone(ENVIRONMENT, within=900)
        assert there.metric("capacity_instances") == 0
        assert there.metric("capacity_join_seconds_count") == 1


async def test_launches_are_counted_by_what_became_of_them():
    there = Fleet()
    there.simulator.world.change(
        there.simulator.world.settings.patched({"market": {"capacity": {"*:m7i.*:*": 1}}})
    )
    async with there.running():
        there.furnish(pool(instanceTypes=["m7i.large"]), jobs=6)
        await there.run_until(lambda: there.launches() >= 2)
        results = {
            result: there.metric("capacity_launches_total", result=result)
            for result in ("all", "some", "none", "refused", "throttled", "unknown")
        }
        assert results["some"] == 1
        assert sum(results.values()) == there.launches()
