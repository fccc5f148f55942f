"""Which jobs wait for an environment, in the order in which Batch would start them.

Counted are the RUNNABLE jobs of every queue that contains the environment, whoever submitted them.

The order is an approximation where Batch tells less than it knows. What GetJobQueueSnapshot names
as the front of a queue (its first 100) goes first, as Batch says it. Behind it, a queue without
fair share goes by age; one with it serves the share with the lowest use x weight first, counting
what runs now and what was placed before in this very order, and in a share by scheduling priority,
then age. Unknown to us are the decayed use of the past and the compute reservation. That is
harmless: the order decides only whom capacity is launched for first when a limit does not allow all
of it, never which job Batch starts, and the next look corrects it.

From the front backwards, jobs are put together in stretches of 1, 1, 2, 4, 8 … jobs: alike jobs of
one stretch are one need. So the order is exact where it matters, and 100,000 jobs are few needs.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from operator import attrgetter
from typing import NamedTuple

from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.capacity.model import Need

ENABLED = "ENABLED"
DEFAULT_WEIGHT = 1.0
_NAMED = 5  # ids of jobs that a need keeps


class Size(NamedTuple):
    """What one job takes of an instance."""

    vcpus: float
    memory_mib: int
    gpus: int
    timeout_seconds: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingJob:
    """A job that waits for room, or an array with its children that do."""

    job_id: str
    size: Size
    since: Instant  # since when it waits, as well as we know
    count: int = 1  # an array's children in RUNNABLE
    share: str = ""
    priority: int = 0  # schedulingPriority: higher first, in its share


_ID, _SINCE, _SIZE, _COUNT, _PRIORITY = map(
    attrgetter, ("job_id", "since.epoch", "size", "count", "priority")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueView:
    """A queue with its waiting jobs. `shares` is None where the queue has no fair share."""

    name: str
    priority: int
    state: str
    environments: tuple[str, ...]  # ARNs, in the queue's order
    jobs: tuple[WaitingJob, ...] = ()
    shares: Mapping[str, float] | None = None  # weight factors; "abc*" is a prefix
    in_use: Mapping[str, float] = field(default_factory=dict)  # vCPUs by share identifier
    front: tuple[str, ...] = ()  # job ids, as Batch will start them


def needs(
    queues: Iterable[QueueView], environment_arn: str, overflow_seconds: float, now: Instant
) -> tuple[Need, ...]:
    """What waits for the environment.

    Of a queue in whose order it is not first, only jobs that have waited longer than
    `overflow_seconds`: the environments before it had their chance. The caller leaves out an
    environment that is not ENABLED and VALID itself.
    """
    wanted: list[Need] = []
    for queue in sorted(queues, key=lambda each: (-each.priority, each.name)):
        if queue.state != ENABLED or environment_arn not in queue.environments:
            continue
        jobs: Sequence[WaitingJob] = queue.jobs
        if queue.environments[0] != environment_arn:
            latest = now.epoch - overflow_seconds
            jobs = [job for job in jobs if job.since.epoch < latest]
        for need in _grouped(_in_order(queue, jobs), now):
            _append(wanted, need)
    return tuple(wanted)


def _in_order(queue: QueueView, jobs: Sequence[WaitingJob]) -> list[WaitingJob]:
    behind = _by_age(jobs) if queue.shares is None else _fairly(queue, jobs)
    if not queue.front:
        return behind
    places: dict[str, int] = {}
    for place, job_id in enumerate(queue.front):
        places.setdefault(job_id.partition(":")[0], place)  # an array stands where its child does
    last = len(places) + len(queue.front)
    return sorted(behind, key=lambda job: places.get(job.job_id, last))


def _by_age(jobs: Iterable[WaitingJob]) -> list[WaitingJob]:
    """The oldest first; in two passes, which for 100,000 jobs takes half of what one takes."""
    ordered = sorted(jobs, key=_ID)
    ordered.sort(key=_SINCE)
    return ordered


def _fairly(queue: QueueView, jobs: Sequence[WaitingJob]) -> list[WaitingJob]:
    """Each job's key is the use x weight of its share just before it: the lowest goes first."""
    by_share: dict[str, list[WaitingJob]] = {}
    for job in _by_age(jobs):
        by_share.setdefault(job.share, []).append(job)
    keyed: list[tuple[float, str, int, WaitingJob]] = []
    for share, members in by_share.items():
        members.sort(key=_PRIORITY, reverse=True)  # stable: by age where it is the same
        weight = _weight(queue.shares or {}, share)
        before = accumulate(
            (job.size.vcpus * job.count for job in members), initial=queue.in_use.get(share, 0.0)
        )
        keyed += [
            (use * weight, share, place, job)
            for place, (use, job) in enumerate(zip(before, members, strict=False))
        ]
    keyed.sort(key=lambda each: each[:3])
    return [job for *_, job in keyed]


def _weight(shares: Mapping[str, float], share: str) -> float:
    """The weight factor of a share identifier: lower takes more. Source: ShareAttributes."""
    if share in shares:
        return shares[share]
    for name, weight in shares.items():
        if name.endswith("*") and share.startswith(name[:-1]):
            return weight
    return DEFAULT_WEIGHT


def _grouped(jobs: Sequence[WaitingJob], now: Instant) -> Iterable[Need]:
    """Stretches that double in length, each with alike jobs put together."""
    ends = list(accumulate(map(_COUNT, jobs)))
    start, reach = 0, 1
    while start < len(jobs):
        stop = max(start + 1, bisect_right(ends, reach, lo=start))
        yield from _stretch(jobs[start:stop], now)
        start, reach = stop, ends[stop - 1] * 2


