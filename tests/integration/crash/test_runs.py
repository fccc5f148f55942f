"""The operator dies, or loses an answer, at every call of a day on which jobs run more than once.

One job is held from the start, let go, held while it runs, let go again, changed while it runs, and
changed after its end; another is lost with its host and goes on in another queue. Whatever dies
when, each run has one job in AWS, which has ended before that of the next one is submitted; and the
history tells how each ended.
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
SEEDS = {Mode.BEFORE: 701, Mode.AFTER: 702, Mode.LOST: 703}
HOST_LOST = "Host EC2 (instance i-0a1b2c3d4e5f67890) terminated."
SCRIPTS = (
    JobScript(job_name="turns-*", parameters={"how": "long"}, duration_seconds=1e6),
    JobScript(
        job_name="lost-*",
        job_queue="*main*",
        exit_code=None,
        reason="",
        status_reason=HOST_LOST,
    ),
)


def named(body: dict[str, Any], name: str, **spec: Any) -> dict[str, Any]:
    return with_spec({**body, "metadata": {"name": name, "namespace": NAMESPACE}}, **spec)


def turns(how: str, *, suspend: bool = False) -> dict[str, Any]:
    spec = {"rerunPolicy": "OnChange", "timeout": UNTIMED["timeout"], "parameters": {"how": how}}
    return named(JOB, "turns", **spec, suspend=suspend)


SAFE = named(QUEUE, "safe")
LOST = named(
    JOB,
    "lost",
    fallback={"jobQueueRef": {"name": "safe"}, "when": ["HostLost"], "afterFailures": 2},
)
LASTING = (ENVIRONMENT, QUEUE, SAFE, DEFINITION)
EVERYTHING = (*LASTING, LOST, turns("long"))
TURNS_ENDS = ["Suspended", "Changed", "Succeeded"]


def stands(body: dict[str, Any], **status: Any) -> Callable[[World], bool]:
    """Whether the status has these fields."""

    def is_so(world: World) -> bool:
        shown = world.kube.see(key(body)).get("status", {})
        return all(shown.get(name) == value for name, value in status.items())

    return is_so


def all_ready(world: World) -> bool:
    return all(has_condition(body, "Ready")(world) for body in LASTING)


def runs(run: int) -> Callable[[World], bool]:
    return stands(turns("long"), run=run, awsStatus="RUNNING")


def is_over(run: int) -> Callable[[World], bool]:
    return all_of(stands(turns("long"), run=run), has_condition(turns("long"), "Complete"))


STEPS = (
    Step("make all that jobs need", apply(*LASTING), all_ready),
    Step(
        "hold a job from the start",
        apply(turns("long", suspend=True)),
        has_condition(turns("long"), "Suspended"),
    ),
    Step("let it go", apply(turns("long")), runs(1)),
    Step("hold it", apply(turns("long", suspend=True)), has_condition(turns("long"), "Suspended")),
    Step("let it go again", apply(turns("long")), runs(2)),
    Step("change it while it runs", apply(turns("short")), is_over(3)),
    Step("change it after its end", apply(turns("brief")), is_over(4)),
    Step("lose a job", apply(LOST), has_condition(LOST, "Complete")),
)
LAST = Step("delete everything", delete(*EVERYTHING), gone(*EVERYTHING))


class RunsDay(Day):
    """That day."""

    @property
    def steps(self) -> Sequence[Step]:
        return (*STEPS, Step("read the histories", self._read, lambda _: True), LAST)

    def a_world(self, seed: int, weather: Weather) -> HardWorld:
        return HardWorld(seed, weather, *SCRIPTS)

    def _read(self, world: World) -> None:
        told = [each["result"] for each in self._history(turns("long"))]
        assert told == TURNS_ENDS, told
        assert [each["result"] for each in self._history(LOST)] == ["HostLost"] * 2

    def _history(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self.world.kube.see(key(body))["status"]["history"]
        return listed

    def check_the_end(self) -> None:
        invariants.check_nothing_left(self.world)
        for name, number in (("turns", 4), ("lost", 3)):
            submitted = sorted(invariants.jobs_of(self.world, name), key=lambda job: job.created_at)
            assert [job.tags[RUN] for job in submitted] == [str(n + 1) for n in range(number)]
            for before, after in pairwise(submitted):
                assert before.stopped_at <= after.created_at, f"two runs of {name} at once"


async def test_a_day_without_a_strike_has_a_good_end():
    await RunsDay(1, Points()).live_well()


async def a_day(seed: int, points: Points) -> None:
    await RunsDay(seed, points).live_well()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("mode", SEEDS, ids=[mode.name.lower() for mode in SEEDS])
async def test_every_point_ends_the_same(mode, shard, branches, record_property):
    points = Points()

    def tell() -> int:
        assert [struck.mode for struck in points.struck] == [mode]
        return 1

    number = await branches.live(
        a_day(SEEDS[mode], points),
        points,
        at=every(WorthStriking(), first=shard, step=SHARDS),
        strike=partial(points.strike_now, mode),
        tell=tell,
    )
    record_property(f"{POINTS} (runs, {mode.value})", number)
