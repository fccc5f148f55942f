"""A world in which nothing is easy: calls wait, AWS lags and limits, leadership has to be kept."""

import asyncio
import contextlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from botocore.exceptions import HTTPClientError
from tests.support.api_servers import ApiServer, History
from tests.support.lagging import Lagging
from tests.support.one_process import World, aws_models
from tests.support.simulated_aws import make_simulator
from tests.support.simulated_lease import Lease
from tests.support.waiting_runner import Waits

from awsbatch_operator.api.scope import LeaseLostError
from awsbatch_operator.aws.errors import AwsError
from awsbatch_operator.aws.in_flight import WithdrawnError
from awsbatch_operator.kube.port import KubeError
from awsbatch_operator.settings import Settings
from awsbatch_simulator.faults import FaultSpec
from awsbatch_simulator.inprocess import session
from awsbatch_simulator.jobscript import JobScript
from awsbatch_simulator.limits import Bucket, RequestLimits, request_buckets

CALL_SECONDS = Settings(cluster_id="any").aws_call_seconds
SETTLING = float(Settings.model_fields["settling_seconds"].default)
WITHIN_SETTLING = SETTLING - 5
THAWED = (SETTLING, 4 * SETTLING)  # seconds after the process was taken for dead
ON_THE_WIRE = (0.1, 9.0)  # seconds that a slow call takes, less than its timeouts


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How hard a world is; chances are per call."""

    waits: Waits = field(default_factory=lambda: Waits(long=0.01, outlasting=0.005))
    slow: float = 0.02  # calls that take seconds on the wire
    jobs_lag: float = WITHIN_SETTLING  # seconds for which listings do not show a new job
    others_lag: float = 8.0  # the same for everything else
    frozen: float = 0.0  # how likely work that a dead process had in hand runs later after all
    limits: Mapping[str, Bucket] = field(default_factory=request_buckets)


def tight_limits() -> dict[str, Bucket]:
    """Such that a handful of objects runs into them."""
    return {
        "batch:submit": Bucket(operations=("SubmitJob",), rate=0.2, burst=2),
        "batch:others": Bucket(operations=("*",), rate=2, burst=8, shared=True),
    }


class HardWorld(World):
    """Kubernetes, AWS, the time and the lease, and what is on its way between them."""

    def __init__(self, seed: int, weather: Weather, *scripts: JobScript) -> None:
        super().__init__(make_simulator())
        self.dice = Random(seed)
        self.weather = weather
        self.lease = Lease(self.clock)
        self.history = History(self.kube, self.clock)
        self.lagging = Lagging(self._slow_wire(), lambda: self.clock.now().epoch)
        self.lagging.seconds = weather.others_lag
        self.server = ApiServer(self.history)  # of the present life
        self.refused = 0  # calls of a frozen process, by the fence
        self.on_their_way: set[asyncio.Task[Any]] = set()
        self._failures: list[BaseException] = []
        limits = RequestLimits(requests=dict(weather.limits))
        aws = self.simulator.world
        aws.change(aws.settings.model_copy(update={"job_scripts": scripts, "limits": limits}))
        self.hide_jobs(weather.jobs_lag)

    def hide_jobs(self, seconds: float) -> None:
        """Let AWS's answers not show jobs that are younger."""
        if not seconds:
            return
        for operation in ("ListJobs", "DescribeJobs"):
            self.fault(effect="hide", operation=operation, seconds=seconds)

    def fault(self, **fault: Any) -> None:
        """Let something go wrong with Batch."""
        spec = FaultSpec.model_validate({"service": "batch", **fault})
        self.simulator.world.faults.add(spec)

    def read_models(self) -> None:
        """Let both sides read what AWS says of EC2 and ECS, before the first of their calls.

        Whoever lives a day in many children does so before: each would have to read it for itself.
        """
        somebody = session(self.simulator, self.wire(), loader=aws_models(), key=self.simulator.key)
        somebody.client("ec2").describe_instances()
        somebody.client("ecs").list_clusters()

    def made(self, operation: str) -> int:
        """How often AWS has done it, whatever anybody was told."""
        calls = self.simulator.dispatcher.calls
        return sum(
            calls.count("batch", operation, outcome) for outcome in ("OK", "DroppedAfterCommit")
        )

    def later(self, arrives: Callable[[], Any]) -> None:
        """Carry out what a dead process had sent, while its lease still lasts.

        Nobody is there any more to hear that it was refused.
        """

        async def arriving() -> None:
            with contextlib.suppress(KubeError, HTTPClientError):
                await _done(arrives())

        self.soon(self.dice.uniform(0, min(CALL_SECONDS, max(self.lease.left, 0.0))), arriving)

    def soon(self, seconds: float, do: Callable[[], Any]) -> None:
        """Do something after a while, whatever became of the operator."""

        async def doing() -> None:
            await self.clock.sleep(seconds)
            await _done(do())

        task = asyncio.ensure_future(doing())
        self.on_their_way.add(task)
        task.add_done_callback(self._arrived)

    def thaw(self, work: Callable[[], object]) -> None:
        """A process was not dead but frozen: much later it does what it was about to do."""
        if self.dice.random() < self.weather.frozen:
            self.soon(self.dice.uniform(*THAWED), partial(self._thawed, work))

    def _thawed(self, work: Callable[[], object]) -> None:
        try:
            work()
        except (LeaseLostError, WithdrawnError):
            self.refused += 1  # by the fence, or because its caller had been seen to give up
        except AwsError:
            pass  # a read may fail

    async def end(self) -> None:
        """Nothing arrives any more. Raises what has gone wrong with something that did."""
        for task in self.on_their_way:
            task.cancel()
        await asyncio.gather(*self.on_their_way, return_exceptions=True)
        for failure in self._failures:
            raise failure

    def _arrived(self, task: "asyncio.Task[Any]") -> None:
        self.on_their_way.discard(task)
        failure = None if task.cancelled() else task.exception()
        if failure is not None:
            self._failures.append(failure)

    def _slow_wire(self) -> Callable[..., Any]:
        """The simulated AWS; some calls take seconds, before AWS acts or after it."""
        wire = self.wire()

        def answer(**call: Any) -> Any:
            before, after = self._seconds(), self._seconds()
            self.clock.skip(before)
            try:
                return wire(**call)
            finally:
                self.clock.skip(after)

        return answer

    def _seconds(self) -> float:
        if self.dice.random() >= self.weather.slow / 2:
            return 0.0
        return self.dice.uniform(*ON_THE_WIRE) / 2


async def _done(result: Any) -> None:
    if inspect.isawaitable(result):
        await result
