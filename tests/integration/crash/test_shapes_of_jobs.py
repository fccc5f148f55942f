"""The operator dies, or loses an answer, at every call of a day of jobs of other shapes than one.

Some jobs of an array fail: they alone run again, and of those the one that fails once more. A job
over several nodes is held while it runs, and let go. Two jobs share the definition that stands in
them, until one is changed. Whatever dies when, each run has one job in AWS, which has ended before
that of the next one is submitted; each definition is registered once, and gone at the end.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from tests.integration.crash import invariants
from tests.integration.crash.branches import every
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.day import Day, WorthStriking
from tests.integration.crash.scenario import (
    DEFINITION,
    ENVIRONMENT,
    JOB,
    NAMESPACE,
    QUEUE,
    UNTIMED,
    Step,
    all_of,
    apply,
    delete,
    gone,
    has_condition,
    key,
    with_spec,
)
from tests.support.crashing import Mode, Points
from tests.support.hard_world import HardWorld, Weather
from tests.support.one_process import World

from awsbatch_operator.api.tags import RUN
from awsbatch_simulator.jobscript import JobScript

SHARDS = 2
SEEDS = {Mode.BEFORE: 711, Mode.AFTER: 712, Mode.LOST: 713, Mode.LATE: 714}
BRIEF, FOR_EVER = JobScript(duration_seconds=20), JobScript(duration_seconds=1e6)
BODY = DEFINITION["spec"]["containerProperties"]
NODES = {
    **DEFINITION,
    "metadata": {"name": "nodes", "namespace": NAMESPACE},
    "spec": {
        "type": "multinode",
        "nodeProperties": {
            "numNodes": 2,
            "mainNode": 0,
            "nodeRangeProperties": [{"targetNodes": "0:1", "container": BODY}],
        },
    },
}
LASTING = (ENVIRONMENT, QUEUE, DEFINITION, NODES)
REGISTERED = 4  # DEFINITION, NODES, and two that stand in jobs


def named(name: str, **spec: Any) -> dict[str, Any]:
    return with_spec({**JOB, "metadata": {"name": name, "namespace": NAMESPACE}}, **spec)


def grid(of_run: int = 0) -> dict[str, Any]:
    """An array; perhaps what failed of one of its runs is to run again."""
    retry = {"ofRun": of_run, "indexMapVariable": "CELLS"}
    return named(
        "grid",
        arrayProperties={"size": 4},
        **({"retryFailedIndexes": retry} if of_run else {}),
    )


def mpi(*, suspend: bool = False) -> dict[str, Any]:
    return named("mpi", jobDefinitionRef={"name": "nodes"}, suspend=suspend)


def inside(name: str, why: str) -> dict[str, Any]:
    """A job with its definition inside."""
    body = named(name, jobDefinition={**UNTIMED, "parameters": {"why": why}})
    del body["spec"]["jobDefinitionRef"]
    return with_spec(body, rerunPolicy="OnChange")


def fails(*indexes: int) -> tuple[JobScript, ...]:
    """Those of these indexes fail, and the others succeed."""
    return (JobScript(duration_seconds=20, exit_code=3, indexes=indexes), BRIEF)


def then(scripts: tuple[JobScript, ...], *bodies: dict[str, Any]) -> Callable[[World], None]:
    """Apply these; jobs that start from now on do as the scripts say."""

    def do(world: World) -> None:
        aws = world.simulator.world
        aws.change(aws.settings.model_copy(update={"job_scripts": scripts}))
        apply(*bodies)(world)

    return do


def stands(body: dict[str, Any], **status: Any) -> Callable[[World], bool]:
    """Whether the status has these fields."""

    def is_so(world: World) -> bool:
        shown = world.kube.see(key(body)).get("status", {})
        return all(shown.get(name) == value for name, value in status.items())

    return is_so


def is_over(body: dict[str, Any], condition: str, run: int) -> Callable[[World], bool]:
    return all_of(stands(body, run=run), has_condition(body, condition))


FIRST, SECOND = (inside(name, "first") for name in ("first", "second"))
JOBS = (grid(), mpi(), FIRST, SECOND)
RUNS = {"grid": 3, "mpi": 2, "first": 1, "second": 2}
CELLS = [None, "1,3", "3"]  # of which cells each run of the grid is
STEPS = (
    Step(
        "make all that jobs need",
        apply(*LASTING),
        all_of(*(has_condition(body, "Ready") for body in LASTING)),
    ),
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
LAST = Step("delete everything", delete(*JOBS, *LASTING), gone(*JOBS, *LASTING))


class ShapesDay(Day):
    """That day."""

    @property
    def steps(self) -> Sequence[Step]:
        return (*STEPS, Step("read the statuses", self._read, lambda _: True), LAST)

    def a_world(self, seed: int, weather: Weather) -> HardWorld:
        return HardWorld(seed, weather, BRIEF)

    def _read(self, world: World) -> None:
        told = {
            name: [each["result"] for each in self._status(name).get("history", ())]
            for name in RUNS
        }
        assert told == {
            "grid": ["ApplicationExit"] * 2,
            "mpi": ["Suspended"],
            "first": [],
            "second": ["Changed"],
        }, told

    def _status(self, name: str) -> dict[str, Any]:
        return dict(self.world.kube.see(key(named(name)))["status"])

    def check_the_end(self) -> None:
        invariants.check_nothing_left(self.world)
        assert self.world.made("RegisterJobDefinition") == REGISTERED
        for name, number in RUNS.items():
            submitted = runs_of(self.world, name)
            assert [job.tags[RUN] for job in submitted] == [str(n + 1) for n in range(number)]
            for before, after in pairwise(submitted):
                assert before.stopped_at <= after.created_at, f"two runs of {name} at once"
        assert [cells_of(job) for job in runs_of(self.world, "grid")] == CELLS
        assert [job.array_size for job in runs_of(self.world, "grid")] == [4, 2, 0]


def runs_of(world: HardWorld, name: str) -> list[Any]:
    """The jobs of an object, oldest first."""
    return sorted(invariants.jobs_of(world, name), key=lambda job: job.created_at)


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
    points = Points()
    day = ShapesDay(SEEDS[mode], points)
    worthy = WorthStriking()

    def about_jobs(name: str) -> bool:
        return worthy(name) and any(day.world.kube.exists(key(body)) for body in JOBS)

    def tell() -> int:
        assert [struck.mode for struck in points.struck] == [mode]
        return 1

    number = await branches.live(
        day.live_well(),
        points,
        at=every(about_jobs, first=shard, step=SHARDS),
        strike=partial(points.strike_now, mode),
        tell=tell,
    )
    record_property(f"{POINTS} (shapes of jobs, {mode.value})", number)
