"""The JSON protocols (rest-json and json), as plain JSON.

Member names are the same on the wire and in the model for every service of ours (a test holds that
against botocore), so a request's body is its parameters and a result is its body: twenty times
faster than a walk over the model's shapes.
"""

import base64
import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from botocore.model import Shape

from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.protocol.models import Identified
from awsbatch_simulator.wire import WireRequest

BAD_BODY = "The request's body is not a JSON object"
_ESCAPE = "\\u"


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):  # NaN and Infinity are no JSON; 1e999 is no number of AWS's
        raise ValueError(text)
    return number


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_finite)


def parse(identified: Identified, wire: WireRequest) -> dict[str, Any]:
    """The parameters, by the model's names. Raises AwsFailure SerializationException."""
    parameters = _body(wire.body)
    if identified.operation.protocol == "rest-json":
        parameters |= _bound(identified, wire)
    return parameters


def serialize(result: Mapping[str, Any]) -> bytes:
    """A result as JSON; datetimes become epoch seconds with milliseconds, bytes become base64."""
    return json.dumps(result, default=_other, separators=(",", ":")).encode()


def _body(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    try:
        text = body.decode()
        parsed = _DECODER.decode(text)
        if _ESCAPE in text:  # half a surrogate pair can be written so, and is no character
            json.dumps(parsed, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise AwsFailure("SerializationException", BAD_BODY) from None
    if not isinstance(parsed, dict):
        raise AwsFailure("SerializationException", BAD_BODY)
    # AWS takes an explicit null for an absent member.
    return {name: value for name, value in parsed.items() if value is not None}


def _bound(identified: Identified, wire: WireRequest) -> dict[str, Any]:
    """What the path and the query string say, by the model's names."""
    shape = identified.operation.model.input_shape
    if shape is None or not (identified.path_parameters or wire.query):
        return {}
    query = parse_qs(wire.query, keep_blank_values=True)
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        key = member.serialization.get("name", name)
        match member.serialization.get("location"):
            case "uri" if key in identified.path_parameters:
                found[name] = _typed(member, [identified.path_parameters[key]])
            case "querystring" if key in query:
                found[name] = _typed(member, query[key])
            case _:
                pass
    return found


def _typed(shape: Shape, values: list[str]) -> Any:
    try:
        match shape.type_name:
            case "list":
                return [_typed(shape.member, [value]) for value in values]
            case "integer" | "long":
                return int(values[0])
            case "boolean":
                return values[0] == "true"
            case _:
                return values[0]
    except ValueError:
        raise AwsFailure("SerializationException", f"{values[0]!r} is no number") from None


def _other(value: object) -> Any:
    if isinstance(value, datetime):
        return round(value.timestamp(), 3)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} is no AWS value")
