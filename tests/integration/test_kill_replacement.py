"""kill -9 while an environment is replaced under a queue with a job, and a queue of others.

As in test_kill.py: some points with real processes, of those that crash/ tries one by one. Each
operator is killed twice in one replacement. The job ends when it is told to, and that is after the
moment at which the old environment would be deleted if jobs were not counted.
"""

import asyncio
import json
import time
from contextlib import ExitStack

import pytest
from tests.support import manifests
from tests.support.cluster import is_over
from tests.support.deadline import until
from tests.support.kill_lanes import SECONDS, SELDOM, Lane, annotation, lane
from tests.support.site import opened
from tests.support.whole_life import named, runs
from tests.support.witness import Witness

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import REPLACING, RESOLVED
from awsbatch_operator.kinds.computeenvironment.retiring import SETTLED_SECONDS

ENVIRONMENT, QUEUE = ("ComputeEnvironment", "pool"), ("JobQueue", "main")
DEFINITION, JOB = ("JobDefinition", "simulate"), ("BatchJob", "long")
DRAIN_SECONDS = SETTLED_SECONDS + 3.0
RECORDED, PROMOTED = "the record of a successor", "the record that it serves"
DRAINING, GIVEN_UP = "the status Draining", "the record of the deletion"
CREATE, NO_ANSWER = "CreateComputeEnvironment", "the lost answer of CreateComputeEnvironment"
SWAP, FOREIGN_SWAP = "the swap", "the swap in the queue of others"
DISABLE, DELETE = "the disabling", "DeleteComputeEnvironment"
EARLY = (RECORDED, CREATE, NO_ANSWER, PROMOTED, SWAP)
LATE = (FOREIGN_SWAP, DELETE, DISABLE, DRAINING, GIVEN_UP)
# What AWS has done in the end for each lane, the deletion of all included.
DONE = {
    CREATE: 2,
    DELETE: 2,
    "CreateJobQueue": 2,
    "SubmitJob": 1,
    "TerminateJob": 0,
    "CancelJob": 0,
}


