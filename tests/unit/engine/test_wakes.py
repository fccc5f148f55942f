"""Waking very many objects: all of them, and never all at once."""

import asyncio
import itertools

from tests.support.clock import settle
from tests.unit.engine.rig import Rig, job, manifest, queue

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.engine.wakes import SLICE, Wakes

MANY = [job(f"job-{number:04d}") for number in range(5 * SLICE)]


async def test_few_are_woken_at_once():
    woken: list[ObjectKey] = []
    wakes = Wakes(woken.append)
    wakes.all(MANY[:SLICE])
    assert woken == MANY[:SLICE]
    assert wakes.idle


async def test_of_many_a_slice_is_woken_between_two_other_steps_of_the_loop():
    woken: list[ObjectKey] = []
    wakes = Wakes(woken.append)
    waking = asyncio.create_task(wakes.run())
    await settle()
    wakes.all(MANY)
    steps = [len(woken)]
    while not wakes.idle:
        await asyncio.sleep(0)
        steps.append(len(woken))
    assert woken == MANY
    assert max(after - before for before, after in itertools.pairwise(steps)) <= SLICE
    waking.cancel()


async def test_a_short_crowd_does_not_wait_for_a_long_one():
    woken: list[ObjectKey] = []
    wakes = Wakes(woken.append)
    wakes.all(MANY)
    wakes.all([queue("main")])
    assert woken[-1] == queue("main")
    assert len(woken) == SLICE + 1


async def test_a_target_with_thousands_of_users_wakes_them_all():
    rig = Rig()
    target = queue("target")
    for key in MANY:
        rig.kube.apply(manifest(key, target))
    async with rig.running():
        rig.turns.clear()
        rig.kube.apply(manifest(target))
        await rig.clock.advance(1)
        assert set(rig.turns) == {target, *MANY}
        assert rig.engine.idle
