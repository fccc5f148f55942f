"""The order in which the jobs of a queue are dispatched.

By age, or with a fair-share policy so that shares use capacity in the inverse proportion of their
weights, and in a share by scheduling priority, then age. What counts as a share's use is what it
uses now: how AWS lets past use decay is not known. Sources: ShareAttributes.weightFactor,
SubmitJob.schedulingPriorityOverride, FrontOfQueueDetail.jobs.
"""

import heapq
from collections.abc import Iterator
from typing import Any

from awsbatch_simulator.batch.lines import QueueJobs
from awsbatch_simulator.batch.model import Job, Queue
from awsbatch_simulator.region import Region


def is_fair(region: Region, queue: Queue) -> bool:
    """Whether the queue has a fair-share policy."""
    policy = region.batch.policies.get(queue.policy_arn or "")
    return policy is not None and "quotaSharePolicy" not in policy.content


def usage(region: Region, queue: Queue) -> dict[str, float]:
    """The vCPUs in use by share, of those that use any; without a policy all of them are of one."""
    used = region.batch.queue_jobs(queue).used
    return {share: use.vcpus for share, use in used.items()}


def dispatch(region: Region, queue: Queue) -> Iterator[Job]:
    """The RUNNABLE jobs in the order in which they go, each if all before it have gone.

    Those that were yielded may leave the line meanwhile.
    """
    jobs = region.batch.queue_jobs(queue)
    if is_fair(region, queue):
        policy = region.batch.policies[queue.policy_arn or ""].content.get("fairsharePolicy", {})
        yield from _fairly(jobs, policy)
        return
    line, index = jobs.line, 0
    while index < len(line):
        job = line[index]
        yield job
        if index < len(line) and line[index] is job:
            index += 1


def _fairly(jobs: QueueJobs, policy: dict[str, Any]) -> Iterator[Job]:
    used = {share: use.vcpus for share, use in jobs.used.items()}
    weights = {share: weight(policy, share) for share in jobs.shares}
    shares = [
        (used.get(share, 0.0) * weights[share], waiting[0].order, share)
        for share, waiting in jobs.shares.items()
    ]
    heapq.heapify(shares)
    last: dict[str, Job] = {}
    while shares:
        burden, _, share = heapq.heappop(shares)
        job = jobs.next_of(share, last.get(share))
        if job is None:
            continue
        last[share] = job
        if (following := jobs.next_of(share, job)) is not None:
            burden += job.vcpus * weights[share]
            heapq.heappush(shares, (burden, following.order, share))
        yield job


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
