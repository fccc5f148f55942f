"""Room for the tasks of instances that are about to be lost."""

from dataclasses import replace

import pytest
from tests.unit.capacity.values import LARGE, NOW, pool

from awsbatch_operator.capacity.instances import Life, Stage
from awsbatch_operator.capacity.leaving import Notice
from awsbatch_operator.capacity.losses import losses
from awsbatch_operator.capacity.model import Market, OnRebalance
from awsbatch_operator.capacity.views import InstanceView, MemberView

SPOT = replace(pool("main", LARGE), market=Market.SPOT)
TAKEN = {"i-1": Notice.INTERRUPTION}


def life(tasks=2, stage=Stage.SERVING):
    view = InstanceView(
        id="i-1",
        instance_type=LARGE.name,
        zone="a",
        state="running",
        launched=NOW,
        pool="main",
        market=Market.SPOT,
    )
    member = MemberView(
        arn="arn/i-1",
        instance="i-1",
        status="ACTIVE",
        connected=True,
        tasks=tasks,
        registered=NOW,
        cpu=2048,
        cpu_left=512,
        memory_mib=15_000,
        memory_left=5_000,
        gpus=1,
        gpus_left=1,
    )
    return Life(instance=view, member=member, stage=stage)


@pytest.mark.parametrize("stage", [Stage.SERVING, Stage.DRAINING])
def test_the_tasks_of_an_interrupted_instance_need_what_they_have(stage):
    [(name, need)] = losses([life(stage=stage)], TAKEN, [SPOT]).items()
    assert (name, need.count) == ("i-1", 2)
    assert (need.vcpus, need.memory_mib, need.gpus) == (0.75, 5_000, 0)


@pytest.mark.parametrize(
    ("lives", "notices", "pools"),
    [
        ([life(tasks=0, stage=Stage.IDLE)], TAKEN, [SPOT]),
        ([life(stage=Stage.TERMINATING)], TAKEN, [SPOT]),
        ([replace(life(), member=None)], TAKEN, [SPOT]),
        ([life()], {}, [SPOT]),
        ([life()], {"i-1": Notice.MAINTENANCE}, [SPOT]),
        ([life()], {"i-1": Notice.REBALANCE}, [SPOT]),
        ([life()], TAKEN, []),
        ([life()], TAKEN, [replace(SPOT, market=Market.SPOT_BLOCK)]),
    ],
)
def test_nothing_else_is_replaced(lives, notices, pools):
    assert losses(lives, notices, pools) == {}


def test_a_rebalance_recommendation_is_a_loss_where_the_pool_replaces():
    replacing = replace(SPOT, on_rebalance=OnRebalance.REPLACE)
    assert losses([life()], {"i-1": Notice.REBALANCE}, [replacing])
