"""The ECS cluster in which images are tried: who is in it, and who needs it."""

from dataclasses import dataclass

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.tags import OWNER_UID, ROLE
from awsbatch_operator.aws.capacity_ports import Ec2Port, EcsPort
from awsbatch_operator.aws.image_ports import ImagePort
from awsbatch_operator.kinds.extendedami.act import Memories
from awsbatch_operator.kinds.extendedami.looks import Look
from awsbatch_operator.kinds.extendedami.observed import Machine, Role, tags_by_key
from awsbatch_operator.kinds.extendedami.record import Stage
from awsbatch_operator.kinds.extendedami.requests import verify_cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """Looks. Raises AwsError and NoTokenError."""

    ec2: Ec2Port
    ecs: EcsPort
    images: ImagePort
    memories: Memories

    async def joined(self, look: Look, machine: Machine | None) -> bool:
        record = look.record
        if record is None or record.stage is not Stage.VERIFY or machine is None:
            return False
        cluster = verify_cluster(look.owner.cluster_id)
        found = await self.ecs.container_instances(look.scope, cluster, fresh=True)
        return any(
            each.get("ec2InstanceId") == machine.id and each.get("agentConnected") is True
            for each in found
        )

    async def there(self, look: Look) -> bool:
        """Whether there is a cluster of verification, where somebody has to know."""
        record = look.record
        if look.resource.deleting:
            concerned = record is None or not record.clean  # a record may have been lost
        else:
            concerned = record is not None and not record.clean and record.stage is not Stage.BUILD
        if not concerned:
            return False
        return await self.images.cluster(look.scope, verify_cluster(look.owner.cluster_id))

    async def others_verify(self, look: Look) -> bool:
        """Whether another object has a verifier, or is about to."""
        record, key = look.record, look.resource.key
        here = record is not None and record.stage is Stage.VERIFY and not look.resource.deleting
        self.memories.verifies(look.scope, key, verifying=here)
        lost = record is None and look.resource.deleting
        over = record is not None and record.stage in {Stage.DONE, Stage.FAILED}
        if not lost and (record is None or record.clean or not over):
            return self.memories.others_verify(look.scope, key)
        if self.memories.others_verify(look.scope, key):
            return True
        shapes = await self.ec2.all_instances(look.scope)
        return any(_is_others_verifier(each, look.owner.uid) for each in shapes)

    async def lost(self, look: Look) -> tuple[str, ...]:
        """What ECS has kept in the cluster of instances that are gone, once nobody verifies."""
        record = look.record
        over = record is not None and record.stage in {Stage.DONE, Stage.FAILED}
        if not over and not look.resource.deleting:
            return ()
        cluster = verify_cluster(look.owner.cluster_id)
        found = await self.ecs.container_instances(look.scope, cluster, fresh=True)
        alive = {
            str(each["InstanceId"])
            for each in await self.ec2.all_instances(look.scope)
            if each["State"]["Name"] != "terminated"
        }
        return tuple(
            str(each["containerInstanceArn"])
            for each in found
            if str(each.get("ec2InstanceId")) not in alive
        )


def _is_others_verifier(shape: Shape, uid: str) -> bool:
    tags = tags_by_key(shape)
    over = shape["State"]["Name"] == "terminated"
    return tags.get(ROLE) == Role.VERIFIER and tags.get(OWNER_UID) != uid and not over
