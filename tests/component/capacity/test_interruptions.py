"""Spot Instances that EC2 takes back: by polling alone, and told by the interruption queue."""

import pytest
from tests.support.instances import Fleet, job_key, pool
from tests.support.manifests import DEFINITION, definition

from awsbatch_simulator.ec2 import incidents
from awsbatch_simulator.jobscript import JobScript

ARN = "arn:aws:sqs:eu-central-1:111122223333:aws-batch-operator-test"
TYPES = ["m7i.large", "m6i.large"]


def befall(there, incident, **more):
    regions = there.simulator.world.regions()
    return incidents.carry_out(regions, incidents.Order(incident=incident, **more))


def with_queue(there):
    """A rule that sends EC2's notices to the operator's queue."""
    world, name = there.simulator.world, ARN.rpartition(":")[2]
    there.aws("sqs").create_queue(QueueName=name)
    notices = world.settings.notices.model_copy(update={"queue": name})
    world.change(world.settings.model_copy(update={"notices": notices}))


def jobs_take(there, seconds):
    world = there.simulator.world
    script = JobScript(duration_seconds=seconds)
    world.change(world.settings.model_copy(update={"job_scripts": (script,)}))


def ids(instances):
    return {each["InstanceId"] for each in instances}


async def working(there, **members):
    """One Spot Instance with a job that takes an hour and may be tried twice."""
    jobs_take(there, 3600)
    there.furnish(pool(market="Spot", instanceTypes=TYPES, **members))
    there.apply(DEFINITION, definition(retryStrategy={"attempts": 2}))
    there.apply(
        job_key(), {"jobQueueRef": {"name": "main"}, "jobDefinitionRef": {"name": "simulate"}}
    )
    await there.run_until(lambda: there.status(job_key()).get("awsStatus") == "RUNNING")
    [instance] = there.instances("running")
    return instance


@pytest.mark.parametrize("queue", [False, True])
async def test_an_interrupted_instance_is_drained_and_replaced_before_it_goes(queue):
    there = Fleet(None, **({"interruption_queue": ARN} if queue else {}))
    if queue:
        with_queue(there)
    async with there.running():
        instance = await working(there)
        assert befall(there, "interrupt") == [instance["InstanceId"]]
        since = there.clock.now().epoch
        await there.run_until(lambda: [each["status"] for each in there.members()] == ["DRAINING"])
        assert there.clock.now().epoch - since <= (25 if queue else 90)
        await there.run_until(lambda: len(there.instances("pending", "running")) == 2)
        assert there.clock.now().epoch - since <= 120
        paused = there.row()["paused"]
        assert [each["offer"].partition(" ")[0] for each in paused] == ["Spot"]
        [told] = [note for reason, note in there.events(job_key()) if reason == "HostInterrupted"]
        assert instance["InstanceId"] in told
        await there.run_until(lambda: instance["InstanceId"] not in ids(there.alive()))
        await there.run_until(lambda: there.status(job_key())["awsStatus"] == "RUNNING")
        assert len(there.instances("running")) == 1


@pytest.mark.parametrize(
    ("policy", "statuses"),
    [("Ignore", ["ACTIVE"]), ("Drain", ["DRAINING"]), ("Replace", ["ACTIVE", "DRAINING"])],
)
async def test_a_rebalance_recommendation_does_what_the_pool_says(policy, statuses):
    there = Fleet(None, interruption_queue=ARN)
    with_queue(there)
    async with there.running():
        await working(there, onRebalance=policy, idleSeconds=600)
        befall(there, "rebalance")
        seen = set()
        for _ in range(40):
            await there.clock.advance(5)
            seen.add(tuple(sorted(each["status"] for each in there.members())))
        assert sorted(each["status"] for each in there.members()) == statuses
        # Replace: nothing is drained before there is room for its job elsewhere.
        assert (("DRAINING",) in seen) == (policy == "Drain")


async def test_an_instance_that_ec2_will_retire_gets_no_new_job_and_keeps_the_one_it_has():
    there = Fleet()
    async with there.running():
        await working(there)
        befall(there, "schedule", seconds=86_400)
        await there.run_until(lambda: [each["status"] for each in there.members()] == ["DRAINING"])
        await there.clock.advance(300)
        assert there.status(job_key())["awsStatus"] == "RUNNING"
