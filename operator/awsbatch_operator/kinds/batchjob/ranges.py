"""Indexes of an array's children as a person reads them: "1,3-5" (pure)."""

import re
from collections.abc import Iterable, Iterator

# AWS's arrays have 10,000 children; the tasks of a packed one may be more.
LARGEST_INDEX = 99_999

_PART = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?", re.ASCII)


def shown(indexes: Iterable[int]) -> str:
    """The indexes in order, each once, neighbours joined; "" for none."""
    return ",".join(
        str(first) if first == last else f"{first}-{last}" for first, last in _runs(indexes)
    )


def parsed(text: str) -> tuple[int, ...]:
    """What `shown` was given, in order; ValueError on what it would not have written.

    The text may have been written by a person, so it is bounded by its numbers before any range of
    it is counted out.
    """
    if not text:
        return ()
    found: list[int] = []
    for part in text.split(","):
        read = _PART.fullmatch(part)
        if read is None:
            raise ValueError(f"{part[:32]!r} is neither an index nor a range of indexes")
        first, last = int(read[1]), int(read[2] or read[1])
        if last > LARGEST_INDEX or last < first or (found and first <= found[-1]):
            raise ValueError(f"{part[:32]!r} is out of order, or beyond index {LARGEST_INDEX}")
        found += range(first, last + 1)
    return tuple(found)


def _runs(indexes: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Neighbours, as first and last."""
    first = last = None
    for index in sorted(set(indexes)):
        if first is None or last is None:
            first = last = index
        elif index == last + 1:
            last = index
        else:
            yield first, last
            first = last = index
    if first is not None and last is not None:
        yield first, last
