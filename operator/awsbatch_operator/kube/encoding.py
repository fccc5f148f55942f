"""JSON for the API server, by orjson: three to ten times as fast as Python's own.

Which matters because all of it happens on the event loop. See docs/decisions.
"""

from collections.abc import Mapping
from typing import Any

import orjson


def encoded(value: Any) -> bytes:
    """A JSON value as text. Mappings and tuples count as what they look like."""
    return orjson.dumps(value, default=_plain)


def decoded(text: bytes | str) -> Any:
    """The value of a JSON text; ValueError if it is none."""
    return orjson.loads(text)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")
