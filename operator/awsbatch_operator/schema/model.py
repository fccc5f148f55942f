"""AWS Batch's shapes as botocore's service model has them: the only door to botocore here.

The model has types, enums and required members; limits stand in AWS's prose only, and are added
by `tables/`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel

SERVICE = "batch"


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsShape:
    """One shape of the model; `minimum` and `maximum` are of length for strings, lists and maps."""

    name: str
    type: str  # structure, list, map, string, integer, long, float, double, boolean
    members: Mapping[str, "AwsShape"] = field(default_factory=dict)
    element: "AwsShape | None" = None
    required: tuple[str, ...] = ()
    enum: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None


@cache
def input_shape(operation: str) -> AwsShape:
    """What an operation is called with; botocore's OperationNotFoundError if there is none."""
    shape = _service().operation_model(operation).input_shape
    if shape is None:
        raise ValueError(f"{operation} takes no input")
    return _convert(shape)


@cache
def named_shape(name: str) -> AwsShape:
    """A shape by its name in the model; botocore's NoShapeFoundError if there is none."""
    return _convert(_service().shape_for(name))


@cache
def _service() -> ServiceModel:
    return ServiceModel(Loader().load_service_model(SERVICE, "service-2"), SERVICE)


def _convert(shape: Any) -> AwsShape:
    """Turn a shape of botocore into ours; Batch's input shapes are not recursive."""
    kind = str(shape.type_name)
    members: dict[str, AwsShape] = {}
    element = None
    if kind == "structure":
        members = {name: _convert(member) for name, member in shape.members.items()}
    elif kind == "list":
        element = _convert(shape.member)
    elif kind == "map":
        element = _convert(shape.value)
    return AwsShape(
        name=str(shape.name),
        type=kind,
        members=members,
        element=element,
        required=tuple(shape.required_members) if kind == "structure" else (),
        enum=tuple(shape.enum) if kind == "string" and shape.enum else (),
        minimum=shape.metadata.get("min"),
        maximum=shape.metadata.get("max"),
    )
