"""Which instances go: idle ones first drained, and none with a task before its time."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.capacity.values import NOW, instance, life, member, pool

from awsbatch_operator.capacity.instances import Remembered, Stage, lives
from awsbatch_operator.capacity.joining import to_be_tried
from awsbatch_operator.capacity.leaving import (
    Deregister,
    Drain,
    Notice,
    Situation,
    Terminate,
    Why,
    leave,
)
from awsbatch_operator.capacity.model import Market, OnRebalance, ReplacePolicy, SpotBlock

POOL = pool(drain_timeout_seconds=120, idle_seconds=300)
STILL = Situation(now=NOW)


def going(*lives_, pools=(POOL,), **situation):
    return leave(pools, lives_, replace(STILL, **situation))


def drained(leaving):
    return {each.why: each.instances for each in leaving.actions if isinstance(each, Drain)}


def ended(leaving):
    return {each.why: each.instances for each in leaving.actions if isinstance(each, Terminate)}


def test_an_idle_instance_is_drained_first_and_ended_once_ecs_says_so_and_it_is_empty():
    assert going(life(idle=299)).actions == ()
    (action,) = going(life(idle=300)).actions
    assert action == Drain(("i-1",), ("arn/i-1",), Why.IDLE)
    (action,) = going(life(status="DRAINING")).actions
    assert action == Terminate(("i-1",), Why.IDLE)


def test_a_task_that_came_between_the_look_and_the_drain_ends_by_itself():
    assert going(life(status="DRAINING", tasks=1, idle=99_999)).actions == ()


def test_the_minimum_stays_and_the_dearest_go_first_then_the_newest():
    small = life("i-a", idle=400, ago=900)
    young = life("i-b", idle=400, ago=800)
    dear = life("i-c", idle=400, ago=950, instance_type="r7i.4xlarge")
    prices = {"r7i.large": Decimal("0.1"), "r7i.4xlarge": Decimal("0.8")}
    for least, gone in ((2, ("i-c",)), (1, ("i-b", "i-c")), (0, ("i-a", "i-b", "i-c"))):
        pools = (replace(POOL, min_instances=least),)
        left = going(small, young, dear, pools=pools, prices=prices)
        assert drained(left) == {Why.IDLE: gone}
    assert not going(small, pools=(replace(POOL, min_instances=1),)).actions


def test_an_instance_on_which_waiting_jobs_are_counted_stays():
    assert going(life(idle=400), needed={"i-1"}).actions == ()


def test_an_instance_that_never_joined_is_ended_without_a_drain():
    late = life(joined=False, ago=601)
    assert ended(going(late)) == {Why.NEVER_JOINED: ("i-1",)}
    assert going(life(joined=False, ago=600)).actions == ()


def test_an_end_drains_in_time_and_ends_the_instance_with_its_tasks():
    soon = life(tasks=1, end=NOW.plus(121))
    assert going(soon).actions == ()
    assert drained(going(life(tasks=1, end=NOW.plus(120)))) == {Why.END: ("i-1",)}
    waiting = life(tasks=1, status="DRAINING", end=NOW.plus(1))
    assert going(waiting).actions == ()
    assert ended(going(life(tasks=1, status="DRAINING", end=NOW))) == {Why.END: ("i-1",)}
    assert ended(going(life(tasks=1, end=NOW))) == {Why.END: ("i-1",)}


def test_an_instance_drains_early_when_no_waiting_job_would_end_in_time():
    mine = life(tasks=1, end=NOW.plus(3000))
    assert going(mine, shortest_timeout=2999.0).actions == ()
    assert drained(going(mine, shortest_timeout=3000.0)) == {Why.END: ("i-1",)}


def test_a_deleted_environment_drains_and_ends_all_by_the_drain_deadline():
    serving, coming = life("i-1", tasks=1), life("i-2", joined=False)
    left = going(serving, coming, deleting_since=NOW)
    assert drained(left) == {Why.DELETED: ("i-1",)}
    assert ended(left) == {Why.DELETED: ("i-2",)}
    draining = life(tasks=1, status="DRAINING", idle=120)
    assert ended(going(draining, deleting_since=NOW.plus(-500))) == {Why.DELETED: ("i-1",)}
    assert going(draining, deleting_since=NOW.plus(-119)).actions == ()
    young = life(tasks=1, status="DRAINING", idle=119)
    assert going(young, deleting_since=NOW.plus(-500)).actions == ()


def test_instances_of_a_removed_pool_go_when_they_have_no_task():
    left = going(life("i-1", tasks=1), life("i-2"), life("i-3", joined=False), pools=())
    assert drained(left) == {Why.DELETED: ("i-2",)}
    assert ended(left) == {Why.DELETED: ("i-3",)}


def test_an_instance_whose_pool_is_not_known_yet_is_left_alone():
    assert going(life(pool="", idle=9999), deleting_since=NOW).actions == ()


def test_what_stopped_itself_is_ended_and_the_member_of_what_is_gone_deregistered():
    assert ended(going(life(state="stopped"))) == {Why.STOPPED: ("i-1",)}
    assert going(life(state="terminated")).actions == (Deregister(("arn/i-1",)),)
    assert going(life(state="terminated", joined=False)).actions == ()
    assert going(life(state="shutting-down")).actions == ()


def test_an_interruption_drains_at_once_and_once():
    left = going(life(tasks=1), notices={"i-1": Notice.INTERRUPTION})
    assert drained(left) == {Why.INTERRUPTED: ("i-1",)}
    again = going(life(tasks=1, status="DRAINING"), notices={"i-1": Notice.INTERRUPTION})
    assert again.actions == ()


@pytest.mark.parametrize(
    ("policy", "homeless", "drains"),
    [
        (OnRebalance.IGNORE, (), False),
        (OnRebalance.DRAIN, ("i-1",), True),
        (OnRebalance.REPLACE, ("i-1",), False),
        (OnRebalance.REPLACE, (), True),
    ],
)
def test_a_rebalance_recommendation_does_what_the_pool_says(policy, homeless, drains):
    pools = (replace(POOL, on_rebalance=policy),)
    told = {"i-1": Notice.REBALANCE}
    left = going(life(tasks=1), pools=pools, notices=told, homeless=homeless)
    assert bool(left.actions) == drains


def test_maintenance_of_ec2_drains():
    assert drained(going(life(tasks=1), notices={"i-1": Notice.MAINTENANCE}))


def test_changed_content_replaces_idle_instances_once_a_new_one_has_joined():
    old, busy = life("i-old", content="v1"), life("i-busy", content="v1", tasks=1)
    new = life("i-new", content="v2", tasks=1)
    wanted = {"contents": {"main": "v2"}}
    assert going(old, busy, **wanted).actions == ()
    coming = life("i-new", content="v2", joined=False, ago=60)
    assert going(old, busy, coming, **wanted).actions == ()
    assert drained(going(old, busy, new, **wanted)) == {Why.REPLACED: ("i-old",)}
    never = (replace(POOL, replace_policy=ReplacePolicy.NEVER),)
    assert going(old, new, pools=never, **wanted).actions == ()


def test_a_minimum_of_idle_instances_is_no_reason_to_keep_former_content_for_ever():
    kept = replace(POOL, min_instances=1)
    idle, busy = life("i-1", content="v1"), life("i-1", content="v1", tasks=1)

    def tried(*lives, pool=kept, content="v2"):
        return bool(to_be_tried(lives, [pool], {"main": content}))

    assert tried(idle)
    assert tried(idle, life("i-2", content="v2", joined=False))
    assert not tried(idle, life("i-2", content="v2"))
    assert not tried(busy)
    assert not tried(idle, content="v1")
    assert not tried(life("i-1", content=""))
    assert not tried(idle, pool=POOL)
    assert not tried(idle, pool=replace(kept, replace_policy=ReplacePolicy.NEVER))
    assert not to_be_tried([idle], [kept], {})


def test_what_has_not_joined_yet_is_no_part_of_the_minimum():
    pools = (replace(POOL, min_instances=1),)
    old = life("i-1", idle=9999, content="v1")
    assert not going(old, life("i-2", content="v2", joined=False, ago=30), pools=pools).actions
    left = going(old, life("i-2", content="v2", ago=90), pools=pools)
    assert drained(left) == {Why.IDLE: ("i-1",)}


def test_an_idle_instance_of_a_type_that_is_no_longer_wanted_goes():
    assert drained(going(life(), types={"main": {"r7i.xlarge"}})) == {Why.REPLACED: ("i-1",)}
    assert going(life(), types={"main": {"r7i.large"}}).actions == ()


def test_a_block_keeps_its_idle_instances_unless_it_is_released_when_idle():
    block = SpotBlock(duration_seconds=3600, instance_count=1)
    kept = pool(market=Market.SPOT_BLOCK, spot_block=block)
    assert going(life(idle=9999), pools=(kept,)).actions == ()
    released = replace(kept, spot_block=replace(block, release_when_idle=True))
    assert drained(going(life(idle=9999), pools=(released,)))


drawn = st.lists(
    st.builds(
        lambda n, tasks, status, joined, idle, end, content, ago: life(
            f"i-{n}",
            tasks=tasks,
            status=status,
            joined=joined,
            idle=idle,
            end=end,
            content=content,
            ago=ago,
        ),
        st.integers(0, 9),
        st.integers(0, 2),
        st.sampled_from(["ACTIVE", "DRAINING"]),
        st.booleans(),
        st.integers(0, 700),
        st.none() | st.integers(-200, 400).map(NOW.plus),
        st.sampled_from(["v1", "v2"]),
        st.integers(0, 900),
    ),
    max_size=6,
    unique_by=lambda each: each.id,
)
situations = st.builds(
    Situation,
    now=st.just(NOW),
    needed=st.sets(st.sampled_from(["i-0", "i-1"])),
    contents=st.sampled_from([{}, {"main": "v2"}]),
    notices=st.dictionaries(st.sampled_from(["i-0", "i-2"]), st.sampled_from(list(Notice))),
    deleting_since=st.none() | st.integers(-300, 0).map(NOW.plus),
)
pools = st.builds(
    lambda least, rebalance, drain: replace(
        POOL, min_instances=least, on_rebalance=rebalance, drain_timeout_seconds=drain
    ),
    st.integers(0, 3),
    st.sampled_from(list(OnRebalance)),
    st.sampled_from([0, 120]),
)


@given(drawn, situations, pools, st.data())
def test_none_with_a_task_is_ended_before_its_deadline_and_the_minimum_stays(
    current, situation, mine, data
):
    left = leave((mine,), current, situation)
    by_id = {each.id: each for each in current}
    for name in (n for each in left.actions if isinstance(each, Terminate) for n in each.instances):
        each = by_id[name]
        if each.tasks:
            over = each.instance.end is not None and each.instance.end <= situation.now
            since = situation.deleting_since
            drained_long = (
                each.stage is Stage.DRAINING
                and since is not None
                and situation.now.since(max(each.draining_since, since))
                >= mine.drain_timeout_seconds
            )
            assert over or drained_long
    names = [n for each in left.actions if not isinstance(each, Deregister) for n in each.instances]
    assert len(names) == len(set(names))
    living = [each for each in current if each.stage is not Stage.DRAINING]
    idle = drained(left).get(Why.IDLE, ())
    assert len(living) - len(idle) >= min(mine.min_instances, len(living))
    assert not set(idle) & set(situation.needed)
    assert leave((mine,), data.draw(st.permutations(current)), situation) == left


def test_from_idle_to_gone_the_model_ends_empty():
    at, status, state, memory = NOW, "ACTIVE", "running", {"i-1": Remembered(NOW)}
    seen = []
    for _ in range(20):
        at = at.plus(60)
        members = [member(status=status)] if state == "running" else []
        (each,) = lives([instance(state=state)], members, at, memory=memory)
        seen.append(each.stage)
        for action in leave((POOL,), [each], Situation(now=at)).actions:
            match action:
                case Drain():
                    status = "DRAINING"
                case Terminate():
                    state = "terminated"
    assert seen[:6] == [Stage.IDLE] * 5 + [Stage.DRAINING]
    assert seen[-1] is Stage.GONE
