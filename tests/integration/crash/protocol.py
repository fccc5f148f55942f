"""Jobs in a hard world, with the hands that a state machine has on it, and what must always hold.

There is one operator at a time, or the work of a frozen one beside the next. AWS's listing lags,
but for less than the operator gives it to settle; what it does beyond that is said in the docs.
"""

import contextlib
from collections import defaultdict
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError
from tests.integration.crash import invariants
from tests.integration.crash.scenario import (
    DEFINITION,
    ENVIRONMENT,
    JOB,
    NAMESPACE,
    QUEUE,
    all_of,
    has_condition,
    key,
    with_spec,
)
from tests.support.crashing import Mode, Points
from tests.support.hard_world import WITHIN_SETTLING, HardWorld, Weather
from tests.support.lives import Lives
from tests.support.one_process import aws_models
from tests.support.waiting_runner import Waits

from awsbatch_operator.api.conditions import condition, is_true
from awsbatch_operator.api.metadata import PAUSED
from awsbatch_operator.api.tags import OWNER_UID, RUN
from awsbatch_simulator.batch import forgetting
from awsbatch_simulator.inprocess import session
from awsbatch_simulator.jobscript import JobScript

HOST_LOST = "Host EC2 (instance i-0a1b2c3d4e5f67890) terminated."
FATES = {
    "succeeds": JobScript(duration_seconds=10),
    "takes long": JobScript(duration_seconds=400),
    "fails": JobScript(duration_seconds=10, exit_code=3),
    "is lost": JobScript(
        job_queue="*main*", exit_code=None, reason="", status_reason=HOST_LOST, duration_seconds=10
    ),
}
SAFE = {**QUEUE, "metadata": {"name": "safe", "namespace": NAMESPACE}}
LASTING = (ENVIRONMENT, QUEUE, SAFE, DEFINITION)
FALLBACK = {"jobQueueRef": {"name": "safe"}, "when": ["HostLost"], "afterFailures": 2}
CHANGEABLE = {"rerunPolicy": "OnChange"}
INSIDE = {**DEFINITION["spec"], "parameters": {"why": "it stands in the job"}}
KINDS_OF_JOBS: dict[str, dict[str, Any]] = {
    "single": {**JOB["spec"], **CHANGEABLE},
    "array": {**JOB["spec"], **CHANGEABLE, "arrayProperties": {"size": 3}},
    "inline": {"jobQueueRef": JOB["spec"]["jobQueueRef"], "jobDefinition": INSIDE, **CHANGEABLE},
    "falling back": {**JOB["spec"], **CHANGEABLE, "fallback": FALLBACK},
}
WEATHERS = {
    "clear": Weather(waits=Waits(short=0.0), slow=0.0, jobs_lag=0.0, others_lag=0.0),
    "lags": Weather(waits=Waits(short=0.0), slow=0.0, jobs_lag=WITHIN_SETTLING),
    "freezes": Weather(waits=Waits(long=0.1, outlasting=0.1), slow=0.1, frozen=1.0),
}
NAMES = ("a", "b")
NOBODY_CAN_TELL = frozenset({"SubmissionUnknown", "JobNotFound"})


