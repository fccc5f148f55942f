"""The log lines that may stand in a status: short, clean, and without well-known secrets."""

import re
from collections.abc import Iterable

from awsbatch_operator.telemetry.secrets import masked

LIMIT_BYTES = 2048

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def masked_lines(lines: Iterable[str]) -> tuple[str, ...]:
    """The newest lines that fit into 2 KiB, masked, oldest first."""
    kept: list[str] = []
    room = LIMIT_BYTES
    for line in reversed(list(lines)):
        clean = masked(_CONTROL.sub("", line))
        encoded = clean.encode()
        if len(encoded) > room:
            if not kept:
                kept.append(encoded[:room].decode(errors="ignore"))
            break
        kept.append(clean)
        room -= len(encoded)
    return tuple(reversed(kept))
