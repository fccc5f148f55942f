"""Keep secrets out of logs, messages and statuses, whoever put them there."""

import re
from collections.abc import Mapping
from typing import Any

MASK = "***"

_SECRET_NAMES = re.compile(
    r"(?i)secret|password|passwd|authorization|credential|private_?key|api_?key|access_?key"
    r"|session_?token|security_?token|bearer|external_?id|^token$|^cookie$"
)
_SECRET_TEXTS = (
    re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),  # AWS access key ids
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"),  # JSON web tokens, such as a pod's own
    re.compile(r"(?i)(?<=\bbearer )[\w.~+/=-]{8,}"),
    re.compile(r"(?<=://)[^/@\s]+:[^/@\s]+(?=@)"),  # user and password in a URL
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*-----|\Z)"),
    re.compile(r"\bgh[pousr]_[A-Za-z0-9]{20,}\b"),  # GitHub tokens
    # name=value, name: value and "name": "value" of whatever calls itself a secret; signatures of
    # URLs too
    re.compile(
        r"(?i)(?P<name>(?:(?:secret|password|passwd|token|api[_-]?key|access[_-]?key)[\w.-]*"
        r"[\"']?\s*:\s*|(?:secret|password|passwd|token|credential|signature|api[_-]?key"
        r"|access[_-]?key)[\w.-]*(?:=|[\"']\s*:\s*))[\"']?)"
        r"(?:(?<=\")[^\"]+|(?<=')[^']+|[^\s\"'&,}]+)"
    ),
)


def masked(text: str) -> str:
    """The text with what looks like a secret masked."""
    for pattern in _SECRET_TEXTS:
        kept = r"\g<name>" if "name" in pattern.groupindex else ""
        text = pattern.sub(f"{kept}{MASK}", text)
    return text


def masked_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping with secrets masked at every depth, by their names and by their looks."""
    return {
        name: MASK if _SECRET_NAMES.search(str(name)) and value else _masked_value(value)
        for name, value in values.items()
    }


def _masked_value(value: Any) -> Any:
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return masked_values(value)
    if isinstance(value, list | tuple):
        return [_masked_value(inner) for inner in value]
    return value