def _stretch(jobs: Sequence[WaitingJob], now: Instant) -> Iterable[Need]:
    by_size: dict[Size, list[WaitingJob]] = {size: [] for size in map(_SIZE, jobs)}
    if len(by_size) == 1:
        by_size[jobs[0].size].extend(jobs)
    else:
        for job in jobs:
            by_size[job.size].append(job)
    for size, members in by_size.items():
        yield Need(
            vcpus=size.vcpus,
            memory_mib=size.memory_mib,
            gpus=size.gpus,
            timeout_seconds=size.timeout_seconds,
            count=sum(map(_COUNT, members)),
            jobs=tuple(job.job_id for job in members[:_NAMED]),
            waited_seconds=now.epoch - min(map(_SINCE, members)),
        )


def _append(wanted: list[Need], need: Need) -> None:
    """Add the need; one alike just before it grows instead."""
    if wanted and _alike(wanted[-1]) == _alike(need):
        last = wanted[-1]
        wanted[-1] = replace(
            last,
            count=last.count + need.count,
            jobs=(last.jobs + need.jobs)[:_NAMED],
            waited_seconds=max(last.waited_seconds, need.waited_seconds),
        )
    else:
        wanted.append(need)


def _alike(need: Need) -> Size:
    return Size(need.vcpus, need.memory_mib, need.gpus, need.timeout_seconds)


def shortest_timeout(wanted: Iterable[Need]) -> float | None:
    """The shortest time, in seconds, after which a waiting job is ended by its timeout.

    An instance with less time left is of no use to any of them. None if a job has no timeout, or if
    none waits.
    """
    timeouts = [need.timeout_seconds for need in wanted]
    known = [float(each) for each in timeouts if each is not None]
    return min(known) if known and len(known) == len(timeouts) else None


# --- what Batch answers ---


def waiting_job(detail: Shape, since: Instant | None = None) -> WaitingJob | None:
    """Read a JobDetail of DescribeJobs; None if no instance can be launched for it.

    Waiting are jobs in RUNNABLE, and array parents (which stay in PENDING) by their children in
    RUNNABLE; a child by itself is counted with its parent. Multi-node jobs cannot run in UNMANAGED
    environments, and a cancelled job is on its way out. Batch does not say since when a job is in
    RUNNABLE: `since` is when the caller first saw it there; without it, its creation.
    """
    array = detail.get("arrayProperties") or {}
    if detail.get("isCancelled") or detail.get("isTerminated") or "index" in array:
        return None
    if detail.get("nodeProperties") or detail.get("eksProperties"):
        return None
    if array.get("size"):
        count = int(array.get("statusSummary", {}).get("RUNNABLE", 0))
    else:
        count = int(detail.get("status") == "RUNNABLE")
    timeout = (detail.get("timeout") or {}).get("attemptDurationSeconds")
    size = _size(detail, None if timeout is None else int(timeout))
    if count == 0 or size.memory_mib == 0:
        return None
    return WaitingJob(
        job_id=str(detail["jobId"]),
        size=size,
        since=since or Instant.from_milliseconds(detail.get("createdAt", 0)),
        count=count,
        share=str(detail.get("shareIdentifier", "")),
        priority=int(detail.get("schedulingPriority", 0)),
    )


def _size(detail: Shape, timeout: int | None) -> Size:
    """The sum of all containers of the job; a container's older fields where it has no others."""
    tasks = (detail.get("ecsProperties") or {}).get("taskProperties", ())
    containers = [each for task in tasks for each in task.get("containers", ())]
    totals = {"VCPU": 0.0, "MEMORY": 0.0, "GPU": 0.0}
    for each in containers or [detail.get("container") or {}]:
        asked = {"VCPU": each.get("vcpus", 0), "MEMORY": each.get("memory", 0), "GPU": 0}
        asked.update((row["type"], row["value"]) for row in each.get("resourceRequirements", ()))
        for kind in totals:
            totals[kind] += float(asked[kind])
    return Size(totals["VCPU"], int(totals["MEMORY"]), int(totals["GPU"]), timeout)


def queue_view(
    queue: Shape,
    jobs: Iterable[WaitingJob],
    *,
    snapshot: Shape | None = None,
    policy: Shape | None = None,
) -> QueueView:
    """Put together what DescribeJobQueues, GetJobQueueSnapshot and DescribeSchedulingPolicies say.

    `policy` is the queue's scheduling policy (SchedulingPolicyDetail), None if it has none.
    """
    seen = snapshot or {}
    fair = None if policy is None else policy.get("fairsharePolicy") or {}
    front = (seen.get("frontOfQueue") or {}).get("jobs", ())
    used = (seen.get("queueUtilization") or {}).get("fairshareUtilization") or {}
    order = sorted(queue.get("computeEnvironmentOrder", ()), key=lambda each: int(each["order"]))
    return QueueView(
        name=str(queue["jobQueueName"]),
        priority=int(queue.get("priority", 0)),
        state=str(queue["state"]),
        environments=tuple(str(each["computeEnvironment"]) for each in order),
        jobs=tuple(jobs),
        shares=None
        if fair is None
        else {
            str(each["shareIdentifier"]): float(each.get("weightFactor", DEFAULT_WEIGHT))
            for each in fair.get("shareDistribution", ())
        },
        in_use={
            str(each["shareIdentifier"]): sum(
                float(part.get("quantity", 0)) for part in each.get("capacityUsage", ())
            )
            for each in used.get("topCapacityUtilization", ())
        },
        front=tuple(str(each["jobArn"]).rpartition("/")[2] for each in front),
    )
