"""From an AWS shape and our additions to a structural OpenAPI v3 schema.

Nothing is left unbounded: what the table does not know (a member that a newer botocore brings)
gets the widest bounds that a request can have.
"""

from collections.abc import Iterable
from typing import Any

from awsbatch_operator.schema.additions import (
    EXACT,
    INT32,
    LIST,
    MAP,
    TEXT,
    Additions,
    Member,
    Struct,
)
from awsbatch_operator.schema.common import TAG_RULES
from awsbatch_operator.schema.declare import PassThrough
from awsbatch_operator.schema.describe import describe
from awsbatch_operator.schema.forms import DECIMAL
from awsbatch_operator.schema.model import AwsShape, input_shape, named_shape
from awsbatch_operator.schema.model_schema import own_schema
from awsbatch_operator.schema.rules import RULES
from awsbatch_operator.schema.tables import additions

Schema = dict[str, Any]

_TAG_MAPS = ("TagsMap", "TagrisTagsMap")
_UNKNOWN = Member(doc="")


def passthrough_schema(passthrough: PassThrough) -> Schema:
    """The object schema of all AWS members of a spec.

    ValueError if the declaration or an addition names a member that AWS's model does not have.
    """
    table = additions()
    shape = input_shape(passthrough.operation)
    struct = table.get(shape.name, Struct(members={}))
    members = {**shape.members, **{m: named_shape(s) for m, s in passthrough.add.items()}}
    _check_names(shape.name, members, (*passthrough.omit, *struct.members))
    properties = {
        name: _member(shape.name, name, member, struct.members.get(name), table)
        for name, member in members.items()
        if name not in passthrough.omit
    }
    return _object(properties, (*shape.required, *passthrough.required))


def _member(
    parent: str, name: str, shape: AwsShape, member: Member | None, table: Additions
) -> Schema:
    known = member or _UNKNOWN
    inner = shape.element if shape.type == "list" and shape.element else shape
    structure = inner.name if inner.type == "structure" else ""
    description = describe(parent, name, doc=known.doc, structure=structure)
    return {"description": description, **_schema(shape, known, table)}


def _schema(shape: AwsShape, member: Member, table: Additions) -> Schema:
    match shape.type:
        case "structure":
            schema = _structure(shape, table)
        case "list":
            schema = _list(shape, member, table)
        case "map":
            schema = _map(shape, member)
        case "string" | "float" | "double":
            schema = _string(shape, member)
        case "integer":
            schema = _integer(member, "int32", INT32)
        case "long":
            schema = _integer(member, "int64", EXACT)
        case "boolean":
            schema = {"type": "boolean"}
        case other:
            raise ValueError(f"{shape.name}: AWS's type {other} has no schema here")
    rules = [*schema.pop(RULES, []), *(r.as_schema() for r in member.rules)]
    return {**schema, RULES: rules} if rules else schema


def _structure(shape: AwsShape, table: Additions) -> Schema:
    struct = table.get(shape.name, Struct(members={}))
    _check_names(shape.name, shape.members, (*struct.omit, *struct.members))
    properties = {
        name: _member(shape.name, name, member, struct.members.get(name), table)
        for name, member in shape.members.items()
        if name not in struct.omit
    }
    for name, doc in struct.flags.items():
        properties[name] = {"description": doc, "type": "boolean"}
    for name, own in struct.own.items():
        properties[name] = {**own_schema(own.model), "description": own.doc}
    required = [*shape.required, *struct.required]
    required += [name for name, own in struct.own.items() if own.required]
    schema = _object(properties, required)
    if struct.rules:
        schema[RULES] = [rule.as_schema() for rule in struct.rules]
    return schema


def _object(properties: Schema, required: Iterable[str]) -> Schema:
    needed = sorted({name for name in required if name in properties})
    return {
        "type": "object",
        "properties": dict(sorted(properties.items())),
        **({"required": needed} if needed else {}),
    }


def _list(shape: AwsShape, member: Member, table: Additions) -> Schema:
    low, high = member.size or (shape.minimum or 0, shape.maximum or LIST)
    element = shape.element or AwsShape(name="", type="string")
    kind = "map" if member.key else "set" if member.unordered else "atomic"
    return {
        "type": "array",
        **({"minItems": low} if low else {}),
        "maxItems": high,
        "x-kubernetes-list-type": kind,
        **({"x-kubernetes-list-map-keys": [member.key]} if member.key else {}),
        "items": _schema(element, Member(doc="", **_of_strings(member)), table),
    }


def _map(shape: AwsShape, member: Member) -> Schema:
    low, high = member.size or (0, MAP)
    element = shape.element or AwsShape(name="", type="string")
    schema = {
        "type": "object",
        **({"minProperties": low} if low else {}),
        "maxProperties": high,
        "additionalProperties": _string(element, Member(doc="", **_of_strings(member))),
    }
    if shape.name in _TAG_MAPS:
        schema[RULES] = [rule.as_schema() for rule in TAG_RULES]
    return schema


def _of_strings(member: Member) -> dict[str, Any]:
    """What a list or map of strings says about each string."""
    return {"length": member.length, "form": member.form, "enum": member.enum}


def _string(shape: AwsShape, member: Member) -> Schema:
    """A string; a float is one too, because JSON readers do not agree on floats."""
    values = member.enum or shape.enum
    if values:
        return {"type": "string", "enum": list(values)}
    low, high = member.length or (shape.minimum or 0, shape.maximum or TEXT)
    form = member.form or (None if shape.type == "string" else DECIMAL)
    return {
        "type": "string",
        **({"minLength": low} if low and form is None else {}),
        "maxLength": high,
        **({RULES: [form.as_schema()]} if form else {}),
    }


def _integer(member: Member, size: str, widest: int) -> Schema:
    low = 0 if member.low is None else member.low
    high = widest if member.high is None else min(member.high, widest)
    return {"type": "integer", "format": size, "minimum": low, "maximum": high}


def _check_names(where: str, members: Iterable[str], named: Iterable[str]) -> None:
    unknown = sorted(set(named) - set(members))
    if unknown:
        raise ValueError(
            f"{where} has no {', '.join(unknown)} in the installed botocore: remove it from the "
            "tables under schema/tables, or install the botocore that the locks name"
        )
