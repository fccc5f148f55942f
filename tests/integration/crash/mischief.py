"""A world in which everything goes wrong for a while, in whatever order; seeded."""

from collections.abc import Callable
from itertools import accumulate
from random import Random
from typing import Any

from tests.integration.crash import invariants
from tests.integration.crash.scenario import (
    JOB,
    LASTING,
    NAMESPACE,
    all_ready,
    key,
)
from tests.support.api_servers import ApiServer
from tests.support.crashing import Mode, Points
from tests.support.hard_world import HardWorld, Weather, tight_limits
from tests.support.lives import Lives
from tests.support.waiting_runner import Waits

from awsbatch_operator.api.conditions import is_true
from awsbatch_operator.api.metadata import RECONCILE_AT, RESOLVED, SUBMISSION
from awsbatch_operator.api.tags import OWNER_UID
from awsbatch_simulator.jobscript import JobScript

ROUNDS = 30
ROUND = (0.0, 90.0)  # seconds
SUDDEN = 0.15  # how likely the operator dies after a round, besides its deaths at calls
BEHIND = 0.3  # how likely a life begins at an API server that shows the past
APART = (2, 40)  # calls between two strikes
STRIKES = 400  # more than there can be
MODES = (Mode.BEFORE, Mode.AFTER, Mode.LOST, Mode.LATE)
UNKNOWN = (Mode.LOST, Mode.LOST, Mode.AFTER, Mode.LATE)  # what leaves an unknown outcome
CALLS = ("SubmitJob", "SubmitJob", "TerminateJob", "ListJobs", "DescribeJobs", "Describe*")
EFFECTS = ("drop_after", "drop_before", "throttle", "error")
CHANGEABLE = Weather(
    waits=Waits(long=0.08, outlasting=0.02), slow=0.1, frozen=0.5, limits=tight_limits()
)
# An overloaded AWS: threads are scarce, calls take long, and answers to submissions get lost.
BROWNOUT = Weather(waits=Waits(long=0.4, outlasting=0.05), slow=0.4, frozen=0.5)
SCRIPTS = (
    JobScript(job_name="short-*", duration_seconds=5),
    JobScript(job_name="long-*", duration_seconds=100),
)


