"""Turns: who gets one, when, and what follows from it."""

import asyncio

from tests.unit.engine.rig import Rig, job, manifest

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.engine.engine_settings import EngineSettings
from awsbatch_operator.engine.reconciler import Again
from awsbatch_operator.kube.port import UnavailableError

ONE, TWO = job("one"), job("two")


async def test_deletions_are_looked_at_first_then_new_generations_then_the_rest():
    rig = Rig(EngineSettings(workers=1))
    for key in (job("a-rest"), job("b-new"), job("c-deleted")):
        rig.kube.apply(manifest(key))
        rig.cache.put(rig.kube.see(key))
    await rig.store.write_status(rig.resource(job("a-rest")), {"observedGeneration": 1})
    await rig.store.hold(rig.resource(job("c-deleted")), {})
    rig.kube.remove(job("c-deleted"))
    rig = rig.restarted()
    async with rig.running():
        assert [key.name for key in rig.turns] == ["c-deleted", "b-new", "a-rest"]


async def test_finished_objects_are_never_asked_for():
    rig = Rig()
    rig.kube.apply(manifest(ONE))
    rig.cache.put(rig.kube.see(ONE))
    await rig.store.write_status(rig.resource(ONE), {"done": True})
    rig = rig.restarted()
    async with rig.running():
        rig.engine.wake(ONE)
        await rig.clock.advance(3600)
    assert rig.turns == []


async def test_a_finished_object_that_is_changed_or_deleted_gets_a_turn_again():
    rig = Rig()
    rig.kube.apply(manifest(ONE))
    async with rig.running():
        await rig.store.hold(rig.resource(ONE), {})
        await rig.store.write_status(rig.resource(ONE), {"done": True})
        await rig.clock.advance(1)
        rig.turns.clear()
        rig.kube.annotate(ONE, touched="yes")
        await rig.clock.advance(1)
        assert rig.turns == []
        rig.kube.remove(ONE)
        await rig.clock.advance(1)
        assert rig.turns == [ONE]


async def test_a_change_seen_by_the_watch_wakes_the_object():
    rig = Rig()
    async with rig.running():
        rig.kube.apply(manifest(ONE))
        await rig.clock.advance(0)
        rig.kube.apply(manifest(ONE, size=2))
        await rig.clock.advance(0)
    assert rig.turns == [ONE, ONE]


async def test_what_the_watch_brings_is_counted():
    rig = Rig()
    rig.kube.apply(manifest(ONE))
    rig.engine.on_event(None, rig.kube.see(ONE))
    rig.engine.on_event("DELETED", rig.kube.see(ONE))
    assert rig.count("watch_events_total", kind=ONE.kind, event="LISTED") == 1
    assert rig.count("watch_events_total", kind=ONE.kind, event="DELETED") == 1


async def test_no_turn_begins_before_everything_was_listed_once():
    rig = Rig()
    rig.kube.apply(manifest(ONE))
    rig.kube.list_error = UnavailableError("away")
    async with rig.running():
        rig.engine.on_event("ADDED", rig.kube.see(ONE))
        await rig.clock.advance(30)
        assert (rig.turns, rig.engine.idle) == ([], False)
        rig.kube.list_error = None
        await rig.clock.advance(3)
        assert (rig.turns, rig.engine.idle) == ([ONE], True)


async def test_the_answers_of_its_own_writes_do_not_wake_an_object():
    rig = Rig()

    async def write(key):
        held = await rig.store.hold(rig.resource(key), {"a": "b"})
        await rig.store.write_status(held, {"observedGeneration": 1})
        return Again()

    rig.turn = write
    rig.kube.apply(manifest(ONE))
    async with rig.running():  # here the watch is faster than the answers
        assert rig.turns == [ONE]
        rig.kube.apply(manifest(TWO))
        rig.kube.hold_events()  # and here it is slower
        rig.engine.on_event("ADDED", rig.kube.see(TWO))
        await rig.clock.advance(0)
        rig.kube.release_events()
        await rig.clock.advance(0)
    assert rig.turns == [ONE, TWO]


