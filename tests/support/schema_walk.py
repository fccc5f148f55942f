"""Walks and random instances of structural schemas."""

from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import strategies as st

from awsbatch_operator.schema.rules import RULE_PATTERN, RULES

Schema = Mapping[str, Any]


def nodes(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """(path, node) of the schema and of everything below it."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), Mapping):
            yield from nodes(schema[name], f"{path}[]" if name == "items" else f"{path}{{}}")


def instances(schema: Schema) -> st.SearchStrategy[Any]:
    """Small values that the schema allows; rules in CEL are not heeded."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema["type"]:
        case "object":
            return _objects(schema)
        case "array":
            return _arrays(schema)
        case "string":
            return _strings(schema)
        case "integer":
            low = schema["minimum"]
            return st.integers(low, min(schema["maximum"], low + 9))
        case _:
            return st.booleans()


def _objects(schema: Schema) -> st.SearchStrategy[Any]:
    if "additionalProperties" in schema:
        keys = st.text("ab.é", min_size=1, max_size=3)
        return st.dictionaries(keys, instances(schema["additionalProperties"]), max_size=2)
    required = set(schema.get("required", ()))
    members = {name: instances(child) for name, child in schema["properties"].items()}
    return st.fixed_dictionaries(
        {name: made for name, made in members.items() if name in required},
        optional={name: made for name, made in members.items() if name not in required},
    )


def _arrays(schema: Schema) -> st.SearchStrategy[Any]:
    low = schema.get("minItems", 0)
    size = {"min_size": low, "max_size": min(schema["maxItems"], low + 2)}
    keys = schema.get("x-kubernetes-list-map-keys")
    if keys:
        return st.lists(
            instances(schema["items"]), unique_by=lambda entry: str(entry[keys[0]]), **size
        )
    unique = schema["x-kubernetes-list-type"] == "set"
    return st.lists(instances(schema["items"]), unique=unique, **size)


def _strings(schema: Schema) -> st.SearchStrategy[Any]:
    for rule in schema.get(RULES, ()):
        if RULE_PATTERN in rule:
            pattern = rule[RULE_PATTERN].removesuffix("$") + r"\Z"
            return st.from_regex(pattern).filter(lambda made: len(made) <= schema["maxLength"])
    low = schema.get("minLength", 0)
    return st.text("abc ß0", min_size=low, max_size=low + 3)
