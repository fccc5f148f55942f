"""Places and further runs through restarts, deadlines and full queues."""

from tests.component.batchjob.runs import FOR_EVER, alive, script
from tests.component.batchjob.test_attacks import until_running
from tests.component.batchjob.test_max_in_flight import NOW, filled, named, sent
from tests.support.installation import Installation


async def test_a_job_that_waits_for_a_place_again_is_out_of_time_like_one_that_runs():
    there = Installation()
    spec = NOW | {"activeDeadlineSeconds": 1200}
    async with there.running():
        await filled(there, 1)
        there.apply(named("a"), spec)
        await until_running(there, named("a"))
        there.apply(named("a"), spec | {"suspend": True})
        await there.until(named("a"), "Suspended")
        there.apply(named("b"), NOW)
        await until_running(there, named("b"))
    async with there.running():
        there.apply(named("a"), spec)
        await there.until(named("a"), "Reconciling", "QueueFull")
        await there.until(named("a"), "Failed", "DeadlineExceeded", within=1250)
        assert (sent(there), alive(there)) == (["a", "b"], 1)


async def test_an_array_that_is_held_while_its_children_run_gives_its_place_back_once():
    there = Installation()
    array = NOW | {"arrayProperties": {"size": 3}}
    async with there.running():
        await filled(there, 1)
        script(there, FOR_EVER)
        there.apply(named("a"), array)
        await there.clock.run_until(lambda: alive(there) == 4, within=600)
        await there.clock.advance(200)
        there.apply(named("b"), NOW)
        await there.until(named("b"), "Reconciling", "QueueFull")
        there.apply(named("a"), array | {"suspend": True})
        await until_running(there, named("b"))
        assert there.is_true(named("a"), "Suspended")
        there.kube.remove(named("b"))
        there.apply(named("a"), array)
        await there.until_gone(named("b"))
        await there.clock.run_until(lambda: there.status(named("a")).get("run") == 2, within=900)
        await there.clock.advance(30)
        assert alive(there) == 4
