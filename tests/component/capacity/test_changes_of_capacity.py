"""Edits and gates: what is there leaves when it should, and nothing new comes that should not."""

from typing import Any

import pytest
from tests.support.instances import CALLS_A_MINUTE, Fleet, job_key, launching, pool
from tests.support.manifests import ENVIRONMENT, QUEUE, job, queue, unmanaged

from awsbatch_operator.api.metadata import LAUNCHES, PAUSED
from awsbatch_operator.api.tags import CLUSTER, OWNER_UID


async def with_one(there: Fleet, *pools: dict[str, Any]) -> None:
    """One instance that has run a job."""
    there.furnish(*pools, jobs=1)
    await there.run_until(lambda: there.succeeded(1))


async def all_gone(there: Fleet, within: float = 300) -> None:
    await there.run_until(lambda: not there.alive(), within=within)
    await there.clock.advance(120)
    assert there.members() == []
    assert there.busiest_minute() <= CALLS_A_MINUTE


@pytest.mark.parametrize("spec", [launching(pool(name="other")), unmanaged()])
async def test_instances_go_with_their_pool_or_all_of_capacity_once_they_have_no_task(spec):
    there = Fleet()
    async with there.running():
        await with_one(there)
        there.apply(ENVIRONMENT, spec)
        await all_gone(there)
        (told,) = there.told("InstancesEnded")
        assert (
            told == "Ended 1 instance of pool main: the environment, or the pool, is being removed."
        )
        assert there.launches() == 1


async def test_a_pool_that_leaves_the_spec_leaves_no_reservation_behind():
    there = Fleet()
    block = {"durationSeconds": 7200, "instanceCount": 1, "start": "Immediately", "request": 1}
    blocks = pool(market="SpotBlock", instanceTypes=["m7i.large"], spotBlock=block)

    def active() -> list[str]:
        found = there.aws("ec2").describe_capacity_reservations()["CapacityReservations"]
        return [each["CapacityReservationId"] for each in found if each["State"] == "active"]

    async with there.running():
        there.furnish(blocks)
        await there.run_until(lambda: "block" in there.row() and there.row()["joined"] == 1)
        assert len(active()) == 1
        there.apply(ENVIRONMENT, launching(pool(name="other")))
        await all_gone(there)
        assert active() == []
        there.calls.clear()
        await there.clock.advance(300)
        assert there.calls.count("ec2:DescribeCapacityReservations") == 0
        there.apply(ENVIRONMENT, launching(blocks))
        await there.clock.advance(200)
        assert active() == []  # a request is bought once
        assert there.launches() == 0


async def test_nothing_is_launched_while_the_environment_is_disabled_or_its_queue():
    there = Fleet()
    async with there.running():
        await with_one(there)
        there.apply(ENVIRONMENT, {**launching(), "state": "DISABLED"})
        there.apply(job_key(2), job())
        await all_gone(there)
        assert there.launches() == 1
        there.apply(QUEUE, queue(state="DISABLED"))
        there.apply(ENVIRONMENT, launching())
        await there.run_until(lambda: there.is_true(ENVIRONMENT, "Ready"))
        there.apply(QUEUE, queue())
        await there.run_until(lambda: there.succeeded(2))
        assert there.launches() == 2


async def test_a_pool_keeps_its_least_number_of_instances_and_gets_lost_ones_anew():
    there = Fleet()
    async with there.running():
        there.furnish(pool(minInstances=2, maxInstances=3))
        await there.run_until(lambda: bool(there.status(ENVIRONMENT).get("capacity")))
        await there.run_until(lambda: there.row()["idle"] == 2)
        await there.clock.advance(200)
        assert len(there.alive()) == 2
        there.aws("ec2").terminate_instances(InstanceIds=there.ids()[:1])
        await there.run_until(lambda: there.launches() == 2)
        await there.run_until(lambda: there.row()["idle"] == 2)
        there.apply(ENVIRONMENT, launching(pool(minInstances=1, maxInstances=3)))
        await there.run_until(lambda: len(there.alive()) == 1)
        await there.clock.advance(120)
        assert len(there.alive()) == 1
        assert there.busiest_minute() <= CALLS_A_MINUTE


UNSOUND = launching(pool(market="Spot", spotBlock={"durationSeconds": 60}))
GATES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "a spec that is unsound": (UNSOUND, {}, "InvalidSpec"),
    "an account that is not there": ({**launching(), "accountRef": {"name": "gone"}}, {}, ""),
    "a record that cannot be read": (launching(), {LAUNCHES: '{"v":'}, "InvalidRecord"),
}


