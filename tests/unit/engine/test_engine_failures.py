"""Turns that fail: whom it concerns, and when they are repeated."""

from tests.unit.engine.rig import Rig, job, manifest, queue

from awsbatch_operator.engine.engine_settings import EngineSettings
from awsbatch_operator.engine.reconciler import Again
from awsbatch_operator.kube.port import ConflictError, UnavailableError
from awsbatch_operator.telemetry.logs import name_the_object

ONE, TWO = job("one"), job("two")


async def test_a_conflict_reads_the_object_afresh_and_repeats_the_turn_at_once():
    rig = Rig()
    rig.kube.apply(manifest(ONE))

    async def write(key):
        await rig.store.write_status(rig.resource(key), {"observedGeneration": 1})
        return Again()

    async with rig.running():
        rig.turn = write
        rig.kube.hold_events()
        rig.kube.annotate(ONE, someone="else")  # not seen by the watch
        rig.engine.wake(ONE)
        await rig.clock.advance(0.2)
        assert rig.kube.see(ONE)["status"] == {"observedGeneration": 1}
        assert rig.turns == [ONE] * 3
        assert rig.count("reconciles_total", kind="BatchJob", result="conflict") == 1


async def test_conflicts_without_end_are_repeated_with_backoff():
    rig = Rig()

    async def collide(key):
        raise ConflictError(str(key))

    rig.turn = collide
    rig.kube.apply(manifest(ONE))
    async with rig.running():
        await rig.clock.advance(600)
        assert 6 < len(rig.turns) < 40


async def test_a_read_after_a_conflict_that_fails_in_no_known_way_ends_no_other_turn():
    rig = Rig()

    async def collide(key):
        if key == ONE and rig.turns.count(ONE) < 3:
            raise ConflictError(str(key))
        return Again()

    async def damaged(key):
        raise ValueError(f"{key} cannot be read")

    rig.turn = collide
    rig.kube.apply(manifest(ONE))
    rig.kube.get = damaged  # type: ignore[method-assign]
    async with rig.running():
        await rig.clock.advance(30)
        rig.kube.apply(manifest(TWO))
        await rig.clock.advance(1)
    assert rig.turns.count(ONE) == 3
    assert TWO in rig.turns


async def test_somebody_who_writes_during_every_turn_does_not_make_it_spin():
    rig = Rig()

    async def collide(key):
        rig.kube.annotate(key, turn=str(len(rig.turns)))
        raise ConflictError(str(key))

    rig.turn = collide
    rig.kube.apply(manifest(ONE))
    async with rig.running():
        await rig.clock.advance(600)
        assert 6 < len(rig.turns) < 40


async def test_an_error_is_retried_with_growing_delays_and_disturbs_nobody_else():
    rig = Rig(EngineSettings(resync_seconds=1e6))

    async def fail(key):
        if key == ONE:
            raise ValueError("a bug")
        return Again()

    rig.turn = fail
    rig.kube.apply(manifest(ONE))
    rig.kube.apply(manifest(TWO))
    async with rig.running():
        await rig.clock.advance(500)
        failures = rig.turns.count(ONE)
        assert rig.turns.count(TWO) == 1
        assert 4 < failures < 40
        assert rig.count("reconciles_total", kind="BatchJob", result="error") == failures
        rig.turn = rig.nothing
        await rig.clock.advance(300)
        assert rig.turns.count(ONE) == failures + 1


async def test_a_failed_turn_waits_at_least_as_long_as_it_asked_for():
    rig = Rig()

    async def failed(key):
        return Again(after=100, failed=True)

    rig.turn = failed
    rig.kube.apply(manifest(ONE))
    async with rig.running():
        await rig.clock.advance(99)
        assert rig.turns == [ONE]
        await rig.clock.advance(1)
        assert rig.turns == [ONE, ONE]
        assert rig.count("retries_total", kind="BatchJob") == 2


async def test_each_line_logged_in_a_turn_names_its_object(logs):
    rig = Rig()

    async def fail(key):
        raise UnavailableError("the API server is away")

    rig.turn = fail
    rig.kube.apply(manifest(queue("main")))
    async with rig.running():
        pass
    assert {"kind": "JobQueue", "namespace": "science", "name": "main"}.items() <= logs[0].items()
    assert logs[0]["error"] == "UnavailableError: the API server is away"
    assert name_the_object(None, "", {}) == {}
