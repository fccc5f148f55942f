"""SubmitJob: what it refuses, and the job that it makes."""

from typing import Any

from awsbatch_simulator.batch import nodes, several, stored_form
from awsbatch_simulator.batch.arrays import prepare, spawn
from awsbatch_simulator.batch.container_rules import check_sizes, requirements
from awsbatch_simulator.batch.definition_rules import SCHEDULING_PRIORITIES
from awsbatch_simulator.batch.definitions import for_submission
from awsbatch_simulator.batch.limits import (
    DEPENDENCIES,
    SUBMISSION_BYTES,
    TAGS,
    check_job_name,
    check_retry,
    check_share,
    check_size,
    check_tags,
    check_timeout,
    refusal,
)
from awsbatch_simulator.batch.model import (
    Definition,
    Job,
    JobStatus,
    Queue,
    State,
    Status,
)
from awsbatch_simulator.batch.overriding import merged_container
from awsbatch_simulator.batch.transitions import fail_unstarted, move, settle, wait_for
from awsbatch_simulator.errors import not_implemented
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
TOO_MANY_TAGS = f"The combined tags of the job and its job definition are more than {TAGS}"
# What a definition or a job may have that is not simulated yet, and what it is called.
_NOT_YET = {
    "eksProperties": "jobs of eksProperties",
    "consumableResourceProperties": "jobs that consume resources",
    "consumableResourcePropertiesOverride": "jobs that consume resources",
}
_OVERRIDES = {
    "containerOverrides": "containerProperties",
    "nodeOverrides": "nodeProperties",
    "ecsPropertiesOverride": "ecsProperties",
    "eksPropertiesOverride": "eksProperties",
}


def submit(region: Region, request: Fields) -> Fields:
    """SubmitJob. The same request twice makes two jobs: there is no idempotency token."""
    check_job_name(request["jobName"])
    check_size(request, SUBMISSION_BYTES, "Job")
    check_tags(request.get("tags", {}))
    queue = _queue(region, request)
    definition = for_submission(region, request["jobDefinition"])
    _check_platform(queue, definition)
    _check_simulated(request, definition)
    check_retry(request.get("retryStrategy"))
    check_timeout(request.get("timeout"))
    if request.get("schedulingPriorityOverride", 0) not in SCHEDULING_PRIORITIES:
        raise refusal("schedulingPriorityOverride must be between 0 and 9999")
    _check_dependencies(region, request)
    job = _made(region, request, queue, definition)
    region.batch.jobs[job.id] = job
    region.batch.queue_jobs(queue).enter(job)
    _depend(region, job, request)
    if "arrayProperties" in request:
        prepare(region, job, request["arrayProperties"]["size"])
    delay = region.world.settings.delays.job_submitted
    region.world.clock.call_after(delay, _evaluate, region, job)
    return {"jobArn": job.arn, "jobName": job.name, "jobId": job.id}


def _queue(region: Region, request: Fields) -> Queue:
    queue = region.batch.queue(request["jobQueue"])
    if queue is None or queue.status in {Status.DELETING, Status.DELETED}:
        raise refusal(f"JobQueue {request['jobQueue'][:200]} not found.")
    if queue.state is not State.ENABLED:
        raise refusal(f"JobQueue {queue.name} is DISABLED and accepts no jobs.")
    if queue.status is Status.CREATING:
        raise refusal(f"JobQueue {queue.name} is not VALID: it is {queue.status}.")
    share = request.get("shareIdentifier")
    if queue.policy_arn and not share:
        raise refusal("shareIdentifier must be specified for a queue with a scheduling policy")
    if share and not queue.policy_arn:
        raise refusal("shareIdentifier can't be specified for a queue without scheduling policy")
    if share:
        check_share(share)
    return queue


def _check_platform(queue: Queue, definition: Definition) -> None:
    """The queue's platform is one that the definition requires."""
    if queue.platform not in definition.platforms:
        raise refusal(
            f"{definition.arn} has the platform capabilities {', '.join(definition.platforms)}, "
            f"but job queue {queue.name} has compute environments of the platform {queue.platform}"
        )


def _check_simulated(request: Fields, definition: Definition) -> None:
    for member, what in _NOT_YET.items():
        if definition.content.get(member) or request.get(member):
            raise not_implemented("batch", f"SubmitJob of {what}")
    own = next(kind for kind in _OVERRIDES.values() if kind in definition.content)
    for member, kind in _OVERRIDES.items():
        if kind != own and request.get(member):
            raise refusal(f"{member} cannot be used with a job definition of {own}")
    if own == "nodeProperties" and "arrayProperties" in request:
        raise refusal("arrayProperties cannot be used with a multi-node parallel job")


def _check_dependencies(region: Region, request: Fields) -> None:
    size = request.get("arrayProperties", {}).get("size")
    if "arrayProperties" in request and size is None:
        raise refusal("Array size must be between 2 and 10,000")
    dependencies = request.get("dependsOn", ())
    if len(dependencies) > DEPENDENCIES:
        raise refusal(f"Job cannot have more than {DEPENDENCIES} dependencies")  # openneuro#100
    for dependency in dependencies:
        _check_dependency(region, dependency, size)


