"""GetJobQueueSnapshot: the front of the line, and what the queue uses."""

from typing import Any

from awsbatch_simulator.batch.limits import refusal
from awsbatch_simulator.batch.model import JobStatus
from awsbatch_simulator.region import Region

FRONT = 100
_DISPATCHED = {JobStatus.STARTING, JobStatus.RUNNING}


def snapshot(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """The first 100 RUNNABLE jobs in order of dispatch, and since when each is where it is."""
    queue = region.batch.queue(request["jobQueue"])
    if queue is None:
        raise refusal(f"JobQueue {request['jobQueue'][:200]} not found.")
    jobs, now = region.batch.queue_jobs(queue), region.now_ms()
    used = sum(job.vcpus for job in jobs.unfinished.values() if job.status in _DISPATCHED)
    return {
        "frontOfQueue": {
            "jobs": [
                {
                    "jobArn": job.arn,
                    "earliestTimeAtPosition": max(job.moved_at, jobs.line_moved_at),
                }
                for job in jobs.line[:FRONT]
            ],
            "lastUpdatedAt": now,
        },
        "queueUtilization": {
            "totalCapacityUsage": [{"capacityUnit": "VCPU", "quantity": used}],
            "lastUpdatedAt": now,
        },
    }
