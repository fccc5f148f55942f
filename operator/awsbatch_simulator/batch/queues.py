"""The operations on job queues, and how queues change their status."""

from typing import Any

from awsbatch_simulator.batch import ending
from awsbatch_simulator.batch.limits import QUEUES, answer, check_name, check_tags, page, refusal
from awsbatch_simulator.batch.model import Queue, State, Status
from awsbatch_simulator.batch.queue_rules import (
    check_order,
    check_policy,
    check_priority,
    check_time_limits,
    ordered,
)
from awsbatch_simulator.batch.wake import look_soon
from awsbatch_simulator.errors import client_exception
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
HEALTHY = "JobQueue Healthy"
_BUSY = {Status.CREATING, Status.UPDATING, Status.DELETING}
DELETED_WITH_QUEUE = "The job queue was deleted"


def create(region: Region, request: Fields) -> Fields:
    """CreateJobQueue."""
    name = request["jobQueueName"]
    check_name(name, "jobQueueName")
    check_tags(request.get("tags", {}))
    check_priority(request["priority"])
    if request.get("serviceEnvironmentOrder"):
        raise refusal("serviceEnvironmentOrder: service environments are not simulated")
    if name in region.batch.queues:
        raise client_exception("Object already exists")
    if len(region.batch.queues) >= QUEUES:
        raise refusal(f"The limit of {QUEUES} job queues has been reached")
    environments = check_order(region, request.get("computeEnvironmentOrder", ()))
    check_time_limits(request.get("jobStateTimeLimitActions", ()))
    check_policy(region, request.get("schedulingPolicyArn"))
    queue = Queue(
        name=name,
        arn=region.arn("batch", f"job-queue/{name}"),
        state=State(request.get("state", "ENABLED")),
        priority=request["priority"],
        environments=[each.arn for each in environments],
        order=ordered(environments, request["computeEnvironmentOrder"]),
        tags=dict(request.get("tags", {})),
        type="ECS_FARGATE" if environments[0].fargate else "ECS",
        policy_arn=request.get("schedulingPolicyArn"),
        time_limits=list(request.get("jobStateTimeLimitActions", ())),
    )
    region.batch.queues[name] = queue
    _relate(region, queue, before=[])
    delay = region.world.settings.delays.queue_creating
    queue.timer = region.world.clock.call_after(delay, _settle, region, queue)
    return {"jobQueueName": name, "jobQueueArn": queue.arn}


def update(region: Region, request: Fields) -> Fields:
    """UpdateJobQueue."""
    queue = _found(region, request["jobQueue"])
    if queue.status in _BUSY:
        raise client_exception("Cannot update, resource is being modified")
    if "priority" in request:
        check_priority(request["priority"])
    check_time_limits(request.get("jobStateTimeLimitActions", ()))
    _check_policy_change(region, queue, request)
    before = queue.environments
    if "computeEnvironmentOrder" in request:
        environments = check_order(region, request["computeEnvironmentOrder"], known=before)
        queue.environments = [each.arn for each in environments]
        queue.order = ordered(environments, request["computeEnvironmentOrder"])
    queue.state = State(request.get("state", queue.state))
    queue.priority = request.get("priority", queue.priority)
    queue.policy_arn = request.get("schedulingPolicyArn", queue.policy_arn)
    queue.time_limits = list(request.get("jobStateTimeLimitActions", queue.time_limits))
    _relate(region, queue, before=before)
    queue.status, queue.status_reason = Status.UPDATING, ""
    delay = region.world.settings.delays.queue_updating
    queue.timer = region.world.clock.call_after(delay, _settle, region, queue)
    return {"jobQueueName": queue.name, "jobQueueArn": queue.arn}


def _check_policy_change(region: Region, queue: Queue, request: Fields) -> None:
    if "schedulingPolicyArn" not in request:
        return
    if queue.policy_arn is None:
        raise refusal("A FIFO job queue can't have a scheduling policy added")
    if not request["schedulingPolicyArn"]:
        raise refusal("A scheduling policy can be replaced but can't be removed")
    check_policy(region, request["schedulingPolicyArn"])


