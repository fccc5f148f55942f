"""AWS's published request limits: token buckets per account and region.

Sources: "AWS Batch service quotas" (50 SubmitJob a second) and AWS's
knowledge centre (about 50 a second for Batch's other calls together); "Request throttling for the
Amazon EC2 API" (a bucket per action; request and resource buckets); "Request throttling for the
Amazon ECS API" (a bucket per category of actions); "AWS Systems Manager endpoints and quotas" (40
transactions a second of Parameter Store's standard throughput).
"""

from enum import StrEnum

from pydantic import Field

from awsbatch_simulator.model import Model


class Only(StrEnum):
    """Which of the matching requests a bucket is for."""

    ALL = "all"
    UNFILTERED = "unfiltered"  # those with neither a filter nor a page size


class Bucket(Model):
    """`burst` tokens at most, refilled by `rate` tokens per real second."""

    operations: tuple[str, ...]  # globs
    rate: float = Field(gt=0)
    burst: float = Field(gt=0)
    shared: bool = False  # one bucket for all these operations instead of one for each
    only: Only = Only.ALL


def _ecs(burst: float, rate: float, *operations: str) -> Bucket:
    return Bucket(operations=operations, rate=rate, burst=burst, shared=True)


def _ec2(burst: float, rate: float, *operations: str, only: Only = Only.ALL) -> Bucket:
    return Bucket(operations=operations, rate=rate, burst=burst, only=only)


def request_buckets() -> dict[str, Bucket]:
    """The buckets that every request pays one token to; the first that matches counts.

    Keys are `service:label`. A service that has none here is not limited.
    """
    return {
        "batch:submit": Bucket(operations=("SubmitJob",), rate=50, burst=50),
        "batch:others": Bucket(operations=("*",), rate=50, burst=50, shared=True),
        "pricing:reading": Bucket(operations=("*",), rate=10, burst=10, shared=True),
        "service-quotas:one": Bucket(operations=("Get*",), rate=5, burst=5),
        "service-quotas:list": Bucket(operations=("List*",), rate=10, burst=10),
        "ssm:parameters": Bucket(
            operations=("GetParameter", "GetParameters", "PutParameter"),
            rate=40,
            burst=40,
            shared=True,
        ),
        **_of_ec2(),
        **_of_ecs(),
    }


def _of_ec2() -> dict[str, Bucket]:
    unfiltered = (
        *("DescribeInstances", "DescribeInstanceStatus", "DescribeNetworkInterfaces"),
        *("DescribeSecurityGroups", "DescribeSnapshots", "DescribeSpotInstanceRequests"),
        "DescribeVolumes",
    )
    generous = (
        *("TerminateInstances", "CreateLaunchTemplateVersion", "ModifyLaunchTemplate"),
        *("CreateSnapshot", "DeleteSnapshot", "CreateVolume", "DeleteVolume"),
        *("DeregisterImage", "ModifyImageAttribute", "ModifyInstanceMetadataOptions"),
    )
    return {
        "ec2:unfiltered": _ec2(50, 10, *unfiltered, only=Only.UNFILTERED),
        "ec2:launch": _ec2(5, 2, "RunInstances", "StartInstances"),
        "ec2:tags": _ec2(100, 10, "CreateTags", "DeleteTags"),
        "ec2:generous": _ec2(100, 5, *generous),
        "ec2:copy": _ec2(100, 1, "CopyImage"),
        "ec2:blocks": _ec2(10, 0.15, "DescribeCapacityBlock*", "PurchaseCapacityBlock*"),
        "ec2:reading": _ec2(100, 20, "Describe*", "List*", "Search*", "Get*"),
        "ec2:changing": _ec2(50, 5, "*"),
    }


def _of_ecs() -> dict[str, Bucket]:
    cluster = ("CreateCluster", "DeleteCluster", "UpdateCluster*", "PutClusterCapacityProviders")
    reading = (
        *("DescribeContainerInstances", "DescribeTasks", "ListAttributes"),
        *("ListContainerInstances", "ListTasks"),
    )
    changing = (
        *("DeregisterContainerInstance", "UpdateContainerInstancesState", "PutAttributes"),
        *("UpdateContainerAgent", "DeleteAttributes", "RunTask", "StartTask", "StopTask"),
    )
    return {
        "ecs:cluster-reading": _ecs(50, 20, "DescribeClusters", "ListClusters"),
        "ecs:cluster-changing": _ecs(20, 1, *cluster),
        "ecs:resource-reading": _ecs(100, 20, *reading),
        "ecs:resource-changing": _ecs(100, 40, *changing),
        "ecs:agent": _ecs(200, 120, "RegisterContainerInstance", "Submit*"),
        "ecs:tag-reading": _ecs(50, 20, "ListTagsForResource"),
        "ecs:tag-changing": _ecs(20, 10, "TagResource", "UntagResource"),
    }


def resource_buckets() -> dict[str, Bucket]:
    """The buckets that pay one token an instance, besides the request's own."""
    return {
        "ec2:launched-instances": _ec2(1000, 2, "RunInstances", "StartInstances"),
        "ec2:ended-instances": _ec2(1000, 20, "TerminateInstances", "StopInstances"),
    }


class RequestLimits(Model):
    """AWS's request limits. They count real seconds, whatever the clock's speed."""

    enabled: bool = True
    requests: dict[str, Bucket] = Field(default_factory=request_buckets)
    resources: dict[str, Bucket] = Field(default_factory=resource_buckets)
