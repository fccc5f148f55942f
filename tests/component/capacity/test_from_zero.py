"""Instances for waiting jobs: from none, by one call, and back to none."""

from collections import Counter

from tests.support.instances import Fleet, job_key
from tests.support.manifests import ENVIRONMENT, QUEUE


async def test_a_waiting_job_gets_an_instance_which_goes_when_it_has_nothing_to_do():
    there = Fleet()
    async with there.running():
        there.furnish(jobs=1)
        await there.run_until(lambda: there.succeeded(1))
        assert there.launches() == 1
        [row] = there.instances("running")
        assert row["InstanceType"] == "m7i.large"
        await there.run_until(lambda: not there.alive(), within=400)
        await there.run_until(lambda: there.row()["launched"] == 0)
        assert there.members() == []
        told = [reason for reason, _ in there.events(ENVIRONMENT)]
        assert told == ["Created", "Ready", "InstancesLaunched", "InstancesEnded"]


async def test_an_environment_at_rest_costs_no_write_and_few_calls():
    there = Fleet()
    async with there.running():
        there.furnish()
        await there.until_ready(ENVIRONMENT, QUEUE)
        await there.clock.advance(120)
        there.calls.clear()
        version = there.kube.see(ENVIRONMENT)["metadata"]["resourceVersion"]
        await there.clock.advance(600)
        assert there.kube.see(ENVIRONMENT)["metadata"]["resourceVersion"] == version
        counts = Counter(there.calls)
        assert counts["ec2:DescribeInstances"] <= 11
        assert counts["ecs:ListContainerInstances"] <= 11
        assert there.changes() == []


async def test_a_deleted_environment_ends_its_instances_and_leaves_nothing():
    there = Fleet()
    async with there.running():
        there.furnish(jobs=1)
        await there.run_until(lambda: there.succeeded(1))
        for key in (job_key(), QUEUE, ENVIRONMENT):
            there.remove(key)
        await there.until_gone(ENVIRONMENT, within=900)
        assert there.alive() == []
        assert there.aws("ec2").describe_launch_templates()["LaunchTemplates"] == []
