"""How messages are put together."""

from collections.abc import Sequence

SHOWN_AT_MOST = 5  # of several things of one sort; a person who mends these sees the next ones


def some_of(things: Sequence[object]) -> str:
    """The first few, separated by commas, and how many more there are."""
    rest = len(things) - SHOWN_AT_MOST
    more = f" and {rest} more" if rest > 0 else ""
    return ", ".join(str(thing) for thing in things[:SHOWN_AT_MOST]) + more
