"""AWS's listing lags for longer than the operator waits, so one run becomes two jobs: twins.

Nothing can prevent that, so it is mended, and told. The oldest job stays, unless a younger one has
begun to run and it has not: what has begun to run is never ended in favour of what has not.
"""

from collections.abc import Callable
from typing import Any

import pytest
from tests.integration.crash.scenario import (
    DEFINITION,
    ENVIRONMENT,
    JOB,
    POLICY,
    QUEUE,
    all_ready,
    gone,
    key,
    with_spec,
)
from tests.support.crashing import Points
from tests.support.hard_world import HardWorld, Weather
from tests.support.lives import Lives
from tests.support.waiting_runner import Waits

from awsbatch_operator.api.conditions import is_true
from awsbatch_simulator.jobscript import JobScript

BEYOND = 200.0  # seconds of lag, more than any settling of a first attempt
SWEPT = 1500.0  # seconds after which both sweeps are over
CALM = Weather(waits=Waits(short=0.0), slow=0.0, jobs_lag=0.0)
UNTIMED = with_spec(DEFINITION, timeout={"attemptDurationSeconds": 10_000_000})
NO_DEPENDENCY = "a job that never ends"


class Twins:
    """A world in which a run has just been submitted for the second time."""

    def __init__(self, seconds: float) -> None:
        self.world = HardWorld(1, CALM, JobScript(duration_seconds=seconds))
        self.lives = Lives(self.world, Points())
        self.world.fault(effect="hide", operation="ListJobs", seconds=BEYOND)

    async def appear(self, *, first_waits: bool = False, none_starts: bool = False) -> None:
        """Make them; the first of them may be held back, or both."""
        world, lives = self.world, self.lives
        for body in (ENVIRONMENT, QUEUE, UNTIMED, POLICY):
            world.kube.apply(body)
        await lives.until(lambda: all_ready(world))
        if none_starts:
            world.fault(effect="world", service="*", name="insufficient_capacity")
        world.fault(effect="drop_after", operation="SubmitJob", times=1)
        world.kube.apply(JOB)
        await lives.until(lambda: len(self.jobs()) == 1)
        if first_waits:
            self.jobs()[0].waits_for.add(NO_DEPENDENCY)
        await lives.until(lambda: len(self.jobs()) == 2)

    def jobs(self) -> list[Any]:
        """The jobs, oldest first."""
        return sorted(self.world.batch.jobs.values(), key=lambda job: job.created_at)

    async def sweeps(self) -> None:
        """AWS shows all that it has, and the operator has time to find it."""
        clock = self.world.clock
        end = clock.monotonic() + SWEPT
        await self.lives.until(lambda: clock.monotonic() >= end)

    def ended(self) -> list[str]:
        """Ids of the jobs that the operator has ended."""
        return [job.id for job in self.jobs() if job.terminated or job.cancelled]

    def warned(self) -> bool:
        """Whether a Warning event names both jobs."""
        ids = [job.id for job in self.jobs()]
        return any(
            event["type"] == "Warning" and all(each in event["note"] for each in ids)
            for event in self.world.kube.events.values()
        )

    @property
    def status(self) -> dict[str, Any]:
        """Of the BatchJob."""
        return dict(self.world.kube.see(key(JOB)).get("status", {}))


@pytest.fixture
def twins() -> Callable[[float], Twins]:
    return Twins


async def test_of_two_that_run_the_oldest_stays_and_a_warning_names_both(twins):
    pair = twins(1e6)
    await pair.appear()
    await pair.sweeps()
    oldest, younger = pair.jobs()
    assert pair.ended() == [younger.id]
    assert oldest.status.value == "RUNNING"
    assert pair.status["jobId"] == oldest.id
    assert pair.warned()
    await pair.lives.end()


async def test_what_runs_is_not_ended_in_favour_of_an_older_one_that_waits(twins):
    pair = twins(1e6)
    await pair.appear(first_waits=True)
    await pair.sweeps()
    oldest, younger = pair.jobs()
    assert younger.started_at is not None
    assert oldest.started_at is None
    assert pair.ended() == [oldest.id]
    assert younger.status.value == "RUNNING"
    assert pair.status["jobId"] == younger.id
    assert pair.warned()
    await pair.lives.end()


async def test_of_two_that_wait_the_oldest_stays_and_runs_to_its_end(twins):
    pair = twins(30)
    await pair.appear(none_starts=True)
    await pair.sweeps()
    oldest, younger = pair.jobs()
    assert pair.ended() == [younger.id]
    assert pair.warned()
    pair.world.simulator.world.faults.clear()
    await pair.lives.until(lambda: is_true(pair.status, "Complete"))
    assert (pair.status["jobId"], oldest.status.value) == (oldest.id, "SUCCEEDED")
    await pair.lives.end()


async def test_two_that_have_run_to_their_end_are_told(twins):
    pair = twins(5)
    await pair.appear()
    await pair.sweeps()
    assert [job.status.value for job in pair.jobs()] == ["SUCCEEDED", "SUCCEEDED"]
    assert pair.status["jobId"] in {job.id for job in pair.jobs()}
    assert is_true(pair.status, "Complete")
    assert pair.warned()
    await pair.lives.end()


async def test_a_deletion_ends_both_even_if_the_operator_dies_meanwhile(twins):
    pair = twins(1e6)
    await pair.appear()
    world: HardWorld = pair.world
    visible = world.clock.monotonic() + BEYOND
    await pair.lives.until(lambda: world.clock.monotonic() >= visible)
    world.kube.remove(key(JOB))
    await pair.lives.until(lambda: bool(pair.ended()))
    await pair.lives.kill()
    await pair.lives.until(lambda: gone(JOB)(world))
    assert len(pair.ended()) == 2
    assert all(job.terminated for job in pair.jobs())
    await pair.lives.end()
