"""Jobs through real processes: submission, CPU time, writes, and a resync without change."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.bench.figures import Figure, say
from tests.bench.processes import cpu_seconds
from tests.support import quickstart
from tests.support.api_server import ApiServer
from tests.support.cluster import Cluster, is_complete, is_ready
from tests.support.deadline import wait_until
from tests.support.site import PATIENT, Site

from awsbatch_sandbox.sandbox import OPERATOR

NAMESPACE = "default"
JOBS = 1_000
USERS = 8  # threads that apply
LONG_SECONDS = 900.0
LOOK_SECONDS = 0.5  # a look costs what is measured its time: the two share the cores
RESYNC_SECONDS = 5
STEADY = {**PATIENT, "poll_scale": "1"}  # as an installation has them


def measure(site: Site) -> list[Figure]:
    """The rows about jobs, and the resync without change after them."""
    # A connection each, because the API server ends idle ones.
    with site.cluster(NAMESPACE) as cluster:
        prepare(site, cluster)
        figures = [one_job(site, cluster)]
    return figures + many_jobs(site) + no_op(site)


def prepare_one(site: Site) -> None:
    """What `measure` leaves behind for others to copy: all they need, and one job that has run."""
    with site.cluster(NAMESPACE) as cluster:
        prepare(site, cluster)
        cluster.apply(job("bulk-0000"))
        cluster.wait("BatchJob", "bulk-0000", is_complete, "is Complete")


def pid(site: Site) -> int:
    """The operator's process."""
    return site.sandbox._operators[OPERATOR].identity.pid


def prepare(site: Site, cluster: Cluster) -> None:
    """Environment, queue and definition, Ready."""
    site.script(durationSeconds=2.0, output=["done"])
    wanted = [body for body in quickstart.bodies() if body["kind"] != "BatchJob"]
    for body in wanted:
        if body["kind"] == "ComputeEnvironment":
            body["spec"]["computeResources"] |= {"maxvCpus": 8192, "type": "FARGATE"}
            for name in ("instanceTypes", "instanceRole", "allocationStrategy", "minvCpus"):
                body["spec"]["computeResources"].pop(name, None)
        if body["kind"] == "JobDefinition":
            del body["spec"]["timeout"]  # by which the simulated AWS, in its hurry, would end them
            body["spec"] |= {"platformCapabilities": ["FARGATE"]}
            body["spec"]["containerProperties"] |= {
                "executionRoleArn": "arn:aws:iam::111122223333:role/ecsTaskExecutionRole",
                "networkConfiguration": {"assignPublicIp": "ENABLED"},
                "resourceRequirements": [
                    {"type": "VCPU", "value": "1"},
                    {"type": "MEMORY", "value": "2048"},
                ],
            }
    cluster.apply(*wanted)
    for body in wanted:
        cluster.wait(*quickstart.named(body), is_ready, "is Ready")


def job(name: str) -> dict[str, Any]:
    """A BatchJob on them."""
    return {
        "apiVersion": "awsbatch.dev/v1alpha1",
        "kind": "BatchJob",
        "metadata": {"name": name},
        "spec": {
            "jobQueueRef": {"name": "main"},
            "jobDefinitionRef": {"name": "disk-report"},
        },
    }


def create(site: Site, bodies: Sequence[dict[str, Any]]) -> None:
    """Apply them all, as several users at once."""

    def some(share: Sequence[dict[str, Any]]) -> None:
        with ApiServer(site.control_plane) as api:
            Cluster(api, NAMESPACE).apply(*share)

    with ThreadPoolExecutor(USERS) as users:
        list(users.map(some, [bodies[number::USERS] for number in range(USERS)]))


def submit(site: Site, bodies: Sequence[dict[str, Any]]) -> float:
    """Apply them all at once; seconds until AWS has taken each."""
    before = site.calls("SubmitJob", outcome="OK")
    began = time.monotonic()
    create(site, bodies)
    wait_until(
        lambda: site.calls("SubmitJob", outcome="OK") - before >= len(bodies),
        "all are submitted",
        seconds=LONG_SECONDS,
        every=LOOK_SECONDS,
    )
    return time.monotonic() - began


