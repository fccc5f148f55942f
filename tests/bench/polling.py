"""How many calls a polling cycle takes, over jobs as AWS lists them, on a stepped clock."""

import asyncio
from typing import Any, cast

from tests.bench.figures import Figure
from tests.support.clock import SteppedClock
from tests.support.model_jobs import ModelJobs

from awsbatch_operator.api.metadata import ObjectKey
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.job_feed import JobPoller
from awsbatch_operator.aws.settings import Cadence

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


def measure() -> list[Figure]:
    """The polling rows."""
    few, _ = asyncio.run(_calls_a_cycle(1_000, 0))
    many, of_finished = asyncio.run(_calls_a_cycle(100_000, 500))
    what = "AWS calls per polling cycle"
    return [
        Figure(what, few, 10, "calls", "1,000 active jobs"),
        Figure(what, many, 150, "calls", "100,000 active jobs"),
        Figure("AWS calls about finished jobs", float(of_finished), 0, "calls"),
    ]
