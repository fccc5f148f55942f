"""EcsPort on boto3's ECS client, and on the feed of container instances."""

from collections.abc import Hashable, Sequence

from awsbatch_operator.api.metadata import ObjectKey, Shape
from awsbatch_operator.api.scope import Permit, Scope
from awsbatch_operator.aws.feed import Feed
from awsbatch_operator.aws.instances import plain_shape
from awsbatch_operator.aws.sender import Sender


class EcsAdapter:
    """Amazon ECS through the Sender and the feed."""

    def __init__(self, sender: Sender, feed: Feed) -> None:
        self._sender = sender
        self._feed = feed

    async def container_instances(
        self, scope: Scope, cluster: str, *, fresh: bool = False, wake: ObjectKey | None = None
    ) -> Sequence[Shape]:
        return await self._feed.get(scope, cluster, fresh=fresh, wake=wake)

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