def writes(site: Site) -> float:
    """Writes to BatchJobs so far."""
    return site.metric("kube_writes_total", kind="BatchJob", outcome="ok")


def one_job(site: Site, cluster: Cluster) -> Figure:
    """From apply to SubmitJob answered, on an idle system; the median of several."""
    taken = []
    for number in range(5):
        name = f"single-{number}"
        before = site.calls("SubmitJob")
        began = time.monotonic()
        cluster.apply(job(name))
        while site.calls("SubmitJob") == before:
            pass
        taken.append(time.monotonic() - began)
        cluster.wait("BatchJob", name, is_complete, "is Complete")
    note = f"median of {len(taken)}; best {min(taken):.3f} s"
    return Figure("one job on an idle system, until submitted", sorted(taken)[2], 0.1, "s", note)


def many_jobs(site: Site) -> list[Figure]:
    """A thousand at once, under AWS's limit of 50 SubmitJob a second."""
    say(f"Applying {JOBS} BatchJobs …")
    cpu, written = cpu_seconds(pid(site)), writes(site)
    submitted = site.calls("SubmitJob", outcome="OK")
    seconds = submit(site, [job(f"bulk-{number:04d}") for number in range(JOBS)])
    then = time.monotonic()
    wait_until(lambda: _finished(site) >= JOBS, "all have ended", seconds=LONG_SECONDS, every=2.0)
    rest = time.monotonic() - then
    used = cpu_seconds(pid(site)) - cpu
    per_job = (writes(site) - written) / JOBS
    twice = site.calls("SubmitJob", outcome="OK") - submitted - JOBS
    return [
        Figure("1,000 BatchJobs at once, until all are submitted", seconds, 23, "s"),
        Figure(
            "CPU of the operator for them, start to end",
            used,
            12,
            "s",
            f"which came {rest:.0f} s after the last was submitted",
        ),
        Figure("Kubernetes writes for each of them", per_job, 4, "writes"),
        Figure("jobs submitted twice", float(twice), 0, "jobs"),
    ]


def _finished(site: Site) -> int:
    with ApiServer(site.control_plane) as api:
        items = Cluster(api, NAMESPACE).all(["BatchJob"])
    return sum(1 for body in items if body["metadata"]["name"][:4] == "bulk" and is_complete(body))


def no_op(site: Site) -> list[Figure]:
    """Passes over all objects when nothing has changed."""
    site.sandbox.stop_operator()
    site.start(resync_seconds=str(RESYNC_SECONDS), **STEADY)
    wait_until(lambda: site.metric("resync_passes_total", outcome="ok") >= 1, "a first pass")
    wait_until(lambda: site.metric("queue_depth") == 0, "an empty queue")
    versions = _versions(site)
    changed = _changes(site)
    passes = site.metric("resync_passes_total", outcome="ok")
    wait_until(
        lambda: site.metric("resync_passes_total", outcome="ok") >= passes + 3,
        "three passes more",
        seconds=LONG_SECONDS,
        every=LOOK_SECONDS,
    )
    after = _versions(site)
    moved = sum(1 for name, version in versions.items() if after[name] != version)
    made = _changes(site) - changed
    return [
        Figure("resync without change: writes to Kubernetes", float(moved), 0, "writes"),
        Figure("resync without change: writes to AWS", float(made), 0, "calls"),
    ]


def _versions(site: Site) -> dict[str, str]:
    with site.cluster(NAMESPACE) as cluster:
        return {
            f"{body['kind']}/{body['metadata']['name']}": body["metadata"]["resourceVersion"]
            for body in cluster.all()
        }


def _changes(site: Site) -> int:
    calls = site.aws.admin("GET", "/_simulator/calls")["calls"]
    reads = ("Describe", "List", "Get", "Assume")
    return sum(call["count"] for call in calls if not call["operation"].startswith(reads))
