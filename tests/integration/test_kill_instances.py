"""kill -9 while instances come and go: each launch is made once, and nothing is left.

As in test_kill.py: a few points with real processes, of those that crash/ tries one by one. One
lane each. In one of them the operator dies after its intent was written down and before EC2 is
asked: whether it was asked is not known to the next one, which looks for the instances for two
minutes. So long nobody waits here; that nothing is launched meanwhile is what counts.
"""

import asyncio
import time
from contextlib import ExitStack

import pytest
from tests.support import manifests
from tests.support.cluster import is_complete
from tests.support.deadline import POLL_SECONDS, until
from tests.support.instances import launching, pool
from tests.support.kill_lanes import SECONDS, Lane, annotation, lane
from tests.support.site import opened
from tests.support.whole_life import named

from awsbatch_operator.api.metadata import LAUNCHES
from awsbatch_operator.api.tags import INTENT

IDLE_SECONDS = 1
SLOW = 0.8  # seconds that AWS takes for a call during which the operator dies
LOOKED_FOR = 4.0  # seconds for which an open launch is watched here
ENVIRONMENT, QUEUE = ("ComputeEnvironment", "pool"), ("JobQueue", "main")
DEFINITION, JOB = ("JobDefinition", "simulate"), ("BatchJob", "first")
ALL = (ENVIRONMENT, QUEUE, DEFINITION, JOB)
BEFORE_THE_LAUNCH = "between the record and CreateFleet"
AFTER_THE_ANSWER = "between the answer of CreateFleet and the status"
CALLS = ("CreateFleet", "UpdateContainerInstancesState")


class Fleet(Lane):
    """A lane with an environment that launches instances."""

    def bodies(self):
        spec = launching(
            pool(instanceTypes=["m7i.large"], idleSeconds=IDLE_SECONDS), maxInstances=1
        )
        return [
            named(*ENVIRONMENT, spec),
            named(*QUEUE, manifests.queue()),
            named(*DEFINITION, manifests.definition()),
            named(*JOB, manifests.job()),
        ]

    def mine(self):
        """The instances of this namespace, ended ones too."""
        tag = {"Name": "tag:awsbatch.dev/namespace", "Values": [self.cluster.namespace]}
        found = self.site.client("ec2").describe_instances(Filters=[tag])["Reservations"]
        return [each for reservation in found for each in reservation["Instances"]]

    def states(self):
        return [each["State"]["Name"] for each in self.mine()]

    async def live_once(self, point):
        """One job, one instance, whenever the operator is killed; and all is deleted."""
        with self.struck_at(point):
            self.cluster.apply(*self.bodies())
            if point == "UpdateContainerInstancesState":
                await self.becomes_idle()
            await self.dies(point)
        if point == BEFORE_THE_LAUNCH and not self.mine():
            await self.nothing_is_launched()
            return
        await until(self.is_done, f"{self.name}: Complete, killed {point}", seconds=SECONDS)
        for each in ALL:
            self.cluster.delete(*each)
        gone = f"{self.name}: all are gone, killed {point}"
        await until(lambda: not self.cluster.all(), gone, seconds=SECONDS)
        [instance] = self.mine()
        assert instance["State"]["Name"] == "terminated"
        assert [each["Key"] for each in instance["Tags"]].count(INTENT) == 1

    async def becomes_idle(self):
        """Ask for a look when the job is done, and for another one when idleSeconds are over.

        The operator looks by itself once a minute.
        """
        await until(self.is_done, f"{self.name}: Complete", seconds=SECONDS)
        self.cluster.nudge(*ENVIRONMENT)
        await asyncio.sleep(IDLE_SECONDS + 0.5)
        self.cluster.nudge(*ENVIRONMENT)

    def is_done(self):
        body = self.cluster.get(*JOB)
        return body is not None and is_complete(body)

    async def nothing_is_launched(self):
        """While the intent of the dead operator is open, which its successor has taken over."""
        reported = self.see(*ENVIRONMENT)["metadata"]["resourceVersion"]
        self.cluster.nudge(*ENVIRONMENT)
        end = time.monotonic() + LOOKED_FOR
        while time.monotonic() < end:
            assert self.mine() == []
            await asyncio.sleep(POLL_SECONDS * 4)
        body = self.see(*ENVIRONMENT)
        assert body["metadata"]["resourceVersion"] != reported
        assert '"intent"' in body["metadata"]["annotations"][LAUNCHES]

    def struck_at(self, point):
        if point in CALLS:
            return self.killed_during(point, self.match(point), seconds=SLOW)
        if point == AFTER_THE_ANSWER:
            return self.killed_when(self.mine)
        return self.killed_at(lambda _, change: '"intent"' in annotation(change, LAUNCHES))

    def end(self):
        """What a lane has left to an operator that would look for it for two minutes."""
        super().end()
        for each in ALL:
            self.cluster.delete(*each)
            self.cluster.edit(*each, {"metadata": {"finalizers": None}}, missing_ok=True)

    def match(self, call):
        """What tells the call of this lane from those of the others."""
        here = self.cluster.namespace
        if call == "CreateFleet":
            return {"TagSpecifications.Tags.Value": here}
        return {"cluster": f"*{here}-*"}


@pytest.mark.timeout(200)
async def test_whenever_the_operator_is_killed_each_launch_is_made_once(
    control_plane, crds, tmp_path, measured
):
    points = (*CALLS, AFTER_THE_ANSWER, BEFORE_THE_LAUNCH)
    with ExitStack() as stack:
        site = stack.enter_context(opened(control_plane, tmp_path, user_data="interpret"))
        site.script(durationSeconds=0.3)
        lanes = {
            point: stack.enter_context(lane(site, control_plane, f"lane{number}", Fleet))
            for number, point in enumerate(points)
        }
        await asyncio.gather(*(one.live_once(point) for point, one in lanes.items()))
        killed = [point for one in lanes.values() for point in one.killed]
        assert sorted(killed) == sorted(points)
        measured("points:", len(killed))
