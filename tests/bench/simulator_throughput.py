"""How fast the simulator is with many jobs in it: `python -m tests.bench.simulator_throughput`.

Two client processes with boto3 call a simulator process, all on this machine; botocore's parsing of
100 jobs (about 20 ms) is then the limit. So the simulator's own share of a DescribeJobs is measured
by itself, in this process, from the request's bytes to the answer's, with 20,000 single jobs and
with 100,000 children of arrays.
"""

import json
import multiprocessing
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from tests.support.deadline import wait_until
from tests.support.simulated_aws import make_simulator

from awsbatch_simulator import inprocess
from awsbatch_simulator.assembly import Simulator
from awsbatch_simulator.dispatch import Admitted
from awsbatch_simulator.wire import WireRequest

ROOT = Path(__file__).resolve().parents[2]
JOBS = 20_000
SUBMISSIONS = 4_000
READINGS = 240
PAGE = 100  # ids in a DescribeJobs
PROCESSES, THREADS = 2, 4
SUBMIT_REACH, DESCRIBE_REACH, SHARE_REACH_MS = 400.0, 30.0, 5.0
ARRAYS, CHILDREN = 10, 10_000
SPAWN_REACH_S, LIST_REACH_MS, MEMORY_REACH_MIB = 1.0, 15.0, 250.0

# About 3 kB a job in DescribeJobs, as a job of AWS's with an attempt and some variables.
CONTAINER = {
    "image": "111122223333.dkr.ecr.eu-central-1.amazonaws.com/simulate:2026.5",
    "command": ["simulate", "--grid", "Ref::grid", "--out", "/scratch/out"],
    "environment": [{"name": f"SETTING_{number}", "value": "x" * 20} for number in range(36)],
    "resourceRequirements": [{"type": "VCPU", "value": "4"}, {"type": "MEMORY", "value": "8192"}],
    "jobRoleArn": "arn:aws:iam::111122223333:role/batch-job",
}


@dataclass(frozen=True, slots=True)
class Aws:
    """Where the simulator listens, and its credentials."""

    url: str
    region: str
    key: str
    secret: str

    def batch(self) -> Any:
        return boto3.Session(self.key, self.secret, region_name=self.region).client(
            "batch",
            endpoint_url=self.url,
            config=Config(max_pool_connections=THREADS, retries={"total_max_attempts": 1}),
        )


def submission(number: int) -> dict[str, Any]:
    return {
        "jobName": f"simulate-{number}",
        "jobQueue": "main",
        "jobDefinition": "simulate",
        "parameters": {"grid": str(number)},
        "tags": {"awsbatch.dev/name": f"simulate-{number}", "team": "climate"},
    }


def prepare(batch: Any, pass_time: Callable[[], Any] = lambda: None) -> None:
    """A queue on an UNMANAGED environment without instances: its jobs wait in RUNNABLE."""
    batch.create_compute_environment(
        computeEnvironmentName="own",
        type="UNMANAGED",
        state="ENABLED",
        serviceRole="arn:aws:iam::111122223333:role/service-role/AWSBatchServiceRole",
    )
    _wait(batch.describe_compute_environments, "computeEnvironments", pass_time)
    order = [{"order": 1, "computeEnvironment": "own"}]
    batch.create_job_queue(jobQueueName="main", priority=1, computeEnvironmentOrder=order)
    _wait(batch.describe_job_queues, "jobQueues", pass_time)
    batch.register_job_definition(
        jobDefinitionName="simulate", type="container", containerProperties=CONTAINER
    )


def _wait(describe: Any, name: str, pass_time: Callable[[], Any]) -> None:
    def valid() -> bool:
        pass_time()
        return bool(describe()[name][0]["status"] == "VALID")

    wait_until(valid, f"all {name} are VALID", seconds=60)


