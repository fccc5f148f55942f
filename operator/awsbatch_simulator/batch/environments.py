"""The operations on compute environments. Their states change in `environment_life`."""

import re
from typing import Any

from awsbatch_simulator.batch import environment_kinds, launching, stored_form
from awsbatch_simulator.batch import environment_life as life
from awsbatch_simulator.batch.environment_rules import (
    SERVICE_LINKED,
    check_creation,
    check_support,
    check_update,
    orders_newest_image,
)
from awsbatch_simulator.batch.limits import (
    ENVIRONMENTS,
    answer,
    check_name,
    check_tags,
    page,
    refusal,
)
from awsbatch_simulator.batch.model import BUSY, Environment, State
from awsbatch_simulator.ecs.model import Cluster
from awsbatch_simulator.region import Region

Fields = dict[str, Any]


def create(region: Region, request: Fields) -> Fields:
    """CreateComputeEnvironment."""
    name = request["computeEnvironmentName"]
    check_name(name, "computeEnvironmentName")
    check_tags(request.get("tags", {}))
    check_creation(request)
    resources = request.get("computeResources") or {}
    check_support(resources, own_image=launching.names_image(region, resources))
    if kubernetes := request.get("eksConfiguration"):
        environment_kinds.check_kubernetes(region, kubernetes, resources)
    store = region.batch
    if name in store.environments:
        raise refusal("Object already exists")
    if len(store.environments) >= ENVIRONMENTS:
        raise refusal(f"The limit of {ENVIRONMENTS} compute environments has been reached")
    environment = _made(region, request)
    store.environments[name] = environment
    life.after_creation(region, environment)
    return {"computeEnvironmentName": name, "computeEnvironmentArn": environment.arn}


def _made(region: Region, request: Fields) -> Environment:
    name = request["computeEnvironmentName"]
    uuid = region.world.uuid()
    kubernetes = request.get("eksConfiguration")
    role, given = request.get("serviceRole"), request.get("computeResources")
    return Environment(
        name=name,
        arn=region.arn("batch", f"compute-environment/{name}"),
        uuid=uuid,
        type=request["type"],
        state=State.ENABLED,
        service_role=_role_arn(region, role or f"role{SERVICE_LINKED}"),
        cluster_arn="" if kubernetes else _cluster(region, f"{name}_Batch_{uuid}"),
        resources=stored_form.compute_resources(given, kubernetes=bool(kubernetes))
        if given
        else None,
        tags=dict(request.get("tags", {})),
        unmanaged_vcpus=request.get("unmanagedvCpus"),
        extras={key: request[key] for key in ("context", "ecsSettings") if key in request},
        kubernetes=dict(kubernetes) if kubernetes else None,
    )


def _cluster(region: Region, name: str) -> str:
    """An ECS cluster of the environment's own; its ARN."""
    cluster = Cluster(name, region.arn("ecs", f"cluster/{name}"))
    region.ecs.clusters[name] = cluster
    return cluster.arn


def _role_arn(region: Region, role: str) -> str:
    if role.startswith("arn:"):
        return role
    path = role if role.startswith("role/") else f"role/{role.lstrip('/')}"
    return f"arn:aws:iam::{region.place.account}:{path}"


def update(region: Region, request: Fields) -> Fields:
    """UpdateComputeEnvironment."""
    environment = _found(region, request["computeEnvironment"])
    if environment.status in BUSY:
        raise refusal("Cannot update, resource is being modified")
    check_update(environment, request)
    if "state" in request:
        environment.state = State(request["state"])
    if request.get("serviceRole"):
        environment.service_role = _role_arn(region, request["serviceRole"])
    if "unmanagedvCpus" in request:
        environment.unmanaged_vcpus = request["unmanagedvCpus"]
    if "updatePolicy" in request and not environment.fargate:  # "Batch ignores it" on Fargate
        environment.update_policy = stored_form.update_policy(
            environment.update_policy, request["updatePolicy"]
        )
    if "ecsSettings" in request:
        environment.extras["ecsSettings"] = request["ecsSettings"]
    if environment.kubernetes is not None:
        environment.kubernetes |= request.get("eksConfiguration", {})
    changes = request.get("computeResources") or {}
    replaced = life.infrastructure_changes(environment, changes)
    if changes:
        environment.resources = _updated(environment, changes)
    newest = orders_newest_image(environment.resources or {}, changes)
    life.after_update(region, environment, replaces_instances=replaced, newest_image=newest)
    return {
        "computeEnvironmentName": environment.name,
        "computeEnvironmentArn": environment.arn,
    }


def _updated(environment: Environment, changes: Fields) -> Fields:
    """The resources after an update; desired stays within the bounds."""
    resources = stored_form.updated_resources(
        environment.resources or {}, changes, kubernetes=environment.kubernetes is not None
    )
    if "desiredvCpus" in resources:
        bounded = max(resources["desiredvCpus"], resources.get("minvCpus", 0))
        resources["desiredvCpus"] = min(bounded, resources["maxvCpus"])
    return resources


def describe(region: Region, request: Fields) -> Fields:
    """DescribeComputeEnvironments: as DescribeJobQueues."""
    store = region.batch
    names = request.get("computeEnvironments")
    if names and "maxResults" in request:
        raise refusal("ComputeEnvironments and MaxResults cannot both be set")
    if names:
        known = (store.environment(name) or store.deleted_environment(name) for name in names)
        found = {each.name: each for each in known if each is not None}
        return answer(
            "computeEnvironments", [_described(region, each) for each in found.values()], None
        )
    shown, token = page(store.environments.items(), request)
    return answer("computeEnvironments", [_described(region, each) for each in shown], token)


def _described(region: Region, environment: Environment) -> Fields:
    detail: Fields = {
        "computeEnvironmentName": environment.name,
        "computeEnvironmentArn": environment.arn,
        "tags": environment.tags,
        "type": environment.type,
        "state": environment.state,
        "status": environment.status,
        "statusReason": environment.status_reason,
        "serviceRole": environment.service_role,
        "containerOrchestrationType": "ECS" if environment.kubernetes is None else "EKS",
        "uuid": environment.uuid,
        **environment.extras,
    }
    if environment.kubernetes is None:
        detail["ecsClusterArn"] = environment.cluster_arn
    else:
        detail["eksConfiguration"] = environment_kinds.access(environment.kubernetes)
    if environment.unmanaged_vcpus is not None:
        detail["unmanagedvCpus"] = environment.unmanaged_vcpus
    if environment.resources is not None:
        detail["computeResources"] = launching.described(region, environment)
    if environment.update_policy is not None:
        detail["updatePolicy"] = environment.update_policy
    return detail


def delete(region: Region, request: Fields) -> Fields:
    """DeleteComputeEnvironment: disabled and without queues first."""
    environment = _found(region, request["computeEnvironment"])
    if environment.status in BUSY:
        raise refusal("Cannot delete, resource is being modified")
    if environment.state is not State.DISABLED:
        raise refusal("Cannot delete, compute environment state must be DISABLED")
    if region.batch.relations.get(environment.arn):
        raise refusal("Cannot delete, found existing JobQueue relationship")
    life.begin_deletion(region, environment)
    return {}


def _found(region: Region, reference: str) -> Environment:
    environment = region.batch.environment(reference)
    if environment is None:
        raise refusal(f"{re.sub('[^ -~]', '?', reference)[:200]} does not exist")
    return environment