def _check_dependency(region: Region, dependency: Fields, size: int | None) -> None:
    """A job that is known, or for arrays SEQUENTIAL alone. SEQUENTIAL with a job waits for that."""
    kind, on = dependency.get("type"), dependency.get("jobId")
    if kind == "SEQUENTIAL" and not on:
        if size is None:
            raise refusal("A SEQUENTIAL dependency without a job ID is for array jobs")
        return
    target = region.batch.jobs.get(on or "")
    if target is None:
        raise refusal(f"Job dependency {on!r} does not exist")
    if kind == "N_TO_N" and size != target.array_size:
        raise refusal("An N_TO_N dependency needs two array jobs of the same size")


def _made(region: Region, request: Fields, queue: Queue, definition: Definition) -> Job:
    job_id = region.world.uuid()
    retry = request.get("retryStrategy") or definition.content.get("retryStrategy") or {}
    timeout = request.get("timeout") or definition.content.get("timeout") or {}
    job = Job(
        id=job_id,
        arn=region.arn("batch", f"job/{job_id}"),
        name=request["jobName"],
        queue=queue,
        definition=definition,
        created_at=region.now_ms(),
        order=(region.batch.number(), -1),
        container={},
        vcpus=0.0,
        memory=0,
        static=_static(request, definition),
        tags=dict(request.get("tags", {})),
        attempts_allowed=retry.get("attempts", 1),
        retry_rules=list(retry.get("evaluateOnExit", ())),
        timeout_seconds=timeout.get("attemptDurationSeconds"),
    )
    if "nodeProperties" in definition.content:
        _give_nodes(job, request)
    elif "ecsProperties" in definition.content:
        _give_task(job, request)
    else:
        _give_container(job, request)
    return job


def _give_container(job: Job, request: Fields) -> None:
    job.overrides = request.get("containerOverrides", {})
    if "instanceType" in job.overrides:
        raise refusal("containerOverrides.instanceType is for multi-node parallel jobs")
    base, platform = job.definition.content["containerProperties"], job.queue.platform
    job.container = merged_container(base, job.overrides, platform=platform)
    sizes = requirements(job.container)
    check_sizes(sizes, platform)
    job.vcpus, job.memory = float(sizes["VCPU"]), int(sizes["MEMORY"])
    job.gpus = int(sizes.get("GPU", 0))


def _give_task(job: Job, request: Fields) -> None:
    properties, override = job.definition.content["ecsProperties"], "ecsPropertiesOverride"
    job.several = several.merged(properties, request.get(override, {}), platform=job.queue.platform)
    several.give_size(job)


def _give_nodes(job: Job, request: Fields) -> None:
    """A multi-node parallel job: it takes what its nodes take together."""
    job.overrides = request.get("nodeOverrides", {})
    job.nodes = nodes.overridden(job.definition.content["nodeProperties"], job.overrides)
    nodes.check(job.nodes)
    job.vcpus = nodes.vcpus(job.nodes)


def _static(request: Fields, definition: Definition) -> Fields:
    """The members of JobDetail that stay as they are submitted.

    In the form of the user guide's "Example Job State Change Event".
    """
    content = definition.content
    own = request.get("retryStrategy")
    retries = stored_form.retry_strategy(own) if own else content.get("retryStrategy")
    parameters = request.get("parameters")
    static: Fields = {
        "jobDefinition": definition.arn,
        "dependsOn": request.get("dependsOn", []),
        "parameters": {**content["parameters"], **parameters}
        if parameters
        else content["parameters"],
        "propagateTags": request.get("propagateTags", content.get("propagateTags", False)),
        "platformCapabilities": content.get("platformCapabilities", []),
        "retryStrategy": {"attempts": 1, "evaluateOnExit": []} | (retries or {}),
    }
    if given := request.get("timeout") or content.get("timeout"):
        static["timeout"] = given
    if "shareIdentifier" in request:
        static["shareIdentifier"] = request["shareIdentifier"]
        static["schedulingPriority"] = request.get(
            "schedulingPriorityOverride", content.get("schedulingPriority", 0)
        )
    return static


def _depend(region: Region, job: Job, request: Fields) -> None:
    """Make the job wait for others; N_TO_N is between the children of two arrays."""
    for dependency in request.get("dependsOn", ()):
        if dependency.get("type") != "N_TO_N" and dependency.get("jobId"):
            wait_for(job, region.batch.jobs[dependency["jobId"]])


def _evaluate(region: Region, job: Job) -> None:
    """Batch looks at a SUBMITTED job, whether its task can have its tags, and on what it depends.

    Source of the former: SubmitJobRequest.propagateTags.
    """
    if job.status is not JobStatus.SUBMITTED:
        return
    if job.static["propagateTags"] and len(job.definition.tags | job.tags) > TAGS:
        fail_unstarted(region, job, TOO_MANY_TAGS)
        return
    if job.array_size:
        spawn(region, job)
    if job.nodes:
        nodes.spawn(region, job, job.overrides)
    if job.waits_for or job.dependency_failed:
        move(region, job, JobStatus.PENDING)
    delay = region.world.settings.delays.job_pending
    region.world.clock.call_after(delay, settle, region, job)
