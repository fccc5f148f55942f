"""Validation of a spec in Python, by the same schema that the CRD has.

The API server has validated every object already, but perhaps by an older CRD than this operator's
own: what that let through must become a message, never a crash or a silently ignored field.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from pydantic import ValidationError

from awsbatch_operator.api.words import SHOWN_AT_MOST, joined
from awsbatch_operator.schema.crd import spec_schema
from awsbatch_operator.schema.declare import CustomResource
from awsbatch_operator.schema.fields import Fields
from awsbatch_operator.schema.rules import RULE_COUNT, RULE_PATTERN, RULES

Schema = Mapping[str, Any]
SpecT = TypeVar("SpecT", bound=Fields)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field; `path` as users write it, such as spec.timeout."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class SpecError(ValueError):
    """A spec that does not fit its schema."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        rest = len(problems) - SHOWN_AT_MOST
        more = f"And {rest} more." if rest > 0 else ""
        super().__init__(joined(*map(str, problems[:SHOWN_AT_MOST]), more))
        self.problems = problems


def read_spec(resource: CustomResource[SpecT], spec: Mapping[str, Any]) -> SpecT:
    """The spec as the kind's model. SpecError with every problem and its path."""
    problems = spec_problems(resource, spec)
    if problems:
        raise SpecError(problems)
    try:
        return resource.spec.model_validate(spec)
    except ValidationError as error:
        raise SpecError(tuple(_problem(entry) for entry in error.errors())) from None


def spec_problems(resource: CustomResource[Any], spec: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Everything in the spec that its schema does not allow; CEL rules are not evaluated here."""
    return tuple(problems(_schema_of(resource), spec, "spec"))


@cache
def _schema_of(resource: CustomResource[Any]) -> Schema:
    return spec_schema(resource)


def problems(schema: Schema, value: Any, path: str) -> Iterator[Problem]:
    """What is wrong with the value and all that it contains."""
    if "enum" in schema and value not in schema["enum"]:
        yield Problem(path, f"must be one of {', '.join(map(repr, schema['enum']))}")
        return
    match schema.get("type"):
        case "object":
            yield from _object(schema, value, path)
        case "array":
            yield from _array(schema, value, path)
        case "string":
            yield from _string(schema, value, path)
        case "integer":
            yield from _integer(schema, value, path)
        case "boolean":
            if not isinstance(value, bool):
                yield Problem(path, "must be true or false")
        case other:
            raise ValueError(f"{path}: no validation for schema type {other}")


def _object(schema: Schema, value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, Mapping):
        yield Problem(path, "must be an object")
        return
    for name in schema.get("required", ()):
        if name not in value:
            yield Problem(f"{path}.{name}", "is required")
    yield from _size(schema, len(value), path, "Properties", "entries")
    properties, additional = schema.get("properties", {}), schema.get("additionalProperties")
    for name, entry in value.items():
        known = properties.get(name, additional)
        if known is None:
            yield Problem(f"{path}.{name}", "is not known to this version of the operator")
        else:
            yield from problems(known, entry, f"{path}.{name}")
    yield from _counts(schema, value, path)


def _counts(schema: Schema, value: Mapping[str, Any], path: str) -> Iterator[Problem]:
    """The rules that say how many of some members may be set: what planners rely on most."""
    for rule in schema.get(RULES, ()):
        if RULE_COUNT in rule:
            low, high, names = rule[RULE_COUNT]
            if not low <= sum(name in value for name in names) <= high:
                yield Problem(path, rule["message"])


def _array(schema: Schema, value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, list | tuple):
        yield Problem(path, "must be a list")
        return
    yield from _size(schema, len(value), path, "Items", "entries")
    for index, entry in enumerate(value):
        yield from problems(schema["items"], entry, f"{path}[{index}]")
    keys = schema.get("x-kubernetes-list-map-keys", ())
    if keys or schema.get("x-kubernetes-list-type") == "set":
        seen: list[Any] = []
        for index, entry in enumerate(value):
            mark = [entry.get(key) for key in keys] if isinstance(entry, Mapping) else entry
            if mark in seen:
                yield Problem(f"{path}[{index}]", f"repeats {mark!r}")
            seen.append(mark)


def _string(schema: Schema, value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, str):
        yield Problem(path, "must be a string")
        return
    yield from _size(schema, len(value), path, "Length", "characters")
    if "pattern" in schema and not _matches(schema["pattern"], value):
        yield Problem(path, f"must match {schema['pattern']}")
    for rule in schema.get(RULES, ()):
        if RULE_PATTERN in rule and not _matches(rule[RULE_PATTERN], value):
            yield Problem(path, rule["message"])


def _matches(pattern: str, value: str) -> bool:
    r"""As the API server's RE2 sees it: \w is ASCII, and $ is not before a line end."""
    strict = f"{pattern[:-1]}\\Z" if pattern.endswith("$") else pattern
    return re.search(strict, value, re.ASCII) is not None


def _integer(schema: Schema, value: Any, path: str) -> Iterator[Problem]:
    if not isinstance(value, int) or isinstance(value, bool):
        yield Problem(path, "must be a whole number")
    elif not schema["minimum"] <= value <= schema["maximum"]:
        bounds = f"must be from {schema['minimum']} to {schema['maximum']}"
        yield Problem(path, f"{bounds}, but is {value}")


def _size(schema: Schema, size: int, path: str, bound: str, unit: str) -> Iterator[Problem]:
    low, high = schema.get(f"min{bound}", 0), schema.get(f"max{bound}", size)
    if not low <= size <= high:
        yield Problem(path, f"must have {low} to {high} {unit}, but has {size}")


def _problem(entry: Any) -> Problem:
    """A field that pydantic refuses though the schema does not: said like the others."""
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in entry["loc"])
    return Problem(f"spec{where}", entry["msg"])
