r"""Reads what a builder or a verifier has told on its serial console.

The console is noisy: lines end with `\r\n`, cloud-init and the kernel write their own with prefixes
and into the midst of others, the last line may still be written, and GetConsoleOutput shows the
last 64 KiB, so that the first may be the end of one. A marker counts wherever in a line it stands,
but with the nonce only; without it, it is a line like any other.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from awsbatch_operator.telemetry.secrets import MASK, masked
from awsbatch_operator.userdata.images.model import Console, Verdict

TAIL_LINES = 20
LINE_LENGTH = 300
MESSAGE_LENGTH = 500
SEEN_LIMIT = 131_072  # characters from the end that are looked at; AWS keeps half as many bytes
KEPT_BYTES = 65_536  # of GetConsoleOutput

_LINE_ENDS = re.compile(r"[\r\n]+")
_NOISE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[@-_]|[\x00-\x08\x0b-\x1f\x7f]")
_MARKER = "awsbatch-image"
_END_OF_STEP = re.compile(r"awsbatch: end of \S+$")
_STEP = re.compile(r"STEP ([A-Za-z0-9._:/@+-]+)")
_OK = re.compile(r"OK(?![A-Za-z0-9])")
_FAIL = re.compile(r"FAIL step=([A-Za-z0-9._:/@+-]*) rc=([0-9]{1,9})(?![0-9]) ?(.*)")


def read_console(text: str, *, nonce: str) -> Console:
    """What was told, as far as it is seen; any text is read. Without a nonce nothing counts."""
    lines = _lines(text)
    told = _told(lines, nonce)
    steps = [found[1] for each in told if (found := _STEP.match(each))]
    step = steps[-1] if steps else ""
    measured, tail = _measured(told), _tail(lines, nonce, cut=_is_cut(text))
    if any(each.startswith("FAIL") for each in told):
        # The last line may not be whole, but the end is told three times.
        ended = _told(lines[:-1], nonce)
        whole = next((found for each in (*ended, *told) if (found := _FAIL.match(each))), None)
        return Console(
            verdict=Verdict.FAILED,
            step=(whole[1] if whole else "") or step,
            exit_code=int(whole[2]) if whole else None,
            message=_masked(whole[3].strip(), nonce)[:MESSAGE_LENGTH] if whole else "",
            measured=measured,
            tail=tail,
        )
    verdict = Verdict.OK if any(_OK.match(each) for each in told) else None
    return Console(verdict=verdict, step=step, measured=measured, tail=tail)


def _lines(text: str) -> list[str]:
    """The last one is empty where the text ends with the end of a line."""
    return [_NOISE.sub("", each).rstrip() for each in _LINE_ENDS.split(text[-SEEN_LIMIT:])]


def _is_cut(text: str) -> bool:
    """Whether the first line may be the end of one."""
    return len(text.encode("utf-8", "replace")) >= KEPT_BYTES


def _told(lines: Sequence[str], nonce: str) -> list[str]:
    """What stands behind each marker with the nonce."""
    marker = f"{_MARKER} {nonce} "
    return [told for each in lines for told in each.split(marker)[1:]] if nonce else []


def _measured(told: Sequence[str]) -> Mapping[str, Any]:
    """The last whole object that was told."""
    for each in reversed(told):
        if each.startswith("MEASURED "):
            try:
                found, _ = json.JSONDecoder().raw_decode(each.removeprefix("MEASURED "))
            except (ValueError, RecursionError):
                continue
            if isinstance(found, dict):
                return found
    return {}


def _tail(lines: Sequence[str], nonce: str, *, cut: bool) -> tuple[str, ...]:
    """The last lines of others.

    Masked as one text, because a key may have many lines; and without the end of a line, because a
    secret whose beginning is gone cannot be told.
    """
    marker = f"{_MARKER} {nonce}"
    others = [
        each[:LINE_LENGTH]
        for each in (lines[1:] if cut else lines)
        if not (nonce and marker in each) and not _END_OF_STEP.search(each)
    ]
    shown = _masked("\n".join(others), nonce)
    return tuple([each for each in shown.split("\n") if each.strip()][-TAIL_LINES:])


def _masked(text: str, nonce: str) -> str:
    # A mask may be longer than what it hides.
    shown = masked(text, limit=2 * len(text) + len(MASK))
    return shown.replace(nonce, MASK) if nonce else shown
