"""Keep well-known secrets out of the log lines that stand in a status."""

import re
from collections.abc import Iterable

LIMIT_BYTES = 2048
MASK = "***"

_PATTERNS = (
    # AWS access key ids, and the secret that follows its name
    re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    # name=value or "name": "value" of anything that calls itself a secret
    re.compile(
        r"(?i)(?<=[\w.-])?(?P<name>[\w.-]*(?:secret|password|passwd|token|api[_-]?key|"
        r"access[_-]?key|credential)[\w.-]*[\"']?\s*[:=]\s*)(?P<value>\"[^\"]*\"|'[^']*'|\S+)"
    ),
    re.compile(r"(?i)(?P<name>\b(?:bearer|basic)\s+)(?P<value>[A-Za-z0-9._~+/=-]{8,})"),
    re.compile(r"(?P<name>://[^\s:/@]+:)(?P<value>[^\s@/]+)(?=@)"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*"),
    re.compile(r"\bgh[pousr]_[A-Za-z0-9]{20,}\b"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+"),
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def masked(line: str) -> str:
    """The line with secrets masked and control characters gone."""
    line = _CONTROL.sub("", line)
    for pattern in _PATTERNS:
        replacement = rf"\g<name>{MASK}" if "name" in pattern.groupindex else MASK
        line = pattern.sub(replacement, line)
    return line


def masked_lines(lines: Iterable[str]) -> tuple[str, ...]:
    """The newest lines that fit into 2 KiB, masked, oldest first."""
    kept: list[str] = []
    room = LIMIT_BYTES
    for line in reversed(list(lines)):
        clean = masked(line)
        encoded = clean.encode()
        if len(encoded) > room:
            if not kept:
                kept.append(encoded[:room].decode(errors="ignore"))
            break
        kept.append(clean)
        room -= len(encoded)
    return tuple(reversed(kept))
