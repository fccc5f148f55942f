"""The table of what each operation needs: IAM actions, on which resources, with which conditions.

An operation that is not in it needs the action of its own name on `*`; STS's GetCallerIdentity,
GetSessionToken and GetAccessKeyInfo need nothing. Sources: Service Authorization Reference, of each
service; STS API reference.
"""

from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from awsbatch_simulator.iam import batch_needs, ec2_needs, image_needs
from awsbatch_simulator.iam.asking import Asks, Fields, request_tags, resource_tags
from awsbatch_simulator.iam.policy import Need
from awsbatch_simulator.protocol.models import Operation
from awsbatch_simulator.region import Region


def _nothing(_region: Region, _request: Fields) -> Iterable[Need]:
    return ()


def _assume(_region: Region, request: Fields) -> Iterator[Need]:
    yield Need("sts:AssumeRole", request["RoleArn"])


def _log_events(region: Region, request: Fields) -> Iterator[Need]:
    group = (
        request.get("logGroupName")
        or str(request.get("logGroupIdentifier", "")).rpartition(":log-group:")[2]
    )
    stream = request["logStreamName"]
    yield Need("logs:GetLogEvents", region.arn("logs", f"log-group:{group}:log-stream:{stream}"))


def _message(action: str) -> Asks:
    """Of one message or of many: the action is the singular one."""

    def asks(region: Region, request: Fields) -> Iterator[Need]:
        name = urlsplit(request["QueueUrl"]).path.rpartition("/")[2]
        yield Need(f"sqs:{action}", region.arn("sqs", name))

    return asks


def _cluster(region: Region, request: Fields) -> str:
    return _cluster_named(region, request.get("cluster") or "default")


def _cluster_named(region: Region, given: str) -> str:
    return given if given.startswith("arn:") else region.arn("ecs", f"cluster/{given}")


def _clusters(region: Region, request: Fields) -> Iterator[Need]:
    for given in request.get("clusters") or ("default",):
        yield Need("ecs:DescribeClusters", _cluster_named(region, given))


def _in_cluster(action: str) -> Asks:
    return lambda region, request: [Need(f"ecs:{action}", _cluster(region, request))]


def _container_instances(action: str) -> Asks:
    def asks(region: Region, request: Fields) -> Iterator[Need]:
        cluster = _cluster(region, request).rpartition("/")[2]
        for each in request.get("containerInstances", ()):
            number = each.rpartition("/")[2]
            resource = f"container-instance/{cluster}/{number}"
            yield Need(f"ecs:{action}", region.arn("ecs", resource))

    return asks


def _new_cluster(region: Region, request: Fields) -> Iterator[Need]:
    given = {each["key"]: each.get("value", "") for each in request.get("tags") or ()}
    arn = _cluster_named(region, request.get("clusterName") or "default")
    yield Need("ecs:CreateCluster", arn, request_tags(given))
    if given:
        yield Need("ecs:TagResource", arn, request_tags(given))


def _old_cluster(region: Region, request: Fields) -> Iterator[Need]:
    arn = _cluster(region, request)
    found = region.ecs.cluster(arn)
    yield Need("ecs:DeleteCluster", arn, resource_tags({} if found is None else found.tags))


NEEDS: Mapping[tuple[str, str], Asks] = {
    **{("batch", name): asks for name, asks in batch_needs.NEEDS.items()},
    **{("ec2", name): asks for name, asks in ec2_needs.NEEDS.items()},
    **{("ec2", name): asks for name, asks in image_needs.OF_EC2.items()},
    ("ecs", "CreateCluster"): _new_cluster,
    ("ecs", "DeleteCluster"): _old_cluster,
    ("ecs", "DescribeClusters"): _clusters,
    ("ecs", "ListContainerInstances"): _in_cluster("ListContainerInstances"),
    ("ecs", "DescribeContainerInstances"): _container_instances("DescribeContainerInstances"),
    ("ecs", "UpdateContainerInstancesState"): _container_instances("UpdateContainerInstancesState"),
    ("ecs", "DeregisterContainerInstance"): _in_cluster("DeregisterContainerInstance"),
    ("logs", "GetLogEvents"): _log_events,
    ("sqs", "DeleteMessage"): _message("DeleteMessage"),
    ("sqs", "DeleteMessageBatch"): _message("DeleteMessage"),
    ("sqs", "ReceiveMessage"): _message("ReceiveMessage"),
    **{("ssm", name): asks for name, asks in image_needs.OF_SSM.items()},
    ("sts", "AssumeRole"): _assume,
    ("sts", "GetAccessKeyInfo"): _nothing,
    ("sts", "GetCallerIdentity"): _nothing,
    ("sts", "GetSessionToken"): _nothing,
}


def needs(region: Region, operation: Operation, request: Fields) -> Iterable[Need]:
    """What a request needs of the policies of whoever sends it."""
    asks = NEEDS.get((operation.service, operation.name))
    if asks is None:
        prefix = operation.model.service_model.signing_name
        return (Need(f"{prefix}:{operation.name}"),)
    return asks(region, request)
