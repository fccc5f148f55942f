"""The order in which the jobs of a queue are dispatched.

By age, or with a fair-share policy so that shares use capacity in the inverse proportion of their
weights, and in a share by scheduling priority, then age. What counts as a share's use is what it
uses now: how AWS lets past use decay is not known. Sources: ShareAttributes.weightFactor,
SubmitJob.schedulingPriorityOverride, FrontOfQueueDetail.jobs.
"""

import heapq
from collections.abc import Iterator
from typing import Any

from awsbatch_simulator.batch.model import Job, JobStatus, Queue
from awsbatch_simulator.region import Region

_DISPATCHED = {JobStatus.STARTING, JobStatus.RUNNING}


def is_fair(region: Region, queue: Queue) -> bool:
    """Whether the queue has a fair-share policy."""
    policy = region.batch.policies.get(queue.policy_arn or "")
    return policy is not None and "quotaSharePolicy" not in policy.content


def usage(region: Region, queue: Queue) -> dict[str, float]:
    """The vCPUs in use by share, of those that use any; without a policy all of them are of one."""
    found: dict[str, float] = {}
    for job in region.batch.queue_jobs(queue).unfinished.values():
        if job.status in _DISPATCHED:
            share = share_of(job)
            found[share] = found.get(share, 0.0) + job.vcpus
    return found


def share_of(job: Job) -> str:
    """The share identifier of a job."""
    return str(job.static.get("shareIdentifier", ""))


def dispatch(region: Region, queue: Queue) -> Iterator[Job]:
    """The RUNNABLE jobs in the order in which they go, each if all before it have gone.

    Those that were yielded may leave the line meanwhile.
    """
    line, index = region.batch.queue_jobs(queue).line, 0
    if not is_fair(region, queue):
        while index < len(line):
            job = line[index]
            yield job
            if index < len(line) and line[index] is job:
                index += 1
        return
    policy = region.batch.policies[queue.policy_arn or ""].content.get("fairsharePolicy", {})
    used, waiting = usage(region, queue), _by_share(line)
    weights = {share: weight(policy, share) for share in waiting}
    shares = [
        (used.get(share, 0.0) * weights[share], jobs[-1].order, share)
        for share, jobs in waiting.items()
    ]
    heapq.heapify(shares)
    while shares:
        burden, _, share = heapq.heappop(shares)
        jobs = waiting[share]
        job = jobs.pop()
        if jobs:
            heapq.heappush(shares, (burden + job.vcpus * weights[share], jobs[-1].order, share))
        yield job


def _by_share(line: list[Job]) -> dict[str, list[Job]]:
    """The jobs of each share, the next one last."""
    waiting: dict[str, list[Job]] = {}
    for job in line:
        waiting.setdefault(share_of(job), []).append(job)
    for jobs in waiting.values():
        jobs.sort(
            key=lambda job: (-int(job.static.get("schedulingPriority", 0)), job.order), reverse=True
        )
    return waiting


def weight(policy: dict[str, Any], share: str) -> float:
    """The weight factor of a share: its own, that of its prefix, or 1."""
    for entry in policy.get("shareDistribution", ()):
        name = entry["shareIdentifier"]
        if share == name or (name.endswith("*") and share.startswith(name[:-1])):
            return float(entry.get("weightFactor", 1.0))
    return 1.0


def head(region: Region, queue: Queue) -> Job | None:
    """The job that goes next."""
    return next(dispatch(region, queue), None)
