"""How many calls polling takes and for how long it holds up the loop, on a stepped clock.

And whether an account that does not answer takes the threads from one that does.
"""

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from typing import Any, cast

from tests.bench.figures import Figure
from tests.support.clock import SteppedClock
from tests.support.model_jobs import ModelJobs

from awsbatch_operator import heap
from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.aws.aws_settings import AwsSettings, Cadence
from awsbatch_operator.aws.batch import BatchAdapter, Feeds
from awsbatch_operator.aws.calls import Priority
from awsbatch_operator.aws.connect import feeds_of
from awsbatch_operator.aws.job_feed import JobPoller
from awsbatch_operator.aws.runner import ThreadRunner

SCOPE = Scope("111122223333", "eu-central-1")
QUEUE = "arn:aws:batch:eu-central-1:111122223333:job-queue/main"
SETTLED_SECONDS = 1200.0
WATCHED_SECONDS = 600.0


async def _calls_a_cycle(active: int, finished: int) -> tuple[float, int]:
    """(calls in the busiest cycle once all jobs run, calls for finished jobs alone)."""
    clock, aws = SteppedClock(), ModelJobs()
    poller = JobPoller(cast("Any", aws), clock, Cadence(), lambda _: None)
    for number in range(active):
        aws.submit(f"job-{number}", queue=QUEUE, status="RUNNING")
        poller.follow(SCOPE, f"job-{number}", QUEUE, ObjectKey("BatchJob", "bench", str(number)))
    for number in range(finished):
        aws.submit(f"done-{number}", queue=QUEUE, status="SUCCEEDED")
        poller.follow(SCOPE, f"done-{number}", QUEUE, ObjectKey("BatchJob", "bench", f"d{number}"))
        poller.forget(f"done-{number}")
    running = asyncio.ensure_future(poller.run())
    await clock.advance(SETTLED_SECONDS)
    aws.calls.clear()
    aws.described.clear()
    cycles, cycle = 0, Cadence().running
    busiest = 0
    while cycles * cycle < WATCHED_SECONDS:
        before = aws.calls.total()
        await clock.advance(cycle)
        busiest = max(busiest, aws.calls.total() - before)
        cycles += 1
    running.cancel()
    finished_calls = sum(1 for ids in aws.described for each in ids if each.startswith("done-"))
    return float(busiest), finished_calls


def _longest_step(active: int) -> float:
    """Milliseconds of the longest stretch without a turn for others in two rounds of polling."""
    longest = 0.0

    class Timed(asyncio.SelectorEventLoop):
        """Takes the time of each turn; all callbacks of one turn count together."""

        def _run_once(self) -> None:
            nonlocal longest
            began = time.perf_counter()
            super()._run_once()  # type: ignore[misc]
            longest = max(longest, time.perf_counter() - began)

    async def rounds() -> None:
        nonlocal longest
        clock, aws = SteppedClock(), ModelJobs()
        poller = JobPoller(cast("Any", aws), clock, Cadence(), lambda _: None)
        for number in range(active):
            aws.submit(f"job-{number}", queue=QUEUE, status="RUNNING")
            owner = ObjectKey("BatchJob", "bench", str(number))
            poller.follow(SCOPE, f"job-{number}", QUEUE, owner)
        heap.seldom()  # as the operator does: it is the one who polls
        running = asyncio.ensure_future(poller.run())
        await clock.advance(600.0)
        longest = 0.0
        await clock.advance(2 * Cadence().running)
        running.cancel()

    usual = gc.get_threshold()
    try:
        with asyncio.Runner(loop_factory=Timed) as runner:
            runner.run(rounds())
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()
    return longest * 1000


