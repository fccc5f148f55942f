"""Instances that never join are diagnosed and replaced, and three in a row stop their pool."""

from typing import Any

import pytest
from tests.support.instances import CALLS_A_MINUTE, Fleet, job_key, launching, pool
from tests.support.manifests import ENVIRONMENT, job

from awsbatch_operator.api.metadata import RECONCILE_AT

QUICK = pool(registrationTimeoutSeconds=120)
CAUSES: dict[str, tuple[dict[str, Any], str]] = {
    "a role without rights": (
        {
            "name": "instance_role_lacks_permissions",
            "match": {"action": "ecs:RegisterContainerInstance"},
        },
        (
            "the ECS agent may not do ecs:RegisterContainerInstance: the role of the instance "
            "profile ecsInstanceRole does not allow it. The managed policy"
        ),
    ),
    "a subnet without a way to ECS": (
        {"name": "no_way_to_ecs"},
        "the ECS agent cannot reach AWS (“dial tcp 10.0.0.5:443: i/o timeout”). Give the subnet a",
    ),
}


async def test_three_in_a_row_stop_the_pool_which_goes_on_as_the_message_says():
    there = Fleet()
    fault, seen = CAUSES["a role without rights"]
    there.fault(effect="world", **fault)
    async with there.running():
        there.furnish(QUICK, jobs=1)
        text = await there.until(ENVIRONMENT, "Stalled", "PoolStopped", within=700)
        assert "3 instances in a row (i-" in text
        assert "did not join the ECS cluster within 120 s" in text
        await there.clock.advance(300)
        text = there.condition(ENVIRONMENT, "Stalled")["message"]
        assert seen in text
        assert "give the annotation awsbatch.dev/reconcile-at a new value" in text
        assert there.launches() == 3
        assert there.alive() == []
        assert there.calls.count("ec2:GetConsoleOutput") == 3
        assert len(there.told("PoolStopped")) == 1
        there.mend()
        there.kube.annotate(ENVIRONMENT, **{RECONCILE_AT: "2027-01-15"})
        await there.run_until(lambda: there.succeeded(1), within=200)
        assert there.launches() == 4
        assert there.busiest_minute() <= CALLS_A_MINUTE


@pytest.mark.parametrize("cause", CAUSES)
async def test_one_that_never_joins_is_told_with_its_cause_and_replaced(cause):
    there = Fleet()
    fault, seen = CAUSES[cause]
    there.fault(effect="world", **fault, times=1)
    async with there.running():
        there.furnish(QUICK, jobs=1)
        await there.run_until(lambda: there.succeeded(1))
        (told,) = there.told("InstanceNotJoined")
        assert seen in told
        assert there.launches() == 2
        assert len(there.alive()) == 1


async def test_changed_user_data_is_tried_with_one_instance_before_the_rest_follows():
    there = Fleet()
    changed = {"ecsConfig": {"ECS_IMAGE_PULL_BEHAVIOR": "always"}}
    only = {"instanceTypes": ["m7i.large"], "idleSeconds": 600}
    async with there.running():
        there.furnish(pool(**only), jobs=2)
        await there.run_until(lambda: there.succeeded(1, 2))
        before = there.ids()
        there.apply(ENVIRONMENT, launching(pool(**only, userData=changed)))
        for number in range(3, 9):
            there.apply(job_key(number), job())
        await there.run_until(lambda: there.launches() == 2)
        await there.clock.advance(20)
        assert len(there.ids()) == len(before) + 1
        await there.run_until(lambda: there.succeeded(*range(3, 9)), within=600)
        await there.run_until(lambda: not set(before) & set(there.ids()), within=300)
        ended = [text for text in there.told("InstancesEnded") if "main" in text]
        assert ended[0].endswith("another image, user data or type is wanted by now.")
        assert there.busiest_minute() <= CALLS_A_MINUTE
