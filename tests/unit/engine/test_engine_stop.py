"""The ends of a run: asked for, forced, and by death."""

import asyncio

import pytest
from tests.support.clock import settle
from tests.unit.engine.rig import Rig, job, manifest

from awsbatch_operator.api.scope import LeaseLostError
from awsbatch_operator.engine.engine_settings import EngineSettings
from awsbatch_operator.engine.reconciler import Again
from awsbatch_operator.kube.port import UnavailableError

ONE, TWO = job("one"), job("two")


class ProcessDied(BaseException):
    """What a crash test raises."""


async def begun(rig):
    run = asyncio.create_task(rig.engine.run(rig.stop))
    await rig.clock.advance(0)
    return run


async def test_an_idle_engine_stops_at_once_and_cleanly():
    rig = Rig()
    run = await begun(rig)
    rig.stop.set()
    await settle()
    assert run.done()
    assert run.result().clean


async def test_it_can_be_stopped_before_anything_could_be_listed():
    rig = Rig()
    rig.kube.list_error = UnavailableError("away")
    run = await begun(rig)
    rig.stop.set()
    await settle()
    assert run.result().clean


async def test_a_turn_under_way_may_end_and_no_other_begins():
    rig = Rig(EngineSettings(workers=1))
    ended = []

    async def slow(key):
        await rig.clock.sleep(10)
        ended.append(key)
        return Again()

    rig.turn = slow
    rig.kube.apply(manifest(ONE))
    rig.kube.apply(manifest(TWO))
    run = await begun(rig)
    rig.stop.set()
    await rig.clock.advance(9)
    assert not run.done()
    await rig.clock.advance(1)
    assert run.result().clean
    assert (rig.turns, ended) == ([ONE], [ONE])


async def test_a_turn_that_takes_too_long_is_cut_short_and_named():
    rig = Rig()
    steps = []

    async def endless(key):
        steps.append("call")
        await rig.clock.sleep(1000)
        steps.append("next call")
        return Again()

    rig.turn = endless
    rig.kube.apply(manifest(ONE))
    run = await begun(rig)
    rig.stop.set()
    await rig.clock.advance(13.9)
    assert not run.done()
    await rig.clock.advance(0.2)
    assert run.result().in_flight == (ONE,)
    assert not run.result().clean
    await rig.clock.advance(2000)
    assert steps == ["call"]


async def test_death_in_one_turn_ends_the_run_before_any_other_takes_a_step():
    rig = Rig()
    start, steps = asyncio.Event(), []

    async def die(key):
        await start.wait()
        steps.append(key)
        if key == ONE:
            raise ProcessDied
        await asyncio.sleep(0)
        steps.append("went on")
        return Again()

    rig.turn = die
    rig.kube.apply(manifest(ONE))
    rig.kube.apply(manifest(TWO))
    run = await begun(rig)
    start.set()
    with pytest.raises(ProcessDied):
        await run
    assert steps == [ONE]
    assert len(asyncio.all_tasks()) == 1


async def test_death_while_listing_ends_the_run():
    rig = Rig()
    rig.kube.list_error = ProcessDied()
    run = await begun(rig)
    with pytest.raises(ProcessDied):
        await run


async def test_a_call_that_the_fence_held_back_is_tried_again_while_the_lease_lasts():
    rig = Rig()
    tries = []

    async def fenced_once(key):
        tries.append(rig.clock.monotonic())
        if len(tries) == 1:
            raise LeaseLostError("too short")
        return Again()

    rig.turn = fenced_once
    rig.kube.apply(manifest(ONE))
    run = await begun(rig)
    await rig.clock.run_until(lambda: len(tries) > 1)
    assert tries[1] - tries[0] >= 1.0
    rig.stop.set()
    await rig.clock.advance(1)
    assert (await run).clean


async def test_tasks_cancelled_by_somebody_else_are_not_a_clean_end():
    rig = Rig()

    async def slow(key):
        await rig.clock.sleep(100)
        return Again()

    rig.turn = slow
    rig.kube.apply(manifest(ONE))
    run = await begun(rig)
    for task in asyncio.all_tasks() - {run, asyncio.current_task()}:
        task.cancel()
    with pytest.raises(RuntimeError, match="cancelled from outside"):
        await run


async def test_a_turn_cancelled_by_somebody_else_while_stopping_counts_as_in_flight():
    rig = Rig()

    async def slow(key):
        await rig.clock.sleep(100)
        return Again()

    rig.turn = slow
    rig.kube.apply(manifest(ONE))
    run = await begun(rig)
    rig.stop.set()
    await settle()
    for task in rig.engine._tasks:
        task.cancel()
    await rig.clock.advance(1)
    assert run.result().in_flight == (ONE,)


async def test_a_call_that_was_given_up_inside_a_turn_is_an_ordinary_failure():
    rig = Rig()

    async def impatient(key):
        call = asyncio.ensure_future(rig.clock.sleep(100))
        call.cancel()
        await call
        return Again()

    rig.turn = impatient
    rig.kube.apply(manifest(ONE))
    async with rig.running():
        await rig.clock.advance(60)
        assert len(rig.turns) > 2
        assert rig.count("reconciles_total", kind="BatchJob", result="error") == len(rig.turns)
    assert rig.ended.clean
