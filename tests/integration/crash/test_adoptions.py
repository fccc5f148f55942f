"""The operator dies, or loses an answer, while it takes over what others have made, and lets it go.

At each call of that in turn that changes something. The end is the same each time: what was there
is there, once, as the specs say and as others left it, and nothing on it says that it has an owner.
"""

from functools import partial
from typing import Any

import pytest
from tests.integration.crash import invariants
from tests.integration.crash.conftest import POINTS
from tests.integration.crash.day import modes, writes
from tests.support import manifests
from tests.support.crashing import KUBE_WRITES, MUTATING, Mode, Points
from tests.support.hard_world import HardWorld, Weather
from tests.support.installation import NAMESPACE, manifest
from tests.support.lives import Lives
from tests.support.manifests import DEFAULT_ACCOUNT, DEFINITION, ENVIRONMENT, LASTING, POLICY, QUEUE
from tests.support.one_process import aws_models

from awsbatch_operator.api.conditions import is_true
from awsbatch_operator.api.tags import CLUSTER, unclaimed
from awsbatch_simulator.inprocess import InProcess, OnCall, session

SEED = 901
NAME = "theirs"
TAGS = {"billing": "42"}
ADOPTING = {"awsName": NAME, "adoptionPolicy": "Adopt"}
# The revision is as its spec says, and the rest has to be changed.
SPECS = {
    ENVIRONMENT: manifests.environment(maxvCpus=64),
    QUEUE: manifests.queue(priority=77),
    DEFINITION: manifests.definition(),
    POLICY: manifests.policy("9"),
}
ANEW = {**SPECS[DEFINITION], **manifests.definition("other")}  # a second revision, of our own
ENDING = ("Delete", "Deregister", "Terminate")
CALLS = {
    "batch:TagResource": 4,
    "batch:UpdateComputeEnvironment": 1,
    "batch:UpdateJobQueue": 1,
    "batch:UpdateSchedulingPolicy": 1,
    "batch:RegisterJobDefinition": 1,
    "batch:UntagResource": 5,
}


class Furnished(HardWorld):
    """A hard world in which somebody has made one of each before."""

    def __init__(self) -> None:
        super().__init__(SEED, Weather())
        self.too_early: list[str] = []  # changes of what did not carry our tags yet
        self.ended: list[str] = []
        self._at_work = False

    def wire(self, on_call: OnCall = lambda *_: None) -> InProcess:
        def called(service: str, operation: str) -> None:
            on_call(service, operation)
            if self._at_work:
                self._check(operation)

        return super().wire(called)

    def _check(self, operation: str) -> None:
        if operation.startswith(ENDING):
            self.ended.append(operation)
        things = {
            "UpdateComputeEnvironment": self.things[0],
            "UpdateJobQueue": self.things[1],
            "UpdateSchedulingPolicy": self.things[2],
        }
        if operation in things and CLUSTER not in things[operation].tags:
            self.too_early.append(operation)

    @property
    def things(self) -> list[Any]:
        """The environment, the queue and the policy, each exactly once, and the revisions."""
        batch = self.simulator.world.region(self.simulator.place).batch
        (environment,) = batch.environments.values()
        (queue,) = batch.queues.values()
        (policy,) = batch.policies.values()
        return [environment, queue, policy, *batch.definitions[NAME].values()]

    async def furnish(self) -> None:
        """What somebody makes before the operator is there."""
        aws = session(self.simulator, self.wire(), loader=aws_models()).client("batch")
        spec = manifests.environment()
        aws.create_compute_environment(computeEnvironmentName=NAME, tags=TAGS, **spec)
        await self.clock.advance(60)
        (arn,) = [each.arn for each in self.batch.environments.values()]
        order = [{"order": 1, "computeEnvironment": arn}]
        queue = {"priority": 10, "computeEnvironmentOrder": order, "tags": TAGS}
        aws.create_job_queue(jobQueueName=NAME, **queue)
        aws.create_scheduling_policy(name=NAME, fairsharePolicy={}, tags=TAGS)
        aws.register_job_definition(jobDefinitionName=NAME, tags=TAGS, **manifests.definition())
        await self.clock.advance(60)
        self._at_work = True


class Story:
    """From the adoption to the deletion, with a good end."""

    def __init__(self, points: Points) -> None:
        self.points = points

    async def live(self) -> None:
        """All of it."""
        world = Furnished()
        world.kube.namespaces[NAMESPACE] = {}
        await world.furnish()
        lives = Lives(world, self.points)
        try:
            world.kube.apply(manifest(DEFAULT_ACCOUNT, {"allowAdoption": True}))
            for key, spec in SPECS.items():
                world.kube.apply(manifest(key, {**spec, **ADOPTING}))
            await lives.until(partial(self._ready, world))
            invariants.check_readiness(world)
            assert all(thing.tags[CLUSTER] for thing in world.things)
            self._check_as_specified(world)
            world.kube.apply(manifest(DEFINITION, {**ANEW, **ADOPTING}))
            await lives.until(partial(self._ready, world))
            for key in LASTING:
                world.kube.remove(key)
            await lives.until(lambda: not any(map(world.kube.exists, LASTING)))
        finally:
            await lives.end()
        self._check_the_end(world)

    def _ready(self, world: Furnished) -> bool:
        bodies = [world.kube.see(key) for key in LASTING]
        return all(
            is_true(body.get("status", {}), "Ready", body["metadata"]["generation"])
            for body in bodies
        )

    def _check_as_specified(self, world: Furnished) -> None:
        environment, queue, policy, *_ = world.things
        assert environment.resources["maxvCpus"] == 64
        assert queue.priority == 77
        (share,) = policy.content["fairsharePolicy"]["shareDistribution"]
        assert float(share["weightFactor"]) == 9

    def _check_the_end(self, world: Furnished) -> None:
        """One of each, everything still there, and nothing but others' tags on what was theirs."""
        self._check_as_specified(world)
        assert (world.too_early, world.ended) == ([], [])
        *theirs, ours = [thing.tags for thing in world.things]
        assert theirs == [TAGS] * len(LASTING)
        assert unclaimed(ours)
        invariants.check_made_once(world, revisions=2)


@pytest.mark.timeout(400)
@modes()
async def test_what_was_there_is_taken_over_and_let_go_wherever_the_operator_dies(
    mode, branches, record_property
):
    points = Points()

    def tell() -> int:
        assert [struck.mode for struck in points.struck] == [mode]
        return 1

    # To die before a write to Kubernetes is to die after the one before it.
    worthy = writes if mode is Mode.AFTER else MUTATING.__contains__
    number = await branches.live(
        Story(points).live(),
        points,
        at=worthy,
        strike=partial(points.strike_now, mode),
        tell=tell,
    )
    kube = KUBE_WRITES if mode is Mode.AFTER else set()
    assert branches.chosen.keys() == CALLS.keys() | kube
    assert all(branches.chosen[call] >= least for call, least in CALLS.items())
    record_property(f"{POINTS} (adopted and let go, {mode.value})", number)
