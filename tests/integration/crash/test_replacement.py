"""The operator dies, or loses an answer, while an environment is replaced under queues with a job.

At each write of that in turn. The end is the same each time: one environment as the spec says, the
queues have it and were never without one, the job that ran in the old one has come to its own end,
and nothing is left when all is deleted. So it is if the new environment turns out to be no good,
and if the old one is to stay in AWS.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from tests.integration.crash import invariants
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.day import modes, writes
from tests.integration.crash.scenario import (
    DEFINITION,
    ENVIRONMENT,
    JOB,
    QUEUE,
    Step,
    apply,
    delete,
    gone,
    has_condition,
    key,
    with_spec,
)
from tests.support import manifests
from tests.support.crashing import KUBE_WRITES, Mode, Points
from tests.support.hard_world import HardWorld, Weather
from tests.support.lives import Lives
from tests.support.one_process import World, aws_models

from awsbatch_operator.api.tags import unclaimed
from awsbatch_simulator.inprocess import session
from awsbatch_simulator.jobscript import JobScript

SEED = 901
JOB_SECONDS = 200.0
THEIRS = "theirs"
CREATE, UPDATE = "batch:CreateComputeEnvironment", "batch:UpdateComputeEnvironment"
DELETE, SWAP = "batch:DeleteComputeEnvironment", "batch:UpdateJobQueue"
LONG_ENOUGH = with_spec(DEFINITION, timeout={"attemptDurationSeconds": 3600})


def environment(subnet: str, **more: Any) -> dict[str, Any]:
    """Its subnet cannot be changed; queues of others follow, too."""
    spec = manifests.best_fit(subnets=[subnet])
    return {**ENVIRONMENT, "spec": {**spec, "replacement": {"foreignQueues": "Swap"}, **more}}


OLD, NEW, WRONG = (environment(f"subnet-{name}") for name in ("1", "2", "none"))
KEPT, KEPT_NEW = (environment(f"subnet-{name}", deletionPolicy="Retain") for name in ("1", "2"))


def runs(world: World) -> bool:
    """Whether the job runs."""
    return bool(world.kube.see(key(JOB)).get("status", {}).get("awsStatus") == "RUNNING")


def others(world: World) -> Any:
    """Somebody else's client of AWS Batch."""
    return session(world.simulator, world.wire(), loader=aws_models()).client("batch")


def make_theirs(world: World) -> None:
    """Somebody else puts the environment into a queue."""
    arn = world.kube.see(key(OLD))["status"]["arn"]
    order = [{"order": 1, "computeEnvironment": arn}]
    others(world).create_job_queue(jobQueueName=THEIRS, priority=1, computeEnvironmentOrder=order)


def is_valid(world: World) -> bool:
    """Whether their queue has settled."""
    return bool(world.batch.queues[THEIRS].status.value == "VALID")


def disable_theirs(world: World) -> None:
    """The first half of its deletion."""
    others(world).update_job_queue(jobQueue=THEIRS, state="DISABLED")


