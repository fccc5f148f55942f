"""Filters of EC2's Describe operations.

Sources: DescribeInstances and DescribeTags in the EC2 API reference (the names of their filters);
`Filter` in AWS's SDK reference (`*` is any text, `?` any character, a backslash takes the meaning
from what follows it; nothing else has a meaning of its own).
"""

import fnmatch
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from awsbatch_simulator.errors import AwsFailure

_SIGN = re.compile(r"\\(?P<escaped>.)|(?P<sign>[*?])|(?P<text>.)", re.DOTALL)


def pattern(value: str) -> re.Pattern[str]:
    """What a filter's value matches; as a whole, case matters, in linear time."""
    parts = []
    for found in _SIGN.finditer(value):
        literal = found["escaped"] or found["text"]
        if found["sign"]:
            parts.append(found["sign"])
        else:
            parts.append(f"[{literal}]" if literal in "*?[" else literal)
    return re.compile(fnmatch.translate("".join(parts)))


@dataclass(frozen=True, slots=True)
class Wanted:
    """One filter of a request: a name, and the values of which one must fit."""

    name: str
    exact: frozenset[str]
    patterns: tuple[re.Pattern[str], ...] = field(default=())

    def fits(self, values: Iterable[Any]) -> bool:
        """Whether any of a thing's values is one that is wanted."""
        return any(
            text in self.exact or any(each.match(text) for each in self.patterns)
            for text in map(shown, values)
        )


def wanted(filters: Iterable[dict[str, Any]], known: Callable[[str], bool]) -> tuple[Wanted, ...]:
    """The filters of a request. Raises AwsFailure for one that the operation does not have."""
    found = []
    for each in filters:
        name = each.get("Name")
        if name is None or not known(name):
            raise AwsFailure("InvalidParameterValue", f"The filter '{name or 'null'}' is invalid")
        values = each.get("Values") or []
        plain = frozenset(value for value in values if not set("*?\\").intersection(value))
        globs = tuple(pattern(value) for value in values if value not in plain)
        found.append(Wanted(name, plain, globs))
    return tuple(found)


def shown(value: Any) -> str:
    """A value as filters spell it."""
    match value:
        case bool():
            return str(value).lower()
        case datetime():
            return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}Z"
        case _:
            return str(value)


def walk(thing: Any, path: tuple[str, ...]) -> Iterable[Any]:
    """All values at a path of member names; a list stands for each of its items."""
    if isinstance(thing, list):
        for each in thing:
            yield from walk(each, path)
    elif not path:
        yield thing
    elif path[0] in thing:
        yield from walk(thing[path[0]], path[1:])
