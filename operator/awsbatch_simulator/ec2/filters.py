"""Filters of EC2's Describe operations.

Sources: DescribeInstances and DescribeTags in the EC2 API reference (the names of their filters);
`Filter` in AWS's SDK reference (`*` is any text, `?` any character, a backslash takes the meaning
from what follows it; nothing else has a meaning of its own).
"""

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping
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


_TAG, _TAG_KEY = "tag:", "tag-key"


def kept(
    views: Iterable[dict[str, Any]],
    given: Iterable[dict[str, Any]],
    paths: Mapping[str, tuple[str, ...]],
    *,
    tags: bool = True,
) -> list[dict[str, Any]]:
    """The views that meet all filters, each by one of its values, in their order.

    `paths` says where a view has what a filter is about; with no path nothing has it. Things with
    tags also have the filters `tag:KEY` and `tag-key`. Raises AwsFailure for an unknown filter.
    """

    def known(name: str) -> bool:
        return name in paths or (tags and (name == _TAG_KEY or name.startswith(_TAG)))

    found = wanted(given, known)
    return [view for view in views if all(one.fits(_of(view, one.name, paths)) for one in found)]


def _of(view: dict[str, Any], name: str, paths: Mapping[str, tuple[str, ...]]) -> Iterable[Any]:
    if name in paths:
        return walk(view, paths[name]) if paths[name] else ()
    if name == _TAG_KEY:
        return (tag["Key"] for tag in view["Tags"])
    return (tag["Value"] for tag in view["Tags"] if tag["Key"] == name.removeprefix(_TAG))
