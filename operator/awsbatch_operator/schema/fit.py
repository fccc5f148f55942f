"""Statuses that the API server does not refuse for the length of what AWS said.

A status is written as a whole: one text too long would hide everything else, too.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from awsbatch_operator.schema.model_schema import own_schema
from awsbatch_operator.schema.status import Status

Schema = Mapping[str, Any]


def fitted(model: type[Status], status: Mapping[str, Any]) -> dict[str, Any]:
    """The status with every text cut to what its schema allows, the cut shown by an ellipsis.

    Nothing else is changed: a field that the schema does not have is a mistake of ours, which the
    API server's answer shows.
    """
    made: dict[str, Any] = _fitted(_schema_of(model), status)
    return made


@cache
def _schema_of(model: type[Status]) -> Schema:
    return own_schema(model)


def _fitted(schema: Schema, value: Any) -> Any:
    if isinstance(value, Mapping):
        properties = schema.get("properties", {})
        further = schema.get("additionalProperties", {})
        return {
            name: _fitted(properties.get(name, further), entry) for name, entry in value.items()
        }
    if isinstance(value, list | tuple):
        return [_fitted(schema.get("items", {}), entry) for entry in value]
    if isinstance(value, str) and len(value) > schema.get("maxLength", len(value)):
        return f"{value[: schema['maxLength'] - 1]}…"
    return value
