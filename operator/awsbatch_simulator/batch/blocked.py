"""What Batch says of a job at the head of its line that finds no room, and its time limit.

Sources: JobDetail.statusReason; the user guide's page "Jobs stuck in a RUNNABLE status" and its
parts on capacity, misconfiguration, invalid compute environments and undetermined root causes,
which have these words; JobStateTimeLimitAction.
"""

from collections.abc import Callable

from awsbatch_simulator.batch import events, fair_share
from awsbatch_simulator.batch.model import Environment, Job, JobStatus, Queue, Status
from awsbatch_simulator.batch.transitions import fail_unstarted
from awsbatch_simulator.demand import candidates, could_have, has_rights
from awsbatch_simulator.ecs.model import CPU_UNITS
from awsbatch_simulator.hosting import JobEvent
from awsbatch_simulator.region import Region

CAPACITY = (
    "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - Service cannot fulfill the capacity requested for "
    "instance type [{type}]"
)
MAX_RESOURCE = (
    "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE - CE(s) associated with the job queue "
    "cannot meet the CPU requirement of the job."
)
REQUIREMENT = (
    "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - The job resource requirement (vCPU/memory/GPU) is "
    "higher than that can be met by the CE(s) attached to the job queue."
)
PERMISSIONS = (  # the dash is AWS's, and so is its being another one than in the other texts
    "MISCONFIGURATION:SERVICE_ROLE_PERMISSIONS \N{EN DASH} Batch service role has a permission "
    "issue."
)
ACTION_REQUIRED = "ACTION_REQUIRED - CE(s) associated with the job queue are invalid."
UNDETERMINED = "UNDETERMINED - Batch job is blocked, root cause is undetermined."
CANCELLED = "Canceled by JobStateTimeLimit action due to reason: {code}"


def watch(region: Region, queue: Queue) -> None:
    """Note who is at the head of the line; say why it waits, once it has waited long enough."""
    head, now = fair_share.head(region, queue), region.now_ms()
    if head is None:
        return
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
            events.tell(region, JobEvent.QUEUE_BLOCKED, head)
    if reason is not None:
        _limit(region, queue, head, reason, waited)


def why(region: Region, queue: Queue, job: Job) -> str | None:
    """The reason that Batch would give; None while it is only a matter of waiting.

    A cause is named when it is that of all environments which could run the job; when each has one
    of its own, or is disabled, Batch cannot tell. It has no word for a multi-node parallel job
    whose environments take none.
    """
    environments = [
        each for each in region.batch.environments.values() if each.arn in queue.environments
    ]
    usable = [
        each for each in environments if each.usable and each.platform in job.definition.platforms
    ]
    if not usable:
        invalid = all(each.status is Status.INVALID for each in environments)
        return ACTION_REQUIRED if invalid else UNDETERMINED
    if job.nodes:
        usable = [each for each in usable if each.takes_nodes]
        if not usable:
            return None
    causes: tuple[tuple[str, Callable[[Environment], bool]], ...] = (
        (PERMISSIONS, lambda each: not has_rights(region, each)),
        (MAX_RESOURCE, lambda each: _too_small(each, job)),
        (REQUIREMENT, lambda each: not _fits(region, each, job)),
        (CAPACITY.format(type=usable[0].lacking_type), lambda each: bool(each.lacking_type)),
    )
    for reason, holds in causes:
        if all(map(holds, usable)):
            return reason
    if all(any(holds(each) for _, holds in causes) for each in usable):
        return UNDETERMINED
    return None


def _too_small(environment: Environment, job: Job) -> bool:
    limit = (environment.resources or {}).get("maxvCpus")
    return limit is not None and job.vcpus > limit


def _fits(region: Region, environment: Environment, job: Job) -> bool:
    """Whether an instance that could be had, or one that is there, is large enough."""
    if job.nodes:
        return could_have(region, environment, job)
    if environment.fargate:
        return True
    if environment.managed:
        return bool(candidates(region, environment, job))
    cluster = region.ecs.cluster(environment.cluster_arn)
    instances = cluster.instances.values() if cluster is not None else ()
    return any(
        each.cpu >= job.vcpus * CPU_UNITS and each.memory >= job.memory and each.gpus >= job.gpus
        for each in instances
    )


def _limit(region: Region, queue: Queue, job: Job, reason: str, waited: float) -> None:
    """JobStateTimeLimitActions: the first one whose reason and time are met cancels the job.

    An action names the code alone, without the words that follow it.
    """
    code = reason.partition(" ")[0]
    for action in queue.time_limits:
        if code == action["reason"] and waited >= action["maxTimeSeconds"]:
            job.cancelled = True
            if job.status is JobStatus.RUNNABLE:
                fail_unstarted(region, job, CANCELLED.format(code=code))
            return
