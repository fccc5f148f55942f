"""The operations on job queues. Their states change in `queue_life`."""

from typing import Any

from awsbatch_simulator.batch import queue_life as life
from awsbatch_simulator.batch.limits import QUEUES, answer, check_name, check_tags, page, refusal
from awsbatch_simulator.batch.model import BUSY, Queue, State
from awsbatch_simulator.batch.queue_rules import (
    QUEUE_TYPES,
    check_order,
    check_policy,
    check_priority,
    check_simulated,
    check_time_limits,
    ordered,
)
from awsbatch_simulator.region import Region

Fields = dict[str, Any]


def create(region: Region, request: Fields) -> Fields:
    """CreateJobQueue."""
    name = request["jobQueueName"]
    check_name(name, "jobQueueName")
    check_tags(request.get("tags", {}))
    check_priority(request["priority"])
    check_simulated(request)
    if name in region.batch.queues:
        raise refusal("Object already exists")
    if len(region.batch.queues) >= QUEUES:
        raise refusal(f"The limit of {QUEUES} job queues has been reached")
    environments = check_order(region, request.get("computeEnvironmentOrder", ()))
    kind = QUEUE_TYPES[environments[0].platform]
    if request.get("jobQueueType", kind) != kind:
        raise refusal(f"jobQueueType {request['jobQueueType']} does not fit: it is {kind}")
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
        platform=environments[0].platform,
        policy_arn=request.get("schedulingPolicyArn"),
        time_limits=list(request.get("jobStateTimeLimitActions", ())),
    )
    region.batch.queues[name] = queue
    life.after_creation(region, queue)
    return {"jobQueueName": name, "jobQueueArn": queue.arn}


def update(region: Region, request: Fields) -> Fields:
    """UpdateJobQueue."""
    queue = _found(region, request["jobQueue"])
    if queue.status in BUSY:
        raise refusal("Cannot update, resource is being modified")
    if "priority" in request:
        check_priority(request["priority"])
    check_time_limits(request.get("jobStateTimeLimitActions", ()))
    _check_policy_change(region, queue, request)
    check_simulated(request)
    before = queue.environments
    if "computeEnvironmentOrder" in request:
        environments = check_order(region, request["computeEnvironmentOrder"], known=before)
        queue.environments = [each.arn for each in environments]
        queue.platform = environments[0].platform
        queue.order = ordered(environments, request["computeEnvironmentOrder"])
    queue.state = State(request.get("state", queue.state))
    queue.priority = request.get("priority", queue.priority)
    queue.policy_arn = request.get("schedulingPolicyArn", queue.policy_arn)
    queue.time_limits = list(request.get("jobStateTimeLimitActions", queue.time_limits))
    life.after_update(region, queue, before=before)
    return {"jobQueueName": queue.name, "jobQueueArn": queue.arn}


def _check_policy_change(region: Region, queue: Queue, request: Fields) -> None:
    if "schedulingPolicyArn" not in request:
        return
    if queue.policy_arn is None:
        raise refusal("A FIFO job queue can't have a scheduling policy added")
    if not request["schedulingPolicyArn"]:
        raise refusal("A scheduling policy can be replaced but can't be removed")
    check_policy(region, request["schedulingPolicyArn"])


def describe(region: Region, request: Fields) -> Fields:
    """DescribeJobQueues: what is unknown is left out, what was just deleted is seen by name."""
    store = region.batch
    names = request.get("jobQueues")
    if names and "maxResults" in request:
        raise refusal("JobQueues and MaxResults cannot both be set")
    if names:
        known = (store.queue(name) or store.deleted_queue(name) for name in names)
        found = {each.name: each for each in known if each is not None}
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
        "jobQueueType": QUEUE_TYPES[queue.platform],
        "tags": queue.tags,
        "jobStateTimeLimitActions": queue.time_limits,
    }
    if queue.policy_arn is not None:
        detail["schedulingPolicyArn"] = queue.policy_arn
    return detail


def delete(region: Region, request: Fields) -> Fields:
    """DeleteJobQueue: disabled first; its jobs are terminated."""
    queue = _found(region, request["jobQueue"])
    if queue.status in BUSY:
        raise refusal("Cannot delete, resource is being modified")
    if queue.state is not State.DISABLED:
        raise refusal("Cannot delete, job queue state must be DISABLED")
    life.begin_deletion(region, queue)
    return {}


def _found(region: Region, reference: str) -> Queue:
    queue = region.batch.queue(reference)
    if queue is None:
        raise refusal(f"{reference[:200]} does not exist")
    return queue
