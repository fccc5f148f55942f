"""kill -9 while what others have made is taken over, and while it is let go again.

As in test_kill.py: some points with real processes, of those that crash/ tries one by one. Each
operator is killed once on either way. A job of others runs in the queue all the time.
"""

import asyncio
from contextlib import ExitStack
from typing import ClassVar

import pytest
from tests.support import manifests
from tests.support.deadline import until
from tests.support.kill_lanes import SELDOM, Lane, annotation, everything, lane
from tests.support.site import opened
from tests.support.whole_life import named
from tests.support.witness import Witness

from awsbatch_operator.api.metadata import RESOLVED
from awsbatch_operator.api.tags import CONTENT, ORIGIN

TAGS = {"billing": "42"}
ENVIRONMENT, QUEUE = ("ComputeEnvironment", "pool"), ("JobQueue", "main")
DEFINITION, POLICY = ("JobDefinition", "simulate"), ("SchedulingPolicy", "fair")
LASTING = ENVIRONMENT, QUEUE, DEFINITION, POLICY
# The revision is as its spec says, and the rest has to be changed.
SPECS = {
    ENVIRONMENT: manifests.environment(maxvCpus=64),
    QUEUE: manifests.queue(priority=77),
    DEFINITION: manifests.definition(),
    POLICY: manifests.policy("9"),
}
TAG, UNTAG, LOST = "TagResource", "UntagResource", "lost answer of "
RECORD = "record of the adoption"
# A word of the ARN tells which of the calls of a lane it is; "": there is one only.
ADOPTING = (
    (RECORD, ""),
    (TAG, "compute-environment"),
    (LOST + TAG, "job-queue"),
    ("UpdateComputeEnvironment", ""),
    ("UpdateJobQueue", ""),
)
LETTING_GO = (
    (UNTAG, "compute-environment"),
    (UNTAG, "job-queue"),
    (UNTAG, "job-definition"),
    (LOST + UNTAG, "compute-environment"),
    (UNTAG, "scheduling-policy"),
)
PARAMETERS = {
    "UpdateComputeEnvironment": "computeEnvironment",
    "UpdateJobQueue": "jobQueue",
    TAG: "resourceArn",
    UNTAG: "resourceArn",
}
# Somebody has made one of each in each lane; the operator asks for none of it, nor for an end.
MADE = (
    *("CreateComputeEnvironment", "CreateJobQueue", "CreateSchedulingPolicy"),
    *("RegisterJobDefinition", "SubmitJob"),
)
ENDED = (
    *("DeleteComputeEnvironment", "DeleteJobQueue", "DeleteSchedulingPolicy"),
    *("DeregisterJobDefinition", "TerminateJob", "CancelJob"),
)


