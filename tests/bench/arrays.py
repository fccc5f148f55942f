"""What arrays, packed tasks and finished jobs cost, in one process on a stepped clock.

Seconds are simulated ones; the operator and the simulator are whole.
"""

import asyncio
import copy
from dataclasses import dataclass
from typing import Any

from tests.bench.figures import Figure, say
from tests.support.installation import ACCOUNT, NAMESPACE, Installation
from tests.support.manifests import fargate, queue

from awsbatch_operator.api.metadata import SUBMISSION, ObjectKey
from awsbatch_simulator.jobscript import JobScript

TASKS = 10_000
SLOTS = 200  # vCPUs, and as many jobs at a time
PLACED = 20.0  # tasks a second that ECS places
TASKS_PER_JOB = 50
TASK_SECONDS = 1.0
CHILD_SECONDS = 60.0  # of the array that is not packed: long enough for its progress to be told
FINISHED = 20_000
WATCHED_SECONDS = 1800.0
PASSES = 3  # over all objects in that time
LATE = 7 * 86_400.0

ENVIRONMENT = ObjectKey("ComputeEnvironment", NAMESPACE, "pool")
QUEUE = ObjectKey("JobQueue", NAMESPACE, "main")
JOB = ObjectKey("BatchJob", NAMESPACE, "tasks")
DEFINITION = {
    "type": "container",
    "platformCapabilities": ["FARGATE"],
    "containerProperties": {
        "image": "busybox",
        "command": ["true"],
        "executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/ecsTaskExecutionRole",
        "resourceRequirements": [
            {"type": "VCPU", "value": "1"},
            {"type": "MEMORY", "value": "2048"},
        ],
    },
}
SPEC: dict[str, Any] = {"jobQueueRef": {"name": "main"}, "jobDefinition": DEFINITION}
ARRAY: dict[str, Any] = SPEC | {"arrayProperties": {"size": TASKS}}


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one object from its creation to its end; `writes` are those of its status."""

    seconds: float
    submits: int
    writes: int


def _made(job_seconds: float, rate: float | None) -> Installation:
    there = Installation(limited=False)
    settings = {"placement_rate": rate, "job_scripts": (JobScript(duration_seconds=job_seconds),)}
    world = there.simulator.world
    world.change(world.settings.model_copy(update=settings))
    there.apply(ENVIRONMENT, fargate(maxvCpus=SLOTS))
    there.apply(QUEUE, queue())
    return there


async def _cost(spec: dict[str, Any], job_seconds: float, rate: float | None) -> Cost:
    there = _made(job_seconds, rate)
    statuses: set[str] = set()

    def note(_: str, body: dict[str, Any]) -> None:
        if body["kind"] == JOB.kind and "status" in body:
            statuses.add(repr(body["status"]))

    async with there.running():
        await there.until_ready(ENVIRONMENT, QUEUE, within=900)
        stop = there.kube.subscribe(note)
        there.apply(JOB, spec)
        seconds = await there.clock.run_until(lambda: there.is_true(JOB, "Complete"), within=LATE)
        stop()
        return Cost(seconds, there.calls.count("batch:SubmitJob"), len(statuses))


async def _at_rest(number: int) -> tuple[int, int]:
    """(calls, writes) for so many finished jobs, from the operator's start on."""
    there = _made(TASK_SECONDS, None)
    async with there.running():
        await there.until_ready(ENVIRONMENT, QUEUE, within=900)
        there.apply(JOB, SPEC)
        await there.until(JOB, "Complete", within=900)
    _copy(there, number - 1)
    writes: list[str] = []
    there.calls.clear()
    stop = there.kube.subscribe(lambda _, body: writes.append(body["metadata"]["name"]))
    async with there.running():
        await there.clock.advance(WATCHED_SECONDS)
        stop()
        assert there.metric("resync_passes_total", outcome="ok") >= PASSES
    # What is polled of infrastructure, and who we are, is asked whatever jobs there are.
    others = ("JobQueues", "JobDefinitions", "ComputeEnvironments", "GetCallerIdentity")
    calls = [call for call in there.calls if not call.endswith(others)]
    return len(calls), len(writes)


def _copy(there: Installation, number: int) -> None:
    body = there.kube.see(JOB)
    uid = body["metadata"]["uid"]
    for each in range(number):
        made = copy.deepcopy(body)
        key = JOB._replace(name=f"done-{each:05d}")
        made["metadata"]["name"] = key.name
        stored = there.kube.objects.create(key, made)
        annotations = dict(stored["metadata"]["annotations"])
        own = stored["metadata"]["uid"]
        annotations[SUBMISSION] = annotations[SUBMISSION].replace(uid, own)
        stored["metadata"]["annotations"] = annotations


def measure() -> list[Figure]:
    """The rows of arrays and of finished jobs."""
    say(f"An array of {TASKS:,} …")
    usual = asyncio.run(_cost(ARRAY, CHILD_SECONDS, None))
    say("The same of tasks of a second, packed and not …")
    packed_spec = ARRAY | {"packing": {"tasksPerJob": TASKS_PER_JOB}}
    packed = asyncio.run(_cost(packed_spec, TASKS_PER_JOB * TASK_SECONDS, PLACED))
    alone = asyncio.run(_cost(ARRAY, TASK_SECONDS, PLACED))
    say(f"{FINISHED:,} finished jobs …")
    calls, writes = asyncio.run(_at_rest(FINISHED))
    array, tasks = f"an array of {TASKS:,}", f"{TASKS:,} packed tasks of {TASK_SECONDS:g} s"
    note = f"{TASKS_PER_JOB} a job, {SLOTS} slots, {PLACED:g} placed a second"
    whole = f"it took {usual.seconds:,.0f} simulated s"
    times = f"{packed.seconds:,.0f} s instead of {alone.seconds:,.0f} s"
    rest = f"{FINISHED:,} finished BatchJobs from a start on, {WATCHED_SECONDS:g} s"
    return [
        Figure(array, usual.submits, 1, "SubmitJob"),
        Figure(array, usual.writes, 10, "status writes", whole),
        Figure(tasks, packed.submits, 2, "SubmitJob", note),
        Figure(tasks, packed.writes, 10, "status writes"),
        Figure(f"{tasks}, sooner", alone.seconds / packed.seconds, 4, "times", times, least=True),
        Figure(rest, calls, 0, "calls about jobs"),
        Figure(rest, writes, 0, "writes"),
    ]