class Replaced(Lane):
    """A lane in which an environment is replaced under two queues, in one of which a job runs."""

    def struck_at(self, point):
        ours = f"*{self.here}-*"
        call, environment = self.killed_during, {"computeEnvironment": ours}
        match point:
            case "CreateComputeEnvironment":
                return call(CREATE, {"computeEnvironmentName": ours})
            case "the lost answer of CreateComputeEnvironment":
                return self.killed_without_answer(CREATE, {"computeEnvironmentName": ours})
            case "the swap":
                return call("UpdateJobQueue", {"jobQueue": ours})
            case "the swap in the queue of others":
                return call("UpdateJobQueue", {"jobQueue": self.foreign})
            case "the disabling":
                return call("UpdateComputeEnvironment", {**environment, "state": "DISABLED"})
            case "DeleteComputeEnvironment":
                return call(DELETE, environment)
        return self.killed_at(lambda _, change: is_moment(point, change))

    @property
    def foreign(self):
        """The name of a queue that somebody else has made over our environment."""
        return f"others-{self.here}"

    @property
    def may_end(self):
        """The job ends when this file is there."""
        return self.site.sandbox.layout.root / f"end-{self.name}"

    async def live(self, early, late):
        """The environment is replaced once, whenever the operator is killed; and all is deleted."""
        await self.begin()
        with self.struck_at(early):
            self.cluster.apply(self.environment(subnets=["subnet-2"]))
            await self.dies(early)
        with self.struck_at(late):
            ended = asyncio.ensure_future(self.end_the_job())
            await self.dies(late)
        await ended
        await self.becomes(ENVIRONMENT, QUEUE)
        self.check()
        await self.without_foreign()
        await self.becomes_empty()
        assert self.in_aws() == ([], [], [], [])

    def environment(self, **resources):
        spec = manifests.best_fit(**resources)
        return named(*ENVIRONMENT, {**spec, "replacement": {"foreignQueues": "Swap"}})

    async def begin(self):
        """A queue of ours and one of others over the environment; a job runs there."""
        until_told = f"until [ -e {self.may_end} ]; do sleep 0.2; done"
        self.cluster.apply(
            self.environment(),
            named(*QUEUE, manifests.queue()),
            named(*DEFINITION, manifests.definition("sh", "-c", until_told)),
            named(*JOB, manifests.job()),
        )
        await self.becomes(ENVIRONMENT, QUEUE, DEFINITION)
        arn = self.see(*ENVIRONMENT)["status"]["arn"]
        order = [{"order": 1, "computeEnvironment": arn}]
        client = self.site.client("batch")
        client.create_job_queue(
            jobQueueName=self.foreign, priority=1, computeEnvironmentOrder=order
        )
        await self.becomes(JOB, look=runs, what="runs")

    async def end_the_job(self):
        """Not too early; and ask for a look, as the operator counts jobs every 15 seconds."""
        words = f"{self.name}: the old environment drains, killed {self.killed}"
        await until(self.drains_for_long, words, seconds=2 * SECONDS, every=SELDOM)
        self.may_end.touch()
        await self.becomes(JOB, look=is_over, what="is over")
        self.cluster.nudge(*ENVIRONMENT)

    def drains_for_long(self):
        """Whether the old environment would be gone by now, if no job ran in it."""
        body = self.see(*ENVIRONMENT)
        record = json.loads(body["metadata"]["annotations"].get(REPLACING, "{}"))
        since = [Instant.parse(each["since"]) for each in record.get("leaving", {}).values()]
        counted = body["status"].get("replacement", {}).get("runningJobs") == 1
        return counted and time.time() - min(since).epoch > DRAIN_SECONDS

    def check(self):
        """The end state of a replacement that nobody disturbed."""
        (environment,), (queue,), _, _ = self.in_aws()
        body, arn = self.see(*ENVIRONMENT), environment["computeEnvironmentArn"]
        assert environment["computeResources"]["subnets"] == ["subnet-2"]
        assert (environment["state"], environment["status"]) == ("ENABLED", "VALID")
        assert environment["tags"] == self.marks_of(*ENVIRONMENT)
        assert queue["tags"] == self.marks_of(*QUEUE)
        assert body["status"]["arn"] == arn
        record = json.loads(body["metadata"]["annotations"][RESOLVED])
        assert not {"successor", "predecessors"} & record.keys()
        assert environments_in(queue) == environments_in(self.foreign_queue()) == [arn]
        assert self.foreign_queue()["tags"] == {}
        job_id = self.see(*JOB)["status"]["jobId"]
        (job,) = self.site.client("batch").describe_jobs(jobs=[job_id])["jobs"]
        assert job["status"] == "SUCCEEDED"
        assert len(job["attempts"]) == 1, "the job was ended and began again"

    def foreign_queue(self):
        found = self.site.client("batch").describe_job_queues(jobQueues=[self.foreign])
        return next((each for each in found["jobQueues"] if each["status"] != "DELETED"), None)

    async def without_foreign(self):
        """Their owner takes the other queue away."""
        client, name = self.site.client("batch"), self.foreign
        client.update_job_queue(jobQueue=name, state="DISABLED")
        await until(
            lambda: self.foreign_queue()["status"] == "VALID", f"{name} is DISABLED", every=SELDOM
        )
        client.delete_job_queue(jobQueue=name)
        await until(lambda: self.foreign_queue() is None, f"{name} is gone", every=SELDOM)


def is_moment(point, change):
    """Whether a change of an object is the point of that name."""
    body, record = change.body, json.loads(annotation(change, RESOLVED) or "{}")
    leaving = json.loads(annotation(change, REPLACING) or "{}").get("leaving", {})
    found = {
        RECORDED: "successor" in record,
        PROMOTED: "predecessors" in record,
        DRAINING: body.get("status", {}).get("replacement", {}).get("step") == "Draining",
        GIVEN_UP: any("deleted" in each for each in leaving.values()),
    }
    return found[point]


def environments_in(queue):
    return [each["computeEnvironment"] for each in queue["computeEnvironmentOrder"]]


@pytest.mark.timeout(300)
async def test_whenever_the_operator_is_killed_the_environment_is_replaced_once(
    control_plane, crds, tmp_path, measured
):
    with ExitStack() as stack:
        site = stack.enter_context(opened(control_plane, tmp_path, runner="process"))
        lanes = [
            stack.enter_context(lane(site, control_plane, f"lane{number}", Replaced))
            for number, _ in enumerate(EARLY)
        ]
        with Witness(site) as witness:
            points = zip(EARLY, LATE, strict=True)
            await asyncio.gather(*(one.live(*two) for one, two in zip(lanes, points, strict=True)))
        killed = [point for one in lanes for point in one.killed]
        assert sorted(killed) == sorted((*EARLY, *LATE))
        witness.check()
        assert len(witness.made) == 2 * len(lanes), "there was a third environment of an object"
        done = {operation: site.done(operation) / len(lanes) for operation in DONE}
        assert done == DONE
        measured("points:", len(killed))
