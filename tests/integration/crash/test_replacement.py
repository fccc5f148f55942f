"""The operator dies, or loses an answer, while an environment is replaced under a queue with a job.

At each write of that in turn. The end is the same each time: one environment as the spec says, the
queue has it and was never without one, the job that ran in the old one has come to its own end, and
nothing is left when all is deleted.
"""

from functools import partial

import pytest
from tests.integration.crash import invariants
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.day import writes
from tests.integration.crash.scenario import (
    DEFINITION,
    ENVIRONMENT,
    JOB,
    QUEUE,
    Step,
    all_of,
    apply,
    delete,
    gone,
    has_condition,
    key,
    with_spec,
)
from tests.support import manifests
from tests.support.crashing import Mode, Points
from tests.support.hard_world import HardWorld, Weather
from tests.support.lives import Lives
from tests.support.one_process import World

from awsbatch_simulator.jobscript import JobScript

SEED = 901
JOB_SECONDS = 200.0
BEST_FIT = {"allocationStrategy": "BEST_FIT"}
OLD = {**ENVIRONMENT, "spec": manifests.environment(**BEST_FIT)}
NEW = {**ENVIRONMENT, "spec": manifests.environment(**BEST_FIT, subnets=["subnet-2"])}
LONG_ENOUGH = with_spec(DEFINITION, timeout={"attemptDurationSeconds": 3600})
LASTING = (OLD, QUEUE, LONG_ENOUGH)


def runs(world: World) -> bool:
    """Whether the job runs."""
    return bool(world.kube.see(key(JOB)).get("status", {}).get("awsStatus") == "RUNNING")


STEPS = (
    Step("a queue over the old environment", apply(*LASTING), has_condition(QUEUE, "Ready")),
    Step("a job runs there", apply(JOB), runs),
    Step("a change that AWS cannot make", apply(NEW), has_condition(NEW, "Ready")),
    Step("the job has ended", lambda _: None, has_condition(JOB, "Complete")),
    Step(
        "all of it is deleted",
        delete(JOB, *LASTING),
        all_of(gone(JOB, *LASTING), lambda _: True),
    ),
)
CHANGE = STEPS[2]


class Story:
    """From the old environment to the deletion, with a good end."""

    def __init__(self, points: Points) -> None:
        self.points = points
        self.step = STEPS[0]  # that is under way

    async def live(self) -> None:
        """All of it."""
        world = HardWorld(SEED, Weather(), JobScript(duration_seconds=JOB_SECONDS))
        lives = Lives(world, self.points)
        try:
            for self.step in STEPS:
                self.step.do(world)
                await lives.until(partial(self._until, world))
                invariants.check_all(world)
                if self.step is CHANGE:
                    self._check_replaced(world)
        finally:
            await lives.end()
        self._check_the_end(world)

    def _until(self, world: HardWorld) -> bool:
        for queue in world.batch.queues.values():
            for arn in queue.environments:
                found = world.batch.environment(arn)
                assert found is not None, "the queue is without its environment"
                assert found.state.value == "ENABLED", "the queue's environment takes no jobs"
        return self.step.until(world)

    def _check_replaced(self, world: HardWorld) -> None:
        (made,) = world.batch.environments.values()
        (queue,) = world.batch.queues.values()
        assert made.resources["subnets"] == ["subnet-2"]
        assert made.state.value == "ENABLED"
        assert list(queue.environments) == [made.arn]

    def _check_the_end(self, world: HardWorld) -> None:
        invariants.check_nothing_left(world)
        (job,) = invariants.jobs_of(world, JOB["metadata"]["name"])
        assert job.status.value == "SUCCEEDED"
        assert len(job.attempts) == 1, "the job was ended and began again"
        assert world.made("CreateComputeEnvironment") == 2
        assert world.made("CreateJobQueue") == 1

    def changes(self, name: str) -> bool:
        """Whether a call that is about to be made changes something, and that is the change."""
        return self.step is CHANGE and writes(name)


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    "mode", [Mode.BEFORE, Mode.AFTER, Mode.LOST, Mode.LATE], ids=lambda mode: mode.name
)
async def test_an_environment_is_replaced_to_the_end_wherever_the_operator_dies(
    mode, branches, record_property
):
    points = Points()
    story = Story(points)

    def tell() -> int:
        assert [struck.mode for struck in points.struck] == [mode]
        return 1

    number = await branches.live(
        story.live(),
        points,
        at=story.changes,
        strike=partial(points.strike_now, mode),
        tell=tell,
    )
    assert number > len(STEPS)
    record_property(f"{POINTS} (replacement, {mode.value})", number)
