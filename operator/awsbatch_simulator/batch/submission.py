"""SubmitJob: what it refuses, and the job that it makes."""

from collections.abc import Mapping, Sequence
from typing import Any

from awsbatch_simulator.batch import stored_form
from awsbatch_simulator.batch.arrays import prepare, spawn
from awsbatch_simulator.batch.container_rules import (
    DEPRECATED,
    check_environment,
    check_not_deprecated,
    check_sizes,
    requirements,
)
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
    FARGATE,
    Definition,
    Job,
    JobStatus,
    Queue,
    State,
    Status,
)
from awsbatch_simulator.batch.transitions import fail_unstarted, move, settle, wait_for
from awsbatch_simulator.errors import not_implemented
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
TOO_MANY_TAGS = f"The combined tags of the job and its job definition are more than {TAGS}"
# What a definition or a job may have that is not simulated yet, and what it is called.
_NOT_YET = {
    "nodeProperties": "multi-node parallel jobs",
    "ecsProperties": "jobs of ecsProperties",
    "eksProperties": "jobs of eksProperties",
    "consumableResourceProperties": "jobs that consume resources",
    "consumableResourcePropertiesOverride": "jobs that consume resources",
}
_OVERRIDES_OF_OTHERS = ("nodeOverrides", "ecsPropertiesOverride", "eksPropertiesOverride")


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
    for member in _OVERRIDES_OF_OTHERS:
        if request.get(member):
            raise refusal(f"{member} cannot be used with a job definition of containerProperties")


def _check_dependencies(region: Region, request: Fields) -> None:
    size = request.get("arrayProperties", {}).get("size")
    if "arrayProperties" in request and size is None:
        raise refusal("Array size must be between 2 and 10,000")
    dependencies = request.get("dependsOn", ())
    if len(dependencies) > DEPENDENCIES:
        raise refusal(f"A job can depend upon {DEPENDENCIES} jobs at most, not {len(dependencies)}")
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
    overrides = request.get("containerOverrides", {})
    container = merged_container(definition, overrides, platform=queue.platform)
    sizes = requirements(container)
    check_sizes(sizes, queue.platform)
    retry = request.get("retryStrategy") or definition.content.get("retryStrategy") or {}
    timeout = request.get("timeout") or definition.content.get("timeout") or {}
    return Job(
        id=job_id,
        arn=region.arn("batch", f"job/{job_id}"),
        name=request["jobName"],
        queue=queue,
        definition=definition,
        created_at=region.now_ms(),
        order=(region.batch.number(), -1),
        container=container,
        vcpus=float(sizes["VCPU"]),
        memory=int(sizes["MEMORY"]),
        gpus=int(sizes.get("GPU", 0)),
        static=_static(request, definition),
        tags=dict(request.get("tags", {})),
        overrides=overrides,
        attempts_allowed=retry.get("attempts", 1),
        retry_rules=list(retry.get("evaluateOnExit", ())),
        timeout_seconds=timeout.get("attemptDurationSeconds"),
    )


def _static(request: Fields, definition: Definition) -> Fields:
    """The members of JobDetail that stay as they are submitted.

    In the form of the user guide's "Example Job State Change Event".
    """
    content = definition.content
    own = request.get("retryStrategy")
    retries = stored_form.retry_strategy(own) if own else content.get("retryStrategy", {})
    static: Fields = {
        "jobDefinition": definition.arn,
        "dependsOn": request.get("dependsOn", []),
        "parameters": {**content["parameters"], **request.get("parameters", {})},
        "propagateTags": request.get("propagateTags", content.get("propagateTags", False)),
        "platformCapabilities": content.get("platformCapabilities", []),
        "retryStrategy": {"attempts": 1, "evaluateOnExit": []} | retries,
    }
    if given := request.get("timeout") or content.get("timeout"):
        static["timeout"] = given
    if "shareIdentifier" in request:
        static["shareIdentifier"] = request["shareIdentifier"]
        static["schedulingPriority"] = request.get(
            "schedulingPriorityOverride", content.get("schedulingPriority", 0)
        )
    return static


def merged_container(
    definition: Definition, overrides: Mapping[str, Any], *, platform: str
) -> Fields:
    """The definition's container with the overrides: lists by key, the command as a whole.

    What no override touches is the definition's own, for there may be 100,000 jobs of it.
    """
    container = dict(definition.content["containerProperties"])
    check_environment(overrides.get("environment", ()))
    if platform == FARGATE:
        check_not_deprecated(overrides)
    if "" in (overrides.get("command") or ()):
        raise refusal("containerOverrides.command can't contain an empty string")
    if "instanceType" in overrides:
        raise refusal("containerOverrides.instanceType is for multi-node parallel jobs")
    if overrides.get("command"):
        container["command"] = overrides["command"]
    if overrides.get("environment"):
        variables = _merged(container["environment"], overrides["environment"], "name")
        container["environment"] = stored_form.variables(variables)
    _override_sizes(container, overrides)
    return container


def _override_sizes(container: Fields, overrides: Mapping[str, Any]) -> None:
    """By resourceRequirements, whatever the definition has; by vcpus and memory only of such.

    Source: ContainerOverrides.vcpus and .memory.
    """
    listed = overrides.get("resourceRequirements") or ()
    wanted = requirements({"resourceRequirements": listed})
    if listed:
        container["resourceRequirements"] = _merged(
            container["resourceRequirements"], listed, "type"
        )
    known = {entry["type"] for entry in container["resourceRequirements"]}
    for old, new in DEPRECATED.items():
        if new in wanted:
            container.pop(old, None)
        elif overrides.get(old) and new not in known:
            container[old] = overrides[old]


def _merged(base: Sequence[Fields], changes: Sequence[Fields], key: str) -> list[Fields]:
    merged = {entry.get(key): entry for entry in base}
    merged.update({entry.get(key): entry for entry in changes})
    return list(merged.values())


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
    if job.waits_for or job.dependency_failed:
        move(region, job, JobStatus.PENDING)
    delay = region.world.settings.delays.job_pending
    region.world.clock.call_after(delay, settle, region, job)