def _settle(region: Region, queue: Queue) -> None:
    queue.status, queue.status_reason = Status.VALID, HEALTHY
    look_soon(region)


def _relate(region: Region, queue: Queue, *, before: list[str]) -> None:
    """Note which environments the queue uses; AWS forgets a relation only some time later."""
    relations = region.batch.relations
    for arn in queue.environments:
        relations.setdefault(arn, set()).add(queue.arn)
    for arn in set(before) - set(queue.environments):
        _unrelate_later(region, queue, arn)


def _unrelate_later(region: Region, queue: Queue, environment: str) -> None:
    lag = region.world.settings.delays.relation_lag
    fault = region.world.faults.active(
        "relation_lag", jobQueue=queue.name, computeEnvironment=environment.rpartition("/")[2]
    )
    lag = max(lag, fault.spec.seconds) if fault else lag
    region.world.clock.call_after(lag, _unrelate, region, queue, environment)


def _unrelate(region: Region, queue: Queue, environment: str) -> None:
    alive = region.batch.queues.get(queue.name) is queue
    if not (alive and environment in queue.environments):
        region.batch.relations.get(environment, set()).discard(queue.arn)


def describe(region: Region, request: Fields) -> Fields:
    """DescribeJobQueues: names and ARNs that are unknown are left out."""
    store = region.batch
    names = request.get("jobQueues")
    if names and "maxResults" in request:
        raise refusal("JobQueues and MaxResults cannot both be set")
    if names:
        found = {each.name: each for name in names if (each := store.queue(name))}
        return answer("jobQueues", [_described(each) for each in found.values()], None)
    shown, token = page(store.queues.items(), request)
    return answer("jobQueues", [_described(each) for each in shown], token)


def _described(queue: Queue) -> Fields:
    detail = {
        "jobQueueName": queue.name,
        "jobQueueArn": queue.arn,
        "state": queue.state,
        "status": queue.status,
        "statusReason": queue.status_reason,
        "priority": queue.priority,
        "computeEnvironmentOrder": queue.order,
        "serviceEnvironmentOrder": [],
        "jobQueueType": queue.type,
        "tags": queue.tags,
        "jobStateTimeLimitActions": queue.time_limits,
    }
    if queue.policy_arn is not None:
        detail["schedulingPolicyArn"] = queue.policy_arn
    return detail


def delete(region: Region, request: Fields) -> Fields:
    """DeleteJobQueue: disabled first; its jobs are terminated."""
    queue = _found(region, request["jobQueue"])
    if queue.status in _BUSY:
        raise client_exception("Cannot delete, resource is being modified")
    if queue.state is not State.DISABLED:
        raise client_exception("Cannot delete, job queue state must be DISABLED")
    queue.status, queue.status_reason = Status.DELETING, ""
    for job in list(region.batch.queue_jobs(queue).unfinished.values()):
        ending.end_with_queue(region, job, DELETED_WITH_QUEUE)
    _deleted_later(region, queue)
    return {}


def _deleted_later(region: Region, queue: Queue) -> None:
    delay = region.world.settings.delays.queue_deleting or 0.1
    queue.timer = region.world.clock.call_after(delay, _deleted, region, queue)


def _deleted(region: Region, queue: Queue) -> None:
    """Gone once no job of it is left."""
    if region.batch.queue_jobs(queue).unfinished:
        _deleted_later(region, queue)
        return
    queue.status = Status.DELETED
    del region.batch.queues[queue.name]
    for arn in queue.environments:
        _unrelate_later(region, queue, arn)


def _found(region: Region, reference: str) -> Queue:
    queue = region.batch.queue(reference)
    if queue is None:
        raise client_exception(f"{reference[:200]} does not exist")
    return queue
