"""Environments whose instances Batch does not launch itself: ECS Managed Instances, and EKS.

Sources: ManagedInstancesProvider, InstanceLaunchTemplate, EksConfiguration and
ComputeResource.capacityTags in the Batch API reference; the user guide's pages on both.
"""

import re
from collections.abc import Mapping
from typing import Any

from awsbatch_simulator.batch.limits import check_tags, refusal
from awsbatch_simulator.batch.model import MANAGED_TYPE, Environment
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
PROVIDER = "managedInstancesProvider"
# ECS_MANAGED_INSTANCES alone has these.
ONLY_MANAGED_INSTANCES = (PROVIDER, "capacityTags")
# What its provider says, or what ECS decides.
_NOT_WITH_PROVIDER = (
    *("allocationStrategy", "bidPercentage", "ec2Configuration", "ec2KeyPair", "imageId"),
    *("instanceRole", "instanceTypes", "launchTemplate", "placementGroup", "scalingPolicy"),
    *("spotIamFleetRole", "tags", "updateToLatestImageVersion"),
)
# Plain strings of the model of which the text names the values; by path in the provider.
_CHOICES: Mapping[tuple[str, ...], frozenset[str]] = {
    ("propagateTags",): frozenset({"CAPACITY_PROVIDER", "NONE"}),
    ("instanceLaunchTemplate", "capacityOptionType"): frozenset({"ON_DEMAND", "SPOT"}),
    ("instanceLaunchTemplate", "monitoring"): frozenset({"BASIC", "DETAILED"}),
}
ENVIRONMENTS_OF_A_CLUSTER = 5  # user guide, "AWS Batch service quotas"
_CLUSTER = re.compile(r"arn:aws:eks:[a-z0-9-]+:\d{12}:cluster/[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def check_managed_instances(resources: Mapping[str, Any]) -> None:
    """The computeResources of an ECS_MANAGED_INSTANCES environment, complete."""
    given = [name for name in _NOT_WITH_PROVIDER if name in resources]
    if given:
        raise refusal(f"{', '.join(given)} cannot be set for {MANAGED_TYPE}")
    provider = resources.get(PROVIDER)
    if not provider:
        raise refusal(f"{PROVIDER} is required for {MANAGED_TYPE}")
    check_tags(resources.get("capacityTags", {}))
    for path, choices in _CHOICES.items():
        value: Any = provider
        for name in path:
            value = (value or {}).get(name)
        if value is not None and value not in choices:
            raise refusal(f"{'.'.join(path)} must be one of {sorted(choices)}, not {value[:100]!r}")
    network = provider["instanceLaunchTemplate"]["networkConfiguration"]
    for name in ("subnets", "securityGroups"):
        if not network.get(name):
            raise refusal(f"networkConfiguration.{name} is required for {MANAGED_TYPE}")


def updated_provider(current: Mapping[str, Any], changes: Mapping[str, Any]) -> Fields:
    """ManagedInstancesProvider after an update: what is not said stays.

    Source: the members of UpdateManagedInstancesProviderConfiguration are all optional.
    """
    template = "instanceLaunchTemplate"
    merged = {**current, **changes}
    if template in changes:
        merged[template] = {**current.get(template, {}), **changes[template]}
    return merged


def named(resources: Mapping[str, Any]) -> tuple[list[str], list[str], str, str]:
    """Of a provider: its subnets, security groups, instance profile and infrastructure role."""
    provider = resources[PROVIDER]
    template = provider["instanceLaunchTemplate"]
    network = template["networkConfiguration"]
    return (
        list(network["subnets"]),
        list(network["securityGroups"]),
        str(template["ec2InstanceProfileArn"]),
        str(provider["infrastructureRoleArn"]),
    )


def check_kubernetes(
    region: Region, configuration: Mapping[str, Any], resources: Mapping[str, Any]
) -> None:
    """What CreateComputeEnvironment refuses of an environment on EKS."""
    cluster, namespace = configuration["eksClusterArn"], configuration["kubernetesNamespace"]
    if not _CLUSTER.fullmatch(cluster):
        raise refusal(f"{cluster[:200]!r} is not the ARN of an EKS cluster")
    reserved = namespace == "default" or namespace.startswith("kube-")
    if reserved or not _NAMESPACE.fullmatch(namespace):
        raise refusal(f"{namespace[:100]!r} cannot be the kubernetesNamespace")
    if resources.get("type") not in {"EC2", "SPOT"}:
        raise refusal("Compute environments on EKS are of type EC2 or SPOT")
    if resources.get("allocationStrategy", "BEST_FIT") == "BEST_FIT":
        raise refusal("allocationStrategy is required on EKS, and cannot be BEST_FIT")
    if trouble := cluster_trouble(region, cluster):
        raise refusal(trouble)
    users = [each for each in region.batch.environments.values() if each.on_cluster == cluster]
    if len(users) >= ENVIRONMENTS_OF_A_CLUSTER:
        raise refusal(f"The limit of {ENVIRONMENTS_OF_A_CLUSTER} for an EKS cluster is reached")


def cluster_trouble(region: Region, cluster: str) -> str:
    """EKS's words of a cluster that there is not; every one is there unless a fault says so."""
    gone = region.world.faults.active("eks_cluster_gone", cluster=cluster)
    return f"No cluster found for name: {cluster.rpartition('/')[2]}." if gone else ""


def check_kubernetes_update(environment: Environment, request: Mapping[str, Any]) -> None:
    """UpdateComputeEnvironment.eksConfiguration, and what an environment on EKS does not take."""
    if environment.kubernetes is None:
        if "eksConfiguration" in request:
            raise refusal("eksConfiguration can only be updated for environments on EKS")
    elif "desiredvCpus" in request.get("computeResources", {}):
        raise refusal("desiredvCpus cannot be updated for environments on EKS")


def access(configuration: Mapping[str, Any]) -> Fields:
    """EksConfiguration as it is described: an access entry with what has become of it."""
    entry = configuration.get("accessEntry")
    if entry is None:
        return dict(configuration)
    status = "ACTIVE" if entry["desiredState"] == "ENABLED" else "INACTIVE"
    return {**configuration, "accessEntry": {**entry, "status": status}}
