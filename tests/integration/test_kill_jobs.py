"""kill -9 in every life of jobs: held, changed, arrays, packed, of several nodes, and deleted.

As in test_kill.py: some points with real processes, of those that crash/ tries one by one. In each
lane the operator is killed again and again, during a call that AWS carries out for nobody, when the
answer is lost, or just after it has written down what it is about to do.
"""

import asyncio
from contextlib import ExitStack

import pytest
from tests.support import quickstart
from tests.support.cluster import is_complete
from tests.support.deadline import until
from tests.support.job_definitions import INLINE, NODES
from tests.support.kill_lanes import SECONDS, SELDOM, Lane, annotation, lane
from tests.support.site import opened
from tests.support.whole_life import named

from awsbatch_operator.api.metadata import SUBMISSION

QUEUE = ("JobQueue", "main")


def job(name, **spec):
    """A BatchJob with its definition inside."""
    return named(
        "BatchJob", name, {"jobQueueRef": {"name": "main"}, "jobDefinition": INLINE} | spec
    )


def is_running(run):
    def look(body):
        status = body.get("status", {})
        return (status.get("run"), status.get("awsStatus")) == (run, "RUNNING")

    return look


def is_going(_, change):
    """Whether somebody has deleted the object."""
    return change.kind == "BatchJob" and "deletionTimestamp" in change.body["metadata"]


def is_suspended(body):
    conditions = body.get("status", {}).get("conditions", ())
    return any((each["type"], each["status"]) == ("Suspended", "True") for each in conditions)


def is_in_aws(body):
    return "jobId" in body.get("status", {})


