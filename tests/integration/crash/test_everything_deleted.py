"""The operator dies, or loses an answer, while everything goes at once: a folder, or a namespace.

Two queues over two environments, a policy, a definition with two revisions, and jobs that run, wait
for a place, or wait for a queue that there is not. AWS takes half a minute to forget which queue
used which environment. It happens at each call of the deletion in turn, and the end is the same
each time: nothing is left, nothing was made meanwhile, and the job of somebody else in our queue
came to its own end, because the queue's policy is to wait.
"""

from functools import partial
from typing import Any

import pytest
from tests.integration.crash import invariants
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.day import WorthStriking, modes, writes
from tests.integration.crash.scenario import (
    DEFINITION,
    ENVIRONMENT,
    JOB,
    NAMESPACE,
    POLICY,
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
from tests.support.crashing import Mode, Points
from tests.support.hard_world import WITHIN_SETTLING, HardWorld, Weather
from tests.support.lives import Lives
from tests.support.one_process import World, aws_models

from awsbatch_simulator.inprocess import session
from awsbatch_simulator.jobscript import JobScript

SEED = 901
LAG = 30.0  # seconds for which AWS counts a queue that is gone as using its environments
SHARE = {"shareIdentifier": "team"}
SCRIPTS = (
    JobScript(job_name="theirs", duration_seconds=150.0),
    JobScript(duration_seconds=1e6),
)


def named(body: dict[str, Any], name: str) -> dict[str, Any]:
    """Another one of the kind."""
    return {**body, "metadata": {"name": name, "namespace": NAMESPACE}}


def queue(name: str, *environments: str) -> dict[str, Any]:
    """A fair-share queue over these environments."""
    order = [
        {"order": number, "computeEnvironmentRef": {"name": each}}
        for number, each in enumerate(environments, start=1)
    ]
    policy = {"name": key(POLICY).name}
    return with_spec(named(QUEUE, name), computeEnvironmentOrder=order, schedulingPolicyRef=policy)


POOLS: tuple[dict[str, Any], ...] = ENVIRONMENT, named(ENVIRONMENT, "second")
NAMES = [each["metadata"]["name"] for each in POOLS]
MAIN = queue(QUEUE["metadata"]["name"], *NAMES)
OTHER = queue("other", *NAMES[::-1])
FIRST = with_spec(named(JOB, "first"), **SHARE)
TOO_LARGE = with_spec(
    named(JOB, "too-large"),
    containerOverrides={"resourceRequirements": [{"type": "VCPU", "value": "64"}]},
    **SHARE,
)
UNSENT = with_spec(named(JOB, "unsent"), jobQueueRef={"name": "none"}, **SHARE)
ELSEWHERE = with_spec(named(JOB, "elsewhere"), jobQueueRef={"name": "other"}, **SHARE)
JOBS = FIRST, TOO_LARGE, ELSEWHERE, UNSENT
OLDER, NEWER = (
    with_spec(DEFINITION, timeout={"attemptDurationSeconds": seconds})
    for seconds in (80_000, 90_000)
)
LASTING = *POOLS, MAIN, OTHER, POLICY
# As a shell, or a prune, hands them over: the used often before its users.
EVERYTHING = *POOLS, POLICY, NEWER, MAIN, OTHER, *JOBS


def shows(body: dict[str, Any], state: str) -> Any:
    """Whether the job's status says that AWS has it in that state."""
    return lambda world: world.kube.see(key(body)).get("status", {}).get("awsStatus") == state


def submit_theirs(world: World) -> None:
    """Somebody else submits a job to our queue, and a minute later AWS lists it."""
    status = world.kube.see(key(MAIN))["status"]
    client = session(world.simulator, world.wire(), loader=aws_models()).client("batch")
    client.submit_job(
        jobName="theirs",
        jobQueue=status["arn"],
        jobDefinition=world.kube.see(key(NEWER))["status"]["arn"],
        **SHARE,
    )


def is_listed(world: World) -> bool:
    """Whether that was so long ago that AWS's listings show it."""
    (job,) = [job for job in world.batch.jobs.values() if job.name == "theirs"]
    return bool(world.clock.now().epoch - job.created_at / 1000 > WITHIN_SETTLING)


STEPS = (
    Step(
        "apply everything",
        apply(*JOBS, *LASTING, OLDER),
        all_of(
            *(has_condition(body, "Ready") for body in (*LASTING, OLDER)),
            shows(FIRST, "RUNNING"),
            shows(TOO_LARGE, "RUNNABLE"),
            shows(ELSEWHERE, "RUNNING"),
        ),
    ),
    Step("change the definition", apply(NEWER), has_condition(NEWER, "Ready")),
    Step("somebody submits a job", submit_theirs, is_listed),
    Step("delete everything at once", delete(*EVERYTHING), gone(*EVERYTHING)),
)
DELETION = STEPS[-1]


class Story:
    """From the first manifest until all of it has gone."""

    def __init__(self, points: Points) -> None:
        self.points = points
        self.step = STEPS[0]  # that is under way

    async def live(self) -> None:
        """All of it."""
        world = HardWorld(SEED, Weather(), *SCRIPTS)
        world.fault(effect="world", name="relation_lag", seconds=LAG)
        lives = Lives(world, self.points)
        try:
            for self.step in STEPS:
                self.step.do(world)
                await lives.until(partial(self.step.until, world))
                invariants.check_all(world)
        finally:
            await lives.end()
        self._check_the_end(world)

    def _check_the_end(self, world: HardWorld) -> None:
        invariants.check_nothing_left(world)
        made = {operation: world.made(operation) for operation in MADE}
        assert made == MADE
        ends = {job.name: job.status.value for job in world.batch.jobs.values() if not job.tags}
        assert ends == {"theirs": "SUCCEEDED"}, "a job of somebody else was not waited for"

    def goes(self, name: str) -> bool:
        """Whether a call that is about to be made is one of the deletion."""
        return self.step is DELETION


MADE = {
    "CreateComputeEnvironment": len(POOLS),
    "CreateJobQueue": 2,
    "CreateSchedulingPolicy": 1,
    "RegisterJobDefinition": 2,
    "SubmitJob": len(JOBS),  # that of somebody else, and not the one without a queue
}


@pytest.mark.timeout(400)
@modes()
async def test_all_goes_to_the_end_wherever_the_operator_dies(mode, branches, record_property):
    points = Points()
    story = Story(points)
    worthy = WorthStriking() if mode is Mode.BEFORE else writes  # a read changes nothing

    def tell() -> int:
        assert [struck.mode for struck in points.struck] == [mode]
        return 1

    number = await branches.live(
        story.live(),
        points,
        at=lambda name: story.goes(name) and worthy(name),
        strike=partial(points.strike_now, mode),
        tell=tell,
    )
    assert branches.chosen.keys() >= GOING
    record_property(f"{POINTS} (everything deleted, {mode.value})", number)


GOING = {
    "batch:DeleteComputeEnvironment",
    "batch:DeleteJobQueue",
    "batch:DeleteSchedulingPolicy",
    "batch:DeregisterJobDefinition",
    "batch:TerminateJob",
    "kube:patch",
}
