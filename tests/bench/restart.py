"""Restarts with very many BatchJobs, most of them finished; then memory, pauses, and CPU when idle.

Finished ones are copies of one that has run, written into etcd: through the API server 100,000
would take a quarter of an hour.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from tests.bench.figures import Figure, say
from tests.bench.jobs import LONG_SECONDS, LOOK_SECONDS, NAMESPACE, STEADY, job, pid, submit
from tests.bench.processes import cpu_seconds, resident_mib
from tests.support.api_server import ApiServer
from tests.support.deadline import wait_until
from tests.support.etcd import copy_many
from tests.support.site import Site

from awsbatch_operator.api.metadata import ObjectKey

CALM_SECONDS = 130.0  # by then the gauge of pauses has forgotten the start
RESYNC_SECONDS = 600.0  # as usual
# A pass is spread evenly over its interval, and passes follow one another without a gap: any half
# of the interval has half of a pass in it.
IDLE_SECONDS = 300.0
IDLE_LOOK_SECONDS = 20.0  # the operator answers each look, too


@dataclass(frozen=True, slots=True)
class Scale:
    """How many BatchJobs there are, and what is to be reached with them."""

    total: int
    active: int
    seconds: float
    mebibytes: float
    idle: float | None = None  # per cent of a core

    @property
    def words(self) -> str:
        """For the notes of the table."""
        return f"{self.total:,} BatchJobs, {self.active:,} active"


USUAL = Scale(20_000, 500, 30, 300, idle=1)
LARGE = Scale(100_000, 5_000, 75, 500)


def measure(site: Site, scale: Scale) -> list[Figure]:
    """The rows about a restart with so many; what an earlier scale has left counts."""
    _prepare(site, scale)
    say("Starting the operator …")
    began = time.monotonic()
    site.start(resync_seconds=f"{RESYNC_SECONDS:g}", **STEADY)
    pause = longest_pause_until(site, lambda: _all_seen(site, scale), every=LOOK_SECONDS)
    seconds = time.monotonic() - began
    assert _running(site) == scale.active, "the active jobs have not stayed active"
    memory = resident_mib(pid(site))
    idle, resync_pause = _idle(site, scale)
    note = scale.words
    across = f"a pass in {RESYNC_SECONDS:g} s"
    return [
        Figure("restart until every one has been reconciled", seconds, scale.seconds, "s", note),
        Figure("resident memory then", memory, scale.mebibytes, "MiB", note),
        Figure("longest pause of the event loop meanwhile", pause * 1e3, 100, "ms", note),
        Figure("CPU when idle", idle, scale.idle, "% of a core", f"{note}; {across}"),
        Figure("longest pause across a resync", resync_pause * 1e3, 100, "ms", note),
        Figure("resident memory after it", resident_mib(pid(site)), scale.mebibytes, "MiB", note),
    ]


def _prepare(site: Site, scale: Scale) -> None:
    """Make what is missing, and end the operator."""
    running, there = _running(site), _there(site)
    site.script(jobName="active-*", durationSeconds=1e6)
    names = [f"active-{number:05d}" for number in range(running, scale.active)]
    say(f"Submitting {len(names)} jobs that stay active …")
    submit(site, [job(name) for name in names])
    wait_until(
        lambda: _running(site) == scale.active,
        "all of them run",
        seconds=LONG_SECONDS,
        every=5.0,
    )
    wait_until(lambda: site.metric("queue_depth") == 0, "an empty queue", seconds=LONG_SECONDS)
    site.sandbox.stop_operator()
    number = scale.total - there - len(names)
    say(f"Making {number} BatchJobs that have finished …")
    example = ObjectKey("BatchJob", NAMESPACE, "bulk-0000")
    copies = [f"done-{there + each:06d}" for each in range(number)]
    copy_many(site.control_plane, example, copies)
    wait_until(
        lambda: all(_is_served(site, name) for name in copies[-8:]),
        "the API server has seen them",
        seconds=LONG_SECONDS,
        every=LOOK_SECONDS,
    )


def _idle(site: Site, scale: Scale) -> tuple[float, float]:
    """Per cent of a core while nothing happens but a resync, and the longest pause meanwhile.

    At its start the watch reads all objects once more, beside the work, and the poller looks more
    often at what it does not know yet; that is no idling.
    """
    wait_until(
        lambda: site.metric("watch_events_total", kind="BatchJob") >= scale.total,
        "the watch has begun",
        seconds=LONG_SECONDS,
        every=LOOK_SECONDS,
    )
    _let_pass(CALM_SECONDS)
    cpu, then = cpu_seconds(pid(site)), time.monotonic()
    end = then + IDLE_SECONDS
    pause = longest_pause_until(site, lambda: time.monotonic() >= end, every=IDLE_LOOK_SECONDS)
    return (cpu_seconds(pid(site)) - cpu) / (time.monotonic() - then) * 100, pause


def longest_pause_until(site: Site, reached: Callable[[], bool], *, every: float) -> float:
    """Seconds of the longest pause of the operator's event loop until that is so."""
    longest = 0.0
    deadline = time.monotonic() + LONG_SECONDS
    while not reached():
        assert time.monotonic() < deadline, "not reached"
        _let_pass(every)
        longest = max(longest, site.metric("event_loop_pause_seconds"))
    return longest


def _let_pass(seconds: float) -> None:
    until = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= until, "idle", seconds=2 * seconds, every=LOOK_SECONDS)


def _running(site: Site) -> int:
    """Active jobs that run in AWS."""
    queue = site.client("batch").describe_job_queues()["jobQueues"][0]["jobQueueArn"]
    pages = site.client("batch").get_paginator("list_jobs")
    return sum(
        len(page["jobSummaryList"]) for page in pages.paginate(jobQueue=queue, jobStatus="RUNNING")
    )


def _there(site: Site) -> int:
    """How many BatchJobs there are; the objects themselves would not fit into this process."""
    path = f"/apis/awsbatch.dev/v1alpha1/namespaces/{NAMESPACE}/batchjobs?limit=1"
    with ApiServer(site.control_plane) as api:
        _, answer = api.ask("GET", path)
    return len(answer["items"]) + int(answer["metadata"].get("remainingItemCount", 0))


def _is_served(site: Site, name: str) -> bool:
    """Whether the API server's own cache, which it lists from, has come as far as this one."""
    path = f"/apis/awsbatch.dev/v1alpha1/namespaces/{NAMESPACE}/batchjobs/{name}?resourceVersion=0"
    with ApiServer(site.control_plane) as api:
        status, _ = api.ask("GET", path)
    return status == HTTPStatus.OK


def _all_seen(site: Site, scale: Scale) -> bool:
    """One pass over all objects, and a turn for each that is not over."""
    return (
        site.metric("resync_passes_total", outcome="ok") >= 1
        and site.metric("reconciles_total", kind="BatchJob") >= scale.active
        and site.metric("queue_depth") == 0
    )
