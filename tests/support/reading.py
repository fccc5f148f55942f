"""Whether what the operator writes reads as sentences, whoever wrote the parts."""

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

_ODD = re.compile(
    r"(?<![.\s/])\.\.(?!\.|/)|\s[.,;:](?:\s|$)|\s\s|[,;:]\.(?:\s|$)|^\s|\s$"
    r"|[a-z0-9] (?:The|It|This|These) [a-z]"  # a sentence begins, and the one before does not end
)
_END = re.compile(r"[.!?…]$")


def reads_badly(text: str) -> str:
    """What is wrong with a message; empty if it is one line of sentences that end and differ."""
    if odd := _ODD.search(text):
        return f"{text[max(0, odd.start() - 20) : odd.end() + 20]!r} in {text!r}"
    if not _END.search(text):
        return f"no end: {text!r}"
    told = re.split(r"(?<=[.!?]) ", text)
    repeated = [one for one, other in pairwise(told) if one == other]
    return f"repeats {repeated} in {text!r}" if repeated else ""


def messages_of(body: Mapping[str, Any]) -> list[str]:
    """All messages that an object of ours, or an event, shows."""
    conditions = body.get("status", {}).get("conditions", ())
    told = [str(each["message"]) for each in conditions]
    return [*told, str(body["note"])] if "note" in body else told
