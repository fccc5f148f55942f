"""The operator dies, or loses an answer, at every call of a day of jobs of other shapes than one.

Some jobs of an array fail: they alone run again, and of those the one that fails once more. A job
over several nodes is held while it runs, and let go. Two jobs share the definition that stands in
them, until one is changed. Whatever dies when, each run has one job in AWS, which has ended before
that of the next one is submitted; each definition is registered once, and gone at the end.
"""

from typing import Any, ClassVar

import pytest
from tests.integration.crash import job_day
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.job_day import (
    BRIEF,
    FOR_EVER,
    NODES,
    JobsDay,
    are_ready,
    fails,
    is_over,
    named,
    retried,
    runs_of,
    stands,
    strike_each,
    then,
)
from tests.integration.crash.scenario import (
    DEFINITION,
    ENVIRONMENT,
    JOB,
    QUEUE,
    Step,
    all_of,
    apply,
    has_condition,
)
from tests.support.crashing import Mode, Points

from awsbatch_simulator.jobscript import JobScript

SHARDS = 2
SEEDS = {Mode.BEFORE: 711, Mode.AFTER: 712, Mode.LOST: 713, Mode.LATE: 714}
LASTING = (ENVIRONMENT, QUEUE, DEFINITION, NODES)
REGISTERED = 4  # DEFINITION, NODES, and two that stand in jobs


def grid(of_run: int = 0) -> dict[str, Any]:
    """An array; perhaps what failed of one of its runs is to run again."""
    return named(JOB, "grid", arrayProperties={"size": 4}, **retried(of_run))


def mpi(*, suspend: bool = False) -> dict[str, Any]:
    return named(JOB, "mpi", jobDefinitionRef={"name": "nodes"}, suspend=suspend)


def inside(name: str, why: str) -> dict[str, Any]:
    return job_day.inside(name, why, rerunPolicy="OnChange")


FIRST, SECOND = (inside(name, "first") for name in ("first", "second"))
CELLS = [None, "1,3", "3"]  # of which cells each run of the grid is


class ShapesDay(JobsDay):
    """That day."""

    acts = (
        Step("make all that jobs need", apply(*LASTING), are_ready(*LASTING)),
        Step("run an array", then(fails(1, 3), grid()), is_over(grid(), "Failed", 1)),
        Step("run two of it again", then(fails(1), grid(1)), is_over(grid(), "Failed", 2)),
        Step("run one of it again", then((BRIEF,), grid(2)), is_over(grid(), "Complete", 3)),
        Step("run several nodes", then((FOR_EVER,), mpi()), stands(mpi(), awsStatus="RUNNING")),
        Step("hold them", apply(mpi(suspend=True)), has_condition(mpi(), "Suspended")),
        Step("let them go", then((BRIEF,), mpi()), is_over(mpi(), "Complete", 2)),
        Step(
            "run two with one definition",
            then((JobScript(job_name="second-*", duration_seconds=1e6), BRIEF), FIRST, SECOND),
            all_of(is_over(FIRST, "Complete", 1), stands(SECOND, awsStatus="RUNNING")),
        ),
        Step(
            "change the definition in one",
            then((BRIEF,), inside("second", "another")),
            is_over(SECOND, "Complete", 2),
        ),
    )
    everything = (grid(), mpi(), FIRST, SECOND, *LASTING)
    runs: ClassVar = {"grid": 3, "mpi": 2, "first": 1, "second": 2}
    ends: ClassVar = {
        "grid": ["ApplicationExit"] * 2,
        "mpi": ["Suspended"],
        "first": [],
        "second": ["Changed"],
    }

    def check_the_end(self) -> None:
        super().check_the_end()
        assert self.world.made("RegisterJobDefinition") == REGISTERED
        assert [cells_of(job) for job in runs_of(self.world, "grid")] == CELLS
        assert [job.array_size for job in runs_of(self.world, "grid")] == [4, 2, 0]


def cells_of(job: Any) -> str | None:
    """What the variable says."""
    listed = job.overrides.get("environment", ())
    return next((each["value"] for each in listed if each["name"] == "CELLS"), None)


async def test_a_day_without_a_strike_has_a_good_end():
    await ShapesDay(1, Points()).live_well()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("mode", SEEDS, ids=[mode.name.lower() for mode in SEEDS])
async def test_every_point_ends_the_same(mode, shard, branches, record_property):
    day = ShapesDay(SEEDS[mode], Points())
    number = await strike_each(day, mode, branches, first=shard, step=SHARDS)
    record_property(f"{POINTS} (shapes of jobs, {mode.value})", number)
