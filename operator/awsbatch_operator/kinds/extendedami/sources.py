"""The base, copies in further regions, snapshots that no image has, and texts of ConfigMaps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from awsbatch_operator.api.metadata import Shape
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.aws.capacity_ports import Ec2Port, SsmPort
from awsbatch_operator.aws.image_ports import ImagePort
from awsbatch_operator.kinds.extendedami.desired import Desired
from awsbatch_operator.kinds.extendedami.looks import Look, is_ours, own_images
from awsbatch_operator.kinds.extendedami.loose import loose_snapshots, snapshots_of
from awsbatch_operator.kinds.extendedami.observed import Base, Image, Text, tags_by_key
from awsbatch_operator.kinds.extendedami.record import Stage
from awsbatch_operator.kube.port import DeniedError, KubePort

_DENIED = "the operator may not read ConfigMaps (get) there"


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
            fresh = look.fresh or _is_being_copied(look, region)
            listed = await self.images.own_images(scope, fresh=fresh)
            found[region] = own_images(listed, look.owner)
        return found

    async def copied_snapshots(
        self, look: Look, copies: Mapping[str, tuple[Image, ...]]
    ) -> Mapping[str, tuple[str, ...]]:
        """What is left of copies that are gone, while the object is being deleted."""
        if not look.resource.deleting:
            return {}
        found: dict[str, tuple[str, ...]] = {}
        for region in copies:
            scope = replace(look.scope, region=region)
            listed = await self.images.own_images(scope)
            found[region] = await self._loose(look, scope, listed, copies=True)
        return found

    async def snapshots(self, look: Look, listed: Sequence[Shape]) -> tuple[str, ...]:
        """Snapshots of ours that no image has; asked for while something is cleaned up."""
        record = look.record
        over = record is None or record.stage in {Stage.DONE, Stage.FAILED}
        if not look.unclean or not (over or look.resource.deleting):
            return ()
        return await self._loose(look, look.scope, listed, copies=False)

    async def _loose(
        self, look: Look, scope: Scope, listed: Sequence[Shape], *, copies: bool
    ) -> tuple[str, ...]:
        """By tags and by EC2's own words; and no image of the account has it, whoever's it is."""
        found = await self.images.own_snapshots(scope)
        ours = [each for each in found if is_ours(tags_by_key(each), look.owner)]
        images = {str(each["ImageId"]) for each in listed}
        left = loose_snapshots(ours, images, snapshots_of(listed), copies=copies)
        ids = [str(each["SnapshotId"]) for each in left]
        used = await self.images.snapshots_in_use(scope, ids)
        return tuple(each for each in ids if each not in used)


def _is_being_copied(look: Look, region: str) -> bool:
    """Whether a copy there was on its way when it was last looked: it may be there any moment."""
    rows = look.resource.status.get("images") or ()
    return any((each.get("region"), each.get("state")) == (region, "Pending") for each in rows)


async def read_texts(kube: KubePort, wanted: Desired | None) -> Mapping[tuple[str, str], Text]:
    """What the ConfigMaps have that the spec names. Raises KubeError, apart from a missing right.

    Each look reads them, which costs nothing in AWS, so that no watch is needed.
    """
    borrowed = () if wanted is None else wanted.borrowed
    found: dict[tuple[str, str], Text] = {}
    for name in dict.fromkeys(each.name for each in borrowed):
        assert wanted is not None  # noqa: S101 - else nothing is borrowed
        try:
            data = await kube.config_map(wanted.namespace, name)
        except DeniedError:
            missing, data = _DENIED, None
        else:
            missing = "there is no such ConfigMap"
        for each in borrowed:
            if each.name == name:
                text = Text(missing=missing) if data is None else _text(data, each.key)
                found[name, each.key] = text
    return found


def _text(data: Mapping[str, Any], key: str) -> Text:
    if key not in data:
        return Text(missing="the ConfigMap has no such key")
    value = data[key]
    return Text(value) if isinstance(value, str) else Text(missing="it is binary, and no text")
