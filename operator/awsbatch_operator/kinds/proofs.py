"""Whether what a target shows in its status is its own, asked of AWS's tags.

Objects alone cannot prove it. A target that is paused, or whose turn has not come yet, still shows
an ARN although its thing was removed in AWS and another object has made one of the same name since.
Whoever refers to it would then use what belongs to that other object.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.api.references import AMI_REF, Reference
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.api.tags import CLUSTER, KIND, NAMESPACE, Owner, Ownership, ownership
from awsbatch_operator.aws.capacity_ports import Ec2Port, SsmPort
from awsbatch_operator.aws.ports import BatchPort

_OWN = frozenset({Ownership.OURS, Ownership.RECREATED})
_OPTIMIZED = "al2023-ami-ecs-"  # what the names of AWS's ECS-optimized images of AL2023 begin with


@dataclass(frozen=True, slots=True)
class Proofs:
    """Compares the tags in AWS with the object. Raises AwsError and NoTokenError.

    At rest this costs no call: the shared feed has read all things of the account.
    """

    batch: BatchPort
    ec2: Ec2Port
    ssm: SsmPort
    cluster_id: str
    find: Callable[[ObjectKey], Resource | None]  # another object, as the cache has it

    async def missing(self, reference: Reference, target: Resource, scope: Scope) -> Finding | None:
        """Why the target's ARN must not be used yet; None if AWS says that it is the target's."""
        if "arn" not in target.status:
            return None  # a BatchJob: dependencies go by job id, which only its own turn writes
        arn = _arn(reference, target)
        for fresh in (False, True):  # the feed may not have seen yet what was made a moment ago
            if await self._is_own(target, arn, scope, fresh=fresh):
                return None
        if target.paused:
            return _paused(reference, target, arn)
        return Finding(
            catalogue.REFERENCE_NOT_READY,
            f"{reference.path}: what AWS has as {arn} is not {target.key}'s any more. It is not "
            "used before that object has looked at it again.",
        )

    async def still_stand(self, targets: Iterable[Resource], scope: Scope, *, fresh: bool) -> bool:
        """Whether AWS has what these objects show, as their own; asked now if `fresh`.

        Whatever differs from what was read of it before wakes the object that it belongs to.
        """
        shown = [target for target in targets if "arn" in target.status]
        looks = [
            await self._is_own(target, str(target.status["arn"]), scope, fresh=fresh)
            for target in shown
        ]
        return all(looks)

    async def _is_own(self, target: Resource, arn: str, scope: Scope, *, fresh: bool) -> bool:
        owner = Owner(self.cluster_id, target.key, target.uid)
        if target.key.kind == "ExtendedAMI":
            image = await self._is_own_image(target, owner, scope, fresh=fresh)
            return image and await self._is_own_template(target, owner, scope, fresh=fresh)
        tags = await self._tags(target.key.kind, arn, scope, fresh=fresh)
        return tags is not None and ownership(tags, owner, recorded=True) in _OWN

    async def _is_own_image(
        self, target: Resource, owner: Owner, scope: Scope, *, fresh: bool
    ) -> bool:
        """Whether the image was made for the object, or is the base that its spec names."""
        shown, base = str(target.status.get("imageId", "")), target.spec.get("base") or {}
        baked = _is_baked(target)
        if not baked and "ssmParameter" in base:
            return shown == await self.ssm.image_parameter(scope, base["ssmParameter"], fresh=fresh)
        if not baked and "amiId" in base:
            return bool(shown == base["amiId"])
        found = (await self.ec2.images(scope, [shown], fresh=fresh)).get(shown) or {}
        tags = {each["Key"]: each["Value"] for each in found.get("Tags", ())}
        if baked:
            return ownership(tags, owner, recorded=True) in _OWN
        if AMI_REF in base:
            marks = (tags.get(CLUSTER), tags.get(KIND), tags.get(NAMESPACE))
            made_here = marks == (owner.cluster_id, owner.key.kind, owner.key.namespace)
            source = None if made_here else self._source(target)
            return made_here or (
                source is not None
                and await self._is_own_image(
                    source, Owner(self.cluster_id, source.key, source.uid), scope, fresh=fresh
                )
            )
        # By its family: whichever release of it that is, AWS has made it.
        by_aws = found.get("ImageOwnerAlias") == "amazon"
        return by_aws and str(found.get("Name", "")).startswith(_OPTIMIZED)

    def _source(self, target: Resource) -> Resource | None:
        """The object whose base, or image, it is in the end; None if that shows another one."""
        seen: set[ObjectKey] = set()
        current: Resource | None = target
        while current is not None and current.key not in seen:
            seen.add(current.key)
            reference = (current.spec.get("base") or {}).get(AMI_REF) or {}
            if "name" not in reference or _is_baked(current):
                same = current.status.get("imageId") == target.status.get("imageId")
                return current if same and current is not target else None
            key = current.key
            current = self.find(ObjectKey(key.kind, key.namespace, str(reference["name"])))
        return None

    async def _is_own_template(
        self, target: Resource, owner: Owner, scope: Scope, *, fresh: bool
    ) -> bool:
        """Whether the launch template was made for the object, if it shows one."""
        shown = target.status.get("launchTemplate") or {}
        if "id" not in shown:
            return True
        for each in await self.ec2.launch_templates(scope, fresh=fresh):
            if each.get("LaunchTemplateId") == shown["id"]:
                tags = {tag["Key"]: tag["Value"] for tag in each.get("Tags", ())}
                return ownership(tags, owner, recorded=True) in _OWN
        return False

    async def _tags(
        self, kind: str, arn: str, scope: Scope, *, fresh: bool
    ) -> Mapping[str, str] | None:
        """The tags of what AWS has under the ARN; None if it has nothing there."""
        name = arn.partition("/")[2]
        match kind:
            case "ComputeEnvironment":
                detail = await self.batch.compute_environment(scope, name, fresh=fresh)
            case "JobQueue":
                detail = await self.batch.job_queue(scope, name, fresh=fresh)
            case "SchedulingPolicy":
                detail = await self.batch.scheduling_policy(scope, name, fresh=fresh)
            case "JobDefinition":
                name = name.partition(":")[0]
                revisions = await self.batch.job_definitions(scope, name, fresh=fresh)
                detail = next((one for one in revisions if one["jobDefinitionArn"] == arn), None)
            case _:
                raise AssertionError(f"nothing refers to the ARN of a {kind}")
        return None if detail is None else detail.get("tags") or {}


def _is_baked(target: Resource) -> bool:
    """Whether an image had to be made for an ExtendedAMI."""
    return (target.status.get("bake") or {}).get("needed") is not False


def _arn(reference: Reference, target: Resource) -> str:
    """What is used through the reference: the target's, or that of the revision that is named."""
    arn = str(target.status["arn"])
    numbers = {each["revision"] for each in target.status.get("revisions", ())}
    if reference.revision not in numbers:  # the kind says so, and what there is
        return arn
    return f"{arn.rpartition(':')[0]}:{reference.revision}"


def _paused(reference: Reference, target: Resource, arn: str) -> Finding:
    """Nobody looks at the target again before it is taken out of its pause."""
    resume = f"emove the annotation awsbatch.dev/paused from {target.key}"
    if reference.revision:  # what is registered then gets another number
        remedy = (
            f"Name another revision of it that is ACTIVE in AWS; or remove revision, and r{resume}"
        )
    elif target.key.kind == "JobDefinition":
        remedy = f"R{resume}, or name another revision of it that is ACTIVE in AWS"
    else:
        remedy = f"R{resume}"
    return Finding(
        catalogue.REFERENCE_NOT_READY,
        f"{reference.path}: AWS no longer has {arn} as {target.key} shows it, and that object is "
        "paused, so nothing is made in its place.",
        f"{remedy}; this object goes on by itself.",
    )