class Mischief:
    """Applies, deletes and edits BatchJobs while the operator, AWS and Kubernetes fail."""

    def __init__(self, seed: int, weather: Weather) -> None:
        self.dice = Random(seed)
        self.world = HardWorld(seed, weather, *SCRIPTS)
        self._brownout = weather is BROWNOUT
        self.points = Points()
        self.lives = Lives(self.world, self.points, self._server)
        self.jobs: dict[str, dict[str, Any]] = {}
        self.deleted: set[str] = set()  # uids
        self.stale_views = 0
        self._calm = True

    async def make(self) -> None:
        """Everything goes wrong for a while, and then nothing more."""
        clock = self.world.clock
        for body in LASTING:
            self.world.kube.apply(body)
        await self.lives.until(lambda: all_ready(self.world))
        self._calm = False
        self.points.strikes = self._strikes()
        for _ in range(ROUNDS):
            await self._something()
            until = clock.monotonic() + self.dice.uniform(*ROUND)
            await self.lives.until(lambda until=until: clock.monotonic() >= until)  # type: ignore[misc]
            if self.dice.random() < SUDDEN:
                await self.lives.kill()
        await self.lives.kill()
        self._calm = True
        self.points.strikes, self.points.upcoming = {}, {}
        self.world.simulator.world.faults.clear()

    @property
    def strikes(self) -> int:
        """Deaths, lost answers, looks into the past, and calls of frozen processes."""
        others = self.lives.lost_leases + self.stale_views + self.world.refused
        return len(self.points.struck) + others

    def left(self) -> list[dict[str, Any]]:
        """The BatchJobs that are there."""
        return [body for body in self.jobs.values() if self.world.kube.exists(key(body))]

    def _strikes(self) -> dict[int, Mode]:
        gaps = (self.dice.randint(*APART) for _ in range(STRIKES))
        first = self.points.passed
        return {first + number: self.dice.choice(MODES) for number in accumulate(gaps)}

    async def _something(self) -> None:
        """Anything that may happen."""
        happens: tuple[Callable[[], None], ...] = (
            *(self._apply, self._apply, self._delete, self._fault, self._fault, self._edit),
            *(self._correct, self._correct),
            *(self._fall_back, self._fall_silent),
            *(self._brownout * (self._apply,) * 4),
        )
        number = self.dice.randrange(len(happens) + 1)
        if number == len(happens):
            await self.lives.stop()
        else:
            happens[number]()

    def _apply(self) -> None:
        if self._brownout and self.dice.random() < 0.8:
            self.points.upcoming["batch:SubmitJob"] = self.dice.choice(UNKNOWN)
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
        self.world.fault(
            effect=self.dice.choice(EFFECTS),
            operation=self.dice.choice(CALLS),
            times=self.dice.randint(1, 4),
        )

    def _edit(self) -> None:
        """What people and their tools do to annotations; once the status names the job."""
        name = self._any_job()
        if name is None:
            return
        changes: dict[str, str | None] = {RECONCILE_AT: str(self.dice.random())}
        if self._seen(name).get("status", {}).get("jobId"):
            if self.dice.random() < 0.5:
                changes[SUBMISSION] = self.dice.choice((None, "damaged"))
            if self.dice.random() < 0.5:
                changes[RESOLVED] = None  # damaged, it stops the operator on purpose
        self.world.kube.annotate(key(self.jobs[name]), **changes)

    def _correct(self) -> None:
        """What the API server lets people do until the status names the run."""
        name = self._any_job()
        if name is None or "run" in self._seen(name).get("status", {}):
            return
        environment = [{"name": "STEPS", "value": str(self.dice.randrange(10))}]
        body = self.jobs[name]
        spec = {**body["spec"], "containerOverrides": {"environment": environment}}
        self.jobs[name] = {**body, "spec": spec}
        self.world.kube.apply(self.jobs[name])

    def _server(self) -> ApiServer:
        server = ApiServer(self.world.history)
        if not self._calm and self.dice.random() < BEHIND:
            self._let_fall_back(server)
        return server

    def _fall_back(self) -> None:
        self._let_fall_back(self.world.server)

    def _let_fall_back(self, server: ApiServer) -> None:
        self.stale_views += 1
        server.fall_back(self.dice.randint(1, 12))
        self.world.soon(self.dice.uniform(0, 40), server.catch_up)

    def _fall_silent(self) -> None:
        server = self.world.server
        server.fall_silent()
        self.world.soon(self.dice.uniform(0, 40), server.begin_anew)

    def _any_job(self) -> str | None:
        there = [name for name, body in self.jobs.items() if self.world.kube.exists(key(body))]
        return self.dice.choice(there) if there else None

    def _seen(self, name: str) -> dict[str, Any]:
        return self.world.kube.see(key(self.jobs[name]))


async def live_through(mischief: Mischief) -> None:
    """All of it, until every BatchJob that is still there is Complete. Then look at AWS."""
    world = mischief.world

    def at_peace() -> bool:
        return all(
            _uid(world, body) not in mischief.deleted and _is_complete(world, body)
            for body in mischief.left()
        )

    try:
        await mischief.make()
        await mischief.lives.until(at_peace)
    finally:
        await mischief.lives.end()
    invariants.check_all(world)
    submitted = {job.tags[OWNER_UID] for job in world.batch.jobs.values()}
    there = {_uid(world, body) for body in mischief.left()}
    assert there <= submitted, "a BatchJob is Complete that never ran"
    assert submitted <= there | mischief.deleted
    assert all(job.status.finished for job in world.batch.jobs.values()), "a job goes on"


def _is_complete(world: HardWorld, body: dict[str, Any]) -> bool:
    """Whether it ended, and its newest generation was seen: a correction may have come too late."""
    seen = world.kube.see(key(body))
    status = seen.get("status", {})
    known = status.get("observedGeneration") == seen["metadata"]["generation"]
    return known and is_true(status, "Complete")


def _uid(world: HardWorld, body: dict[str, Any]) -> str:
    return str(world.kube.see(key(body))["metadata"]["uid"])