def delete_theirs(world: World) -> None:
    """The second half."""
    others(world).delete_job_queue(jobQueue=THEIRS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """What happens to an environment, and what AWS has of it when the job has ended.

    `calls` are those that change something, with how often there are any at least.
    """

    first: dict[str, Any]
    changes: tuple[Step, ...]
    subnet: str
    calls: dict[str, int]
    kept: int = 0  # environments that stay in AWS, and are nobody's
    made: int = 2

    @property
    def steps(self) -> tuple[Step, ...]:
        """From the first manifest to the last deletion."""
        lasting = (self.first, QUEUE, LONG_ENOUGH)
        return (
            Step("a queue over the old one", apply(*lasting), has_condition(QUEUE, "Ready")),
            Step("a queue of others, too", make_theirs, is_valid),
            Step("a job runs there", apply(JOB), runs),
            *self.changes,
            Step("the job has ended", lambda _: None, has_condition(JOB, "Complete")),
            Step("their queue is disabled", disable_theirs, is_valid),
            Step("their queue goes", delete_theirs, lambda world: THEIRS not in world.batch.queues),
            Step("all is deleted", delete(JOB, *lasting), gone(JOB, *lasting)),
        )


def change(body: dict[str, Any], condition: str = "Ready") -> Step:
    """An edit of the environment, and how it stands then."""
    return Step("a change that AWS cannot make", apply(body), has_condition(body, condition))


PLOTS = {
    "replacement": Plot(
        first=OLD,
        changes=(change(NEW),),
        subnet="subnet-2",
        calls={CREATE: 1, SWAP: 2, UPDATE: 1, DELETE: 1},
    ),
    "replacement withdrawn": Plot(
        first=OLD,
        changes=(change(WRONG, "Stalled"), change(OLD)),
        subnet="subnet-1",
        calls={CREATE: 1, UPDATE: 1, DELETE: 1},
    ),
    "replacement, old one kept": Plot(
        first=KEPT,
        changes=(change(KEPT_NEW),),
        subnet="subnet-2",
        calls={CREATE: 1, SWAP: 2, "batch:UntagResource": 1},
        kept=1,
    ),
}


class Story:
    """From the old environment to the deletion, with a good end."""

    def __init__(self, points: Points, plot: Plot) -> None:
        self.points = points
        self.plot = plot
        self.step = plot.steps[0]  # that is under way

    async def live(self) -> None:
        """All of it."""
        world = HardWorld(SEED, Weather(), JobScript(duration_seconds=JOB_SECONDS))
        lives, steps = Lives(world, self.points), self.plot.steps
        try:
            for self.step in steps:
                self.step.do(world)
                await lives.until(partial(self._until, world, self.step.until))
                invariants.check_all(world)
                if self.step is self.plot.changes[-1]:
                    self._check_replaced(world)
        finally:
            await lives.end()
        self._check_the_end(world)

    def _until(self, world: HardWorld, until: Callable[[World], bool]) -> bool:
        for queue in world.batch.queues.values():
            for arn in queue.environments:
                found = world.batch.environment(arn)
                assert found is not None, "the queue is without its environment"
                assert found.state.value == "ENABLED", "the queue's environment takes no jobs"
        return until(world)

    def _check_replaced(self, world: HardWorld) -> None:
        environments = world.batch.environments.values()
        (serves,) = [each for each in environments if not unclaimed(each.tags)]
        assert len(environments) == 1 + self.plot.kept
        assert serves.resources["subnets"] == [self.plot.subnet]
        assert serves.state.value == "ENABLED"
        for queue in world.batch.queues.values():
            assert list(queue.environments) == [serves.arn]

    def _check_the_end(self, world: HardWorld) -> None:
        batch = world.batch
        for environment in list(batch.environments.values()):
            if self.plot.kept:
                assert environment.state.value == "ENABLED", "what is kept was changed"
                del batch.environments[environment.name]
        invariants.check_nothing_left(world)
        (job,) = invariants.jobs_of(world, JOB["metadata"]["name"])
        assert job.status.value == "SUCCEEDED"
        assert len(job.attempts) == 1, "the job was ended and began again"
        assert world.made("CreateComputeEnvironment") == self.plot.made
        assert world.made("CreateJobQueue") == 2

    def changes(self, name: str) -> bool:
        """Whether a call that is about to be made changes something, and that is the change."""
        return self.step in self.plot.changes and writes(name)


@pytest.mark.timeout(400)
@modes(Mode.LATE)
@pytest.mark.parametrize("name", PLOTS)
async def test_an_environment_is_replaced_to_the_end_wherever_the_operator_dies(
    name, mode, branches, record_property
):
    points, plot = Points(), PLOTS[name]
    story = Story(points, plot)

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
    assert branches.chosen.keys() == plot.calls.keys() | KUBE_WRITES
    assert all(branches.chosen[call] >= least for call, least in plot.calls.items())
    record_property(f"{POINTS} ({name}, {mode.value})", number)
