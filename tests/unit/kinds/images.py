"""ExtendedAMIs as specs and as what is desired, for tests of pure functions."""

from collections.abc import Mapping
from typing import Any

from tests.support.crd_cases.image import BASE
from tests.unit.kinds.values import ACCOUNT, REGION, resource

from awsbatch_operator.api.metadata import ObjectKey, Resource
from awsbatch_operator.api.references import Targets
from awsbatch_operator.api.tags import Owner
from awsbatch_operator.generate import RESOURCES
from awsbatch_operator.kinds.extendedami.desired import Desired, desired_image
from awsbatch_operator.kinds.extendedami.spec import ExtendedAmiSpec
from awsbatch_operator.schema.validate import read_spec

(DECLARED,) = [each for each in RESOURCES if each.kind == "ExtendedAMI"]


def spec_of(**members: Any) -> ExtendedAmiSpec:
    """The spec as the operator reads it; SpecError if the schema does not allow it."""
    read = read_spec(DECLARED, {**BASE, **members})
    assert isinstance(read, ExtendedAmiSpec)
    return read


def image(**members: Any) -> Resource:
    """An object with the valid spec and these members."""
    return resource("ExtendedAMI", {**BASE, **members}, name="atmos")


def desired(
    *, found: Mapping[ObjectKey, Resource] | None = None, uid: str = "uid-1", **members: Any
) -> Desired:
    """What is wanted of such an object."""
    it = image(**members)
    spec_of(**members)
    targets = Targets("science-atmos-1", ACCOUNT, REGION, found or {})
    return desired_image(it, targets, Owner("test", it.key, uid))
