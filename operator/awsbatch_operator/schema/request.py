"""From a spec's AWS members to the request: AWS's names are ours, so only decimals change."""

from collections.abc import Mapping
from typing import Any

from awsbatch_operator.schema.canonical_forms import MAPS, TELLING

# Shown as decimal strings, because JSON readers do not agree on floats; AWS takes floats.
_DECIMALS = frozenset({"weightFactor"})


def to_request(value: Any, name: str = "") -> Any:
    """A copy that boto3 takes: decimal strings of AWS's floats as floats, nulls left out."""
    if isinstance(value, Mapping):
        return {key: to_request(entry, key) for key, entry in value.items() if entry is not None}
    if isinstance(value, list | tuple):
        return [to_request(entry) for entry in value]
    return float(value) if name in _DECIMALS else value


def registrable(content: Mapping[str, Any]) -> dict[str, Any]:
    """A definition's members without what is empty, as descriptions of AWS are full of it.

    AWS refuses some members where they do not belong (propagateTags for pods, say), and does not
    document that it looks whether they say anything.
    """
    made = {name: _without_empty(name, value) for name, value in content.items()}
    return {name: value for name, value in made.items() if value is not None and value is not False}


def _without_empty(name: str, value: Any) -> Any:
    """None if it says nothing."""
    if isinstance(value, Mapping):
        entries = value if name in MAPS else {k: _without_empty(k, v) for k, v in value.items()}
        made = {key: entry for key, entry in entries.items() if entry is not None}
        return made if made or name in TELLING else None
    if isinstance(value, list | tuple):
        # Entries count by their place, and by being there.
        return [_entry(each) for each in value] or None
    return None if value == "" else value


def _entry(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {k: made for k, v in value.items() if (made := _without_empty(k, v)) is not None}
