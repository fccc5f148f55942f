"""The ECS cluster in which an object has its images tried: if it is there, and who is in it.

Who tries no images (`verify.enabled: false`) is asked for no right to ECS.
"""

from dataclasses import dataclass

from awsbatch_operator.aws.capacity_ports import Ec2Port, EcsPort
from awsbatch_operator.aws.image_ports import ImagePort
from awsbatch_operator.kinds.extendedami.looks import Look
from awsbatch_operator.kinds.extendedami.observed import Machine
from awsbatch_operator.kinds.extendedami.record import Stage
from awsbatch_operator.kinds.extendedami.requests import verify_cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusters:
    """Looks. Raises AwsError and NoTokenError."""

    ec2: Ec2Port
    ecs: EcsPort
    images: ImagePort

    async def joined(self, look: Look, machine: Machine | None) -> bool:
        record = look.record
        if record is None or record.stage is not Stage.VERIFY or machine is None:
            return False
        cluster = verify_cluster(look.owner)
        found = await self.ecs.container_instances(look.scope, cluster, fresh=True)
        return any(
            each.get("ec2InstanceId") == machine.id and each.get("agentConnected") is True
            for each in found
        )

    async def there(self, look: Look) -> bool:
        """Whether there is the cluster of verification, where somebody has to know."""
        record = look.record
        if record is None:  # it may have been lost
            concerned = look.resource.deleting and _tries(look)
        else:
            begun = record.stage is Stage.BUILD and not look.resource.deleting
            concerned = record.tried and not record.clean and not begun
        if not concerned:
            return False
        return await self.images.cluster(look.scope, verify_cluster(look.owner))

    async def lost(self, look: Look) -> tuple[str, ...]:
        """What ECS has kept in the cluster of instances that are gone, once nothing is tried."""
        record = look.record
        over = record is not None and record.stage in {Stage.DONE, Stage.FAILED}
        if not over and not look.resource.deleting:
            return ()
        cluster = verify_cluster(look.owner)
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


def _tries(look: Look) -> bool:
    """Whether the spec has images tried; of a deletion, whose spec may be unsound."""
    given = look.resource.spec.get("verify")
    return not isinstance(given, dict) or given.get("enabled") is not False
