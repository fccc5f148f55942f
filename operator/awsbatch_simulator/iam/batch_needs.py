"""What each operation of AWS Batch needs.

Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS Batch";
for iam:PassRole and eks:DescribeCluster the fields of CreateComputeEnvironment in the API
reference. What only describes or lists has no resource-level permissions, but for
GetJobQueueSnapshot.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from awsbatch_simulator.batch import definitions
from awsbatch_simulator.iam.asking import (
    Asks,
    Fields,
    linked_role,
    pass_profile,
    pass_role,
    request_tags,
    resource_tags,
)
from awsbatch_simulator.iam.policy import Need
from awsbatch_simulator.region import Region

_TASKS = "ecs-tasks.amazonaws.com"
_LINKED = ("batch.amazonaws.com", "AWSServiceRoleForBatch")


def _arn(region: Region, kind: str, reference: str) -> str:
    return reference if reference.startswith("arn:") else region.arn("batch", f"{kind}/{reference}")


def _tags(region: Region, arn: str) -> Mapping[str, str]:
    """The tags of a thing of Batch, by ARN; none of what there is not."""
    store = region.batch
    kind, _, rest = arn.removeprefix(region.arn("batch", "")).partition("/")
    found: Any = None
    match kind:
        case "compute-environment":
            found = store.environments.get(rest)
        case "job-queue":
            found = store.queues.get(rest)
        case "job-definition":
            found = definitions.exact(region, arn)
        case "scheduling-policy":
            found = store.policies.get(arn)
        case "job":
            found = store.jobs.get(rest)
        case _:
            pass
    return found.tags if found is not None else {}


def _on(region: Region, action: str, arn: str, request: Fields | None = None) -> Need:
    """An action on what there is, with its tags and those of the request."""
    context = resource_tags(_tags(region, arn)) | request_tags((request or {}).get("tags", {}))
    return Need(f"batch:{action}", arn, context)


def _makes(action: str, arn: str, request: Fields) -> Iterator[Need]:
    """An action that makes something, and its tagging."""
    tags = request.get("tags", {})
    yield Need(f"batch:{action}", arn, request_tags(tags))
    if tags:
        yield Need("batch:TagResource", arn, request_tags(tags))


def _create_environment(region: Region, request: Fields) -> Iterator[Need]:
    arn = _arn(region, "compute-environment", request["computeEnvironmentName"])
    yield from _makes("CreateComputeEnvironment", arn, request)
    yield from _environments_roles(region, request)
    if request["type"] == "MANAGED" and not request.get("serviceRole"):
        yield from linked_role(region, *_LINKED)
    if "capacityTags" in request.get("computeResources", {}):
        yield Need("batch:SetCapacityTags", arn)
    if kubernetes := request.get("eksConfiguration"):
        yield Need("eks:DescribeCluster", kubernetes["eksClusterArn"])


def _update_environment(region: Region, request: Fields) -> Iterator[Need]:
    arn = _arn(region, "compute-environment", request["computeEnvironment"])
    yield _on(region, "UpdateComputeEnvironment", arn)
    yield from _environments_roles(region, request)
    if "capacityTags" in request.get("computeResources", {}):
        yield Need("batch:SetCapacityTags", arn, resource_tags(_tags(region, arn)))


def _environments_roles(region: Region, request: Fields) -> Iterator[Need]:
    """The roles that Batch, EC2, Spot Fleet and ECS are given."""
    resources = request.get("computeResources") or {}
    provider = resources.get("managedInstancesProvider") or {}
    template = provider.get("instanceLaunchTemplate") or {}
    yield from pass_role(region, request.get("serviceRole", ""), "batch.amazonaws.com")
    yield from pass_profile(region, resources.get("instanceRole", ""))
    fleet_role = resources.get("spotIamFleetRole", "")
    yield from pass_role(region, fleet_role, "spotfleet.amazonaws.com")
    ecs_role = provider.get("infrastructureRoleArn", "")
    yield from pass_role(region, ecs_role, "ecs.amazonaws.com")
    yield from pass_profile(region, template.get("ec2InstanceProfileArn", ""))


def _create_queue(region: Region, request: Fields) -> Iterator[Need]:
    arn = _arn(region, "job-queue", request["jobQueueName"])
    yield from _makes("CreateJobQueue", arn, request)
    yield from _of_a_queue(region, "CreateJobQueue", request)


def _update_queue(region: Region, request: Fields) -> Iterator[Need]:
    yield _on(region, "UpdateJobQueue", _arn(region, "job-queue", request["jobQueue"]))
    yield from _of_a_queue(region, "UpdateJobQueue", request)


def _of_a_queue(region: Region, action: str, request: Fields) -> Iterator[Need]:
    """What a queue uses: environments and a scheduling policy."""
    for entry in request.get("computeEnvironmentOrder", ()):
        arn = _arn(region, "compute-environment", entry["computeEnvironment"])
        yield _on(region, action, arn, request)
    if policy := request.get("schedulingPolicyArn"):
        yield _on(region, action, policy, request)


def _register(region: Region, request: Fields) -> Iterator[Need]:
    arn = _arn(region, "job-definition", request["jobDefinitionName"])
    yield from _makes("RegisterJobDefinition", arn, request)
    for each in _consumables(request.get("consumableResourceProperties")):
        arn = _arn(region, "consumable-resource", each)
        yield Need("batch:RegisterJobDefinition", arn, request_tags(request.get("tags", {})))
    for role in sorted(set(_task_roles(request))):
        yield from pass_role(region, role, _TASKS)


def _consumables(properties: Any) -> list[str]:
    listed = (properties or {}).get("consumableResourceList") or ()
    return [each["consumableResource"] for each in listed if each.get("consumableResource")]


def _task_roles(value: Any) -> Iterator[str]:
    """The roles of all containers and tasks, wherever they stand."""
    if isinstance(value, list):
        for each in value:
            yield from _task_roles(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            if name in {"jobRoleArn", "executionRoleArn", "taskRoleArn"} and each:
                yield each
            else:
                yield from _task_roles(each)


def _submit(region: Region, request: Fields) -> Iterator[Need]:
    """The job is not there yet, so it has no id and no tags but the request's."""
    yield from _makes("SubmitJob", region.arn("batch", "job/*"), request)
    used = [
        _arn(region, "job-definition", request["jobDefinition"]),
        _arn(region, "job-queue", request["jobQueue"]),
    ]
    properties = request.get("consumableResourcePropertiesOverride")
    used += [_arn(region, "consumable-resource", each) for each in _consumables(properties)]
    for arn in used:
        yield _on(region, "SubmitJob", arn, request)