class _Catalogue:
    """Infrastructure of one account, in the place of a Sender; counts the calls."""

    def __init__(self, definitions: int, others: int) -> None:
        self.calls = 0
        self._things: dict[str, list[Shape]] = {
            "computeEnvironments": self._made("computeEnvironment", others),
            "jobQueues": self._made("jobQueue", others),
            "jobDefinitions": self._made("jobDefinition", definitions, revision=1),
            "schedulingPolicies": [
                {"arn": f"arn:aws:batch:r:1:scheduling-policy/n{n}", "name": f"n{n}"}
                for n in range(others)
            ],
        }

    def _made(self, prefix: str, count: int, **more: Any) -> list[Shape]:
        tags = [Owner("bench", ObjectKey(prefix, "ns", f"n{n}"), "u").tags() for n in range(count)]
        return [
            {f"{prefix}Name": f"n{n}", f"{prefix}Arn": f"arn:{prefix}/n{n}", "tags": tags[n]} | more
            for n in range(count)
        ]

    def prepay(self, *_: Any) -> Any:
        class Paid:
            def close(self) -> None:
                """Nothing was paid."""

        return Paid()

    async def call(self, scope: Scope, name: str, request: Shape, **_: Any) -> Shape:
        del scope, name
        self.calls += 1
        arns = set(request["arns"])
        found = [each for each in self._things["schedulingPolicies"] if each["arn"] in arns]
        return {"schedulingPolicies": found}

    async def pages(
        self, scope: Scope, name: str, request: Shape, member: str, **_: Any
    ) -> AsyncIterator[list[Shape]]:
        del scope, name
        things = self._things[member]
        if "jobDefinitionName" in request:
            named = request["jobDefinitionName"]
            things = [each for each in things if each["jobDefinitionName"] == named]
        elif member in request:
            prefix = member.removesuffix("s")
            things = [each for each in things if each[f"{prefix}Name"] in request[member]]
        for at in range(0, max(1, len(things)), 100):
            self.calls += 1
            yield things[at : at + 100]

    def member(self, _: Scope, __: str, answer: Shape, member: str) -> list[Shape]:
        return list(answer[member])


async def _calls_at_rest(definitions: int, others: int) -> float:
    """Calls in the busiest 30 s of half an hour, in which each object looks every 10 minutes."""
    clock, aws = SteppedClock(), _Catalogue(definitions, others)
    settings = AwsSettings(cluster_id="bench")
    feeds: Feeds = feeds_of(cast("Any", aws), clock, settings, lambda _: None)
    batch = BatchAdapter(cast("Any", aws), feeds, cast("Any", None))
    running = [asyncio.ensure_future(feed.run()) for feed in feeds.all()]

    async def look() -> None:
        for number in range(others):
            name = f"n{number}"
            await batch.compute_environment(SCOPE, name)
            await batch.job_queue(SCOPE, name)
            await batch.scheduling_policy(SCOPE, name)
        for number in range(definitions):
            await batch.job_definitions(SCOPE, f"n{number}")
        await batch.job_queues(SCOPE)

    await look()
    await clock.advance(600.0)
    busiest = 0
    for cycle in range(60):
        before = aws.calls
        await clock.advance(Cadence().infrastructure)
        if not cycle % 20:
            await look()
        busiest = max(busiest, aws.calls - before)
    for task in running:
        task.cancel()
    return float(busiest)


async def _beside(hanging: int) -> float:
    """Seconds for 400 calls of 20 ms of one account, with that many calls of 3 s of another."""
    runner = ThreadRunner(AwsSettings(cluster_id="bench").threads)

    def call(account: str, seconds: float) -> "asyncio.Task[None]":
        work = runner.run(lambda: time.sleep(seconds), priority=Priority.READING, account=account)
        return asyncio.ensure_future(work)

    others = [call("hangs", 3.0) for _ in range(hanging)]
    await asyncio.sleep(0.05)
    began = time.perf_counter()
    # As many at a time as a busy account has on the way: 50 a second, 160 ms each.
    for _ in range(50):
        await asyncio.gather(*(call("healthy", 0.02) for _ in range(8)))
    seconds = time.perf_counter() - began
    for other in others:
        other.cancel()
    runner.close()
    return seconds


def measure() -> list[Figure]:
    """The polling rows."""
    few, _ = asyncio.run(_calls_a_cycle(1_000, 0))
    many, of_finished = asyncio.run(_calls_a_cycle(100_000, 500))
    resting = asyncio.run(_calls_at_rest(1_000, 50))
    alone, beside = asyncio.run(_beside(0)), asyncio.run(_beside(200))
    what = "AWS calls per polling cycle"
    return [
        Figure(what, few, 10, "calls", "1,000 active jobs"),
        Figure(what, many, 150, "calls", "100,000 active jobs"),
        Figure("AWS calls about finished jobs", float(of_finished), 0, "calls"),
        Figure("longest step of polling", _longest_step(100_000), 100, "ms", "100,000 active jobs"),
        Figure(
            "AWS calls a cycle at rest",
            resting,
            20,
            "calls",
            "1,000 definitions, 50 environments, 50 policies, 50 queues",
        ),
        Figure(
            "threads: a healthy account beside one that hangs",
            beside / alone,
            1.5,
            "times alone",
        ),
    ]
