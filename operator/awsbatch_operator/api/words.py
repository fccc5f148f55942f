"""How messages are put together, and what of AWS's words is left out of them.

All that users read (conditions, events, statuses) is joined here, so that it reads as sentences
whoever wrote the parts, and is the same each time as long as nothing has changed: what differs with
every answer of AWS (the id of the request) would change a condition, and be written, at every look.
"""

import re
from collections.abc import Sequence

SHOWN_AT_MOST = 5  # of several things of one sort; a person who mends these sees the next ones

_ENDS = (".", "!", "?", "…")
_SEPARATORS = " \t\r\n,;"
_BRACKETS = {"(": ")", "[": "]", "{": "}"}
# A label with an id, as the services and their SDKs write it: "RequestId: …" (Batch), "Request ID:
# …; Proxy: null" (Java), "request id: …" and "RequestID: …" (Go), S3's second id and its host's.
# An id has a digit: what has none is a word of the sentence. Every repetition is bounded, so the
# time is linear.
_CHANGES_WITH_EACH_ANSWER = re.compile(
    r"(?i)\b(?:extended |aws |x-amzn?-)?request[ _-]?id[\"']?[ ]?[:=][ ]?[\"']?"
    r"(?:(?=[a-z+/=_-]{0,255}[0-9])[0-9a-z+/=_-]{8,256}|null\b)[\"']?"
    r"|\brequest id [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
    r"|\bhost ?id[ ]?[:=][ ]?[0-9a-z+/=]{24,256}"
    r"|\bSDK Attempt Count: [0-9]{1,4}\b"
    r"|\bencoded authorization failure message:[ ]?[\w+/=-]{1,16384}"
)
# One of these stands in every text in which that finds something: most texts are not searched.
_HEADS = (
    "request id",
    "requestid",
    "request-id",
    "request_id",
    "host id",
    "hostid",
    "sdk attempt count",
    "encoded authorization",
)
# An assumed role's ARN ends with the name of the session: "botocore-session-1700000000", the id of
# a pod or of an instance. IAM User Guide, "IAM identifiers": characters and lengths of both names.
_SESSION = re.compile(r"(:assumed-role/[\w+=,.@-]{1,64})/[\w+=,.@-]{1,63}[\w+=@-]")
_BATCHS_PREFIX = "Error executing request, Exception : "


def in_characters(text: str) -> str:
    """The text with "?" in the place of each half of a character.

    JSON can say an unpaired surrogate, and AWS's answers and our annotations are JSON. UTF-8
    cannot: an event with one could not be made, and the API server would keep another status than
    was sent.
    """
    return text if text.isascii() else text.encode(errors="replace").decode()


def some_of(things: Sequence[object]) -> str:
    """The first few, separated by commas, and how many more there are."""
    rest = len(things) - SHOWN_AT_MOST
    more = f" and {rest} more" if rest > 0 else ""
    return ", ".join(str(thing) for thing in things[:SHOWN_AT_MOST]) + more


def many(count: float, one: str) -> str:
    """`1 vCPU`, `0.5 vCPUs`, `3 instances`."""
    return f"{count:.12g} {one}{'' if count == 1 else 's'}"


def sentence(text: str) -> str:
    """The text in one line and with one full stop at its end; empty if there is none.

    For words of others (AWS, the API server) that end with a full stop or without one.
    """
    line = " ".join(text.split())
    bare = line.rstrip(" .,;:")
    if not bare:
        return ""
    return bare if bare.endswith(_ENDS) else f"{bare}."


def joined(*parts: str) -> str:
    """The parts as sentences, each once, in their order; the empty ones are left out."""
    return " ".join(dict.fromkeys(line for part in parts if (line := sentence(part))))


def without_request_ids(text: str) -> str:
    """AWS's words without what differs with each answer, and otherwise as they are.

    That is the id of the request, the SDK's count of its attempts, and EC2's encoded message, which
    only AWS can read. What held it together goes with it: a comma before it, brackets around it.
    """
    text = text.removeprefix(_BATCHS_PREFIX)
    lowered = text.lower()
    if not any(head in lowered for head in _HEADS):
        return text
    made, *pieces = _CHANGES_WITH_EACH_ANSWER.split(text)
    for piece in pieces:
        made = _closed_up(made, piece)
    return made


def without_sessions(text: str) -> str:
    """The text with the ARN of each assumed role up to the role's name.

    Each process of the operator may have another session of the same role: its name would change
    what is shown, and be written, at every restart.
    """
    return _SESSION.sub(r"\1", text) if ":assumed-role/" in text else text


def _closed_up(before: str, after: str) -> str:
    """The text around what was taken away, with nothing left of how it stood there."""
    before, rest = before.rstrip(_SEPARATORS), after.lstrip(_SEPARATORS)
    while before[-1:] in _BRACKETS and rest.startswith(_BRACKETS[before[-1:]]):
        before, after = before[:-1].rstrip(_SEPARATORS), rest[1:]
        rest = after.lstrip(_SEPARATORS)
    if before[-1:] in _BRACKETS:
        return before + rest
    apart = bool(before) and after[:1].isspace() and bool(rest)
    return f"{before} {rest}" if apart else f"{before}{after if before else rest}"
