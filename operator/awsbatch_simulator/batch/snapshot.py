"""GetJobQueueSnapshot: the front of the line, and what the queue uses."""

from itertools import islice
from typing import Any

from awsbatch_simulator.batch import fair_share
from awsbatch_simulator.batch.limits import refusal
from awsbatch_simulator.region import Region

FRONT, TOP_SHARES = 100, 20


def snapshot(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """The first 100 RUNNABLE jobs in order of dispatch, and since when each is where it is."""
    queue = region.batch.queue(request["jobQueue"])
    if queue is None:
        raise refusal(f"JobQueue {request['jobQueue'][:200]} not found.")
    jobs, now = region.batch.queue_jobs(queue), region.now_ms()
    used = fair_share.usage(region, queue)
    utilization: dict[str, Any] = {
        "totalCapacityUsage": _capacity(sum(used.values())),
        "lastUpdatedAt": now,
    }
    if fair_share.is_fair(region, queue):
        utilization["fairshareUtilization"] = _shares(used)
    return {
        "frontOfQueue": {
            "jobs": [
                {
                    "jobArn": job.arn,
                    "earliestTimeAtPosition": max(job.moved_at, jobs.line_moved_at),
                }
                for job in islice(fair_share.dispatch(region, queue), FRONT)
            ],
            "lastUpdatedAt": now,
        },
        "queueUtilization": utilization,
    }


def _capacity(vcpus: float) -> list[dict[str, Any]]:
    return [{"capacityUnit": "VCPU", "quantity": vcpus}]


def _shares(used: dict[str, float]) -> dict[str, Any]:
    top = sorted(used.items(), key=lambda each: (-each[1], each[0]))[:TOP_SHARES]
    return {
        "activeShareCount": len(used),
        "topCapacityUtilization": [
            {"shareIdentifier": share, "capacityUsage": _capacity(vcpus)} for share, vcpus in top
        ],
    }
