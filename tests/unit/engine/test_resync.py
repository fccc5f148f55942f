"""The pass over all objects: what the watch missed is found."""

from tests.unit.engine.rig import Rig, job, manifest, queue

from awsbatch_operator.engine.engine_settings import EngineSettings
from awsbatch_operator.engine.reconciler import Again
from awsbatch_operator.kube.port import UnavailableError

ONE, TWO = job("one"), job("two")
PASS = 11 * 60  # later than any jitter allows


async def test_a_deletion_that_the_watch_missed_is_found_and_tells_the_targets():
    rig = Rig()
    target = queue("target")
    async with rig.running():
        rig.kube.apply(manifest(ONE, target))
        rig.kube.apply(manifest(target))
        await rig.clock.advance(1)
        await rig.store.hold(rig.resource(target), {})
        rig.kube.remove(target)
        rig.unwatch()
        rig.kube.remove(ONE)
        await rig.clock.advance(1)
        rig.turns.clear()
        await rig.clock.advance(PASS)
        assert ONE not in rig.cache
        assert ONE in rig.turns
        assert target in rig.turns
        assert rig.count("ghosts_dropped_total", kind="BatchJob") == 1


async def test_an_object_that_the_watch_missed_is_found():
    rig = Rig()
    async with rig.running():
        rig.unwatch()
        rig.kube.apply(manifest(ONE))
        await rig.clock.advance(PASS)
        assert rig.turns == [ONE]


async def test_an_object_created_anew_unseen_replaces_its_ghost():
    rig = Rig()
    async with rig.running():
        rig.kube.apply(manifest(ONE))
        old = rig.resource(ONE)
        rig.unwatch()
        rig.kube.remove(ONE)
        rig.kube.apply(manifest(ONE))
        await rig.clock.advance(PASS)
        assert rig.resource(ONE).uid != old.uid


def listing(rig, *pages):
    """A KubePort on the rig's whose lists of BatchJobs' metadata are these pages.

    A page may be a function that makes it when it is read.
    """

    class Listing:
        def __getattr__(self, name):
            return getattr(rig.kube, name)

        async def list_metadata(self, kind):
            for page in pages if kind == "BatchJob" else ():
                yield page() if callable(page) else page

    return Listing()


async def test_an_object_created_while_the_list_is_read_is_not_taken_for_a_ghost():
    rig = Rig()

    def last_page():
        rig.kube.apply(manifest(TWO))  # the watch tells at once
        return [rig.kube.see(ONE)]

    rig.kube.apply(manifest(ONE))
    async with rig.running():
        rig.engine._resync._kube = listing(rig, last_page)
        await rig.clock.advance(PASS)
        assert TWO in rig.cache
        assert rig.kube.asked == ()


async def test_only_what_the_list_lacks_is_asked_for_one_by_one():
    rig = Rig()
    rig.kube.apply(manifest(ONE))
    rig.kube.apply(manifest(TWO))
    async with rig.running():
        rig.unwatch()
        rig.kube.remove(TWO)
        await rig.clock.advance(PASS)
    assert rig.kube.asked == (TWO,)


async def test_an_object_missing_in_the_list_but_alive_is_kept():
    rig = Rig()
    rig.kube.apply(manifest(ONE))
    async with rig.running():
        rig.engine._resync._kube = listing(rig, [])
        await rig.clock.advance(PASS)
        assert ONE in rig.cache
        assert rig.kube.asked == (ONE,)
        assert rig.count("ghosts_dropped_total", kind="BatchJob") == 0


async def test_a_change_that_the_watch_missed_is_found_in_a_finished_object_too():
    rig = Rig()
    rig.kube.apply(manifest(ONE))
    async with rig.running():
        await rig.store.write_status(rig.resource(ONE), {"done": True})
        rig.unwatch()
        rig.turns.clear()
        rig.kube.apply(manifest(ONE, size=2))
        rig.kube.annotate(ONE, edited="yes")
        await rig.clock.advance(PASS)
        assert rig.cache.version(ONE) == int(rig.kube.see(ONE)["metadata"]["resourceVersion"])
        assert rig.kube.asked == (ONE,)


async def test_a_list_from_the_past_neither_drops_nor_brings_back_nor_turns_back():
    rig = Rig()
    for key in (ONE, TWO):
        rig.kube.apply(manifest(key))
    past = [rig.kube.see(key) for key in (ONE, TWO)]
    async with rig.running():
        rig.kube.apply(manifest(ONE, size=2))
        rig.kube.apply(manifest(job("later")))
        rig.kube.remove(TWO)
        version = rig.cache.version(ONE)
        rig.engine._resync._kube = listing(rig, past)
        await rig.clock.advance(PASS)
        assert rig.cache.keys("BatchJob") == {ONE, job("later")}
        assert rig.cache.version(ONE) == version
        assert rig.resource(ONE).spec == {"size": 2}


