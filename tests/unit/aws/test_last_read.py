"""How many things there are, as far as feeds have read: told without a call."""

import pytest
from tests.unit.aws.feed_world import SCOPE, World, environment, queue, read, world

from awsbatch_operator.api.scope import NoTokenError

__all__ = ["world"]

CREATE, UNMANAGED = "CreateComputeEnvironment", {"type": "UNMANAGED"}

PLACE = (SCOPE.account_id, SCOPE.region)


def others(world: World, name: str = "mine", kind: str = "ComputeEnvironment") -> int | None:
    return world.batch.others(kind, PLACE, name)


async def test_nobody_knows_before_the_place_was_read_and_asking_sends_nothing(world):
    world.environments = [environment("a"), environment("b", cluster="theirs")]
    assert others(world) is None
    assert not world.calls
    await read(world)
    assert others(world) == 2
    assert others(world, "a") == 1
    assert others(world, kind="JobQueue") is None
    assert not world.calls


async def test_each_kind_is_counted_for_itself(world):
    world.environments, world.queues = [environment("a")], [queue("q"), queue("r")]
    await world.batch.compute_environments(SCOPE)
    await world.batch.job_queues(SCOPE)
    assert others(world) == 1
    assert others(world, kind="JobQueue") == 2


async def test_what_comes_and_goes_is_counted_as_soon_as_anybody_has_seen_it(world):
    world.environments = [environment("a")]
    await read(world)
    world.environments = [environment("b")]
    await world.asks("b", fresh=True)
    assert others(world) == 2
    await world.asks("a", fresh=True)
    assert others(world) == 1
    world.environments = []
    await world.clock.advance(31)
    assert others(world) == 0


async def test_what_is_being_made_counts_for_all_but_itself_until_it_is_looked_at(world):
    await read(world)
    request = {"computeEnvironmentName": "new", **UNMANAGED}
    await world.batch.change(SCOPE, CREATE, request)
    assert (others(world), others(world, "new")) == (1, 0)
    await world.asks("new", fresh=True)  # AWS has not made it after all
    assert others(world) == 0


async def test_of_two_creations_that_go_out_together_one_takes_the_last_place(make_bench):
    bench = make_bench(most={"ComputeEnvironment": 2})
    here = World(bench)
    here.environments = [environment("theirs", cluster="theirs")]
    await here.batch.compute_environments(SCOPE)
    for name, sent in (("a", 1), ("a", 2)):  # a repeat takes no further place
        await here.batch.change(SCOPE, CREATE, {"computeEnvironmentName": name, **UNMANAGED})
        assert here.calls[CREATE] == sent
    with pytest.raises(NoTokenError):
        await here.batch.change(SCOPE, CREATE, {"computeEnvironmentName": "b", **UNMANAGED})
    await here.batch.change(SCOPE, "CreateJobQueue", {"jobQueueName": "b", "priority": 1})
    assert here.calls[CREATE] == 2
