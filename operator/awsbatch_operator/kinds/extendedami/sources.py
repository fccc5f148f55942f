"""Images: the base, copies in further regions, and snapshots that no image has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.capacity_ports import Ec2Port, SsmPort
from awsbatch_operator.aws.image_ports import ImagePort
from awsbatch_operator.kinds.extendedami.desired import Desired
from awsbatch_operator.kinds.extendedami.looks import Look, is_ours, own_images
from awsbatch_operator.kinds.extendedami.observed import Base, Image, image_of, tags_by_key
from awsbatch_operator.kinds.extendedami.record import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Looks. Raises AwsError and NoTokenError."""

    ec2: Ec2Port
    images: ImagePort
    ssm: SsmPort

    async def base(self, look: Look) -> Base | None:
        source = look.base
        if source is None:
            return None
        image_id: str | None = source.image_id
        if source.ssm_parameter:
            image_id = await self.ssm.image_parameter(look.scope, source.ssm_parameter)
        return await self._image(look.scope, image_id or "")

    async def earlier_base(self, look: Look, base: Base | None) -> Base | None:
        record = look.record
        if record is None or record.stage is not Stage.BUILD or look.base is None:
            return None
        if base is not None and base.id == record.base:
            return None
        return await self._image(look.scope, record.base)

    async def _image(self, scope: Scope, image_id: str) -> Base | None:
        if not image_id:
            return None
        detail = (await self.ec2.images(scope, [image_id])).get(image_id)
        if detail is None or detail.get("State", "available") != "available":
            return None
        return Base(
            id=image_id,
            name=str(detail.get("Name") or ""),
            architecture=str(detail.get("Architecture") or ""),
            root_device=str(detail.get("RootDeviceName") or ""),
            detail=detail,
        )

    async def copies(self, look: Look, wanted: Desired | None) -> Mapping[str, tuple[Image, ...]]:
        """Copies in further regions, of the spec and of the record."""
        record, here = look.record, look.scope.region
        regions = set(() if wanted is None else wanted.regions)
        regions |= set(() if record is None else record.regions)
        if look.resource.deleting:  # the record may be lost
            regions |= set(look.resource.spec.get("regions") or ())
        found: dict[str, tuple[Image, ...]] = {}
        for region in sorted(regions - {here}):
            scope = replace(look.scope, region=region)
            listed = await self.images.own_images(scope, fresh=look.fresh)
            found[region] = own_images(listed, look.owner)
        return found

    async def copied_snapshots(
        self, look: Look, copies: Mapping[str, tuple[Image, ...]]
    ) -> Mapping[str, tuple[str, ...]]:
        """What is left of copies that are gone, while the object is being deleted."""
        if not look.resource.deleting:
            return {}
        found: dict[str, tuple[str, ...]] = {}
        for region, images in copies.items():
            scope = replace(look.scope, region=region)
            used = {name for each in images for name in each.snapshots}
            found[region] = _unused(await self.images.own_snapshots(scope), look, used)
        return found

    async def snapshots(self, look: Look, listed: Sequence[Shape]) -> tuple[str, ...]:
        """Snapshots of ours that no image has; asked for while something is cleaned up."""
        record = look.record
        over = record is None or record.stage in {Stage.DONE, Stage.FAILED}
        if not look.unclean or not (over or look.resource.deleting):
            return ()
        images = [image_of(each) for each in listed]
        used = {name for each in images for name in each.snapshots}
        return _unused(await self.images.own_snapshots(look.scope), look, used)


def _unused(found: Sequence[Shape], look: Look, used: set[str]) -> tuple[str, ...]:
    return tuple(
        str(each["SnapshotId"])
        for each in found
        if is_ours(tags_by_key(each), look.owner) and str(each["SnapshotId"]) not in used
    )
