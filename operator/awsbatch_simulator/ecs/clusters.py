"""The operations on clusters. Source: their fields in the ECS API reference."""

import re
from typing import Any

from awsbatch_simulator.ecs.life import deactivate
from awsbatch_simulator.ecs.model import Cluster, TaskStatus
from awsbatch_simulator.ecs.paging import page
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

Fields = dict[str, Any]
CLUSTER_NAME = re.compile(r"[a-zA-Z0-9_-]{1,255}")  # CreateCluster, clusterName


def tags_of(request: Fields) -> dict[str, str]:
    """The tags of a request, by key, which each must have though the model does not say so."""
    tags = request.get("tags") or ()
    if not all(each.get("key") for each in tags):
        raise AwsFailure("InvalidParameterException", "A tag needs a key.")
    return {each["key"]: each.get("value", "") for each in tags}


def found(region: Region, request: Fields) -> Cluster:
    """The ACTIVE cluster that a request names, `default` if it names none."""
    cluster = region.ecs.cluster(request.get("cluster") or "default")
    if cluster is None or not cluster.active:
        raise AwsFailure("ClusterNotFoundException", "Cluster not found.")
    return cluster


def create(region: Region, request: Fields) -> Fields:
    """CreateCluster: a cluster that exists is answered as it is."""
    name = request.get("clusterName") or "default"
    cluster = region.ecs.clusters.get(name)
    if cluster is None or not cluster.active:
        if CLUSTER_NAME.fullmatch(name) is None:
            message = "A cluster's name has up to 255 letters, digits, hyphens and underscores."
            raise AwsFailure("InvalidParameterException", message)
        cluster = Cluster(name, region.arn("ecs", f"cluster/{name}"), tags_of(request))
        region.ecs.clusters[name] = cluster
    return {"cluster": _described(cluster)}


def describe(region: Region, request: Fields) -> Fields:
    """DescribeClusters: unknown ones are failures with the reason MISSING."""
    clusters, failures = [], []
    for reference in request.get("clusters") or ["default"]:
        if (cluster := region.ecs.cluster(reference)) is not None:
            clusters.append(_described(cluster))
        else:
            arn = region.arn("ecs", f"cluster/{reference.rpartition('cluster/')[2]}")
            failures.append({"arn": arn, "reason": "MISSING"})
    return {"clusters": clusters, "failures": failures}


def list_clusters(region: Region, request: Fields) -> Fields:
    """ListClusters: the ACTIVE ones."""
    arns = (each.arn for each in region.ecs.clusters.values() if each.active)
    return page("clusterArns", arns, request)


def delete(region: Region, request: Fields) -> Fields:
    """DeleteCluster: its instances must have been deregistered first."""
    cluster = found(region, request)
    if cluster.instances:
        raise AwsFailure(
            "ClusterContainsContainerInstancesException",
            "The Cluster cannot be deleted while Container Instances are active or draining.",
        )
    deactivate(region, cluster.arn)
    return {"cluster": _described(cluster)}


def _described(cluster: Cluster) -> Fields:
    statuses = [task.status for task in cluster.tasks.values()]
    return {
        "clusterArn": cluster.arn,
        "clusterName": cluster.name,
        "status": "ACTIVE" if cluster.active else "INACTIVE",
        "registeredContainerInstancesCount": len(cluster.instances),
        "runningTasksCount": statuses.count(TaskStatus.RUNNING),
        "pendingTasksCount": statuses.count(TaskStatus.PENDING),
        "activeServicesCount": 0,
        "tags": [{"key": key, "value": value} for key, value in cluster.tags.items()],
    }
