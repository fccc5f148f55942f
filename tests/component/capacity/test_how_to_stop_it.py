"""What docs/capacity.md says that ends instances does so."""

from tests.support.instances import Fleet, job_key, launching, pool
from tests.support.manifests import ENVIRONMENT, job

from awsbatch_operator.api.metadata import PAUSED


async def serving(there):
    """One instance is there, and has nothing to do for an hour before it would go by itself."""
    there.furnish(pool(idleSeconds=3600), jobs=1)
    await there.run_until(lambda: there.succeeded(1))
    await there.run_until(lambda: there.row()["idle"] == 1)


async def test_a_disabled_environment_gets_no_instance_and_those_it_has_go_when_they_are_idle():
    there = Fleet()
    async with there.running():
        there.furnish(pool(idleSeconds=60), jobs=1)
        await there.run_until(lambda: there.succeeded(1))
        there.apply(ENVIRONMENT, launching(pool(idleSeconds=60)) | {"state": "DISABLED"})
        there.apply(job_key(2), job())
        await there.run_until(lambda: not there.alive(), within=400)
        launches = there.launches()
        await there.clock.advance(300)
        assert there.launches() == launches == 1


async def test_a_pool_that_is_taken_out_of_the_spec_goes_with_its_instances():
    there = Fleet()
    async with there.running():
        await serving(there)
        there.apply(ENVIRONMENT, launching(pool(name="other", idleSeconds=3600)))
        await there.run_until(lambda: not there.alive(), within=200)


async def test_while_it_is_paused_nothing_is_touched_and_what_runs_goes_on():
    there = Fleet()
    async with there.running():
        there.furnish(pool(idleSeconds=60), jobs=1)
        await there.run_until(lambda: there.succeeded(1))
        there.kube.annotate(ENVIRONMENT, **{PAUSED: "true"})
        await there.clock.advance(600)
        assert len(there.alive()) == 1
        there.kube.annotate(ENVIRONMENT, **{PAUSED: None})
        await there.run_until(lambda: not there.alive(), within=400)
