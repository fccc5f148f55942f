"""Secrets in what a user gives: whoever may read the object, or runs on the instance, has them.

What secrets look like is told by telemetry's patterns. Those are meant for masking, where one too
many does no harm. Here one too many would refuse a sound script, so a value that is only named like
a secret counts when it is written out, and is warned of, not refused.
"""

import re

from awsbatch_operator.telemetry.secret_patterns import PATTERNS, SecretPattern

# The access key's second half has no looks of its own; it is told by its name.
_NAMED_KEY = re.compile(
    r"(?i)secret_?access_?key[\"']?[ \t]{0,8}[=: ][ \t]{0,8}[\"']?(?P<secret>[A-Za-z0-9/+]{32,})"
)
_REFERENCE = re.compile(r"[$`{}<>()*]|^(?:/|arn:|ssm:|s3:|file:|https?:)")
_SHORTEST = 8


def secret_in(line: str) -> str:
    """What secret the line surely holds, in words; empty if it holds none."""
    if len(line) < _SHORTEST:
        return ""
    if _NAMED_KEY.search(line):
        return "an AWS access key"
    lowered = line.lower()
    for pattern in PATTERNS:
        if "secret" in pattern.finds.groupindex or not _may(pattern, lowered):
            continue
        for found in pattern.finds.finditer(line):
            if words := _named(found[0]):
                return words
    return ""


def named_secret_in(line: str) -> bool:
    """Whether the line gives something a value that is named like a secret, and written out."""
    if len(line) < _SHORTEST:
        return False
    lowered = line.lower()
    return any(
        _written_out(found["secret"])
        for pattern in PATTERNS
        if "secret" in pattern.finds.groupindex and _may(pattern, lowered)
        for found in pattern.finds.finditer(line)
    )


def _may(pattern: SecretPattern, lowered: str) -> bool:
    return any(head in lowered for head in pattern.heads)


def _named(found: str) -> str:
    if found.startswith(("AKIA", "ASIA", "ABIA", "ACCA")):
        return "an AWS access key"
    if found.startswith("-----BEGIN"):
        return "a private key"
    if found.startswith("eyJ") and found.count(".") < 2:  # noqa: PLR2004 - of a token's three parts
        return ""  # any JSON object in base64 begins so
    return "what looks like an access token"


def _written_out(value: str) -> bool:
    value = value.strip("\"' \t,;")
    mixed = any(each.isdigit() for each in value) and any(each.isalpha() for each in value)
    return len(value) >= _SHORTEST and mixed and not _REFERENCE.search(value)