class Jobs(Lane):
    """A lane with an environment and a queue."""

    async def furnish(self):
        environment, queue, *_ = quickstart.bodies()
        self.cluster.apply(environment, queue)
        await self.becomes(QUEUE)

    @property
    def queue(self):
        return self.see(*QUEUE)["status"]["arn"]

    def during(self, operation, parameter, where=""):
        return self.killed_during(operation, {parameter: where or f"*{self.here}-*"})

    async def struck(self, armed, what, do, name, look):
        """The operator is killed so while something is done; then the job looks so all the same."""
        with armed:
            do()
            await self.dies(what)
        await self.becomes(("BatchJob", name), look=look, what=what)

    def jobs(self, name):
        """The states of all jobs that AWS ever had of the object, oldest first."""
        listed = self.site.client("batch").list_jobs(
            jobQueue=self.queue, filters=[{"name": "JOB_NAME", "values": [f"{name}-*"]}]
        )["jobSummaryList"]
        return [each["status"] for each in sorted(listed, key=lambda each: each["createdAt"])]

    def job_id(self, name):
        return self.see("BatchJob", name)["status"]["jobId"]

    async def goes(self, name):
        """The object is deleted, and AWS has nothing of it that runs, and no definition."""
        await self.leaves(name)
        assert set(self.jobs(name)) <= {"FAILED", "SUCCEEDED"}
        *_, definitions, _ = self.in_aws()
        assert definitions == []

    async def leaves(self, name):
        """The object is gone."""
        await until(
            lambda: self.cluster.get("BatchJob", name) is None,
            f"{self.name}: {name} is gone, killed {self.killed}",
            seconds=SECONDS,
            every=SELDOM,
        )

    def apply(self, body):
        return lambda: self.cluster.apply(body)

    def delete(self, name):
        return lambda: self.cluster.delete("BatchJob", name)

    def without_answer(self, operation, parameter, where=""):
        return self.killed_without_answer(operation, {parameter: where or f"*{self.here}-*"})

    def recorded(self, run):
        """Killed when that run has been written down, and nothing was sent."""
        return self.killed_at(lambda _, change: f'"run":{run}' in annotation(change, SUBMISSION))

    async def ends(self, armed, what, name):
        """It is deleted, the operator is killed so, and it goes."""
        with armed:
            self.cluster.delete("BatchJob", name)
            await self.dies(what)
        await self.goes(name)

    async def held(self):
        """Submitted, held, let go, and deleted while it runs."""
        first, held = job("held"), job("held", suspend=True)
        submit = self.during("SubmitJob", "jobQueue")
        await self.struck(submit, "first SubmitJob", self.apply(first), "held", is_running(1))
        stop = self.during("TerminateJob", "jobId", self.job_id("held"))
        await self.struck(stop, "TerminateJob to hold it", self.apply(held), "held", is_suspended)
        assert self.jobs("held") == ["FAILED"]
        lost = self.without_answer("SubmitJob", "jobQueue")
        await self.struck(lost, "SubmitJob of run 2", self.apply(first), "held", is_running(2))
        assert self.jobs("held") == ["FAILED", "RUNNING"]
        lost = self.without_answer("TerminateJob", "jobId", self.job_id("held"))
        await self.ends(lost, "TerminateJob of a deletion", "held")

    async def changed(self):
        """Registered, changed twice while it runs, and deleted."""

        def spec(year):
            return job("changed", rerunPolicy="OnChange", parameters={"year": year})

        made = self.during("RegisterJobDefinition", "jobDefinitionName")
        run = is_running
        await self.struck(
            made, "RegisterJobDefinition", self.apply(spec("2024")), "changed", run(1)
        )
        stop = self.during("TerminateJob", "jobId", self.job_id("changed"))
        await self.struck(
            stop, "TerminateJob of a change", self.apply(spec("2025")), "changed", run(2)
        )
        await self.struck(
            self.recorded(3), "record of run 3", self.apply(spec("2026")), "changed", run(3)
        )
        assert self.jobs("changed") == ["FAILED", "FAILED", "RUNNING"]
        last = self.during("DeregisterJobDefinition", "jobDefinition")
        await self.ends(last, "DeregisterJobDefinition", "changed")

    async def array(self):
        """Of one array an index fails and runs again by itself; others are deleted meanwhile."""
        retry = {"ofRun": 1, "indexMapVariable": "CELLS"}
        cells = job("cells", arrayProperties={"size": 3}, retryFailedIndexes=retry)
        submit = self.during("SubmitJob", "jobQueue")
        with self.recorded(2):
            with submit:
                self.cluster.apply(cells)
                await self.dies("SubmitJob of an array")
            await self.dies("record of the failed indexes")
        await self.becomes(("BatchJob", "cells"), look=is_complete, what="is Complete")
        assert self.jobs("cells") == ["FAILED", "SUCCEEDED"]
        assert self.see("BatchJob", "cells")["status"]["runIndexes"] == "1"
        self.cluster.delete("BatchJob", "cells")
        await self.goes("cells")
        self.cluster.apply(job("again", arrayProperties={"size": 3}, retryFailedIndexes=retry))
        await self.becomes(("BatchJob", "again"), look=is_running(2), what="runs again")
        stop = self.without_answer("TerminateJob", "jobId", self.job_id("again"))
        await self.ends(stop, "TerminateJob of the failed indexes", "again")
        assert self.jobs("again") == ["FAILED", "FAILED"]
        self.cluster.apply(job("held", arrayProperties={"size": 3}))
        await self.becomes(("BatchJob", "held"), look=lambda body: "jobId" in body["status"])
        stop = self.during("TerminateJob", "jobId", self.job_id("held"))
        await self.ends(stop, "TerminateJob of an array", "held")

    async def nodes(self):
        """Several nodes are submitted, held while they run, let go, and deleted."""
        first, held = (job("nodes", jobDefinition=NODES, suspend=so) for so in (False, True))
        submit = self.during("SubmitJob", "jobQueue")
        await self.struck(submit, "SubmitJob of nodes", self.apply(first), "nodes", is_running(1))
        stop = self.during("TerminateJob", "jobId", self.job_id("nodes"))
        await self.struck(stop, "TerminateJob of nodes", self.apply(held), "nodes", is_suspended)
        assert self.jobs("nodes") == ["FAILED"]
        again = self.recorded(2)
        await self.struck(again, "record of run 2", self.apply(first), "nodes", is_running(2))
        assert self.jobs("nodes") == ["FAILED", "RUNNING"]
        lost = self.without_answer("TerminateJob", "jobId", self.job_id("nodes"))
        await self.ends(lost, "TerminateJob of nodes that are deleted", "nodes")

    async def deleted_early(self):
        """Deleted, while no operator lives, before AWS has its job or while it is submitted."""
        moments = (  # and how many jobs it may have had
            ("recorded", self.recorded(1), {0, 1}),  # the kill may come a moment late
            ("registered", self.during("RegisterJobDefinition", "jobDefinitionName"), {0}),
            ("submitted", self.during("SubmitJob", "jobQueue"), {1}),
            ("unanswered", self.without_answer("SubmitJob", "jobQueue"), {1}),
        )
        for name, armed, jobs in moments:
            with armed:
                self.cluster.apply(job(f"early-{name}"))
                await self.dies(f"deleted when {name}", meanwhile=self.delete(f"early-{name}"))
            await self.goes(f"early-{name}")
            assert len(self.jobs(f"early-{name}")) in jobs

    async def deleted_late(self):
        """Deleted while it runs, when it is held, and after its end."""
        self.cluster.apply(job("held"))
        await self.becomes(("BatchJob", "held"), look=is_running(1), what="runs")
        await self.ends(self.killed_at(is_going), "deletion of what runs", "held")
        self.cluster.apply(job("brief"))
        await self.becomes(("BatchJob", "brief"), look=is_complete, what="is Complete")
        last = self.during("DeregisterJobDefinition", "jobDefinition")
        await self.ends(last, "deletion of what is over", "brief")
        self.cluster.apply(job("held"))
        await self.becomes(("BatchJob", "held"), look=is_running(1), what="runs")
        self.cluster.apply(job("held", suspend=True))
        await self.becomes(("BatchJob", "held"), look=is_suspended, what="is held")
        last = self.without_answer("DeregisterJobDefinition", "jobDefinition")
        await self.ends(last, "deletion of what is held", "held")
        assert self.jobs("held") == ["FAILED", "FAILED"]

    async def packed(self):
        """A packed array, and before it a job that waits for it in AWS, are deleted.

        AWS takes out what waits when that is over which it waits for.
        """
        tasks = {"arrayProperties": {"size": 6}, "packing": {"tasksPerJob": 2}}
        with self.during("SubmitJob", "jobQueue"):
            self.cluster.apply(job("held", **tasks))
            await self.dies("SubmitJob of a packed array")
        await self.becomes(("BatchJob", "held"), look=is_in_aws, what="is in AWS")
        self.cluster.apply(job("waits", dependsOn=[{"jobRef": {"name": "held"}}]))
        await self.becomes(("BatchJob", "waits"), look=is_in_aws, what="waits in AWS")
        assert self.jobs("waits") == ["PENDING"]
        with self.without_answer("TerminateJob", "jobId", self.job_id("waits")):
            self.cluster.delete("BatchJob", "waits")
            await self.dies("TerminateJob of what waits")
        await self.leaves("waits")
        stop = self.during("TerminateJob", "jobId", self.job_id("held"))
        await self.ends(stop, "TerminateJob of a packed array", "held")
        assert (self.jobs("waits"), self.jobs("held")) == (["FAILED"], ["FAILED"])


