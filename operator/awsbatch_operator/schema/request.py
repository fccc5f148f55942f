"""From a spec's AWS members to the request: AWS's names are ours, so only decimals change."""

from collections.abc import Mapping
from typing import Any

# Shown as decimal strings, because JSON readers do not agree on floats; AWS takes floats.
_DECIMALS = frozenset({"weightFactor"})


def to_request(value: Any, name: str = "") -> Any:
    """A copy that boto3 takes: decimal strings of AWS's floats as floats, nulls left out."""
    if isinstance(value, Mapping):
        return {key: to_request(entry, key) for key, entry in value.items() if entry is not None}
    if isinstance(value, list | tuple):
        return [to_request(entry) for entry in value]
    return float(value) if name in _DECIMALS else value
