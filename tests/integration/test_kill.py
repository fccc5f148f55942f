"""kill -9 while everything is made, and while it all goes at once: the end is always the same.

It is the quickstart with a fair-share policy, and with a second job that is at work when all is
deleted. The exhaustive tests with a clock of their own are in crash/. Here real processes are
killed, after the n-th change that a user sees, or while a call is on its way to AWS, which then
carries it out for nobody. A few lanes run beside each other: most of the time is spent waiting for
leases.
"""

import asyncio
import os
import signal
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import zip_longest

import pytest
from tests.support import manifests, quickstart
from tests.support.cluster import is_complete
from tests.support.deadline import POLL_SECONDS, until
from tests.support.namespaces import new_namespace
from tests.support.recording import Recording
from tests.support.site import opened
from tests.support.whole_life import named, runs

LANES = 4
SECONDS = 60.0
ON_ITS_WAY = 0.6  # seconds that AWS takes for a call during which the operator dies
LEASE_RULES = "--verb=get,create,update", "--resource=leases.coordination.k8s.io"
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


class Lane:
    """An operator with a namespace and a lease of its own, which is killed again and again."""

    def __init__(self, site, cluster, name):
        self.site, self.cluster, self.name = site, cluster, name
        self.killed = []
        here = cluster.namespace
        self.part = site.start(name, namespaces=here, lease_namespace=here)

    async def live(self, up, down):
        """The quickstart, killed once on its way up and once on its way down."""
        cluster = self.cluster
        await self.struck(up, lambda: cluster.apply(*bodies()), seen=0)
        await until(self.is_complete, f"{self.name}: Complete, killed {up}", seconds=SECONDS)
        self.check()
        await self.struck(down, self.delete_all, seen=len(ALL))
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

    async def struck(self, point, act, *, seen):
        """Do something, have the operator killed during what follows, and start another one."""
        with self.armed(point, seen):
            act()
            await until(
                lambda: not self.part.running(),
                f"{self.name}: the point {point} comes",
                seconds=SECONDS,
            )
        assert self.part.exit_code() == -signal.SIGKILL, self.part.last_words()
        self.killed.append(point)
        self.site.sandbox.kill_operator(self.name)
        self.part = self.site.sandbox.restart_operator(self.name)

    @contextmanager
    def armed(self, point, seen):
        if point.call:
            with self.armed_for_call(point.call):
                yield
            return

        def changed(count):
            if count == point.changes + seen:
                self.kill()

        with Recording(self.site.control_plane, self.cluster.namespace, on_change=changed):
            yield

    @contextmanager
    def armed_for_call(self, call):
        where = f"*{self.cluster.namespace}-*"
        if call == "TerminateJob":
            where = self.cluster.get(*LONG)["status"]["jobId"]
        match = {(GOING_UP | GOING_DOWN)[call]: where}
        slow = self.site.fault("delay", operation=call, match=match, seconds=ON_ITS_WAY, times=1)
        with self.killed_when(lambda: self.site.struck(slow)):
            yield

    @contextmanager
    def killed_when(self, look):
        given_up = threading.Event()

        def watch():
            while not given_up.wait(POLL_SECONDS):
                if look():
                    self.kill()
                    return

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            given_up.set()
            thread.join()

    def end(self):
        self.site.sandbox.kill_operator(self.name)

    def kill(self):
        os.kill(self.part.identity.pid, signal.SIGKILL)

    def check(self):
        """The end state of a quickstart that nobody disturbed."""
        status = self.cluster.get(*quickstart.JOB)["status"]
        assert (status["run"], status["exitCode"], status["attemptCount"]) == (1, 0, 1)
        assert status["logs"]["lastLines"] == ["done"]
        assert tuple(map(len, self.in_aws())) == (1, 1, 1, 1)
        jobs = self.site.client("batch").list_jobs(
            jobQueue=status["jobQueueArn"],
            filters=[{"name": "JOB_NAME", "values": [status["jobName"]]}],
        )["jobSummaryList"]
        assert [job["jobId"] for job in jobs] == [status["jobId"]]

    def in_aws(self):
        """What AWS holds for the namespace: environments, queues, definitions, policies."""
        batch = self.site.client("batch")
        arns = [each["arn"] for each in batch.list_scheduling_policies()["schedulingPolicies"]]
        found = (
            batch.describe_compute_environments()["computeEnvironments"],
            batch.describe_job_queues()["jobQueues"],
            batch.describe_job_definitions(status="ACTIVE")["jobDefinitions"],
            batch.describe_scheduling_policies(arns=arns)["schedulingPolicies"] if arns else [],
        )
        here = self.cluster.namespace
        return tuple(
            [each for each in listed if each["tags"]["awsbatch.dev/namespace"] == here]
            for listed in found
        )


@contextmanager
def lane(site, control_plane, name, make=Lane):
    """A lane, and the right to hold a lease in its namespace."""
    with new_namespace(control_plane) as namespace, site.cluster(namespace) as cluster:
        where, operator = f"--namespace={namespace}", "awsbatch-system:aws-batch-operator"
        kubectl = control_plane.kubectl
        kubectl("create", "role", "lease", where, *LEASE_RULES)
        who = "--role=lease", f"--serviceaccount={operator}"
        kubectl("create", "rolebinding", "lease", where, *who)
        made = make(site, cluster, name)
        yield made
        made.end()


@pytest.mark.timeout(300)
async def test_whenever_the_operator_is_killed_the_end_is_the_same_with_one_job(
    control_plane, crds, tmp_path, measured
):
    with ExitStack() as stack:
        site = stack.enter_context(opened(control_plane, tmp_path))
        site.script(durationSeconds=0.3)
        site.script(jobName="long-*", durationSeconds=1e6)
        lanes = [stack.enter_context(lane(site, control_plane, f"lane{i}")) for i in range(LANES)]
        points = list(zip_longest(UP, DOWN, fillvalue=Point(changes=1)))

        async def run(one, first):
            for up, down in points[first::LANES]:
                await one.live(up, down)

        await asyncio.gather(*(run(one, number) for number, one in enumerate(lanes)))
        killed = [point for one in lanes for point in one.killed]
        assert set(killed) >= {*UP, *DOWN}
        measured("points:", len(killed))
