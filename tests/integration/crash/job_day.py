"""Days of jobs: what their steps do and wait for, and what is true of every run at the end."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, ClassVar

from tests.integration.crash import invariants
from tests.integration.crash.branches import Branches, every
from tests.integration.crash.day import Day, WorthStriking
from tests.integration.crash.scenario import (
    DEFINITION,
    JOB,
    NAMESPACE,
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
from tests.support.crashing import Mode
from tests.support.hard_world import HardWorld, Weather
from tests.support.one_process import World

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.tags import RUN
from awsbatch_simulator.jobscript import JobScript

Body = dict[str, Any]
BRIEF, FOR_EVER = JobScript(duration_seconds=20), JobScript(duration_seconds=1e6)
NODES: Body = {
    **DEFINITION,
    "metadata": {"name": "nodes", "namespace": NAMESPACE},
    "spec": {
        "type": "multinode",
        "nodeProperties": {
            "numNodes": 2,
            "mainNode": 0,
            "nodeRangeProperties": [
                {"targetNodes": "0:1", "container": DEFINITION["spec"]["containerProperties"]}
            ],
        },
    },
}


def named(body: Body, name: str, **spec: Any) -> Body:
    """The manifest under another name, with some fields of its spec replaced."""
    return with_spec({**body, "metadata": {"name": name, "namespace": NAMESPACE}}, **spec)


def inside(name: str, why: str, **spec: Any) -> Body:
    """A job with its definition inside, which says why it is another one than others."""
    body = named(JOB, name, jobDefinition={**UNTIMED, "parameters": {"why": why}}, **spec)
    del body["spec"]["jobDefinitionRef"]
    return body


def retried(of_run: int, variable: str = "CELLS") -> Body:
    """The part of a spec by which what failed of that run is to run again; of none if it is 0."""
    retry = {"ofRun": of_run, "indexMapVariable": variable}
    return {"retryFailedIndexes": retry} if of_run else {}


def fails(*indexes: int) -> tuple[JobScript, ...]:
    """Those of these indexes fail, and the others succeed."""
    return (JobScript(duration_seconds=20, exit_code=3, indexes=indexes), BRIEF)


def then(scripts: Sequence[JobScript], *bodies: Body) -> Callable[[World], None]:
    """Apply these; jobs that start from now on do as the scripts say."""

    def do(world: World) -> None:
        aws = world.simulator.world
        aws.change(aws.settings.model_copy(update={"job_scripts": tuple(scripts)}))
        apply(*bodies)(world)

    return do


def stands(body: Body, **status: Any) -> Callable[[World], bool]:
    """Whether the status has these fields."""

    def is_so(world: World) -> bool:
        shown = world.kube.see(key(body)).get("status", {})
        return all(shown.get(name) == value for name, value in status.items())

    return is_so


def is_over(body: Body, condition: str, run: int) -> Callable[[World], bool]:
    """Whether that run has this end."""
    return all_of(stands(body, run=run), has_condition(body, condition))


def are_ready(*bodies: Body) -> Callable[[World], bool]:
    """Whether all of these are as specified."""
    return all_of(*(has_condition(body, "Ready") for body in bodies))


def runs_of(world: HardWorld, name: str) -> list[Any]:
    """The jobs of an object, oldest first."""
    return sorted(invariants.jobs_of(world, name), key=lambda job: job.created_at)


def check_runs(world: HardWorld, name: str) -> int:
    """Each run of the object has had one job, one after the other; how many there were."""
    submitted = runs_of(world, name)
    assert [job.tags[RUN] for job in submitted] == [str(n + 1) for n in range(len(submitted))]
    for before, after in pairwise(submitted):
        assert before.stopped_at is not None, f"a run of {name} began, and one before it goes on"
        assert before.stopped_at <= after.created_at, f"two runs of {name} at once"
    return len(submitted)


class JobsDay(Day):
    """A day of jobs that run more than once.

    After its acts everything is deleted. `runs` says how often each job has run by then, and `ends`
    what its history tells of the runs before the last.
    """

    acts: ClassVar[Sequence[Step]]
    everything: ClassVar[Sequence[Body]]
    scripts: ClassVar[Sequence[JobScript]] = (BRIEF,)
    runs: ClassVar[Mapping[str, int]]
    ends: ClassVar[Mapping[str, list[str]]]

    @property
    def steps(self) -> Sequence[Step]:
        last = self.everything
        return (
            *self.acts,
            Step("read the histories", self._read, lambda _: True),
            Step("delete everything", delete(*last), gone(*last)),
        )

    def a_world(self, seed: int, weather: Weather) -> HardWorld:
        return HardWorld(seed, weather, *self.scripts)

    def check_the_end(self) -> None:
        invariants.check_nothing_left(self.world)
        assert {name: check_runs(self.world, name) for name in self.runs} == self.runs

    def _read(self, world: World) -> None:
        told = {}
        for name in self.ends:
            status = world.kube.see(ObjectKey("BatchJob", NAMESPACE, name))["status"]
            told[name] = [each["result"] for each in status.get("history", ())]
        assert told == self.ends, told


async def strike_each(
    day: Day,
    mode: Mode,
    branches: Branches,
    *,
    first: int = 0,
    step: int = 1,
    only_while_there_are_jobs: bool = True,
) -> int:
    """Live the day, and once more from every so manieth call on; how many.

    Those that change something are struck so, and the first few of those that only read.
    """
    points, worthy = day.points, WorthStriking()
    day.world.read_models()

    def chosen(name: str) -> bool:
        jobs = day.world.kube.objects.of_kind("BatchJob")
        return worthy(name) and (not only_while_there_are_jobs or any(True for _ in jobs))

    def tell() -> int:
        assert [struck.mode for struck in points.struck] == [mode]
        return 1

    return await branches.live(
        day.live_well(),
        points,
        at=every(chosen, first=first, step=step),
        strike=partial(points.strike_now, mode),
        tell=tell,
    )
