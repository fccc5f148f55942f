"""A job is deleted at every call of its life, and the operator dies, or not; nothing of it stays.

The life is lived once. At each call it goes on in processes of its own, where the job is deleted
just before the call or just after it, when its answer is lost, or while no operator lives; and the
operator dies at a write of the deletion, too. Each time the object goes, no run of it has had two
jobs, AWS has no job of it that is alive and no definition that only it needed, and the jobs of
other objects are as they were.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from tests.integration.crash import invariants
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.day import WorthStriking, writes
from tests.integration.crash.deleted_jobs import LASTING, LIVES, OTHERS_RUN, TARGET, Life
from tests.integration.crash.job_day import are_ready, check_runs, runs_of
from tests.integration.crash.scenario import NAMESPACE, QUEUE, Step, apply
from tests.support.api_servers import ApiServer
from tests.support.crashing import Mode, Points
from tests.support.hard_world import HardWorld, Weather
from tests.support.lives import Lives

from awsbatch_operator.api.metadata import ObjectKey

SEED = 941
QUIET = 60.0  # seconds in which nothing of a job may come back
JOB_KEY = ObjectKey("BatchJob", NAMESPACE, TARGET)


@dataclass(frozen=True, slots=True)
class Strike:
    """What happens at a call: `mode` to the operator, and `then` to it at writes that follow.

    The job is deleted before the call if `first`; else after it, or when the operator has died.
    """

    mode: Mode
    then: tuple[Mode, ...] = ()
    first: bool = False


ALWAYS = tuple(
    Strike(mode) for mode in (Mode.MEANWHILE, Mode.LOST, Mode.BEFORE, Mode.AFTER, Mode.LATE)
)
# Deaths in the deletion, at its first, second or third write; these take turns.
IN_TURN = (
    Strike(Mode.MEANWHILE, first=True),
    *(
        Strike(Mode.MEANWHILE, (*[Mode.MEANWHILE] * before, mode))
        for mode in (Mode.BEFORE, Mode.AFTER, Mode.LOST, Mode.LATE)
        for before in range(3)
    ),
)
# At calls that only read, in turns; and in the deletion that comes at the end of the life.
READING = (Strike(Mode.MEANWHILE), Strike(Mode.AFTER), Strike(Mode.LOST))
DELETING = tuple(Strike(mode) for mode in (Mode.BEFORE, Mode.AFTER, Mode.LOST, Mode.LATE))


class Deletion:
    """A life, and the deletion that comes in it or at its end."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.world = HardWorld(SEED, Weather(jobs_lag=life.lag), *OTHERS_RUN)
        self.points = Points(meanwhile=self._delete)
        self.worthy = WorthStriking()
        self._lives = Lives(self.world, self.points, self._server)
        self._others = dict[str, list[Any]]()  # their jobs when the job was deleted
        self._definitions = set[str]()  # that stand in other jobs, and were there before this one
        self._deleted_at: float | None = None
        self._next_life_at: float | None = None  # the first after the deletion
        self._chosen = 0

    # --- what happens, and when ------------------------------------------------------------------

    def strikes(self, name: str) -> tuple[Strike, ...]:
        """What is tried at a call of that name that is about to be made."""
        if not self.world.kube.exists(JOB_KEY) or not self.worthy(name):
            return ()
        self._chosen += 1
        if self._deleted_at is not None:
            return DELETING if writes(name) else ()
        if not writes(name):
            return (READING[self._chosen % len(READING)],)
        return (*ALWAYS, IN_TURN[self._chosen % len(IN_TURN)])

    def strike(self, strike: Strike) -> None:
        """Let it happen at the call that is about to be made."""
        self.points.strike_now(strike.mode)
        self.points.then = strike.then
        if strike.first:
            self._delete()
        elif strike.mode is Mode.LOST:
            self.world.soon(0, self._delete)

    async def live(self) -> None:
        """The life to its end, or to the deletion, and what is so afterwards."""
        try:
            await self._furnish()
            for step in self.life.steps:
                self.worthy = WorthStriking()
                step.do(self.world)
                await self._until(partial(self._is_past, step))
                if self._is_deleted():
                    break
                invariants.check_all(self.world)
            self._delete()
            await self._until(lambda: not self.world.kube.exists(JOB_KEY))
            await self._check_afterwards()
        finally:
            await self._lives.end()

    async def _furnish(self) -> None:
        world = self.world
        apply(*LASTING)(world)
        await self._until(lambda: are_ready(*LASTING)(world))
        apply(*self.life.others)(world)
        await self._until(self._others_are_at_work)
        self._definitions = self._inline_definitions()

    async def _until(self, condition: Callable[[], bool]) -> None:
        await self._lives.until(condition)

    def _is_past(self, step: Step) -> bool:
        return self._is_deleted() or step.until(self.world)

    def _is_deleted(self) -> bool:
        return self._deleted_at is not None

    def _delete(self) -> None:
        if self._is_deleted():
            return
        self._deleted_at = self.world.clock.now().epoch
        self._others = {name: runs_of(self.world, name) for name in self._names()}
        if self.world.kube.exists(JOB_KEY):
            self.world.kube.remove(JOB_KEY)

    def _server(self) -> ApiServer:
        """A new life begins: if the one before was struck, the job is deleted before it looks."""
        if self.points.struck:
            self._delete()
            self._next_life_at = self._next_life_at or self.world.clock.now().epoch
        return ApiServer(self.world.history)

    # --- what is so ------------------------------------------------------------------------------

    async def _check_afterwards(self) -> None:
        waiting = self._check()
        quiet = self.world.clock.monotonic() + QUIET
        await self._until(lambda: self.world.clock.monotonic() >= quiet)
        self._check()
        apply(QUEUE)(self.world)  # without a limit
        await self._until(self._others_are_at_work)
        self._check_others()
        for name in self._names():
            self.world.kube.remove(ObjectKey("BatchJob", NAMESPACE, name))
        await self._until(lambda: not self._names())
        left = [owner for owner in invariants.left(self.world).values() if owner.kind == "BatchJob"]
        assert not left, f"left in AWS: {left}"
        begun = [job.id for job in waiting if job.started_at is not None]
        assert not begun, f"cancelled while they waited, and begun all the same: {begun}"

    def _check(self) -> list[Any]:
        """All that holds once the object is gone; its jobs that AWS keeps waiting, cancelled."""
        world, mine = self.world, runs_of(self.world, TARGET)
        invariants.check_all(world)
        check_runs(world, TARGET)
        going_on = [job for job in mine if not job.status.finished]
        waiting = [job for job in going_on if job.status.value == "PENDING" and job.terminated]
        assert going_on == waiting, f"alive: {[(job.id, job.status.value) for job in going_on]}"
        assert self._inline_definitions() == self._definitions
        later = self._next_life_at
        late = [job for job in mine if later is not None and job.created_at / 1000 > later]
        assert not late, f"submitted by an operator that began after the deletion: {late}"
        self._check_others()
        return waiting

    def _check_others(self) -> None:
        for name in self._names():
            jobs = runs_of(self.world, name)
            known = self._others.get(name, [])
            assert jobs[: len(known)] == known
            assert len(jobs) <= 1, f"{name} was submitted again"
            touched = [job.id for job in jobs if job.terminated or job.cancelled]
            assert not touched, f"jobs of {name} were ended: {touched}"

    def _others_are_at_work(self) -> bool:
        """Whether each of the other objects has its job, and that runs or has succeeded."""
        jobs: Mapping[str, list[Any]] = {name: runs_of(self.world, name) for name in self._names()}
        return all(
            len(each) == 1 and each[0].status.value in {"RUNNING", "SUCCEEDED"}
            for each in jobs.values()
        )

    def _names(self) -> list[str]:
        """The other objects that are there."""
        there = self.world.kube.objects.of_kind("BatchJob")
        return [body["metadata"]["name"] for body in there if body["metadata"]["name"] != TARGET]

    def _inline_definitions(self) -> set[str]:
        """ARNs of what AWS has of definitions that stand in jobs."""
        nobody = ObjectKey("BatchJob", NAMESPACE, "")
        return {arn for arn, owner in invariants.left(self.world).items() if owner == nobody}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", LIVES)
async def test_deleted_at_any_call_nothing_of_a_job_stays(name, branches, record_property):
    day = Deletion(LIVES[name]())
    day.world.read_models()
    chosen: tuple[Strike, ...] = ()

    def at(call: str) -> int:
        nonlocal chosen
        chosen = day.strikes(call)
        return len(chosen)

    def tell() -> int:
        strike = chosen[branches.turn]
        struck = [each.mode for each in day.points.struck]
        assert struck == [strike.mode, *strike.then][: len(struck)]
        return 1

    number = await branches.live(
        day.live(),
        day.points,
        at=at,
        strike=lambda: day.strike(chosen[branches.turn]),
        tell=tell,
    )
    record_property(f"{POINTS} (deletions of jobs: {name})", number)
