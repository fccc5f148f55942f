"""The life of an instance, from what EC2 and ECS show of it."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.capacity.values import LARGE, NOW, TYPES, instance, life, member, pool, types_of

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.capacity.instances import (
    Stage,
    counts,
    lives,
    remembered,
    rooms,
    seen_memory,
    still_expected,
)
from awsbatch_operator.capacity.joining import (
    STOP_AFTER,
    joining,
    launch_bound,
    overdue,
    stopped_message,
)
from awsbatch_operator.capacity.launches import PoolRecord
from awsbatch_operator.capacity.model import Market
from awsbatch_operator.capacity.views import Expected, InstanceView, instance_view, member_view

POOL = pool()


def stage(view, *members):
    (made,) = lives([view], members, NOW)
    return made.stage


def test_an_instance_goes_through_its_stages():
    assert stage(instance(state="pending")) is Stage.PENDING
    assert stage(instance()) is Stage.LAUNCHED
    assert stage(instance(), member(status="REGISTERING")) is Stage.LAUNCHED
    assert stage(instance(), member(connected=False)) is Stage.JOINED
    assert stage(instance(), member(tasks=2)) is Stage.SERVING
    assert stage(instance(), member()) is Stage.IDLE
    assert stage(instance(), member(status="DRAINING", tasks=1)) is Stage.DRAINING
    assert stage(instance(state="shutting-down"), member()) is Stage.TERMINATING
    assert stage(instance(state="stopped"), member()) is Stage.TERMINATING


def test_a_terminated_instance_that_is_still_listed_is_gone_whatever_ecs_says():
    assert stage(instance(state="terminated"), member(tasks=3)) is Stage.GONE


def test_since_when_it_is_idle_is_remembered_and_forgotten_when_it_serves():
    idle = life(idle=300)
    assert idle.idle_since == NOW.plus(-300)
    memory = remembered([idle])
    (later,) = lives([instance()], [member()], NOW.plus(60), memory=memory)
    assert later.idle_since == NOW.plus(-300)
    (busy,) = lives([instance()], [member(tasks=1)], NOW.plus(60), memory=memory)
    assert remembered([busy])[busy.id].idle_since is None


def test_an_agent_that_comes_and_goes_does_not_begin_idleness_anew():
    memory = remembered([life(idle=300)])
    (lost,) = lives([instance()], [member(connected=False)], NOW, memory=memory)
    assert (lost.stage, lost.idle_since) == (Stage.JOINED, NOW.plus(-300))


def expected(name="i-1", ago=10.0):
    return Expected(
        id=name,
        pool="main",
        instance_type="r7i.large",
        zone="a",
        market=Market.SPOT,
        launched=NOW.plus(-ago),
        content="v2",
    )


def test_an_instance_that_ec2_does_not_show_yet_is_pending_and_given_up_later():
    (made,) = lives([], [], NOW, expected=[expected()])
    assert (made.stage, made.pool) == (Stage.PENDING, "main")
    assert lives([], [], NOW, expected=[expected(ago=301)]) == ()


def test_tags_that_are_not_visible_yet_are_those_that_the_launch_gave():
    bare = InstanceView(
        id="i-1", instance_type="r7i.large", zone="a", state="running", launched=NOW
    )
    (made,) = lives([bare], [], NOW, expected=[expected()])
    assert made.stage is Stage.LAUNCHED
    assert (made.pool, made.instance.content, made.instance.market) == ("main", "v2", Market.SPOT)
    assert still_expected([expected()], [bare], NOW) == (expected(),)
    assert still_expected([expected()], [instance()], NOW) == ()
    assert still_expected([expected(ago=301)], [], NOW) == ()


def test_of_two_members_of_an_instance_the_active_and_newest_counts():
    old = replace(member(ago=5, tasks=7), status="INACTIVE", arn="arn/z")
    new = member(ago=1)
    for order in ([old, new], [new, old]):
        (made,) = lives([instance()], order, NOW)
        assert made.member == new


views = st.lists(
    st.tuples(
        st.sampled_from(["pending", "running", "shutting-down", "terminated", "stopped"]),
        st.none() | st.sampled_from(["ACTIVE", "DRAINING", "REGISTERING"]),
        st.booleans(),
        st.integers(0, 2),
        st.booleans(),
    ),
    max_size=6,
)


@given(views, st.data())
def test_the_order_in_which_things_are_seen_does_not_matter(rows, data):
    ec2 = [instance(f"i-{n}", state=row[0]) for n, row in enumerate(rows) if not row[4]]
    ecs = [
        member(f"i-{n}", status=row[1], connected=row[2], tasks=row[3])
        for n, row in enumerate(rows)
        if row[1] is not None
    ]
    awaited = [expected(f"i-{n}") for n, row in enumerate(rows) if row[4]]
    one = lives(ec2, ecs, NOW, expected=awaited)
    other = lives(
        data.draw(st.permutations(ec2)),
        data.draw(st.permutations(ecs)),
        NOW,
        expected=data.draw(st.permutations(awaited)),
    )
    assert one == other
    types = {"main": {each.name: each for each in TYPES}}
    assert rooms(one, ecs, types, NOW) == rooms(other, list(reversed(ecs)), types, NOW)
    assert sum(counts(one, "main").values()) == len(one) == len(rows)


def free(*, members, instances=(), now=NOW):
    types = {name: {t.name: t for t in mine} for name, mine in types_of(POOL).items()}
    found = rooms(lives(instances, members, now), members, types, now)
    return [(each.instance, each.vcpus, each.memory_mib) for each in found]


def test_room_is_what_members_have_left_whoever_launched_them_and_all_that_is_on_its_way():
    assert free(members=[member("i-theirs")]) == [("i-theirs", 2.0, 15000)]
    assert free(members=[], instances=[instance()]) == [("i-1", 2.0, LARGE.registered_mib)]
    assert free(members=[member()], instances=[instance()]) == [("i-1", 2.0, 15000)]


def test_what_drains_ends_or_has_lost_its_agent_has_no_room():
    mine = [instance()]
    assert free(members=[member(status="DRAINING")], instances=mine) == []
    assert free(members=[member()], instances=[instance(state="terminated")]) == []
    assert free(members=[member(connected=False)], instances=mine) == []
    connecting = [member(connected=False, ago=119)]
    assert free(members=connecting, instances=mine) == [("i-1", 2.0, 15000)]


def test_an_end_bounds_the_room():
    types = {"main": {LARGE.name: LARGE}}
    made = lives([instance(end=NOW.plus(90))], [member()], NOW)
    (room,) = rooms(made, [member()], types, NOW)
    assert room.seconds_left == 90.0


def test_what_ecs_has_registered_is_known_by_type():
    pair = [life("i-1"), life("i-2"), life("i-3", joined=False)]
    made = [
        replace(each, member=replace(each.member, memory_mib=15000 + n) if each.member else None)
        for n, each in enumerate(pair)
    ]
    assert seen_memory(made) == {"r7i.large": 15000}


# --- never joined ---


START = NOW.plus(-10_000)


def late(name, *, ago=700.0):
    return life(name, joined=False, ago=ago)


def test_an_instance_is_overdue_after_the_timeout_and_not_once_it_has_joined():
    assert not overdue(late("i", ago=600), POOL, NOW)
    assert overdue(late("i", ago=601), POOL, NOW)
    assert not overdue(life("i", ago=9000), POOL, NOW)


def test_three_in_a_row_stop_the_pool_until_the_mark_changes():
    record = PoolRecord()
    for number in range(STOP_AFTER):
        assert not record.stopped
        record = joining(
            record, [late(f"i-{number}", ago=700 - number)], POOL, "1/", NOW, since=START
        )
        again = joining(
            record, [late(f"i-{number}", ago=700 - number)], POOL, "1/", NOW, since=START
        )
        assert again == record  # an instance counts once, however often it is looked at
    assert record.stopped == "1/"
    assert "3 instances in a row (i-0, i-1, i-2)" in stopped_message(record, POOL, "Seen: x.")
    assert joining(record, [], POOL, "1/", NOW, since=START) == record
    assert joining(record, [late("i-2")], POOL, "2/", NOW, since=START) == PoolRecord()


def test_one_that_joins_later_ends_the_row():
    record = joining(PoolRecord(), [late("i-1"), late("i-2")], POOL, "1/", NOW, since=START)
    assert len(record.unjoined) == 2
    ended = joining(record, [late("i-1"), life("i-3", ago=650)], POOL, "1/", NOW, since=START)
    assert ended.unjoined == ()  # its container instance registered after i-1 was launched


def test_the_lost_ones_of_a_large_launch_stop_nothing_when_others_of_it_joined():
    mixed = [late(f"i-{n}") for n in range(5)] + [life("i-9", ago=700)]
    record = joining(PoolRecord(), mixed, POOL, "1/", NOW, since=START)
    assert not record.stopped
    assert joining(PoolRecord(), mixed[:-1], POOL, "1/", NOW, since=START).stopped == "1/"


def test_changed_content_is_tried_with_one_instance_before_the_rest_follows():
    old = life("i-1", content="v1")
    assert launch_bound([], "main", "v2") is None
    assert launch_bound([old], "main", "v1") is None
    assert launch_bound([old], "main", "v2") == 1
    assert launch_bound([old, life("i-2", content="v2", joined=False)], "main", "v2") == 0
    assert launch_bound([old, life("i-2", content="v2")], "main", "v2") is None
    assert launch_bound([life("i-1", content="")], "main", "v2") is None


# --- reading ---


def test_an_instance_is_read_from_what_ec2_describes():
    body = {
        "InstanceId": "i-1",
        "InstanceType": "r7i.large",
        "Placement": {"AvailabilityZone": "a"},
        "State": {"Name": "running"},
        "LaunchTime": datetime.fromtimestamp(NOW.epoch, UTC),
        "InstanceLifecycle": "spot",
        "Tags": [
            {"Key": "awsbatch.dev/pool", "Value": "main"},
            {"Key": "awsbatch.dev/intent", "Value": "t"},
            {"Key": "awsbatch.dev/end", "Value": NOW.rfc3339()},
            {"Key": "aws:ec2launchtemplate:id", "Value": "lt-1"},
            {"Key": "aws:ec2launchtemplate:version", "Value": "3"},
        ],
    }
    read = instance_view(body)
    assert (read.pool, read.intent, read.market, read.end) == ("main", "t", Market.SPOT, NOW)
    assert (read.content, read.launched) == ("lt-1:3", NOW)
    tags = [
        {"Key": "awsbatch.dev/market", "Value": "SpotBlock"},
        {"Key": "awsbatch.dev/content", "Value": "v1:abc"},
        {"Key": "awsbatch.dev/end", "Value": "never"},
    ]
    edited = instance_view({**body, "Tags": tags})
    assert (edited.market, edited.content, edited.end) == (Market.SPOT_BLOCK, "v1:abc", None)


def test_a_container_instance_is_read_from_what_ecs_describes():
    amounts = [{"name": "CPU", "integerValue": 1024}, {"name": "MEMORY", "integerValue": 500}]
    gpu = {"name": "GPU", "stringSetValue": ["GPU-1", "GPU-2"]}
    read = member_view(
        {
            "containerInstanceArn": "arn",
            "ec2InstanceId": "i-1",
            "status": "ACTIVE",
            "agentConnected": True,
            "runningTasksCount": 1,
            "pendingTasksCount": 2,
            "registeredAt": "2026-01-01T00:00:00Z",
            "remainingResources": [*amounts, gpu],
            "registeredResources": [{"name": "MEMORY", "integerValue": 900}],
        }
    )
    assert (read.tasks, read.cpu_left, read.memory_left, read.gpus_left) == (3, 1024, 500, 2)
    assert read.memory_mib == 900
    assert read.registered == Instant.parse("2026-01-01T00:00:00Z")
