"""Keep secrets out of logs, messages and statuses, whoever put them there.

The one masking of the operator: log records, AWS's messages and the output of jobs all come through
`masked`. What is masked can be any size and anybody's, and this runs on the event loop; so a text
is cut before it is looked at, and the patterns are linear (`secret_patterns.py`).
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from awsbatch_operator.telemetry.secret_patterns import PATTERNS, REACH

MASK = "***"
CUT = "…"
TEXT_LIMIT = 8192  # characters of one text that are looked at and kept, unless told otherwise
RECORD_LIMIT = 32_768  # characters of all texts of one log record, and items, together
ITEMS_LIMIT = 100  # of one list or mapping
DEPTH_LIMIT = 6
_NAME_LIMIT = 256
_SHORTEST = 5  # characters; nothing shorter holds a secret that can be told from other text

_PLAIN = frozenset({str, int, float, bool, type(None)})
_SECRET_NAMES = re.compile(
    r"(?i)secret|password|passwd|authorization|credential|private_?key|api_?key|access_?key"
    r"|session_?token|security_?token|bearer|external_?id|(?m:^token$|^cookie$)"
)

# Most texts hold no head at all, and are looked through once for each.
_BY_HEAD = tuple(
    (head, tuple(index for index, pattern in enumerate(PATTERNS) if head in pattern.heads))
    for head in dict.fromkeys(head for pattern in PATTERNS for head in pattern.heads)
)


def masked(text: str, *, limit: int = TEXT_LIMIT) -> str:
    """The beginning of the text, with what looks like a secret masked.

    At most `limit` characters, then CUT says that there was more. The beginning, because what makes
    a secret recognisable stands before it or at its start: cutting off the end can never leave the
    other half of one. Patterns look REACH characters further than what is kept, so that a secret
    that lies across the cut is recognised as well.
    """
    kept = min(limit, len(text))
    made, end = [], 0
    for start, stop in _secrets(text[: limit + REACH]):
        if start >= kept:
            break
        if start >= end:  # else it lies across the one before, which is masked already
            made += [text[end:start], MASK]
        end = max(end, stop)
    made.append(text[end:kept])
    shown = "".join(made)  # may be longer than the text: a mask is longer than a short secret
    return shown[:limit] + (CUT if max(len(text), len(shown)) > limit else "")


def _secrets(text: str) -> list[tuple[int, int]]:
    """Where secrets stand, by their beginnings."""
    if len(text) < _SHORTEST:
        return []
    return sorted(
        found.span(found.lastgroup or 0)
        for index in _told(text)
        for found in PATTERNS[index].finds.finditer(text)
    )


def _told(text: str) -> set[int]:
    """The patterns that may find something in the text."""
    lowered = text.lower()
    return {index for head, indexes in _BY_HEAD if head in lowered for index in indexes}


def masked_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping with secrets masked at every depth, by their names and by their looks.

    Numbers, booleans and None stay as they are; whatever is not a text, a list or a mapping becomes
    its text. Long texts, many items and deep nesting are cut, so that the work is bounded.
    """
    return dict(values) if _is_plain(values) else _Masking().mapping(values, depth=0)


def _is_plain(values: Mapping[str, Any]) -> bool:
    """Whether there is nothing to mask or to cut, told at one look: as in most lines of a log."""
    if len(values) > ITEMS_LIMIT or not all(type(each) in _PLAIN for each in values.values()):
        return False
    text = "\n".join([each for each in values.values() if type(each) is str])
    if len(text) > TEXT_LIMIT or _SECRET_NAMES.search("\n".join(values)):
        return False
    return not any(PATTERNS[index].finds.search(text) for index in _told(text))


class _Masking:
    """One record being masked; counts down what it may still hold."""

    def __init__(self) -> None:
        self._left = RECORD_LIMIT

    def mapping(self, values: Mapping[Any, Any], *, depth: int) -> dict[str, Any]:
        return dict(self._items(values, depth))

    def _items(self, values: Mapping[Any, Any], depth: int) -> Iterator[tuple[str, Any]]:
        for key, value in islice(values.items(), ITEMS_LIMIT):
            # Names at the top are written in our own code; below, they may be anybody's.
            name = str(key) if depth == 0 else masked(str(key), limit=_NAME_LIMIT)
            self._left -= len(name) if depth else 0
            hidden = bool(value) and _SECRET_NAMES.search(name[:_NAME_LIMIT])
            yield name, MASK if hidden else self._value(value, depth=depth + 1)
        if len(values) > ITEMS_LIMIT:
            yield CUT, f"{len(values) - ITEMS_LIMIT} more"

    def _full(self, depth: int) -> bool:
        """Whether no list or mapping is looked into any more."""
        return depth > DEPTH_LIMIT or self._left <= 0

    def _value(self, value: Any, *, depth: int) -> Any:
        self._left -= 1  # numbers count as well: a thousand lists of them are a long line, too
        match value:
            case None | bool() | int() | float():
                return value
            case str():
                return self._text(value)
            case Mapping() | list() | tuple() | set() | frozenset() if self._full(depth):
                return CUT
            case Mapping():
                return self.mapping(value, depth=depth)
            case list() | tuple() | set() | frozenset():
                shown = [self._value(one, depth=depth + 1) for one in islice(value, ITEMS_LIMIT)]
                return shown + ([CUT] if len(value) > ITEMS_LIMIT else [])
            case _:
                return self._text(str(value))

    def _text(self, text: str) -> str:
        shown = masked(text, limit=max(0, min(TEXT_LIMIT, self._left)))
        self._left -= len(shown)
        return shown