@pytest.mark.parametrize("gate", GATES)
async def test_idle_instances_leave_while_a_gate_holds_back_what_is_new(gate):
    there = Fleet()
    spec, annotations, reason = GATES[gate]
    async with there.running():
        await with_one(there)
        there.apply(ENVIRONMENT, spec)
        there.kube.annotate(ENVIRONMENT, **annotations)
        await there.run_until(lambda: not there.is_true(ENVIRONMENT, "Ready"))
        there.apply(job_key(2), job())
        await all_gone(there, within=600)
        assert there.launches() == 1
        if reason:
            assert there.is_true(ENVIRONMENT, "Stalled", reason)
        assert there.capacity()["wanted"] == "nothing new: the conditions say what holds it back"
        there.apply(ENVIRONMENT, launching())
        there.kube.annotate(ENVIRONMENT, **{LAUNCHES: None})
        await there.run_until(lambda: there.succeeded(2), within=600)


async def test_a_paused_environment_is_left_alone():
    there = Fleet()
    async with there.running():
        await with_one(there)
        there.apply(ENVIRONMENT, launching(), annotations={PAUSED: "true"})
        there.calls.clear()
        await there.clock.advance(300)
        assert len(there.alive()) == 1
        assert not [call for call in there.changes() if call.startswith(("ec2:", "ecs:"))]
        there.apply(ENVIRONMENT, launching(), annotations={PAUSED: "false"})
        await all_gone(there)


async def test_a_retained_environment_stays_and_its_instances_go():
    there = Fleet()
    async with there.running():
        there.furnish(jobs=1)
        there.apply(ENVIRONMENT, {**launching(), "deletionPolicy": "Retain"})
        await there.run_until(lambda: there.succeeded(1))
        for key in (job_key(), QUEUE, ENVIRONMENT):
            there.remove(key)
        await there.until_gone(ENVIRONMENT)
        assert there.alive() == []
        assert there.aws("ec2").describe_launch_templates()["LaunchTemplates"] == []
        (left,) = there.aws().describe_compute_environments()["computeEnvironments"]
        assert (left["status"], left["state"]) == ("VALID", "ENABLED")
        (told,) = there.told("Retained")
        assert told.endswith("Only the instances that were launched for it are gone.")


async def test_a_record_that_a_person_removes_is_made_anew_and_nothing_launched_twice():
    there = Fleet()
    async with there.running():
        await with_one(there, pool(idleSeconds=600, instanceTypes=["m7i.large"]))
        there.kube.annotate(ENVIRONMENT, **{LAUNCHES: None})
        for number in (2, 3, 4, 5):
            there.apply(job_key(number), job())
        await there.run_until(lambda: there.succeeded(2, 3))
        assert LAUNCHES in there.kube.see(ENVIRONMENT)["metadata"]["annotations"]
        await there.run_until(lambda: there.succeeded(4, 5), within=400)
        assert len(there.alive()) <= 2
        assert there.busiest_minute() <= CALLS_A_MINUTE


async def test_jobs_that_no_pool_can_hold_are_told_once_each_and_cost_nothing():
    there = Fleet()
    async with there.running():
        there.furnish()
        there.wait_for(memory=900_000)
        await there.until_ready(ENVIRONMENT, QUEUE)
        for number in (1, 2):
            there.apply(job_key(number), job())
        await there.run_until(lambda: bool(there.told("JobFitsNoPool", job_key(2))))
        assert there.capacity()["wanted"] == "nothing; 2 waiting jobs fit no type of any pool"
        there.apply(job_key(3), job())
        there.calls.clear()
        await there.clock.advance(600)
        for number in (1, 2, 3):
            (told,) = there.told("JobFitsNoPool", job_key(number))
            assert "No instance type of any pool of ComputeEnvironment science/pool" in told
            assert "the nearest type, m7i.xlarge of pool main, registers about" in told
        assert len(there.told("JobFitsNoPool")) == 1
        assert sum(call.startswith("ec2:") for call in there.calls) <= 13
        assert there.calls.count("ecs:ListContainerInstances") <= 22
        assert there.launches() == 0


async def test_instances_go_with_their_object_although_the_environment_is_anothers_by_now():
    """Somebody deleted it, and a cluster of theirs has made one of the same name."""
    there = Fleet()
    async with there.running():
        await with_one(there, pool(idleSeconds=3600))
        there.remove(QUEUE)
        await there.until_gone(QUEUE)
        (found,) = there.aws().describe_compute_environments()["computeEnvironments"]
        tags = {CLUSTER: "another", OWNER_UID: "another"}
        there.aws().tag_resource(resourceArn=found["computeEnvironmentArn"], tags=tags)
        there.remove(ENVIRONMENT)
        await there.until_gone(ENVIRONMENT)
        assert there.alive() == []
        assert there.aws().describe_compute_environments()["computeEnvironments"]
