"""Everything that AWS's model has below the operations that our specs pass through.

`python -m tests.support.model_listing` writes the listing that a test compares with the installed
botocore, so that a newer one shows what it brings.
"""

from collections.abc import Iterator
from pathlib import Path

from awsbatch_operator.generate import RESOURCES
from awsbatch_operator.schema.model import AwsShape, input_shape, named_shape

LISTING = Path(__file__).parents[1] / "unit" / "schema" / "members.txt"


def listing() -> list[str]:
    """One line a member: the shape it is in, its name, its type and its words."""
    lines: set[str] = set()
    for resource in RESOURCES:
        if resource.passthrough is not None:
            lines |= set(_lines(input_shape(resource.passthrough.operation)))
            for name in resource.passthrough.add.values():
                lines |= set(_lines(named_shape(name)))
    return sorted(lines)


def _lines(shape: AwsShape) -> Iterator[str]:
    for name, member in shape.members.items():
        needed = " required" if name in shape.required else ""
        yield f"{shape.name}.{name} {_type(member)}{needed}"
        yield from _lines(member)
    if shape.element is not None:
        yield from _lines(shape.element)


def _type(shape: AwsShape) -> str:
    bounds = "" if shape.maximum is None else f" {shape.minimum}..{shape.maximum}"
    words = f" {'|'.join(shape.enum)}" if shape.enum else ""
    element = f" of {_type(shape.element)}" if shape.element is not None else ""
    name = f" {shape.name}" if shape.type == "structure" else ""
    return f"{shape.type}{name}{element}{words}{bounds}"


if __name__ == "__main__":
    LISTING.write_text("\n".join(listing()) + "\n")
