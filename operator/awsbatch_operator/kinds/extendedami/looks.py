"""What one look is about, and what counts as the object's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from awsbatch_operator.api.metadata import Resource, Shape
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.api.tags import Owner, Ownership, ownership
from awsbatch_operator.kinds.extendedami.act import Remembered
from awsbatch_operator.kinds.extendedami.desired import BaseSource
from awsbatch_operator.kinds.extendedami.observed import Image, image_of
from awsbatch_operator.kinds.extendedami.record import Build
from awsbatch_operator.kinds.extendedami.requests import image_name


@dataclass(frozen=True, slots=True)
class Look:
    """Whose it is, where, and how carefully."""

    resource: Resource
    owner: Owner
    scope: Scope
    fresh: bool
    record: Build | None
    base: BaseSource | None
    kept: Remembered

    @property
    def unclean(self) -> bool:
        """Whether something may be in AWS beside images with a verdict."""
        if self.resource.deleting or self.record is not None:
            return self.resource.deleting or self.record is None or not self.record.clean
        # Nothing was ever built for an object that needs no image, and was looked at before.
        return bool((self.resource.status.get("bake") or {}).get("needed", True))


def is_ours(tags: Mapping[str, str], owner: Owner) -> bool:
    """Whether it is the object's, or that of an earlier one of its name in this cluster."""
    return ownership(tags, owner) in {Ownership.OURS, Ownership.RECREATED}


def own_images(listed: Sequence[Shape], owner: Owner) -> tuple[Image, ...]:
    """Those that are the object's by their tags, and that have the name which their build gives.

    Whoever copies an image or an instance of ours may take all its tags along. EC2 takes a name
    once, so that theirs has another one: it is not used, and above all not removed.
    """
    key = owner.key
    found = (image_of(each) for each in listed)
    return tuple(
        each
        for each in found
        if is_ours(each.tags, owner)
        and each.name == image_name(key.namespace, key.name, each.build)
    )