STORIES = {
    Jobs.held: 4,
    Jobs.changed: 4,
    Jobs.array: 4,
    Jobs.nodes: 4,
    Jobs.deleted_early: 4,
    Jobs.deleted_late: 3,
    Jobs.packed: 3,
}  # with the points of each


@pytest.mark.timeout(600)
async def test_whenever_the_operator_is_killed_each_run_has_one_job(
    control_plane, crds, tmp_path, measured
):
    with ExitStack() as stack:
        site = stack.enter_context(opened(control_plane, tmp_path))
        site.script(jobName="cells-*", durationSeconds=0.3)
        site.script(jobName="cells-*", indexes=[1], durationSeconds=0.3, exitCode=3)
        site.script(jobName="again-*", durationSeconds=1e6)
        site.script(jobName="again-*", indexes=[0, 2], durationSeconds=0.3)
        site.script(jobName="again-*", indexes=[1], durationSeconds=0.3, exitCode=3)
        site.script(jobName="brief-*", durationSeconds=0.3)
        for name in ("held", "changed", "nodes", "early"):
            site.script(jobName=f"{name}-*", durationSeconds=1e6)
        lanes = [
            stack.enter_context(lane(site, control_plane, f"lane{number}", Jobs))
            for number, _ in enumerate(STORIES)
        ]

        async def live(one, story):
            await one.furnish()
            await story(one)
            await one.becomes_empty()

        await asyncio.gather(*(live(*each) for each in zip(lanes, STORIES, strict=True)))
        for one, (story, points) in zip(lanes, STORIES.items(), strict=True):
            assert len(one.killed) == points, one.killed
            measured(f"points, {story.__name__}:", points)
        measured("points:", sum(STORIES.values()))