async def test_a_change_by_somebody_else_during_the_turn_causes_another():
    rig = Rig()

    async def slow(key):
        if len(rig.turns) == 1:
            await rig.store.write_status(rig.resource(key), {"observedGeneration": 1})
            rig.kube.apply(manifest(key, size=2))
        return Again()

    rig.turn = slow
    rig.kube.apply(manifest(ONE))
    async with rig.running():
        assert rig.turns == [ONE, ONE]


async def test_a_write_to_another_object_wakes_that_one():
    rig = Rig()

    async def meddle(key):
        if key == ONE and len(rig.turns) == 2:
            await rig.store.hold(rig.resource(TWO), {"told": "by one"})
        return Again()

    rig.turn = meddle
    rig.kube.apply(manifest(TWO))
    async with rig.running():
        rig.kube.apply(manifest(ONE))
        await rig.clock.advance(0)
    assert rig.turns == [TWO, ONE, TWO]


async def test_a_write_to_an_object_whose_own_turn_is_under_way_causes_another():
    rig = Rig()

    async def meddle(key):
        if key == ONE:
            await rig.store.hold(rig.resource(TWO), {"told": "by one"})
        await rig.clock.sleep(1)
        return Again()

    rig.kube.apply(manifest(TWO))
    rig.kube.apply(manifest(ONE))
    rig.turn = meddle
    rig.unwatch()
    async with rig.running():
        rig.turns.sort()
        assert rig.turns == [ONE, TWO]
        await rig.clock.advance(2)
        assert rig.turns == [ONE, TWO, TWO]


async def test_an_object_is_due_again_when_its_turn_said_so():
    rig = Rig()

    async def again(key):
        return Again(after=60)

    rig.turn = again
    rig.kube.apply(manifest(ONE))
    async with rig.running():
        await rig.clock.advance(59)
        assert rig.turns == [ONE]
        await rig.clock.advance(2)
        assert rig.turns == [ONE, ONE]


async def test_the_answer_of_the_latest_turn_decides_when_the_next_is_due():
    rig = Rig()
    answers = iter([Again(after=20), Again(after=300)])

    async def again(key):
        return next(answers)

    rig.turn = again
    rig.kube.apply(manifest(ONE))
    async with rig.running():
        rig.engine.wake(ONE)
        await rig.clock.advance(290)
        assert rig.turns == [ONE, ONE]


async def test_a_vanished_object_gets_one_last_turn_and_is_forgotten():
    rig = Rig()

    async def failed(key):
        return Again(failed=True)

    rig.turn = failed
    rig.kube.apply(manifest(ONE))
    async with rig.running():
        rig.kube.remove(ONE)
        await rig.clock.advance(3600)
        assert rig.turns == [ONE, ONE]
        assert rig.count("reconciles_total", kind="BatchJob", result="gone") == 1


async def test_an_object_never_has_two_turns_at_once_however_often_it_is_woken():
    rig = Rig()
    at_work = []

    async def slow(key):
        assert key not in at_work
        at_work.append(key)
        await rig.clock.sleep(5)
        at_work.remove(key)
        return Again()

    rig.turn = slow
    rig.kube.apply(manifest(ONE))
    async with rig.running():
        for _ in range(12):
            rig.engine.wake(ONE)
            await rig.clock.advance(1)
        await rig.clock.advance(20)
    assert 3 <= len(rig.turns) <= 4


async def test_an_object_that_is_not_there_is_not_woken():
    """AWS's tags name it, and whoever may tag a thing in AWS can write any name into them."""
    rig = Rig()
    async with rig.running():
        rig.engine.wake(ObjectKey("Anything", "somewhere", "else"))
        await rig.clock.advance(1)
        assert rig.turns == []


async def test_no_more_turns_run_at_once_than_there_are_workers():
    rig = Rig(EngineSettings(workers=3))
    gate = asyncio.Event()
    at_work = []

    async def wait(key):
        at_work.append(key)
        await gate.wait()
        return Again()

    rig.turn = wait
    for number in range(5):
        made = manifest(job(str(number)))
        made["spec"]["accountRef"] = {"name": str(number)}
        rig.kube.apply(made)
    async with rig.running():
        assert len(at_work) == 3
        gate.set()
        await rig.clock.advance(0)
        assert len(at_work) == 5
