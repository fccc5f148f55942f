"""Whatever goes wrong together, in whatever order: each BatchJob has one job in AWS, and its end.

Seeded, so a failure can be run again. AWS's listing lags, but never longer than the operator gives
it to settle; what it does beyond that is said in the docs, and tested beside the plans.
"""

import random
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.scenario import (
    JOB,
    LASTING,
    NAMESPACE,
    all_ready,
    has_condition,
    key,
    new_world,
)
from tests.support.clock import SteppedClock
from tests.support.crashing import Life, Mode, Points

from awsbatch_operator.api.metadata import RECONCILE_AT, SUBMISSION
from awsbatch_operator.api.tags import OWNER_UID
from awsbatch_simulator.faults import FaultSpec
from awsbatch_simulator.jobscript import JobScript

SEEDS = 12
ROUNDS = 30
SUDDEN = 0.15  # how likely the operator dies after a round, besides its deaths at calls
LAG = 50  # seconds; less than the operator lets a submission settle
CALLS = ("SubmitJob", "SubmitJob", "TerminateJob", "ListJobs", "DescribeJobs", "Describe*")
EFFECTS = ("drop_after", "drop_before", "throttle", "error")


class Mischief:
    """A world in which everything goes wrong for a while."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.world = new_world(
            JobScript(job_name="short-*", duration_seconds=5),
            JobScript(job_name="long-*", duration_seconds=100),
        )
        self.jobs: dict[str, dict[str, Any]] = {}
        self.deleted: set[str] = set()  # uids
        self.strikes = 0  # deaths and lost answers, without those in calm times
        self._life: Life | None = None
        self._struck = Points()  # of that life

    async def live(self, until: Callable[[], bool], *, calm: bool = False) -> None:
        """Let it run until then; whoever dies is followed by another."""
        while True:
            if self._life is None:
                self._struck = Points() if calm else self._points()
                self._life = Life(self.world, self._struck)
                self._life.start()
            if await self._life.run_until(until):
                return
            await self.kill()

    async def kill(self) -> None:
        """The operator dies now, wherever it is."""
        if self._life is not None:
            self.strikes += self._struck.took_effect
            await self._life.kill()
            self._life = None

    def something(self) -> None:
        """Anything that may happen."""
        self.dice.choice((self._apply, self._delete, self._fault, self._fault, self._edit))()

    def _points(self) -> Points:
        return Points(strike_at=self.dice.randint(1, 25), mode=self.dice.choice(list(Mode)))

    def _apply(self) -> None:
        name = f"{self.dice.choice(('short', 'long'))}-{len(self.jobs)}"
        body = {**JOB, "metadata": {"name": name, "namespace": NAMESPACE}}
        self.jobs[name] = body
        self.world.kube.apply(body)

    def _delete(self) -> None:
        name = self._any_job()
        if name is not None:
            self.deleted.add(self._seen(name)["metadata"]["uid"])
            self.world.kube.remove(key(self.jobs[name]))

    def _fault(self) -> None:
        fault = {"effect": self.dice.choice(EFFECTS), "operation": self.dice.choice(CALLS)}
        times = self.dice.randint(1, 4)
        spec = FaultSpec.model_validate({"service": "batch", "times": times, **fault})
        self.world.simulator.world.faults.add(spec)

    def _edit(self) -> None:
        """What people and their tools do to annotations; once the status names the job."""
        name = self._any_job()
        if name is None:
            return
        changes: dict[str, str | None] = {RECONCILE_AT: str(self.dice.random())}
        if self._seen(name).get("status", {}).get("jobId") and self.dice.random() < 0.5:
            changes[SUBMISSION] = self.dice.choice((None, "damaged"))
        self.world.kube.annotate(key(self.jobs[name]), **changes)

    def _any_job(self) -> str | None:
        there = [name for name, body in self.jobs.items() if self.world.kube.exists(key(body))]
        return self.dice.choice(there) if there else None

    def _seen(self, name: str) -> dict[str, Any]:
        return self.world.kube.see(key(self.jobs[name]))

    def left(self) -> list[dict[str, Any]]:
        """The BatchJobs that are there."""
        return [body for body in self.jobs.values() if self.world.kube.exists(key(body))]


async def make(mischief: Mischief) -> None:
    """Everything goes wrong for a while, and then nothing more."""
    world, clock = mischief.world, mischief.world.clock
    for body in LASTING:
        world.kube.apply(body)
    await mischief.live(lambda: all_ready(world), calm=True)
    await mischief.kill()
    for operation in ("ListJobs", "DescribeJobs"):
        spec = {"effect": "hide", "service": "batch", "operation": operation, "seconds": LAG}
        world.simulator.world.faults.add(FaultSpec.model_validate(spec))
    for _ in range(ROUNDS):
        mischief.something()
        until = clock.monotonic() + mischief.dice.uniform(0, 90)
        await mischief.live(partial(_is_past, clock, until))
        if mischief.dice.random() < SUDDEN:
            mischief.strikes += 1
            await mischief.kill()
    await mischief.kill()
    world.simulator.world.faults.clear()


def _is_past(clock: SteppedClock, moment: float) -> bool:
    return clock.monotonic() >= moment


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_each_batch_job_has_one_job_in_aws_and_comes_to_its_end(seed, record_property):
    mischief = Mischief(seed)
    await make(mischief)
    world = mischief.world

    def at_peace() -> bool:
        gone = all(
            world.kube.see(key(body))["metadata"]["uid"] not in mischief.deleted
            for body in mischief.left()
        )
        return gone and all(has_condition(body, "Complete")(world) for body in mischief.left())

    await mischief.live(at_peace, calm=True)
    of: dict[str, list[Any]] = {}
    for job in world.batch.jobs.values():
        of.setdefault(job.tags[OWNER_UID], []).append(job)
    for body in mischief.left():
        uid = world.kube.see(key(body))["metadata"]["uid"]
        assert len(of[uid]) == 1, f"{body['metadata']['name']} was submitted {len(of[uid])} times"
    for uid in mischief.deleted & of.keys():
        assert [job.status.value for job in of[uid]] in (["SUCCEEDED"], ["FAILED"])
    await mischief.kill()
    assert mischief.strikes
    record_property(f"{POINTS} (mischief)", mischief.strikes)
