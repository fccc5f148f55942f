"""EcsPort on boto3's ECS client, and on the feed of container instances."""

from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.api.scope import Permit, Scope
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.feed import Feed
from awsbatch_operator.aws.instances import ECS_AT_ONCE, members_of, plain_shape
from awsbatch_operator.aws.kept import Kept
from awsbatch_operator.aws.sender import Sender

_DAY = 86_400.0
_HOSTS = 5_000  # container instances that are remembered, of half a kB each
_HOST_MEMBERS = ("attributes", "ec2InstanceId")
_TOLD = frozenset({"ecs.availability-zone", "ecs.instance-type"})


class EcsAdapter:
    """Amazon ECS through the Sender and the feed."""

    def __init__(self, sender: Sender, feed: Feed, clock: Clock) -> None:
        self._sender = sender
        self._feed = feed
        self._hosts: Kept[Shape] = Kept(
            self._read_hosts, clock, seconds=_DAY, most=_HOSTS, at_once=ECS_AT_ONCE
        )

    async def container_instances(
        self, scope: Scope, cluster: str, *, fresh: bool = False, wake: ObjectKey | None = None
    ) -> Sequence[Shape]:
        return await self._feed.get(scope, cluster, fresh=fresh, wake=wake)

    async def container_instances_by_arn(
        self, scope: Scope, arns: Collection[str]
    ) -> Mapping[str, Shape]:
        return await self._hosts.get(scope, [arn for arn in arns if _cluster_of(arn)])

    async def _read_hosts(self, scope: Scope, arns: Sequence[str]) -> Mapping[str, Shape]:
        call = "ecs:DescribeContainerInstances"
        by_cluster: defaultdict[str, list[str]] = defaultdict(list)
        for arn in arns:
            by_cluster[_cluster_of(arn)].append(arn)
        found: dict[str, Shape] = {}
        for cluster, some in by_cluster.items():
            request = {"cluster": cluster, "containerInstances": some}
            try:
                answer = await self._sender.call(scope, call, request)
            except AwsError as error:
                if error.kind is not ErrorKind.NOT_FOUND:
                    raise
                continue  # the cluster has gone with its environment
            for each in self._sender.member(scope, call, answer, "containerInstances"):
                kept = dict(members_of(each, _HOST_MEMBERS))
                attributes = [one for one in kept.get("attributes", ()) if one["name"] in _TOLD]
                found[str(each["containerInstanceArn"])] = kept | {"attributes": attributes}
        return found

    async def tasks(self, scope: Scope, cluster: str) -> int:
        call, request = "ecs:DescribeClusters", {"clusters": [cluster]}
        answer = await self._sender.call(scope, call, request)
        found = self._sender.member(scope, call, answer, "clusters")
        return sum(
            int(each.get("runningTasksCount", 0)) + int(each.get("pendingTasksCount", 0))
            for each in found
        )

    async def change(self, scope: Scope, operation: str, request: Shape) -> Shape:
        with self._feed.changing(scope, str(request["cluster"])):
            answer = await self._sender.call(scope, f"ecs:{operation}", request)
        return plain_shape(answer)

    def permit(self, scope: Scope, operation: str, holder: Hashable) -> Permit:
        return self._sender.permit(scope, f"ecs:{operation}", holder)


def _cluster_of(arn: str) -> str:
    """The cluster's name: `arn:…:container-instance/CLUSTER/ID`; "" in the form without it."""
    parts = arn.split("/")
    return parts[1] if len(parts) > 2 else ""  # noqa: PLR2004 - see above
