"""A restart with 20,000 BatchJobs, 500 of them active; then memory, and CPU when idle."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.bench.figures import Figure, say
from tests.bench.jobs import LONG_SECONDS, LOOK_SECONDS, NAMESPACE, STEADY, USERS, job, pid, submit
from tests.bench.processes import cpu_seconds, resident_mib
from tests.support.api_server import APPLY, ApiServer
from tests.support.deadline import wait_until
from tests.support.site import Site

TOTAL, ACTIVE = 20_000, 500
IDLE_SECONDS = 30.0
CALM_SECONDS = 30.0


def measure(site: Site) -> list[Figure]:
    """The rows about a restart."""
    site.script(jobName="active-*", durationSeconds=1e6)
    say(f"Submitting {ACTIVE} jobs that stay active …")
    submit(site, [job(f"active-{number:03d}") for number in range(ACTIVE)])
    wait_until(lambda: site.metric("queue_depth") == 0, "an empty queue", seconds=LONG_SECONDS)
    site.sandbox.stop_operator()
    with site.cluster(NAMESPACE) as cluster:
        finished = TOTAL - len(cluster.all(["BatchJob"]))
        example = cluster.get("BatchJob", "bulk-0000")
    assert example is not None
    say(f"Making {finished} BatchJobs that have finished …")
    _create_finished(site, example, finished)
    say("Starting the operator …")
    began = time.monotonic()
    site.start(**STEADY)
    wait_until(
        lambda: _all_seen(site), "all are reconciled", seconds=LONG_SECONDS, every=LOOK_SECONDS
    )
    seconds = time.monotonic() - began
    assert _running(site) == ACTIVE, "the active jobs have not stayed active"
    memory = resident_mib(pid(site))
    idle = _idle_cpu(site)
    note = f"{TOTAL:,} BatchJobs, {ACTIVE} active"
    return [
        Figure("restart until every one has been reconciled", seconds, 30, "s", note),
        Figure("resident memory then", memory, 300, "MiB"),
        Figure("CPU when idle", idle, 2, "% of a core", f"over {IDLE_SECONDS:g} s"),
    ]


def _idle_cpu(site: Site) -> float:
    """Per cent of a core that the operator uses while nothing happens.

    At its start the watch reads all objects once more, beside the work, and the poller looks more
    often at what it does not know yet; that is no idling.
    """
    wait_until(
        lambda: site.metric("watch_events_total", kind="BatchJob") >= TOTAL,
        "the watch has begun",
        seconds=LONG_SECONDS,
        every=LOOK_SECONDS,
    )
    _let_pass(CALM_SECONDS)
    cpu, then = cpu_seconds(pid(site)), time.monotonic()
    _let_pass(IDLE_SECONDS)
    return (cpu_seconds(pid(site)) - cpu) / (time.monotonic() - then) * 100


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


def _all_seen(site: Site) -> bool:
    """One pass over all objects, and a turn for each that is not over."""
    return (
        site.metric("resync_passes_total", outcome="ok") >= 1
        and site.metric("reconciles_total", kind="BatchJob") >= ACTIVE
        and site.metric("queue_depth") == 0
    )


def _create_finished(site: Site, example: dict[str, Any], number: int) -> None:
    """Copies of a job that has run, with its status."""
    names = [f"finished-{each:05d}" for each in range(number)]

    def some(share: Sequence[str]) -> None:
        with ApiServer(site.control_plane) as api:
            for name in share:
                _create_one(api, name, example)

    with ThreadPoolExecutor(USERS) as users:
        list(users.map(some, [names[each::USERS] for each in range(USERS)]))


def _create_one(api: ApiServer, name: str, example: dict[str, Any]) -> None:
    path = f"/apis/awsbatch.dev/v1alpha1/namespaces/{NAMESPACE}/batchjobs"
    metadata = {
        "name": name,
        "finalizers": example["metadata"]["finalizers"],
        "annotations": example["metadata"]["annotations"],
    }
    body = {"apiVersion": "awsbatch.dev/v1alpha1", "kind": "BatchJob", "metadata": metadata}
    status, answer = api.ask("POST", path, {**body, "spec": example["spec"]})
    assert status < 300, answer
    status, answer = api.ask(
        "PATCH",
        f"{path}/{name}/status?fieldManager=awsbatch-operator&force=true",
        {**body, "metadata": {"name": name}, "status": example["status"]},
        content_type=APPLY,
    )
    assert status < 300, answer
