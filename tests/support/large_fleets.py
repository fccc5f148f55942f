"""Much capacity at once, and much of it at rest: both on a stepped clock, with AWS's real limits.

Who wants the figures is `tests/bench/capacity.py`; the component tests hold them, smaller.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.support.installation import NAMESPACE
from tests.support.instances import Fleet, launching, pool
from tests.support.lagging import Lagging
from tests.support.manifests import DEFINITION, ENVIRONMENT, QUEUE, queue
from tests.support.simulated_aws import catch_up

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.aws.errors import ErrorKind

BOOT_SECONDS = 20.0
JOIN_SECONDS = 40.0  # after it has booted: 60 s together
SUBMITTED_A_SECOND = 50  # AWS's limit for SubmitJob
SETTLED_SECONDS = 900.0
_TYPES = ["m7i.large", "m7i.xlarge", "m7i.2xlarge", "m7i.4xlarge"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """What it took until all jobs ran at once, and until all was gone again."""

    launches: int
    seconds: float  # from the first job that waits until the last one has its instance
    vcpus: int  # of all that was launched
    throttled: int  # calls of the operator that AWS answered with too many requests
    back_seconds: float  # from the end of the last job until EC2 has nothing
    left: tuple[str, ...]  # in EC2 or ECS at the end, by id
    cpu_seconds: float  # of the operator, the simulator's aside


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """What an account at rest costs in some minutes."""

    minutes: float
    calls: Mapping[str, int]  # of the operator, by service:operation
    writes: int  # to Kubernetes
    changes: tuple[str, ...]  # calls that change something in AWS
    running: int  # instances
    cpu_seconds: float  # of the operator, the simulator's aside


class Crowd(Fleet):
    """An installation that tells the CPU of the operator from that of the simulator."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._theirs = 0.0
        self.lagging = Lagging(self._timed(self.wire(self._called)), lambda: self.clock.now().epoch)

    def _timed(self, answer: Callable[..., Any]) -> Callable[..., Any]:
        def answered(**request: Any) -> Any:
            with self.theirs():
                return answer(**request)

        return answered

    @contextmanager
    def theirs(self) -> Iterator[None]:
        """What is done in here is not the operator's work."""
        began = time.process_time()
        try:
            yield
        finally:
            self._theirs += time.process_time() - began

    def ours(self) -> float:
        """CPU seconds of this process that are the operator's."""
        return time.process_time() - self._theirs

    def change(self, **changes: Any) -> None:
        """Change the simulator's settings."""
        world = self.simulator.world
        world.change(world.settings.patched(changes))

    def jobs(self, *states: str) -> int:
        """How many jobs are in one of the states."""
        with self.theirs():
            return sum(job.status in states for job in self.batch.jobs.values())

    def living(self) -> int:
        """How many instances EC2 has not ended yet."""
        with self.theirs():
            catch_up(self.simulator, self.clock)
            found = self.simulator.world.region(self.simulator.place).ec2.instances.values()
            return sum(each.state != "terminated" for each in found)

    def throttled(self) -> int:
        """How many of the operator's calls came too fast for AWS."""
        return int(self.metric("aws_calls_total", outcome=ErrorKind.THROTTLED.value))

    def left(self) -> tuple[str, ...]:
        """What EC2 and ECS have of the operator's, by id."""
        ec2, ecs = self.aws("ec2"), self.aws("ecs")
        found = [each["InstanceId"] for each in self.alive()]
        found += [each["VolumeId"] for each in ec2.describe_volumes()["Volumes"]]
        found += [
            each["LaunchTemplateName"]
            for each in ec2.describe_launch_templates()["LaunchTemplates"]
        ]
        for cluster in ecs.list_clusters()["clusterArns"]:
            found += ecs.list_container_instances(cluster=cluster)["containerInstanceArns"]
        return tuple(found)


async def burst(jobs: int) -> Burst:
    """So many jobs of one vCPU, submitted past the operator; at last the environment goes."""
    there = Crowd()
    there.change(
        delays={"instancePending": BOOT_SECONDS, "agentJoin": JOIN_SECONDS},
        jobScripts=[{"durationSeconds": 300}],
    )
    began = there.ours()
    async with there.running():
        there.furnish(pool(instanceTypes=_TYPES), maxvCpus=jobs + 16)
        await there.until_ready(ENVIRONMENT, QUEUE, DEFINITION)
        since = there.clock.now()
        await _submit(there, jobs)
        await there.run_until(lambda: there.jobs("RUNNING") == jobs)
        seconds = there.clock.now().since(since)
        vcpus = sum(
            each["CpuOptions"]["CoreCount"] * each["CpuOptions"]["ThreadsPerCore"]
            for each in there.alive()
        )
        await there.run_until(lambda: there.jobs("SUCCEEDED") == jobs, within=600)
        back = await there.run_until(lambda: not there.living(), within=600)
        for key in (QUEUE, ENVIRONMENT):
            there.remove(key)
        await there.until_gone(ENVIRONMENT, within=900)
        return Burst(
            launches=there.launches(),
            seconds=seconds,
            vcpus=vcpus,
            throttled=there.throttled(),
            back_seconds=back,
            left=there.left(),
            cpu_seconds=there.ours() - began,
        )


async def _submit(there: Crowd, jobs: int) -> None:
    """As fast as AWS takes them."""
    batch = there.aws("batch")
    queue_arn, definition = there.status(QUEUE)["arn"], there.status(DEFINITION)["arn"]
    for number in range(jobs):
        if number and not number % SUBMITTED_A_SECOND:
            await there.clock.advance(1.0)
        with there.theirs():
            batch.submit_job(jobName=f"job-{number}", jobQueue=queue_arn, jobDefinition=definition)


async def rest(environments: int, instances: int, *, minutes: float = 10.0) -> Rest:
    """Environments with so many idle instances each, kept by minInstances, each with its queue."""
    there = Crowd()
    own = [ObjectKey("ComputeEnvironment", NAMESPACE, f"env-{n}") for n in range(environments)]
    queues = [ObjectKey("JobQueue", NAMESPACE, f"queue-{n}") for n in range(environments)]
    kept = pool(instanceTypes=["m7i.large"], minInstances=instances, maxInstances=instances)
    async with there.running():
        for environment, its_queue in zip(own, queues, strict=True):
            there.apply(environment, launching(kept))
            there.apply(its_queue, queue(environment.name))
        await there.until_ready(*own, *queues)
        await there.clock.advance(SETTLED_SECONDS)
        writes = there.metric("kube_writes_total")
        there.calls.clear()
        began = there.ours()
        await there.clock.advance(minutes * 60.0)
        spent = there.ours() - began
        return Rest(
            minutes=minutes,
            calls=Counter(there.calls),
            writes=int(there.metric("kube_writes_total") - writes),
            changes=tuple(there.changes()),
            running=len(there.instances("running")),
            cpu_seconds=spent,
        )