class Protocol:
    """The world, its jobs, and what AWS has ever had of them."""

    def __init__(self, seed: int, weather: str) -> None:
        self.world = HardWorld(seed, WEATHERS["clear"], FATES["succeeds"])
        self._weather = WEATHERS[weather]
        self.points = Points()
        self.lives = Lives(self.world, self.points)
        self.bodies: dict[str, dict[str, Any]] = {}
        self.ever: dict[tuple[str, str], set[str]] = defaultdict(set)  # (uid, run): ids of jobs
        self.forgotten: set[str] = set()
        self.queue_was_recreated = False
        self._queue_arn = ""

    async def begin(self) -> None:
        """All that jobs need is there; from then on the weather is as bad as it is."""
        for body in LASTING:
            self.world.kube.apply(body)
        ready = all_of(*(has_condition(body, "Ready") for body in LASTING))
        await self.lives.until(lambda: ready(self.world))
        self._queue_arn = self.world.kube.see(key(QUEUE))["status"]["arn"]
        await self.lives.kill()
        self.world.weather = self._weather
        self.world.lagging.seconds = self._weather.others_lag
        self.world.hide_jobs(self._weather.jobs_lag)

    async def passes(self, seconds: float) -> None:
        """Time, in which whoever dies is followed by another one."""
        clock = self.world.clock
        end = clock.monotonic() + seconds
        await self.lives.until(lambda: clock.monotonic() >= end)

    # --- what is done to the jobs -----------------------------------------------------------------

    def there(self, *, leaving: bool = True) -> list[str]:
        """The names of the objects."""
        return [
            name
            for name, body in sorted(self.bodies.items())
            if self.world.kube.exists(key(body))
            and (leaving or "deletionTimestamp" not in self.seen(name)["metadata"])
        ]

    def free(self) -> list[str]:
        """The names that no object has."""
        return [name for name in NAMES if name not in self.there()]

    def seen(self, name: str) -> dict[str, Any]:
        """An object that is there."""
        return dict(self.world.kube.see(key(self.bodies[name])))

    def apply(self, name: str, **spec: Any) -> None:
        """A change of the spec."""
        self.bodies[name] = with_spec(self.bodies[name], **spec)
        self.world.kube.apply(self.bodies[name])

    def make(self, name: str, kind: str, *, suspend: bool) -> None:
        """A new object."""
        self.bodies[name] = {**JOB, "metadata": {"name": name, "namespace": NAMESPACE}}
        self.bodies[name]["spec"] = KINDS_OF_JOBS[kind]
        self.apply(name, suspend=suspend)

    def remove(self, name: str) -> None:
        """A deletion."""
        self.world.kube.remove(key(self.bodies[name]))

    def fate(self, fate: str) -> None:
        """What happens to jobs that start from now on."""
        aws = self.world.simulator.world
        scripts = (FATES[fate], FATES["succeeds"])
        aws.change(aws.settings.model_copy(update={"job_scripts": scripts}))

    def forget(self) -> None:
        """AWS forgets the jobs that have ended and stand in a status.

        It keeps others for seven days, and what was not seen by then is never sent again.
        """
        shown = {self.seen(name).get("status", {}).get("jobId") for name in self.there()}
        ended = {
            job.id
            for job in invariants.submitted(self.world)
            if job.status.finished and job.id in shown
        }
        if ended:
            order = forgetting.Order(job_ids=tuple(sorted(ended)))
            forgetting.carry_out(self.world.simulator.world.regions(), order)
            self.forgotten |= ended

    async def recreate_queue(self) -> None:
        """Somebody deletes the queue in AWS, and the operator makes it again under its name."""
        kube, queue = self.world.kube, key(QUEUE)
        kube.annotate(queue, **{PAUSED: "true"})
        await self.passes(30)
        batch = session(
            self.world.simulator, self.world.wire(), loader=aws_models(), key=None
        ).client("batch")
        with contextlib.suppress(ClientError):  # the operator may not have seen yet that it waits
            batch.update_job_queue(jobQueue=self._queue_arn, state="DISABLED")
            await self.passes(5)
            batch.delete_job_queue(jobQueue=self._queue_arn)
            self.queue_was_recreated = True
        await self.passes(30)
        kube.annotate(queue, **{PAUSED: None})

    def strike(self, call: str, mode: Mode) -> None:
        """At the next call of that name."""
        self.points.upcoming[call] = mode

    def stall(self, seconds: float) -> None:
        """The leader cannot renew its lease, and another one takes over."""
        if self.lives._life is not None:
            self.lives._life._term.stall(seconds)

    async def fall_back(self, changes: int) -> None:
        """The operator's view of Kubernetes is of the past for a while."""
        self.world.server.fall_back(changes)
        self.world.soon(20, self.world.server.catch_up)

    # --- what must hold ---------------------------------------------------------------------------

    def check(self) -> None:
        """At any time."""
        alive: dict[str, list[str]] = defaultdict(list)
        for job in invariants.submitted(self.world):
            self.ever[job.tags[OWNER_UID], job.tags[RUN]].add(job.id)
            if _is_alive(job):
                alive[job.tags[OWNER_UID]].append(f"{job.tags[RUN]}: {job.id}")
        twice = {owner: ids for owner, ids in alive.items() if len(ids) > 1}
        assert not twice, f"more than one job of an object is alive: {twice}"
        if not self.queue_was_recreated:  # with a queue, AWS ends and forgets its jobs
            again = {run: ids for run, ids in self.ever.items() if len(ids) > 1}
            assert not again, f"runs that were submitted more than once: {again}"
        there = {self.seen(name)["metadata"]["uid"] for name in self.there()}
        left = {owner: ids for owner, ids in alive.items() if owner not in there}
        assert not left, f"jobs outlive their object: {left}"
        for name in self.there():
            self._check_truth(name)

    def _check_truth(self, name: str) -> None:
        body = self.seen(name)
        status = body.get("status", {})
        job_id = status.get("jobId")
        if job_id is None:
            assert not is_true(status, "Complete"), f"{name} is Complete without a job"
            return
        owner = body["metadata"]["uid"]
        known = {each for (uid, _), ids in self.ever.items() if uid == owner for each in ids}
        assert job_id in known, f"{name} names a job that is none of its own: {job_id}"
        job = self.world.batch.jobs.get(job_id)
        if job is None:
            assert job_id in self.forgotten or self.queue_was_recreated
            return
        for told, state in invariants.TOLD.items():
            assert not is_true(status, told) or job.status.value == state, f"{name} is no {told}"

    async def end_well(self) -> None:
        """Calm weather: every run ends; and when all is deleted, nothing of it is left."""
        self.points.upcoming.clear()
        self.world.simulator.world.faults.clear()
        self.world.weather = replace(self.world.weather, frozen=0.0)
        await self.lives.kill()  # what was remembered is not needed
        for name in self.there(leaving=False):
            self.apply(name, suspend=False)
        await self.lives.until(lambda: all(map(self._is_at_peace, self.there())))
        self.check()
        await self.passes(900)  # all looks are over
        assert all(map(self._is_at_peace, self.there()))
        for name in self.there():
            self.remove(name)
        await self.lives.until(lambda: not self.there())
        self.check()
        await self.lives.until(lambda: not self._left())

    def _is_at_peace(self, name: str) -> bool:
        body = self.seen(name)
        status = body.get("status", {})
        if status.get("observedGeneration") != body["metadata"]["generation"]:
            return False
        stalled = condition(status, "Stalled") or {}
        unknown = stalled.get("status") == "True" and stalled["reason"] in NOBODY_CAN_TELL
        return is_true(status, "Complete") or is_true(status, "Failed") or unknown

    def _left(self) -> list[str]:
        """Of jobs and the definitions in them."""
        left = invariants.left(self.world)
        return [arn for arn, owner in left.items() if owner.kind == "BatchJob"]

    async def end(self) -> None:
        """There is no operator any more."""
        await self.lives.end()


def _is_alive(job: Any) -> bool:
    """Whether it runs or will: not if it waits for others, cancelled."""
    if job.status.finished:
        return False
    stopping = job.cancelled or job.terminated
    at_work = any(each.status.value in {"STARTING", "RUNNING"} for each in (job, *job.children))
    return at_work or not stopping