def _ends_jobs(action: str, member: str) -> Asks:
    """Of one job, or of each of many: the action is the singular one."""

    def asks(region: Region, request: Fields) -> Iterable[Need]:
        ids = request[member] if isinstance(request[member], list) else [request[member]]
        return [_on(region, action, _arn(region, "job", each)) for each in ids]

    return asks


def _about(action: str, kind: str, member: str) -> Asks:
    """An action on one thing that there is, which a member names."""

    def asks(region: Region, request: Fields) -> Iterable[Need]:
        return [_on(region, action, _arn(region, kind, request[member]), request)]

    return asks


def _create_policy(region: Region, request: Fields) -> Iterator[Need]:
    arn = _arn(region, "scheduling-policy", request["name"])
    yield from _makes("CreateSchedulingPolicy", arn, request)


NEEDS: Mapping[str, Asks] = {
    "CreateComputeEnvironment": _create_environment,
    "UpdateComputeEnvironment": _update_environment,
    "DeleteComputeEnvironment": _about(
        "DeleteComputeEnvironment", "compute-environment", "computeEnvironment"
    ),
    "CreateJobQueue": _create_queue,
    "UpdateJobQueue": _update_queue,
    "DeleteJobQueue": _about("DeleteJobQueue", "job-queue", "jobQueue"),
    "GetJobQueueSnapshot": _about("GetJobQueueSnapshot", "job-queue", "jobQueue"),
    "RegisterJobDefinition": _register,
    "DeregisterJobDefinition": _about("DeregisterJobDefinition", "job-definition", "jobDefinition"),
    "CreateSchedulingPolicy": _create_policy,
    "UpdateSchedulingPolicy": _about("UpdateSchedulingPolicy", "scheduling-policy", "arn"),
    "DeleteSchedulingPolicy": _about("DeleteSchedulingPolicy", "scheduling-policy", "arn"),
    "SubmitJob": _submit,
    "CancelJob": _ends_jobs("CancelJob", "jobId"),
    "CancelJobs": _ends_jobs("CancelJob", "jobs"),
    "TerminateJob": _ends_jobs("TerminateJob", "jobId"),
    "TerminateJobs": _ends_jobs("TerminateJob", "jobs"),
    "TagResource": _about("TagResource", "", "resourceArn"),
    "UntagResource": _about("UntagResource", "", "resourceArn"),
    "ListTagsForResource": _about("ListTagsForResource", "", "resourceArn"),
}