def submit_many(aws: Aws, numbers: range) -> tuple[float, float, list[str]]:
    """One client process: when it began and ended, and the job ids."""
    batch = aws.batch()
    batch.describe_job_queues()
    with ThreadPoolExecutor(THREADS) as threads:
        started = time.monotonic()
        ids = list(threads.map(lambda one: batch.submit_job(**submission(one))["jobId"], numbers))
        return started, time.monotonic(), ids


def describe_many(aws: Aws, pages: Sequence[list[str]]) -> tuple[float, float, int]:
    """One client process: when it began and ended, and how many jobs it got."""
    batch = aws.batch()
    batch.describe_job_queues()
    with ThreadPoolExecutor(THREADS) as threads:
        started = time.monotonic()
        got = sum(threads.map(lambda page: len(batch.describe_jobs(jobs=page)["jobs"]), pages))
        return started, time.monotonic(), got


@contextmanager
def simulator() -> Iterator[Aws]:
    """A simulator process without request limits."""
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.json"
        options = ["--no-limits", "--speed", "20", "--ready-file", str(ready)]
        running = subprocess.Popen(
            [sys.executable, "-m", "awsbatch_simulator", *options],
            env=os.environ | {"PYTHONPATH": str(ROOT / "operator")},
            stderr=subprocess.DEVNULL,
        )
        try:
            while not ready.exists():
                if running.poll() is not None:
                    raise RuntimeError("the simulator did not start")
                time.sleep(0.02)
            found = json.loads(ready.read_text())
            yield Aws(found["url"], found["region"], found["accessKeyId"], found["secretAccessKey"])
        finally:
            running.terminate()
            running.wait(20)


def over_http() -> tuple[float, float]:
    """SubmitJob/s and DescribeJobs(100)/s with 20,000 jobs there."""
    context = multiprocessing.get_context("spawn")
    with simulator() as aws, context.Pool(PROCESSES) as pool:
        prepare(aws.batch())
        filled = _submitted(pool, aws, 0, JOBS)
        added = _submitted(pool, aws, JOBS, SUBMISSIONS)
        pick = random.Random(1)
        ids = filled.ids + added.ids
        pages = [pick.sample(ids, PAGE) for _ in range(READINGS)]
        shares = [(aws, pages[number::PROCESSES]) for number in range(PROCESSES)]
        results = pool.starmap(describe_many, shares)
        if sum(got for _, _, got in results) != READINGS * PAGE:
            raise RuntimeError("DescribeJobs did not know all jobs")
        return added.rate, READINGS / _span(results)


@dataclass(frozen=True, slots=True)
class Submitted:
    """Jobs submitted at once, and how many a second."""

    ids: list[str]
    rate: float


def _submitted(pool: Any, aws: Aws, first: int, count: int) -> Submitted:
    each = count // PROCESSES
    shares = [
        (aws, range(first + number * each, first + (number + 1) * each))
        for number in range(PROCESSES)
    ]
    results = pool.starmap(submit_many, shares)
    ids = [job for _, _, made in results for job in made]
    return Submitted(ids, len(ids) / _span(results))


def _span(results: Sequence[tuple[float, float, Any]]) -> float:
    return max(end for _, end, _ in results) - min(start for start, _, _ in results)


def own_share() -> list[float]:
    """Milliseconds of processor time of each DescribeJobs(100) in the simulator, sorted."""
    made = make_simulator(limits=False)
    batch = inprocess.session(made).client("batch")
    prepare(batch, lambda: made.world.advance(30))
    ids = [batch.submit_job(**submission(number))["jobId"] for number in range(JOBS)]
    made.world.advance(30)
    pick = random.Random(1)
    return sorted(_described(made, pick.sample(ids, PAGE)) for _ in range(READINGS))


def _described(made: Simulator, ids: list[str]) -> float:
    """Milliseconds of processor time of a DescribeJobs."""
    answer, spent = _performed(made, "/v1/describejobs", {"jobs": ids})
    if len(answer["jobs"]) != len(ids):
        raise RuntimeError("DescribeJobs did not know all jobs")
    return spent


