"""JobDetail and JobSummary as AWS answers them.

A detail is made once for each change of its job.
"""

import json
from typing import Any

from awsbatch_simulator.batch import several
from awsbatch_simulator.batch.model import Job
from awsbatch_simulator.batch.store import BatchStore

Fields = dict[str, Any]
KEPT = 10_000  # details, of about 3 kB each


def fragment(store: BatchStore, job: Job) -> bytes:
    """The JobDetail as JSON; kept until the job changes, or many others have been asked for."""
    if job.fragment is not None:
        return job.fragment
    made = job.fragment = json.dumps(detail(job), separators=(",", ":")).encode()
    store.described.append(job.id)
    if len(store.described) > KEPT:
        other = store.jobs.get(store.described.popleft())
        if other is not None and other is not job:
            other.fragment = None
    return made


def detail(job: Job) -> Fields:
    """JobDetail: members that have no value yet are left out, as AWS does."""
    found: Fields = {
        "jobArn": job.arn,
        "jobName": job.name,
        "jobId": job.id,
        "jobQueue": job.queue.arn,
        "status": job.status,
        "attempts": job.attempts,
        "createdAt": job.created_at,
        **job.static,
        "tags": job.tags,
        "eksAttempts": [],
        "isCancelled": job.cancelled,
        "isTerminated": job.terminated,
    }
    if job.nodes:
        found["nodeProperties"] = job.nodes
    elif job.several:
        found |= {"container": {}, "ecsProperties": several.described(job)}
    else:
        found["container"] = {**job.container, "networkInterfaces": [], **job.outcome}
    if job.node is not None:
        found["nodeDetails"] = {"nodeIndex": job.node, "isMainNode": job.leads}
    found.update(_times(job))
    if job.array_size or job.index is not None:
        found["arrayProperties"] = _array(job)
    return found


def summary(job: Job) -> Fields:
    """JobSummary, what ListJobs shows."""
    found: Fields = {
        "jobArn": job.arn,
        "jobId": job.id,
        "jobName": job.name,
        "createdAt": job.created_at,
        "status": job.status,
        "jobDefinition": job.definition.arn,
        **_times(job),
    }
    container = {key: job.outcome[key] for key in ("exitCode", "reason") if key in job.outcome}
    if container:
        found["container"] = container
    if "shareIdentifier" in job.static:
        found["shareIdentifier"] = job.static["shareIdentifier"]
    if job.array_size or job.index is not None:
        found["arrayProperties"] = _array(job)
    if job.nodes:
        found["nodeProperties"] = {"numNodes": job.nodes["numNodes"]}
    if job.node is not None:
        count = job.whole.nodes["numNodes"] if job.whole.nodes else 0
        found["nodeProperties"] = {
            "isMainNode": job.leads,
            "numNodes": count,
            "nodeIndex": job.node,
        }
    if job.cancelled:
        found["isCancelled"] = True
    if job.terminated:
        found["isTerminated"] = True
    return found


def _times(job: Job) -> Fields:
    times: Fields = {"startedAt": job.started_at, "stoppedAt": job.stopped_at}
    times["statusReason"] = job.status_reason
    return {name: value for name, value in times.items() if value is not None}


def _array(job: Job) -> Fields:
    if job.index is not None:
        return {"index": job.index}
    return {
        "statusSummary": {str(status): count for status, count in job.summary.items()},
        "statusSummaryLastUpdatedAt": job.summary_at,
        "size": job.array_size,
    }