async def test_after_a_restored_backup_what_the_api_server_has_now_is_what_counts(logs):
    """Versions have gone back, a finalizer is gone, a deleted object is there again."""
    rig = Rig()
    rig.kube.apply(manifest(ONE, size=1))
    rig.kube.apply(manifest(TWO))
    backup = {key: rig.kube.see(key) for key in (ONE, TWO)}
    async with rig.running():
        await rig.store.hold(rig.resource(ONE), {"a": "b"})
        rig.kube.apply(manifest(ONE, size=2))
        rig.kube.apply(manifest(job("later")))
        rig.kube.remove(TWO)
        rig.kube.objects._bodies = dict(backup)
        rig.turns.clear()
        await rig.clock.advance(PASS)
        assert rig.cache.keys("BatchJob") == {ONE, TWO}
        assert (rig.resource(ONE).spec, rig.resource(ONE).held) == ({"size": 1}, False)
        assert {ONE, TWO} <= set(rig.turns)
        assert rig.count("versions_gone_back_total", kind="BatchJob") == 1
    assert [line for line in logs if "restored from a backup" in line["event"]]


async def test_a_conflict_after_a_restored_backup_does_not_repeat_for_ever():
    rig = Rig()
    rig.kube.apply(manifest(ONE))
    backup = rig.kube.see(ONE)

    async def write(key):
        await rig.store.write_status(rig.resource(key), {"observedGeneration": 1})
        return Again()

    async with rig.running():
        rig.kube.annotate(ONE, a="b")
        rig.kube.objects._bodies = {ONE: backup}
        rig.turn = write
        rig.engine.wake(ONE)
        await rig.clock.advance(1)
        assert rig.kube.see(ONE)["status"] == {"observedGeneration": 1}
        assert rig.count("reconciles_total", kind="BatchJob", result="conflict") == 1


async def test_what_has_changed_since_the_list_began_is_not_read_again():
    """Later pages show the state of the first, which may be ten minutes old by then."""
    rig = Rig()
    rig.kube.apply(manifest(ONE))

    def last_page():
        old = rig.kube.see(ONE)
        rig.kube.annotate(ONE, now=str(rig.clock.monotonic()))
        return [old]

    async with rig.running():
        rig.engine._resync._kube = listing(rig, last_page)
        await rig.clock.advance(3 * PASS)
        assert rig.kube.asked == ()


async def test_each_pass_looks_at_everything_again_except_what_is_finished():
    rig = Rig()
    rig.kube.apply(manifest(ONE))
    rig.kube.apply(manifest(TWO))
    async with rig.running():
        await rig.store.write_status(rig.resource(TWO), {"done": True})
        await rig.clock.advance(1)
        rig.turns.clear()
        await rig.clock.advance(PASS)
        assert rig.turns == [ONE]


async def test_objects_are_looked_at_again_after_the_interval_and_not_all_at_once():
    rig = Rig(EngineSettings(resync_seconds=600, resync_jitter=0.1))
    for number in range(1000):
        rig.kube.apply(manifest(job(f"job-{number:04d}")))
    async with rig.running():
        rig.turns.clear()
        await rig.clock.advance(539)
        assert rig.turns == []
        busiest = 0
        while len(rig.turns) < 1000:
            before = len(rig.turns)
            await rig.clock.advance(10)
            busiest = max(busiest, len(rig.turns) - before)
        assert busiest < 200
        assert rig.kube.asked == ()


async def test_an_object_that_asks_for_a_later_look_has_one_at_the_resync():
    rig = Rig(EngineSettings(resync_seconds=600, resync_jitter=0.1))
    rig.kube.apply(manifest(ONE))

    async def patient(_):
        return Again(after=7 * 24 * 3600)

    rig.turn = patient
    async with rig.running():
        await rig.clock.advance(PASS)
        assert rig.turns == [ONE, ONE]


def passes(rig, count):
    return lambda: rig.count("resync_passes_total", outcome="ok") >= count


async def test_passes_follow_one_another_within_the_interval_and_its_jitter():
    rig = Rig(EngineSettings(resync_seconds=600, resync_jitter=0.1))
    rig.kube.apply(manifest(ONE))
    async with rig.running():
        gaps = [await rig.clock.run_until(passes(rig, count)) for count in range(2, 9)]
        assert all(540 <= gap <= 660 for gap in gaps)
        assert len(set(gaps)) == len(gaps)


async def test_a_pass_that_fails_is_repeated_sooner_and_drops_nothing():
    rig = Rig()
    rig.kube.apply(manifest(ONE))
    async with rig.running():
        rig.kube.list_error = UnavailableError("away")
        await rig.clock.advance(PASS)
        assert rig.count("resync_passes_total", outcome="failed") >= 2
        assert ONE in rig.cache
        rig.kube.list_error = None
        await rig.clock.advance(70 + PASS)
        assert rig.count("resync_passes_total", outcome="ok") == 2
