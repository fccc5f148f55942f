"""Whatever goes wrong together, in whatever order: each BatchJob has one job in AWS, and its end.

Seeded, so a failure can be run again. AWS's listing lags, but never longer than the operator gives
it to settle; what it does beyond that is said in the docs, and tested apart.
"""

import pytest
from tests.integration.crash import invariants
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.mischief import BROWNOUT, CHANGEABLE, Mischief
from tests.integration.crash.scenario import has_condition, key

from awsbatch_operator.api.tags import OWNER_UID

SEEDS = 16
WEATHERS = {"changeable": CHANGEABLE, "brownout": BROWNOUT}


@pytest.mark.parametrize("weather", WEATHERS)
@pytest.mark.parametrize("seed", range(SEEDS))
async def test_each_batch_job_has_one_job_in_aws_and_comes_to_its_end(
    seed, weather, record_property
):
    mischief = Mischief(seed, WEATHERS[weather])
    world = mischief.world

    def at_peace() -> bool:
        return all(
            world.kube.see(key(body))["metadata"]["uid"] not in mischief.deleted
            and has_condition(body, "Complete")(world)
            for body in mischief.left()
        )

    try:
        await mischief.make()
        await mischief.lives.until(at_peace)
    finally:
        await mischief.lives.end()
    invariants.check_all(world)
    submitted = {job.tags[OWNER_UID] for job in world.batch.jobs.values()}
    there = {world.kube.see(key(body))["metadata"]["uid"] for body in mischief.left()}
    assert there <= submitted, "a BatchJob is Complete that never ran"
    assert submitted <= there | mischief.deleted
    assert all(job.status.finished for job in world.batch.jobs.values()), "a job goes on"
    strikes = len(mischief.points.struck) + mischief.lives.lost_leases + mischief.stale_views
    assert strikes
    record_property(f"{POINTS} ({weather} mischief)", strikes)
