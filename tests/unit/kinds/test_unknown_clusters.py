"""An environment that AWS shows without its ECS cluster: nobody knows which instances have jobs."""

from dataclasses import replace

from tests.unit.capacity.small_worlds import HOUR, world

from awsbatch_operator.api.plans import Plan
from awsbatch_operator.capacity.instances import lives
from awsbatch_operator.kinds.computeenvironment.instances import (
    Capacity,
    HeldBack,
    Wanted,
    planned,
    with_capacity_held_back,
)


def test_no_instance_is_ended_or_counted_as_never_joined_while_the_cluster_is_not_known():
    made = world(jobs=3, seconds=9000.0)
    made.run(300.0)
    made.now = made.now.plus(HOUR)
    current = lives(made.instances.values(), (), made.now)
    seen = replace(made.observed(), cluster="", members=(), lives=current)
    found = Capacity(wanted=Wanted(wish=made.wish), seen=seen, record=made.record())
    assert planned(found, made.now).steps == ()
    held = HeldBack(seen.owner, (), may_change=True)
    assert with_capacity_held_back(held, found, made.now).steps == ()
    assert planned(found, made.now) == Plan(look_again_seconds=15.0)