class Adopted(Lane):
    """A lane in which what somebody has made before is taken over, and let go in the end."""

    flags: ClassVar = {"allow_adoption": "true"}

    @property
    def theirs(self):
        """The name of all that was made before."""
        return f"{self.here}-theirs"

    def struck_at(self, point):
        name, thing = point
        if name == RECORD:
            return self.killed_at(lambda _, change: is_recorded(change))
        operation = name.removeprefix(LOST)
        match = {PARAMETERS[operation]: f"*{thing}/{self.theirs}*" if thing else self.theirs}
        strike = self.killed_without_answer if name.startswith(LOST) else self.killed_during
        return strike(operation, match)

    async def live(self, adopting, letting_go):
        """All is taken over and let go, whenever the operator is killed."""
        job_id = await self.furnish()
        with self.struck_at(adopting):
            self.cluster.apply(*(self.manifest(key) for key in LASTING))
            await self.dies(adopting)
        await self.becomes(*LASTING)
        self.check({key: self.marks_of(*key) | {ORIGIN: "Adopted"} for key in LASTING})
        with self.struck_at(letting_go):
            for key in LASTING:
                self.cluster.delete(*key)
            await self.dies(letting_go)
        await self.becomes_empty()
        self.check({})
        assert self.works(job_id), "the job of others was ended"

    def manifest(self, key):
        kind, name = key
        return named(kind, name, {**SPECS[key], "awsName": self.theirs, "adoptionPolicy": "Adopt"})

    async def furnish(self):
        """What somebody makes before the objects are there; the id of a job that runs in it."""
        client, name = self.site.client("batch"), self.theirs
        spec = manifests.environment()
        made = client.create_compute_environment(computeEnvironmentName=name, tags=TAGS, **spec)
        environment = {"computeEnvironments": [name]}
        await self.is_valid(client.describe_compute_environments, environment)
        order = [{"order": 1, "computeEnvironment": made["computeEnvironmentArn"]}]
        queue = {"priority": 10, "computeEnvironmentOrder": order, "tags": TAGS}
        client.create_job_queue(jobQueueName=name, **queue)
        client.create_scheduling_policy(name=name, fairsharePolicy={}, tags=TAGS)
        client.register_job_definition(jobDefinitionName=name, tags=TAGS, **manifests.definition())
        await self.is_valid(client.describe_job_queues, {"jobQueues": [name]})
        job_id = client.submit_job(jobName=name, jobQueue=name, jobDefinition=name)["jobId"]
        await until(lambda: self.works(job_id), f"the job of {name} runs", every=SELDOM)
        return job_id

    async def is_valid(self, describe, names):
        def settled():
            ((thing,),) = [each for each in describe(**names).values() if isinstance(each, list)]
            return thing["status"] == "VALID"

        await until(settled, f"{names} is VALID", every=SELDOM)

    def works(self, job_id):
        """Whether the job runs, in its first attempt."""
        (job,) = self.site.client("batch").describe_jobs(jobs=[job_id])["jobs"]
        return job["status"] == "RUNNING" and not job.get("attempts")

    def things(self):
        """All that AWS has of that name, in the order of the objects."""
        listed = (each for some in everything(self.site) for each in some)
        return [each for each in listed if self.theirs in each.values()]

    def check(self, marks):
        """One of each, as the specs say, with its own tags and `marks`."""
        environment, queue, definition, policy = things = self.things()
        assert environment["computeResources"]["maxvCpus"] == 64
        assert (environment["state"], environment["status"]) == ("ENABLED", "VALID")
        assert (queue["priority"], queue["state"]) == (77, "ENABLED")
        assert definition["revision"] == 1
        (share,) = policy["fairsharePolicy"]["shareDistribution"]
        assert share["weightFactor"] == 9
        for key, thing in zip(LASTING, things, strict=True):
            content = {CONTENT} if key == DEFINITION and marks else set()
            tags = {name: tag for name, tag in thing["tags"].items() if name not in content}
            assert tags == TAGS | marks.get(key, {})


def is_recorded(change):
    """Whether an object says that what it has was there before."""
    return '"origin":"Adopted"' in annotation(change, RESOLVED)


@pytest.mark.timeout(300)
async def test_whenever_the_operator_is_killed_all_is_adopted_and_let_go_once(
    control_plane, crds, tmp_path, measured
):
    with ExitStack() as stack:
        site = stack.enter_context(opened(control_plane, tmp_path))
        site.script(durationSeconds=1e6)
        lanes = [
            stack.enter_context(lane(site, control_plane, f"lane{number}", Adopted))
            for number, _ in enumerate(ADOPTING)
        ]
        with Witness(site) as witness:
            points = zip(ADOPTING, LETTING_GO, strict=True)
            await asyncio.gather(*(one.live(*two) for one, two in zip(lanes, points, strict=True)))
        killed = [point for one in lanes for point in one.killed]
        assert sorted(killed) == sorted((*ADOPTING, *LETTING_GO))
        witness.check()
        asked = {operation: site.asked(operation) for operation in (*MADE, *ENDED)}
        assert asked == dict.fromkeys(MADE, len(lanes)) | dict.fromkeys(ENDED, 0)
        measured("points:", len(killed))
