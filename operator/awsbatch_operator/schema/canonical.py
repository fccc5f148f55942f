"""When two AWS structures mean the same: a canonical form, its hash, and what differs.

Walks by the names of members, not by AWS's model, so that a newer boto3 changes no hash. What
counts as the same is this (the tables are in canonical_forms.py):

* order, where AWS's list is a set (environment variables, subnets, containers of a task, …);
* a member left out, null, an empty text, list or structure, or AWS's documented default;
* what AWS drops (environment variables without a value), writes in lower case, or fills in from
  elsewhere (a device's path in the container, what a pod requests);
* a decimal however it is written ("2", "2.0").

The tables belong to VERSION: whoever changes them in a way that changes a hash raises it, and
objects found with a hash of another version are left as they are.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, TypeVar

from awsbatch_operator.schema.canonical_forms import (
    CASELESS,
    DEFAULTS,
    EXPANDED,
    FILLED_IN,
    LISTS,
    MAPS,
    NEEDS_VALUE,
    ORDERED,
    SET,
    TELLING,
)
from awsbatch_operator.schema.tables import additions

VERSION = "v2"
HASH_DIGITS = 32

# With these, the order of instanceTypes is the user's preference.
_PREFERENCE = ("BEST_FIT_PROGRESSIVE_ORDERED", "SPOT_CAPACITY_OPTIMIZED_PRIORITIZED")
_RowT = TypeVar("_RowT")
_EXPANSION = "$("
_WEIGHT_DIGITS = Decimal("0.0001")  # AWS keeps weights as single-precision floats


def canonical(content: Mapping[str, Any]) -> dict[str, Any]:
    """The same content in the one form that all its spellings have."""
    return _structure(content, "")


def content_hash(content: Mapping[str, Any]) -> str:
    """The version and a hash that all spellings of the content share."""
    text = json.dumps(canonical(content), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return f"{VERSION}:{hashlib.sha256(text.encode()).hexdigest()[:HASH_DIGITS]}"


def comparable(stored: str) -> bool:
    """Whether a stored hash was made by these rules, so that a difference means a change."""
    return stored.startswith(f"{VERSION}:")


def differences(
    desired: Mapping[str, Any], observed: Mapping[str, Any], *, ignore: Collection[str] = ()
) -> tuple[str, ...]:
    """Paths (`computeResources.instanceRole`) at which AWS is not as desired, in order.

    Members that AWS returns, the tables do not know and nobody asked for are not differences: a
    newer AWS returns more than an older one. Lists are compared as a whole. `ignore` names paths
    that the caller judges for itself.
    """
    found = _differences(canonical(desired), canonical(observed), "", known_members())
    return tuple(path for path in sorted(found) if path not in ignore)


@cache
def known_members() -> frozenset[str]:
    """The names of all members of AWS structures that this operator knows."""
    return frozenset(name for struct in additions().values() for name in struct.members)


def _structure(content: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Members in their form; `path` are the names of the members that lead to the structure."""
    made: dict[str, Any] = {}
    for name, value in content.items():
        here = f"{path}.{name}" if path else name
        form = _value(name, value, here)
        if not _says_nothing(name, form, here):
            made[name] = form
    if made.get("allocationStrategy") not in _PREFERENCE and "instanceTypes" in made:
        made["instanceTypes"] = sorted(made["instanceTypes"])
    filled_in = _row(path, FILLED_IN) if path else None
    return made if filled_in is None else filled_in(made)


def _value(name: str, value: Any, path: str) -> Any:
    if isinstance(value, Mapping):
        if name in MAPS:
            return {key: entry for key, entry in value.items() if entry is not None}
        return _structure(value, path)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return _list(name, value, path)
    if name == "weightFactor":
        return _decimal(value, _WEIGHT_DIGITS)
    if name == "value" and path.endswith("resourceRequirements.value"):
        return _decimal(value)
    if isinstance(value, str) and any(_leads(path, each) for each in CASELESS):
        return value.upper()
    return value


def _list(name: str, entries: Sequence[Any], path: str) -> list[Any]:
    made = [
        _structure(entry, path) if isinstance(entry, Mapping) else entry
        for entry in entries
        if entry is not None
    ]
    if name in NEEDS_VALUE:
        made = [entry for entry in made if not isinstance(entry, dict) or "value" in entry]
    key = LISTS.get(name, ORDERED)
    if name in EXPANDED and any(_EXPANSION in str(entry.get("value", "")) for entry in made):
        key = ORDERED
    if key == SET:
        return sorted(set(made))
    if key == ORDERED or not all(isinstance(entry, dict) for entry in made):
        return made
    return sorted(made, key=lambda entry: json.dumps([entry.get(key), entry], sort_keys=True))


def _says_nothing(name: str, form: Any, path: str) -> bool:
    if form is None or form == "":
        return True
    if isinstance(form, dict | list) and not form:
        return name not in TELLING
    defaults = _row(path, DEFAULTS) or ()
    return any(form == default and type(form) is type(default) for default in defaults)


def _row(path: str, table: Mapping[str, _RowT]) -> _RowT | None:
    """The row whose name is the longest that the path ends with."""
    while path:
        if path in table:
            return table[path]
        _, _, path = path.partition(".")
    return None


def _leads(path: str, name: str) -> bool:
    return path == name or path.endswith(f".{name}")


def _decimal(value: Any, digits: Decimal | None = None) -> Any:
    """A number in its shortest spelling; what is none stays as it is."""
    try:
        number = Decimal(str(value))
        number = number if digits is None else number.quantize(digits)
    except InvalidOperation:
        return value
    return format(number.normalize(), "f")


def _differences(
    desired: Mapping[str, Any], observed: Mapping[str, Any], path: str, known: Collection[str]
) -> Iterator[str]:
    for name in desired.keys() | observed.keys():
        wanted, have = desired.get(name), observed.get(name)
        here = f"{path}{name}"
        if name not in desired and name not in known:
            continue
        if name not in MAPS and isinstance(wanted, dict) and isinstance(have, dict):
            yield from _differences(wanted, have, f"{here}.", known)
        elif isinstance(wanted, list) and isinstance(have, list):
            if not _same_list(wanted, have, known):
                yield here
        elif wanted != have:
            yield here


def _same_list(wanted: list[Any], have: list[Any], known: Collection[str]) -> bool:
    if len(wanted) != len(have):
        return False
    return all(
        not any(_differences(left, right, "", known))
        if isinstance(left, dict) and isinstance(right, dict)
        else left == right
        for left, right in zip(wanted, have, strict=True)
    )
