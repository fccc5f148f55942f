"""The pass over all objects while CRDs come and go."""

from structlog.testing import capture_logs
from tests.unit.engine.rig import Rig, job, manifest, queue

from awsbatch_operator.engine.engine_settings import EngineSettings
from awsbatch_operator.kube.port import UnavailableError

ONE = job("one")
PASS = 11 * 60  # later than any jitter allows


async def test_kinds_that_are_served_no_more_are_left_out_of_the_pass_which_the_watch_tells():
    """An API server without a CRD of ours answers as something would that is none."""
    rig = Rig(EngineSettings(resync_seconds=60))
    served = rig.kube.definitions
    with capture_logs() as logs:
        async with rig.running():
            rig.kube.definitions = {}
            rig.kube.list_error = UnavailableError("404 page not found")
            await rig.clock.advance(300)
            assert [line for line in logs if line["log_level"] == "error"] == []
            rig.kube.definitions = served
            await rig.clock.advance(300)
            assert "does not answer" in logs[0]["event"]


async def test_a_kind_that_is_served_no_more_does_not_keep_the_others_from_being_compared():
    rig = Rig()
    async with rig.running():
        rig.unwatch()
        rig.kube.apply(manifest(ONE))
        del rig.kube.definitions["JobQueue"]
        await rig.clock.advance(PASS)
        assert rig.turns == [ONE]


async def test_a_start_while_crds_are_being_deleted_fills_in_those_that_are_left():
    rig = Rig()
    rig.kube.apply(manifest(ONE))
    del rig.kube.definitions["JobQueue"]
    async with rig.running():
        await rig.clock.advance(60)
        assert not rig.engine.listed.is_set()  # a CRD that is to come may be listed later
        rig.kube.leaving = {"BatchJob"}
        await rig.clock.advance(60)
        assert rig.engine.listed.is_set()
        assert rig.turns == [ONE]


async def test_of_a_crd_that_went_unseen_no_object_keeps_what_is_left_waiting():
    """The watch misses the last events of a kind, and its CRD goes: nothing else would tell."""
    rig = Rig()
    target = queue("target")
    async with rig.running():
        rig.kube.apply(manifest(ONE, target))
        rig.kube.apply(manifest(target))
        await rig.clock.advance(1)
        rig.unwatch()
        job_definition = rig.kube.definitions.pop("BatchJob")
        await rig.clock.advance(2 * PASS)
        assert ONE in rig.cache, "it may only not be served yet"
        rig.kube.leaving = {"JobQueue"}
        await rig.clock.advance(2 * PASS)
        assert ONE not in rig.cache
        assert target in rig.cache
        assert rig.count("ghosts_dropped_total", kind="BatchJob") == 1
        rig.kube.definitions["BatchJob"] = job_definition
