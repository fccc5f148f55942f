"""kill -9 while jobs run more than once: held, changed, an array's failed indexes, and their end.

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
from tests.support.kill_lanes import SECONDS, SELDOM, Lane, annotation, lane
from tests.support.site import opened
from tests.support.whole_life import named

from awsbatch_operator.api.metadata import SUBMISSION

CONTAINER = {
    "image": "public.ecr.aws/docker/library/busybox:1.37",
    "command": ["true"],
    "resourceRequirements": [
        {"type": "VCPU", "value": "1"},
        {"type": "MEMORY", "value": "512"},
    ],
}
INLINE = {"type": "container", "containerProperties": CONTAINER}
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


def is_suspended(body):
    conditions = body.get("status", {}).get("conditions", ())
    return any((each["type"], each["status"]) == ("Suspended", "True") for each in conditions)


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
        await until(
            lambda: self.cluster.get("BatchJob", name) is None,
            f"{self.name}: {name} is gone, killed {self.killed}",
            seconds=SECONDS,
            every=SELDOM,
        )
        assert set(self.jobs(name)) <= {"FAILED", "SUCCEEDED"}
        *_, definitions, _ = self.in_aws()
        assert definitions == []

    def apply(self, body):
        return lambda: self.cluster.apply(body)

    def delete(self, name):
        return lambda: self.cluster.delete("BatchJob", name)

    async def held(self):
        """Submitted, held, let go, and deleted while it runs."""
        first, held = job("held"), job("held", suspend=True)
        submit = self.during("SubmitJob", "jobQueue")
        await self.struck(submit, "first SubmitJob", self.apply(first), "held", is_running(1))
        stop = self.during("TerminateJob", "jobId", self.job_id("held"))
        await self.struck(stop, "TerminateJob to hold it", self.apply(held), "held", is_suspended)
        assert self.jobs("held") == ["FAILED"]
        lost = self.killed_without_answer("SubmitJob", {"jobQueue": f"*{self.here}-*"})
        await self.struck(lost, "SubmitJob of run 2", self.apply(first), "held", is_running(2))
        assert self.jobs("held") == ["FAILED", "RUNNING"]
        with self.killed_without_answer("TerminateJob", {"jobId": self.job_id("held")}):
            self.cluster.delete("BatchJob", "held")
            await self.dies("TerminateJob of a deletion")
        await self.goes("held")

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
        noted = self.killed_at(lambda _, change: '"run":3' in annotation(change, SUBMISSION))
        await self.struck(noted, "record of run 3", self.apply(spec("2026")), "changed", run(3))
        assert self.jobs("changed") == ["FAILED", "FAILED", "RUNNING"]
        with self.during("DeregisterJobDefinition", "jobDefinition"):
            self.cluster.delete("BatchJob", "changed")
            await self.dies("DeregisterJobDefinition")
        await self.goes("changed")

    async def array(self):
        """An array of which one index fails, and runs again by itself; and one that is deleted."""
        retry = {"ofRun": 1, "indexMapVariable": "CELLS"}
        cells = job("cells", arrayProperties={"size": 3}, retryFailedIndexes=retry)
        submit = self.during("SubmitJob", "jobQueue")

        def second(_, change):
            return '"run":2' in annotation(change, SUBMISSION)

        with self.killed_at(second):
            with submit:
                self.cluster.apply(cells)
                await self.dies("SubmitJob of an array")
            await self.dies("record of the failed indexes")
        await self.becomes(("BatchJob", "cells"), look=is_complete, what="is Complete")
        assert self.jobs("cells") == ["FAILED", "SUCCEEDED"]
        assert self.see("BatchJob", "cells")["status"]["runIndexes"] == "1"
        self.cluster.delete("BatchJob", "cells")
        await self.goes("cells")
        long = job("held", arrayProperties={"size": 3})
        self.cluster.apply(long)
        await self.becomes(("BatchJob", "held"), look=lambda body: "jobId" in body["status"])
        with self.during("TerminateJob", "jobId", self.job_id("held")):
            self.cluster.delete("BatchJob", "held")
            await self.dies("TerminateJob of an array")
        await self.goes("held")


STORIES = (Jobs.held, Jobs.changed, Jobs.array)
POINTS = 11


@pytest.mark.timeout(300)
async def test_whenever_the_operator_is_killed_each_run_has_one_job(
    control_plane, crds, tmp_path, measured
):
    with ExitStack() as stack:
        site = stack.enter_context(opened(control_plane, tmp_path))
        site.script(jobName="cells-*", durationSeconds=0.3)
        site.script(jobName="cells-*", indexes=[1], durationSeconds=0.3, exitCode=3)
        site.script(jobName="held-*", durationSeconds=1e6)
        site.script(jobName="changed-*", durationSeconds=1e6)
        lanes = [
            stack.enter_context(lane(site, control_plane, f"lane{number}", Jobs))
            for number, _ in enumerate(STORIES)
        ]

        async def live(one, story):
            await one.furnish()
            await story(one)
            await one.becomes_empty()

        await asyncio.gather(*(live(*each) for each in zip(lanes, STORIES, strict=True)))
        killed = [point for one in lanes for point in one.killed]
        assert len(killed) == POINTS, killed
        measured("points:", len(killed))
