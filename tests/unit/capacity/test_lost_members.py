"""Instances that ECS has lost, or never gets, or that join a cluster that is no more."""

from dataclasses import replace

from tests.unit.capacity.values import LARGE, NOW, instance, life, member, pool

from awsbatch_operator.capacity.instances import Stage, lives, remembered, rooms
from awsbatch_operator.capacity.joining import joining, overdue
from awsbatch_operator.capacity.launches import PoolRecord

POOL = pool()
START = NOW.plus(-10_000)
SHUTDOWN = "Client.InstanceInitiatedShutdown"


def test_a_member_that_a_listing_leaves_out_is_late_only_after_the_timeout_and_never_unjoined():
    memory = remembered([life("i-1", ago=9000)])
    for seconds, late_by_then in ((1, False), (600, False), (601, True)):
        now = NOW.plus(seconds)
        (lost,) = lives([instance("i-1", ago=9000)], [], now, memory=memory)
        assert overdue(lost, POOL, now) is late_by_then
        assert joining(PoolRecord(), [lost], POOL, "1/", now, since=START) == PoolRecord()


def test_an_instance_of_another_ecs_cluster_is_former_until_it_is_a_member_or_ends():
    other = replace(instance("i-1", ago=9000), cluster="old")

    def stage_of(view, *members, cluster="new"):
        (found,) = lives([view], members, NOW, cluster=cluster)
        assert not overdue(found, POOL, NOW) or found.stage is Stage.LAUNCHED
        return found.stage

    assert stage_of(other) is Stage.FORMER
    assert stage_of(other, cluster="") is Stage.LAUNCHED  # which one it should be is not known
    assert stage_of(replace(other, cluster="new")) is Stage.LAUNCHED
    assert stage_of(replace(other, cluster="")) is Stage.LAUNCHED  # its tags are not seen yet
    assert stage_of(replace(other, state="terminated")) is Stage.GONE
    assert stage_of(other, member("i-1")) is Stage.IDLE
    (former,) = lives([other], [], NOW, cluster="new")
    assert rooms([former], [], {"main": {LARGE.name: LARGE}}, NOW) == ()
    assert joining(PoolRecord(), [former], POOL, "1/", NOW, since=NOW) == PoolRecord()


def test_one_that_ends_by_itself_before_it_joins_counts_as_one_that_never_does():
    """Else another one is launched at every look, and each is paid for a minute at least."""
    gone = life("i-1", joined=False, ago=60, state="terminated", reason=SHUTDOWN)
    [(name, _)] = joining(PoolRecord(), [gone], POOL, "1/", NOW, since=START).unjoined
    assert name == "i-1"
    for other in (
        replace(gone, member_at=NOW.plus(-20)),  # it had joined
        life(
            "i-1", joined=False, ago=60, state="terminated", reason="Server.SpotInstanceTermination"
        ),
        life(
            "i-1", joined=False, ago=60, state="terminated", reason="Client.UserInitiatedShutdown"
        ),
        life("i-1", joined=False, ago=60, state="terminated", reason=SHUTDOWN, end=NOW),
        life("i-1", joined=False, ago=10_001, state="terminated", reason=SHUTDOWN),
    ):
        assert joining(PoolRecord(), [other], POOL, "1/", NOW, since=START) == PoolRecord()
