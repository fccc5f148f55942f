"""What Batch says of a job at the head of its line that finds no room, and its time limit.

Sources: JobDetail.statusReason, and the user guide's page "Jobs stuck in RUNNABLE status".
"""

from awsbatch_simulator.batch.model import Environment, Job, JobStatus, Queue
from awsbatch_simulator.batch.transitions import fail_unstarted
from awsbatch_simulator.demand import candidates
from awsbatch_simulator.region import Region

CAPACITY = (
    "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - All compute environments have insufficient "
    "capacity to service the job."
)
MAX_RESOURCE = (
    "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - All compute environments have a maxVcpu "
    "setting that is smaller than the job requirements."
)
REQUIREMENT = (
    "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - All compute environments have no connected "
    "instances that meet the job requirements."
)
ACTION = (
    "ACTION_REQUIRED - No compute environment of the job queue is both ENABLED and VALID; "
    "the first one says: {reason}"
)
CANCELLED = "Canceled by JobStateTimeLimit action due to reason: {reason}"


def watch(region: Region, queue: Queue) -> None:
    """Note who is at the head of the line; say why it waits, once it has waited long enough."""
    line = region.batch.queue_jobs(queue).line
    if not line:
        return
    head, now = line[0], region.now_ms()
    if head.head_since is None:
        head.head_since = now
        return
    waited = (now - head.head_since) / 1000
    if waited < region.world.settings.delays.job_blocked:
        return
    reason = why(region, queue, head)
    if reason != head.status_reason:
        head.status_reason, head.fragment = reason, None
    if reason is not None:
        _limit(region, queue, head, reason, waited)


def why(region: Region, queue: Queue, job: Job) -> str | None:
    """The reason that Batch would give; None while it is only a matter of waiting."""
    environments = [
        each for each in region.batch.environments.values() if each.arn in queue.environments
    ]
    usable = [each for each in environments if each.usable]
    if not usable:
        first = environments[0].status_reason if environments else "it does not exist"
        return ACTION.format(reason=first)
    if all(_too_small(each, job) for each in usable):
        return MAX_RESOURCE
    if all(not _fits(region, each, job) for each in usable):
        return REQUIREMENT
    if all(each.lacks_capacity for each in usable):
        return CAPACITY
    return None


def _too_small(environment: Environment, job: Job) -> bool:
    limit = (environment.resources or {}).get("maxvCpus")
    return limit is not None and job.vcpus > limit


def _fits(region: Region, environment: Environment, job: Job) -> bool:
    """Whether an instance that could be had, or one that is there, is large enough."""
    if environment.fargate:
        return True
    if environment.managed:
        return bool(candidates(environment, job.vcpus, job.memory))
    cluster = region.ecs.cluster(environment.cluster_arn)
    instances = cluster.instances.values() if cluster is not None else ()
    return any(each.cpu >= job.vcpus * 1024 and each.memory >= job.memory for each in instances)


def _limit(region: Region, queue: Queue, job: Job, reason: str, waited: float) -> None:
    """JobStateTimeLimitActions: the first one whose reason and time are met cancels the job."""
    for action in queue.time_limits:
        code = reason.partition(" ")[0]
        if code == action["reason"] and waited >= action["maxTimeSeconds"]:
            job.cancelled = True
            if job.status is JobStatus.RUNNABLE:
                fail_unstarted(region, job, CANCELLED.format(reason=reason))
            return
