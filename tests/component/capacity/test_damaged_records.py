"""Records of launches that were lost or damaged: nothing is bought twice, and nothing hangs."""

from tests.support.instances import Fleet, job_key, pool
from tests.support.manifests import ENVIRONMENT, QUEUE, job

from awsbatch_operator.api.metadata import LAUNCHES


async def at_rest(there: Fleet) -> None:
    """A job has run, and the instance that it got is long gone."""
    there.furnish(jobs=1)
    await there.run_until(lambda: there.succeeded(1))
    await there.run_until(lambda: not there.alive(), within=300)
    await there.run_until(lambda: not there.instances(), within=4000)
    await there.clock.advance(120)  # and it has been seen


async def test_a_record_that_is_removed_at_rest_holds_up_launches_for_two_minutes_and_no_more():
    there = Fleet()
    async with there.running():
        await at_rest(there)
        there.kube.annotate(ENVIRONMENT, **{LAUNCHES: None})
        await there.clock.advance(130)
        there.apply(job_key(2), job())
        await there.run_until(lambda: there.succeeded(2), within=110)


async def test_an_object_whose_record_was_removed_at_rest_goes():
    there = Fleet()
    async with there.running():
        await at_rest(there)
        there.kube.annotate(ENVIRONMENT, **{LAUNCHES: None})
        for key in (job_key(), QUEUE, ENVIRONMENT):
            there.remove(key)
        await there.until_gone(ENVIRONMENT)


BLOCK = '{"v":1,"uid":"%s","pools":{"main":{"round":1,"block":{"request":1,"phase":"Sleeping"}}}}'


async def test_a_block_that_cannot_be_read_is_told_like_the_rest_of_a_record():
    there = Fleet()
    block = pool(market="SpotBlock", spotBlock={"durationSeconds": 3600, "instanceCount": 1})
    async with there.running():
        there.furnish(block)
        await there.until_ready(ENVIRONMENT)
        uid = there.kube.see(ENVIRONMENT)["metadata"]["uid"]
        there.kube.annotate(ENVIRONMENT, **{LAUNCHES: BLOCK % uid})
        await there.run_until(lambda: there.is_true(ENVIRONMENT, "Stalled", "InvalidRecord"))
