"""AWS forgets jobs: what has ended stays told, what runs is not sent again."""

from typing import Any

from tests.component.batchjob.runs import FOR_EVER, SPEC, alive, jobs, ready, script, submits
from tests.support.installation import NAMESPACE, Installation

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_simulator.batch import forgetting
from awsbatch_simulator.batch.transitions import forget
from awsbatch_simulator.limits import RequestLimits

NUMBER = 200
KEYS = tuple(ObjectKey("BatchJob", NAMESPACE, f"job-{number}") for number in range(NUMBER))
AN_HOUR = 3600.0


def statuses(there: Installation) -> list[dict[str, Any]]:
    return [there.status(key) for key in KEYS]


async def submitted(there: Installation, seconds: float) -> None:
    """All of them, at once."""
    await ready(there)
    world = there.simulator.world
    world.change(world.settings.model_copy(update={"limits": RequestLimits(enabled=False)}))
    script(there, seconds)
    for key in KEYS:
        there.apply(key, SPEC)
    await there.clock.run_until(lambda: submits(there) == NUMBER, within=900)


async def test_of_200_finished_jobs_that_aws_forgets_none_is_sent_again_and_nothing_changes():
    there = Installation()
    async with there.running():
        await submitted(there, 5)
        await there.clock.run_until(
            lambda: all(there.is_true(key, "Complete") for key in KEYS), within=2 * AN_HOUR
        )
        await there.clock.advance(60)
        before = statuses(there)
        order = forgetting.Order()
        assert forgetting.carry_out(there.simulator.world.regions(), order) == NUMBER
        await there.clock.advance(AN_HOUR)
    async with there.running():  # and whoever starts next knows nothing but what stands there
        await there.clock.advance(AN_HOUR)
    assert jobs(there) == []
    assert submits(there) == NUMBER
    assert statuses(there) == before


async def test_of_200_jobs_that_aws_forgets_half_way_none_is_sent_again_and_each_says_so():
    there = Installation()
    async with there.running():
        await submitted(there, FOR_EVER)
        await there.clock.advance(300)
        for job in jobs(there):
            forget(there.simulator.world.region(there.simulator.place), job)
        await there.clock.run_until(
            lambda: all(there.is_true(key, "Stalled", "JobNotFound") for key in KEYS),
            within=2 * AN_HOUR,
        )
    async with there.running():
        await there.clock.advance(AN_HOUR)
        assert all(there.is_true(key, "Stalled", "JobNotFound") for key in KEYS)
        assert (submits(there), alive(there)) == (NUMBER, 0)
