"""The pass over all objects: what the watch missed is found."""

from tests.unit.engine.rig import KINDS, Rig, job, manifest, queue

from awsbatch_operator.engine.settings import EngineSettings
from awsbatch_operator.kube.port import UnavailableError

ONE, TWO = job("one"), job("two")
PASS = 11 * 60  # later than any jitter allows


async def test_all_kinds_count_as_synced_after_the_first_pass():
    rig = Rig()
    assert not any(rig.cache.synced(kind) for kind in KINDS)
    async with rig.running():
        assert all(rig.cache.synced(kind) for kind in KINDS)


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


async def test_an_object_created_while_the_list_is_read_is_not_taken_for_a_ghost():
    rig = Rig()

    class SlowList:
        """A list whose last page comes late."""

        def __getattr__(self, name):
            return getattr(rig.kube, name)

        async def list(self, kind):
            page = [rig.kube.see(ONE)] if kind == "BatchJob" else []
            if kind == "BatchJob":
                rig.kube.apply(manifest(TWO))  # the watch tells at once
            for body in page:
                yield body

    rig.kube.apply(manifest(ONE))
    async with rig.running():
        rig.engine._resync._kube = SlowList()
        await rig.clock.advance(PASS)
        assert TWO in rig.cache


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

    class ShortList:
        """A list that leaves everything out."""

        def __getattr__(self, name):
            return getattr(rig.kube, name)

        async def list(self, kind):
            return
            yield

    rig.kube.apply(manifest(ONE))
    async with rig.running():
        rig.engine._resync._kube = ShortList()
        await rig.clock.advance(PASS)
        assert ONE in rig.cache
        assert rig.count("ghosts_dropped_total", kind="BatchJob") == 0


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


async def test_the_time_between_passes_varies_by_a_tenth():
    rig = Rig(EngineSettings(resync_seconds=600, resync_jitter=0.1))
    rig.kube.apply(manifest(ONE))
    async with rig.running():
        gaps = []
        for _ in range(8):
            rig.turns.clear()
            gaps.append(await rig.clock.run_until(lambda: bool(rig.turns)))
        assert all(540 <= gap <= 660 for gap in gaps)
        assert len(set(gaps)) == len(gaps)


async def test_a_pass_that_fails_is_repeated_sooner_and_drops_nothing():
    rig = Rig()
    rig.kube.apply(manifest(ONE))
    async with rig.running():
        rig.kube.list_error = UnavailableError("away")
        await rig.clock.advance(PASS)
        assert rig.count("resync_passes_total", outcome="failed") >= 1
        assert ONE in rig.cache
        rig.kube.list_error = None
        await rig.clock.advance(70)
        assert rig.count("resync_passes_total", outcome="ok") == 2
