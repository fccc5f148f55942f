"""The log lines that may stand in a status: short, clean, and without well-known secrets.

A job may print anything, and this runs on the event loop, so every line is cut before it is
cleaned or matched. Of a line that is too long, the beginning is shown: it says who speaks and what
happened (time, level, the type of an exception), and what makes a secret recognisable stands before
it, so that cutting off the end never exposes half of one.
"""

import re
from collections.abc import Iterable, Sequence

from awsbatch_operator.telemetry.secret_patterns import REACH
from awsbatch_operator.telemetry.secrets import CUT, MASK, masked

LIMIT_BYTES = 2048
_WINDOW = LIMIT_BYTES + REACH  # characters of a line that are looked at
_LINES = 100  # at most; the spec allows 20 (logs.statusLines)

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_KEY_BEGINS = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}?(?:PRIVATE KEY|PGP MESSAGE)")
_KEY_ENDS = re.compile(r"-----END [A-Z0-9 ]{0,40}?(?:PRIVATE KEY|PGP MESSAGE)")
# A line of a key of which neither end is among the last lines: 64 to 76 columns of base64.
_KEY_LINE = re.compile(
    r"\s{0,64}(?=[^a-z]{0,76}[a-z])(?=[^A-Z]{0,76}[A-Z])[A-Za-z0-9+/]{62,76}={0,2}\s{0,64}"
)


def masked_lines(lines: Iterable[str]) -> tuple[str, ...]:
    """The lines, masked, oldest first, in 2 KiB all together: long ones are cut, none is left out.

    A line may be as long as a whole JSON document. If it took all the room, it would hide the
    lines before it, of which one often says what happened. So the room is shared: what shorter
    lines leave of their equal shares, the longer ones get.
    """
    cleaned = _without_keys([_cleaned(line) for line in lines][-_LINES:])
    encoded = [masked(line, limit=LIMIT_BYTES).encode() for line in cleaned]
    longest = _longest(sorted(map(len, encoded)), LIMIT_BYTES)
    return tuple(_cut(line, longest) for line in encoded)


def _longest(sizes: Sequence[int], room: int) -> int:
    """How many bytes a line may have, so that all fit together; `sizes` ascend."""
    for index, size in enumerate(sizes):
        share = room // (len(sizes) - index)
        if size > share:
            return share
        room -= size
    return LIMIT_BYTES


def _cut(line: bytes, longest: int) -> str:
    if len(line) <= longest:
        return line.decode()
    return line[: max(0, longest - len(CUT.encode()))].decode(errors="ignore") + CUT


def _cleaned(line: str) -> str:
    """The beginning of what a terminal would show: behind the last carriage return."""
    _, _, seen = line.rstrip("\r\n").rpartition("\r")
    return _CONTROL.sub("", seen[:_WINDOW].encode(errors="replace").decode())


def _without_keys(lines: list[str]) -> list[str]:
    """Private keys take many lines, and of a key any part may be among the last ones."""
    made: list[str] = []
    inside = False
    for line in lines:
        ends = _KEY_ENDS.search(line) is not None
        if ends and not inside and not _KEY_BEGINS.search(line):
            made = [MASK] * len(made)  # it began before the first line that we have
        hidden = inside or ends or _KEY_LINE.fullmatch(line)
        made.append(MASK if hidden else line)
        inside = not ends and (inside or _KEY_BEGINS.search(line) is not None)
    return made
