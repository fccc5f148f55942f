"""The operator dies, or loses an answer, at every external call of a user's day in turn.

Each time all of its memory is dropped and a new operator starts in the same world. The end is the
same each time: one job in AWS for each BatchJob, nothing twice, nothing left behind.
"""

from collections.abc import Iterator
from functools import partial

import pytest
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.scenario import STEPS, jobs_of, new_world
from tests.support.crashing import Life, Mode, Points
from tests.support.one_process import World

from awsbatch_operator.aws.call_table import CALLS
from awsbatch_simulator.jobscript import JobScript

SHARDS = 4
REPEATED_READS = 2  # of calls that change nothing, only the first few are struck

MUTATING = frozenset(f"{call.service}:{call.operation}" for call in CALLS if call.mutating)
KUBE_WRITES = frozenset({"kube:apply_status", "kube:patch"})


async def live_through(points: Points) -> World:
    """A user's day. Whenever the operator dies, another one starts."""
    world = new_world(JobScript(job_name="long-run-*", duration_seconds=1e6))
    life = Life(world, points)
    life.start()
    for step in STEPS:
        step.do(world)
        while not await life.run_until(partial(step.until, world)):
            await life.kill()
            life = Life(world, points)
            life.start()
    await life.kill()
    return world


def check_the_end(world: World) -> None:
    """One job for each BatchJob, no duplicate of anything, nothing left in AWS."""
    batch = world.batch
    assert len(jobs_of(world, "first-run")) == 1
    (long,) = jobs_of(world, "long-run")
    assert long.status.value == "FAILED", "the job of the deleted BatchJob still runs"
    assert list(batch.last_revision.values()) == [2], "a revision was registered twice"
    assert not batch.environments
    assert not batch.queues
    assert not batch.policies
    revisions = [one for revisions in batch.definitions.values() for one in revisions.values()]
    assert not any(revision.active for revision in revisions)


def worth_striking(names: list[str]) -> Iterator[int]:
    """The numbers of the calls to strike: all that change something, and each first few reads."""
    seen: dict[str, int] = {}
    for number, name in enumerate(names, start=1):
        seen[name] = seen.get(name, 0) + 1
        if name in MUTATING | KUBE_WRITES or seen[name] <= REPEATED_READS:
            yield number


async def test_a_day_without_a_crash_makes_every_call_that_changes_something():
    points = Points()
    check_the_end(await live_through(points))
    never_made = (MUTATING | KUBE_WRITES) - set(points.names)
    assert not never_made


@pytest.mark.timeout(400)
@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("mode", Mode, ids=[mode.name.lower() for mode in Mode])
async def test_every_point_ends_the_same(mode, shard, record_property):
    clean = Points()
    await live_through(clean)
    numbers = list(worth_striking(clean.names))[shard::SHARDS]
    for number in numbers:
        points = Points(strike_at=number, mode=mode)
        world = await live_through(points)
        assert (points.struck, points.took_effect) == (clean.names[number - 1], True)
        try:
            check_the_end(world)
        except AssertionError as error:
            raise AssertionError(f"struck {mode.value} call {number}, {points.struck}") from error
    assert numbers
    record_property(f"{POINTS} ({mode.value})", len(numbers))
