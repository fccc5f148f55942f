"""kill -9 while everything is made, and while it all goes at once: the end is always the same.

It is the quickstart with a fair-share policy, and with a second job that is at work when all is
deleted. The exhaustive tests with a clock of their own are in crash/. Here real processes are
killed, after the n-th change that a user sees, or while a call is on its way to AWS, which then
carries it out for nobody. A few lanes run beside each other: most of the time is spent waiting for
leases.
"""

import asyncio
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import zip_longest

import pytest
from tests.support import manifests, quickstart
from tests.support.cluster import is_complete
from tests.support.deadline import until
from tests.support.kill_lanes import SECONDS, Lane, lane
from tests.support.site import opened
from tests.support.whole_life import named, runs

LANES = 4
# The parameter of each call that carries the namespace, in a name of ours.
GOING_UP = {
    "RegisterJobDefinition": "jobDefinitionName",
    "CreateComputeEnvironment": "computeEnvironmentName",
    "CreateSchedulingPolicy": "name",
    "CreateJobQueue": "jobQueueName",
    "SubmitJob": "jobQueue",
}
GOING_DOWN = {
    "TerminateJob": "jobId",
    "DeregisterJobDefinition": "jobDefinition",
    "UpdateJobQueue": "jobQueue",
    "DeleteJobQueue": "jobQueue",
    "UpdateComputeEnvironment": "computeEnvironment",
    "DeleteSchedulingPolicy": "arn",
    "DeleteComputeEnvironment": "computeEnvironment",
}
POLICY, LONG = ("SchedulingPolicy", "fair"), ("BatchJob", "long-run")
ALL = (*quickstart.ALL, POLICY, LONG)
# Of about thirty changes on the way up, and twenty on the way down.
CHANGES_UP, CHANGES_DOWN = (4, 6, 8, 10, 12, 14), (2, 4, 6, 8, 10)


@dataclass(frozen=True, slots=True)
class Point:
    """When the operator is killed: after so many changes, or during a call."""

    changes: int = 0
    call: str = ""

    def __str__(self):
        return f"during {self.call}" if self.call else f"after change {self.changes}"


UP = [Point(call=call) for call in GOING_UP] + [Point(changes=count) for count in CHANGES_UP]
DOWN = [Point(call=call) for call in GOING_DOWN] + [Point(changes=count) for count in CHANGES_DOWN]


def bodies():
    """The quickstart with a policy, and with a job that does not end by itself."""
    environment, queue, definition, job = quickstart.bodies()
    queue["spec"]["schedulingPolicyRef"] = {"name": POLICY[1]}
    job["spec"]["shareIdentifier"] = "team"
    long = {**job, "metadata": {"name": LONG[1]}}
    return environment, queue, definition, job, long, named(*POLICY, manifests.policy())


class Quickstart(Lane):
    """A lane in which all of it is made and goes again."""

    async def live(self, up, down):
        """The quickstart, killed once on its way up and once on its way down."""
        cluster = self.cluster
        with self.armed(up, seen=0):
            cluster.apply(*bodies())
            await self.dies(up)
        await until(self.is_complete, f"{self.name}: Complete, killed {up}", seconds=SECONDS)
        self.check()
        with self.armed(down, seen=len(ALL)):
            self.delete_all()
            await self.dies(down)
        await until(
            lambda: not cluster.all(), f"{self.name}: all are gone, killed {down}", seconds=SECONDS
        )
        assert self.in_aws() == ([], [], [], [])

    def delete_all(self):
        for each in ALL:
            self.cluster.delete(*each)

    def is_complete(self):
        """One job has ended, and the other one runs."""
        body, long = self.cluster.get(*quickstart.JOB), self.cluster.get(*LONG)
        return body is not None and is_complete(body) and long is not None and runs(long)

    def armed(self, point, *, seen):
        if not point.call:
            return self.killed_at(lambda number, _: number == point.changes + seen)
        where = f"*{self.here}-*"
        if point.call == "TerminateJob":
            where = self.see(*LONG)["status"]["jobId"]
        return self.killed_during(point.call, {(GOING_UP | GOING_DOWN)[point.call]: where})

    def check(self):
        """The end state of a quickstart that nobody disturbed."""
        status = self.see(*quickstart.JOB)["status"]
        assert (status["run"], status["exitCode"], status["attemptCount"]) == (1, 0, 1)
        assert status["logs"]["lastLines"] == ["done"]
        assert tuple(map(len, self.in_aws())) == (1, 1, 1, 1)
        jobs = self.site.client("batch").list_jobs(
            jobQueue=status["jobQueueArn"],
            filters=[{"name": "JOB_NAME", "values": [status["jobName"]]}],
        )["jobSummaryList"]
        assert [job["jobId"] for job in jobs] == [status["jobId"]]


@pytest.mark.timeout(300)
async def test_whenever_the_operator_is_killed_the_end_is_the_same_with_one_job(
    control_plane, crds, tmp_path, measured
):
    with ExitStack() as stack:
        site = stack.enter_context(opened(control_plane, tmp_path))
        site.script(durationSeconds=0.3)
        site.script(jobName="long-*", durationSeconds=1e6)
        lanes = [
            stack.enter_context(lane(site, control_plane, f"lane{i}", Quickstart))
            for i in range(LANES)
        ]
        points = list(zip_longest(UP, DOWN, fillvalue=Point(changes=1)))

        async def run(one, first):
            for up, down in points[first::LANES]:
                await one.live(up, down)

        await asyncio.gather(*(run(one, number) for number, one in enumerate(lanes)))
        killed = [point for one in lanes for point in one.killed]
        assert set(killed) >= {*UP, *DOWN}
        measured("points:", len(killed))
