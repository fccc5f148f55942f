"""The operations on container instances. Source: their fields in the ECS API reference."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from awsbatch_simulator.batch.wake import look_soon
from awsbatch_simulator.ec2.model import InstanceState
from awsbatch_simulator.ecs import life
from awsbatch_simulator.ecs.attributes import check_attributes, check_tags
from awsbatch_simulator.ecs.clusters import found, tags_of
from awsbatch_simulator.ecs.model import (
    AGENT_VERSION,
    Cluster,
    ContainerInstance,
    InstanceStatus,
    TaskStatus,
)
from awsbatch_simulator.ecs.paging import page
from awsbatch_simulator.ecs.query import matcher
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
DESCRIBED, UPDATED = 100, 10
# Source: ContainerInstanceStatus in ECS's model.
LISTED_STATUSES = frozenset(
    {"ACTIVE", "DRAINING", "REGISTERING", "DEREGISTERING", "REGISTRATION_FAILED"}
)


def register(region: Region, request: Fields) -> Fields:
    """RegisterContainerInstance, as the ECS agent calls it; again with its ARN after a restart.

    Without its ARN it is another container instance, also on a host that has one already.
    Without a cluster it is `default`, which comes into being.
    """
    cluster = region.ecs.cluster(request.get("cluster") or "default")
    if cluster is None and not request.get("cluster"):
        cluster = Cluster("default", region.arn("ecs", "cluster/default"))
        region.ecs.clusters["default"] = cluster
    if cluster is None or not cluster.active:
        raise AwsFailure("ClusterNotFoundException", "Cluster not found.")
    instance = _known(cluster, request.get("containerInstanceArn") or "")
    if instance is None:
        instance = _made(region, cluster, request)
        life.join(region, cluster, instance)
    else:
        instance.agent_connected = True
    return {"containerInstance": described(region, instance)}


def _made(region: Region, cluster: Cluster, request: Fields) -> ContainerInstance:
    ec2_id = _ec2_instance_id(region, request)
    host = region.ec2.instances.get(ec2_id)
    if host is None or host.state is not InstanceState.RUNNING:
        raise _invalid(f"The instance {ec2_id} is not a running instance of this account.")
    given = request.get("totalResources", ())
    resources = {each.get("name"): each.get("integerValue", 0) for each in given}
    if resources.get("CPU", 0) <= 0 or resources.get("MEMORY", 0) <= 0:
        raise _invalid("totalResources must have CPU and MEMORY.")
    attributes, tags = list(request.get("attributes", ())), tags_of(request)
    check_attributes(attributes)
    check_tags(tags)
    return ContainerInstance(
        arn=region.arn("ecs", f"container-instance/{cluster.name}/{region.world.hex_id(32)}"),
        ec2_instance_id=ec2_id,
        cpu=resources["CPU"],
        memory=resources["MEMORY"],
        registered_at=region.world.clock.now(),
        gpus=sum(
            len(each.get("stringSetValue", ())) for each in given if each.get("name") == "GPU"
        ),
        attributes=attributes,
        tags=tags,
    )


def _ec2_instance_id(region: Region, request: Fields) -> str:
    """From the instance identity document: a running instance of this region."""
    try:
        document = json.loads(request.get("instanceIdentityDocument") or "{}")
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise _invalid("The instance identity document is not valid JSON.")
    ec2_id = str(document.get("instanceId", ""))
    if not ec2_id.startswith("i-"):
        raise _invalid("The instance identity document names no instance.")
    if document.get("region", region.place.region) != region.place.region:
        raise _invalid("The instance identity document is of another region.")
    return ec2_id


def _invalid(message: str) -> AwsFailure:
    return AwsFailure("InvalidParameterException", message)


def _known(cluster: Cluster, reference: str) -> ContainerInstance | None:
    """By ARN or by the id that ends it."""
    return _among(cluster.instances, reference)


def _among(instances: Mapping[str, ContainerInstance], reference: str) -> ContainerInstance | None:
    if reference.startswith("arn:"):
        return instances.get(reference)
    for arn, instance in instances.items():
        if arn.endswith(f"/{reference}"):
            return instance
    return None


def _each(
    region: Region,
    request: Fields,
    limit: int,
    find: Callable[[Cluster, str], ContainerInstance | None],
    use: Callable[[ContainerInstance], Fields],
) -> Fields:
    """Use every instance that a request names; those that are unknown are failures."""
    cluster = found(region, request)
    references = request["containerInstances"]
    if not 1 <= len(references) <= limit:
        raise _invalid(f"containerInstances can have 1 to {limit} items.")
    answers, failures = [], []
    for reference in references:
        if (instance := find(cluster, reference)) is not None:
            answers.append(use(instance))
        else:
            arn = reference
            if not reference.startswith("arn:"):
                arn = region.arn("ecs", f"container-instance/{cluster.name}/{reference}")
            failures.append({"arn": arn, "reason": "MISSING"})
    return {"containerInstances": answers, "failures": failures}


def describe(region: Region, request: Fields) -> Fields:
    """DescribeContainerInstances: up to 100, also of those that were deregistered not long ago.

    Tags and health are shown to those who ask for them.
    """
    included = set(request.get("include") or ())

    def find(cluster: Cluster, reference: str) -> ContainerInstance | None:
        return _known(cluster, reference) or _among(cluster.deregistered, reference)

    def shown(instance: ContainerInstance) -> Fields:
        answer = described(region, instance)
        if "TAGS" not in included:
            del answer["tags"]
        if "CONTAINER_INSTANCE_HEALTH" in included:
            answer["healthStatus"] = {"overallStatus": "OK", "details": []}
        return answer

    return _each(region, request, DESCRIBED, find, shown)


def list_instances(region: Region, request: Fields) -> Fields:
    """ListContainerInstances: by status and by a filter of the cluster query language."""
    cluster = found(region, request)
    wanted = request.get("status")
    if wanted is not None and wanted not in LISTED_STATUSES:
        raise _invalid(f"Container instance status should be one of {sorted(LISTED_STATUSES)}.")
    matches = matcher(request.get("filter") or "", lambda each: life.connected(region, each))
    arns = (
        each.arn
        for each in cluster.instances.values()
        if (wanted is None or each.status == wanted) and matches(each)
    )
    return page("containerInstanceArns", arns, request)


def update_state(region: Region, request: Fields) -> Fields:
    """UpdateContainerInstancesState: DRAINING keeps new tasks away, those of Batch go on."""
    try:
        status = InstanceStatus(request["status"])
    except ValueError:
        status = InstanceStatus.INACTIVE
    if status is InstanceStatus.INACTIVE:
        raise _invalid("Container instance status should be one of [ACTIVE,DRAINING].")

    def change(instance: ContainerInstance) -> Fields:
        instance.status = status
        instance.version += 1
        return described(region, instance)

    answer = _each(region, request, UPDATED, _known, change)
    look_soon(region)
    return answer


def deregister(region: Region, request: Fields) -> Fields:
    """DeregisterContainerInstance: with tasks on it only by force."""
    cluster = found(region, request)
    instance = _known(cluster, request["containerInstance"])
    if instance is None:
        raise _invalid("Referenced container instance not found.")
    if instance.tasks and not request.get("force"):
        raise _invalid("Found running tasks on the instance.")
    life.leave(region, cluster, instance, "Container instance deregistered")
    return {"containerInstance": described(region, instance)}


def described(region: Region, instance: ContainerInstance) -> Fields:
    """ContainerInstance as ECS answers it."""
    running = sum(task.status is TaskStatus.RUNNING for task in instance.tasks.values())
    return {
        "containerInstanceArn": instance.arn,
        "ec2InstanceId": instance.ec2_instance_id,
        "version": instance.version,
        "versionInfo": {"agentVersion": AGENT_VERSION, "dockerVersion": "DockerVersion: 25.0.8"},
        "registeredResources": _resources(instance, instance.cpu, instance.memory, instance.gpus),
        "remainingResources": _resources(
            instance, instance.cpu_left, instance.memory_left, instance.gpus_left
        ),
        "status": instance.status,
        "agentConnected": life.connected(region, instance),
        "runningTasksCount": running,
        "pendingTasksCount": len(instance.tasks) - running,
        "attributes": instance.attributes,
        "registeredAt": datetime.fromtimestamp(instance.registered_at, UTC),
        "attachments": [],
        "tags": [{"key": key, "value": value} for key, value in instance.tags.items()],
    }


def _resources(instance: ContainerInstance, cpu: int, memory: int, gpus: int) -> list[Fields]:
    """CPU, memory and, where there are GPUs, their ids."""
    found: list[Fields] = [
        {"name": name, "type": "INTEGER", "doubleValue": 0.0, "longValue": 0, "integerValue": value}
        for name, value in (("CPU", cpu), ("MEMORY", memory))
    ]
    if instance.gpus:
        ids = [f"GPU-{instance.ec2_instance_id[2:10]}-{number}" for number in range(gpus)]
        number = {"doubleValue": 0.0, "longValue": 0, "integerValue": 0}
        found.append({"name": "GPU", "type": "STRINGSET", **number, "stringSetValue": ids})
    return found
