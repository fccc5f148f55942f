"""The tables of what AWS does with its members, held against AWS's own model."""

from awsbatch_operator.generate import RESOURCES
from awsbatch_operator.schema.canonical_forms import CASELESS, DEFAULTS, FILLED_IN, LISTS, MAPS
from awsbatch_operator.schema.model import AwsShape, input_shape

UPDATES = {"ComputeEnvironment": ("UpdateComputeEnvironment",)}


def collections(shape: AwsShape, path: tuple[str, ...] = ()):
    """Paths of all lists and maps that lead from a shape, with the shape of each."""
    for name, member in shape.members.items():
        here = (*path, name)
        if member.type in {"list", "map"}:
            yield here, member
        inner = member.element if member.type == "list" and member.element else member
        yield from collections(inner, here)


PASSED = [
    (path, shape)
    for resource in RESOURCES
    if resource.passthrough and resource.kind != "BatchJob"
    for path, shape in collections(input_shape(resource.passthrough.operation))
    if path[0] not in resource.passthrough.omit
]


def test_the_tables_know_every_list_and_map_of_awss_model():
    lists = {path[-1] for path, shape in PASSED if shape.type == "list"}
    maps = {path[-1] for path, shape in PASSED if shape.type == "map"}
    assert lists - LISTS.keys() == set()
    assert maps <= MAPS
    assert not MAPS & lists


def test_the_keys_of_lists_are_members_of_what_is_in_them():
    for path, shape in PASSED:
        key = LISTS.get(path[-1], "")
        if shape.type == "list" and key not in {"", "*"} and shape.element:
            assert key in shape.element.members, path
        if key == "*" and shape.element:
            assert shape.element.type == "string", path


def members(shape: AwsShape, path: str = ""):
    for name, member in shape.members.items():
        inner = member.element if member.type == "list" and member.element else member
        yield f"{path}.{name}"
        yield from members(inner, f"{path}.{name}")


def test_every_row_of_the_tables_is_about_something_that_aws_has():
    known = {
        path
        for resource in RESOURCES
        if resource.passthrough
        for operation in (resource.passthrough.operation, *UPDATES.get(resource.kind, ()))
        for path in members(input_shape(operation))
    }
    rows = {*DEFAULTS, *FILLED_IN, *CASELESS, *LISTS, *MAPS}
    assert [
        row for row in sorted(rows) if not any(path.endswith(f".{row}") for path in known)
    ] == []
