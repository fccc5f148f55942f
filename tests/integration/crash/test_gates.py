"""Jobs that wait for each other and for a place in their queue, and are deleted after their ttl.

The operator dies, or loses an answer, at each call from the first job on: each runs once, one at a
time, in its order, and none is deleted before its end is known.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from tests.integration.crash import invariants, job_day
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.day import Day
from tests.integration.crash.job_day import are_ready, strike_each
from tests.integration.crash.scenario import (
    DEFINITION,
    ENVIRONMENT,
    JOB,
    QUEUE,
    Step,
    apply,
    delete,
    gone,
    with_spec,
)
from tests.support.crashing import Mode, Points
from tests.support.hard_world import HardWorld, Weather

from awsbatch_simulator.jobscript import JobScript

SEEDS = {Mode.BEFORE: 901, Mode.AFTER: 902, Mode.LOST: 903, Mode.LATE: 904}
ONE_AT_A_TIME = with_spec(QUEUE, maxInFlight=1)
LASTING = (ENVIRONMENT, ONE_AT_A_TIME, DEFINITION)


def named(name: str, *after: str) -> dict[str, Any]:
    depends = [{"jobRef": {"name": each}} for each in after]
    return job_day.named(JOB, name, dependsOn=depends, ttlSecondsAfterFinished=0)


JOBS = (named("last", "second", "first"), named("second", "first"), named("first"))


class Gates(Day):
    """A day of three jobs."""

    @property
    def steps(self) -> Sequence[Step]:
        return (
            Step("apply what lasts", apply(*LASTING), are_ready(*LASTING)),
            Step("run three jobs", apply(*JOBS), gone(*JOBS)),
            Step("delete what lasts", delete(*LASTING), gone(*LASTING)),
        )

    def a_world(self, seed: int, weather: Weather) -> HardWorld:
        return HardWorld(seed, weather, JobScript(duration_seconds=30))

    def check_the_end(self) -> None:
        invariants.check_nothing_left(self.world)
        ran = [invariants.jobs_of(self.world, name) for name in ("first", "second", "last")]
        assert [[job.status.value for job in jobs] for jobs in ran] == [["SUCCEEDED"]] * 3
        order = [job for (job,) in ran]
        for before, after in pairwise(order):
            assert after.created_at >= before.stopped_at, "two were under way at a time"


@pytest.mark.timeout(400)
@pytest.mark.parametrize("mode", SEEDS, ids=[mode.name.lower() for mode in SEEDS])
async def test_wherever_it_dies_each_runs_once_in_its_turn_and_goes(
    mode, branches, record_property
):
    number = await strike_each(Gates(SEEDS[mode], Points()), mode, branches)
    assert branches.chosen["kube:delete"]
    record_property(f"{POINTS} (gates, {mode.value})", number)
