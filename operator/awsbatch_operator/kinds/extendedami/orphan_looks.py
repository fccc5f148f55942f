"""What the pass over orphans asks about machine images; kinds/orphans.py decides."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from awsbatch_operator.api.metadata import Resource, Shape
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.api.tags import OWNER_UID
from awsbatch_operator.aws.errors import AwsError, ErrorKind
from awsbatch_operator.aws.image_ports import ImagePort
from awsbatch_operator.aws.ports import BatchPort
from awsbatch_operator.kinds.extendedami import loose
from awsbatch_operator.kinds.extendedami.observed import tags_by_key
from awsbatch_operator.kinds.extendedami.spec import RESOURCE
from awsbatch_operator.kinds.extendedami.usage import images_of, templates_of
from awsbatch_operator.kinds.orphan_looks import ImagesThere


@dataclass(frozen=True, slots=True)
class ImageOrphans:
    """Implements ImageLooks. Raises AwsError and NoTokenError."""

    images: ImagePort
    batch: BatchPort

    async def there(self, scope: Scope) -> ImagesThere:
        listed = await self.images.own_images(scope, fresh=True)
        ids = {str(each["ImageId"]) for each in listed}
        found = await self.images.own_snapshots(scope)
        used = loose.snapshots_of(listed)
        left = loose.loose_snapshots(found, ids, used, copies=True)
        left = tuple(each for each in left if loose.is_made_by_us(each))
        needed = await self.images.snapshots_in_use(
            scope, [str(each["SnapshotId"]) for each in left]
        )
        whole = loose.finished(listed)
        return ImagesThere(
            half_made=loose.half_made(listed),
            snapshots=tuple(each for each in left if str(each["SnapshotId"]) not in needed),
            clusters=await self._clusters(scope),
            owners={
                str(each["ImageId"]): (
                    loose.key_of(each, RESOURCE.kind),
                    tags_by_key(each).get(OWNER_UID, ""),
                )
                for each in whole
            },
        )

    async def _clusters(self, scope: Scope) -> Sequence[Shape]:
        """Who tries no images may lack the right to look for them (image-verify-policy.json)."""
        try:
            return await self.images.verify_clusters(scope)
        except AwsError as error:
            if error.kind is not ErrorKind.DENIED:
                raise
            return ()

    async def in_use(self, scope: Scope, ids: Sequence[str]) -> Collection[str]:
        images = [each for each in ids if each.startswith("ami-")]
        referring = await self.images.references(scope, images, fresh=True) if images else {}
        used = {name for name, arns in referring.items() if arns}
        for environment in await self.batch.compute_environments(scope, fresh=True):
            used |= {*images_of(environment), *templates_of(environment)}
        return used

    def is_idle(self, resource: Resource) -> bool:
        return loose.is_idle(resource)

    def regions(self, resource: Resource) -> Collection[str]:
        return loose.regions_of(resource)
