"""ListTasks and DescribeTasks: the attempts of jobs as ECS shows them."""

from datetime import UTC, datetime
from typing import Any

from awsbatch_simulator.ecs.clusters import found
from awsbatch_simulator.ecs.model import Task, TaskStatus
from awsbatch_simulator.ecs.paging import page
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
DESIRED = ("RUNNING", "PENDING", "STOPPED")  # DesiredStatus in ECS's model


def list_tasks(region: Region, request: Fields) -> Fields:
    """ListTasks: by desired status (RUNNING) and container instance."""
    cluster = found(region, request)
    wanted = request.get("desiredStatus", "RUNNING")
    if wanted not in DESIRED:
        raise AwsFailure("InvalidParameterException", f"desiredStatus is one of {DESIRED}.")
    stopped = wanted == "STOPPED"
    instance = request.get("containerInstance")
    arns = (
        task.arn
        for task in cluster.tasks.values()
        if (task.status is TaskStatus.STOPPED) == stopped
        and (instance is None or (task.instance is not None and _is(task.instance.arn, instance)))
    )
    return page("taskArns", arns, request)


def _is(arn: str, reference: str) -> bool:
    return arn == reference or arn.endswith(f"/{reference}")


def describe(region: Region, request: Fields) -> Fields:
    """DescribeTasks: unknown ones are failures with the reason MISSING."""
    cluster = found(region, request)
    tasks, failures = [], []
    for reference in request["tasks"]:
        arn = reference
        if not reference.startswith("arn:"):
            arn = region.arn("ecs", f"task/{cluster.name}/{reference}")
        task = cluster.tasks.get(arn)
        if task is None:
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            tasks.append(_described(region, task))
    return {"tasks": tasks, "failures": failures}


def _described(region: Region, task: Task) -> Fields:
    definition = f"{task.job.definition.name}:{task.job.definition.revision}"
    answer: Fields = {
        "taskArn": task.arn,
        "clusterArn": task.cluster.arn,
        "taskDefinitionArn": region.arn("ecs", f"task-definition/{definition}"),
        "lastStatus": task.status,
        "desiredStatus": "STOPPED" if task.status is TaskStatus.STOPPED else "RUNNING",
        "cpu": str(task.cpu),
        "memory": str(task.memory),
        "createdAt": datetime.fromtimestamp(task.created_at, UTC),
        "launchType": "FARGATE" if task.instance is None else "EC2",
        "startedBy": "aws-batch",
        "group": task.group,
        "containers": [{"name": "default", "lastStatus": task.status, "taskArn": task.arn}],
    }
    if task.instance is not None:
        answer["containerInstanceArn"] = task.instance.arn
    if task.started_at is not None:
        answer["startedAt"] = datetime.fromtimestamp(task.started_at, UTC)
    if task.stopped_reason:
        answer["stoppedReason"] = task.stopped_reason
    return answer