def _performed(made: Simulator, path: str, body: dict[str, Any]) -> tuple[dict[str, Any], float]:
    """A call's answer, and milliseconds of processor time."""
    wire = _signed(made, path, body)
    started = time.thread_time()
    admitted = made.dispatcher.admit(wire)
    if not isinstance(admitted, Admitted):
        raise TypeError(admitted.body.decode())
    answer = made.dispatcher.perform(admitted)
    spent = (time.thread_time() - started) * 1000
    return json.loads(answer.body), spent


@dataclass(frozen=True, slots=True)
class Arrays:
    """What 100,000 children of arrays take."""

    spawn_seconds: float  # of processor time, for one array
    list_ms: float  # a page of 1,000, the median
    describe_ms: float  # 100 of them, the median
    memory_mib: float


def arrays() -> Arrays:
    """Ten arrays of ten thousand children, which wait."""
    made = make_simulator(limits=False)
    batch = inprocess.session(made).client("batch")
    prepare(batch, lambda: made.world.advance(30))
    before, started = _resident_mib(), time.thread_time()
    size = {"size": CHILDREN}
    ids = [
        batch.submit_job(**submission(number), arrayProperties=size)["jobId"]
        for number in range(ARRAYS)
    ]
    made.world.advance(5)
    spawned = (time.thread_time() - started) / ARRAYS
    memory, pick = _resident_mib() - before, random.Random(1)
    waiting = {"jobStatus": "RUNNABLE", "maxResults": 1000}
    listed = [
        _performed(made, "/v1/listjobs", waiting | {"arrayJobId": pick.choice(ids)})[1]
        for _ in range(READINGS // 4)
    ]
    children = [f"{job}:{index}" for job in ids for index in range(CHILDREN)]
    described = [_described(made, pick.sample(children, PAGE)) for _ in range(READINGS // 4)]
    return Arrays(spawned, statistics.median(listed), statistics.median(described), memory)


def _resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _signed(made: Simulator, path: str, body: dict[str, Any]) -> WireRequest:
    scope = f"{made.key.access_key_id}/20260501/{made.place.region}/batch/aws4_request"
    authorization = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
    headers = {"authorization": authorization}
    return WireRequest("POST", path, headers=headers, body=json.dumps(body).encode())


def main() -> int:
    """Print each figure beside what it is to reach; 1 if one falls short."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the simulator ends with us
    submitted, described = over_http()
    spent, many = own_share(), arrays()
    median, late = statistics.median(spent), spent[int(len(spent) * 0.95)]
    rows = [
        ("SubmitJob/s over HTTP", submitted, SUBMIT_REACH, submitted >= SUBMIT_REACH),
        ("DescribeJobs(100)/s over HTTP", described, DESCRIBE_REACH, described >= DESCRIBE_REACH),
        ("simulator's share, median ms", median, SHARE_REACH_MS, median <= SHARE_REACH_MS),
        ("simulator's share, 95 % ms", late, SHARE_REACH_MS, late <= SHARE_REACH_MS),
        *(
            (name, measured, reach, measured <= reach)
            for name, measured, reach in (
                ("an array of 10,000, seconds", many.spawn_seconds, SPAWN_REACH_S),
                ("1,000 of its children listed, ms", many.list_ms, LIST_REACH_MS),
                ("100 of 100,000 children, ms", many.describe_ms, 2 * SHARE_REACH_MS),
                ("100,000 children, MiB", many.memory_mib, MEMORY_REACH_MIB),
            )
        ),
    ]
    print(f"The simulator with {JOBS:,} jobs on {os.cpu_count()} cores")
    for name, measured, reach, reached in rows:
        print(f"  {name:32} {measured:8.1f}  reach {reach:6.1f}  {'ok' if reached else 'SHORT'}")
    return 0 if all(reached for *_, reached in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
