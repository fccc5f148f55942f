"""Limits that AWS states in prose only, and paging.

Sources: the Batch API reference, each field's description, and the user guide's page "AWS Batch
service quotas".
"""

import base64
import binascii
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from awsbatch_simulator.errors import AwsFailure

ENVIRONMENTS = 50
QUEUES = 50
ENVIRONMENTS_OF_A_QUEUE = 3
DEPENDENCIES = 20
BULK_JOBS = 50
ATTEMPTS = range(1, 11)
EXIT_RULES = 5
TIMEOUT_SECONDS = 60
DEFINITION_BYTES = 24 * 1024
SUBMISSION_BYTES = 30 * 1024
TAGS = 50
PAGE = 100
REASON_CHARACTERS = 1024

_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
REVISION = re.compile(r"([A-Za-z0-9_-]{1,128})(?::([0-9]{1,9}))?")  # a definition's, or its name
_SHARE = re.compile(r"[A-Za-z0-9]{1,255}\*?")
_TAG = re.compile(r"[A-Za-z0-9 _.:/=+@-]*")
_JOB_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")

# What an exit rule's patterns can contain, and an asterisk at the end. Source: EvaluateOnExit.
_REASON = re.compile(r"[A-Za-z0-9.:\s]*\*?")
CONDITIONS: Mapping[str, re.Pattern[str]] = {
    "onStatusReason": _REASON,
    "onReason": _REASON,
    "onExitCode": re.compile(r"[0-9]*\*?"),
}
CONDITION_CHARACTERS = 512

Item = TypeVar("Item")
Position = TypeVar("Position", str, int)


def refusal(message: str) -> AwsFailure:
    """Batch's one error for all that the caller did wrong (HTTP 400): the words alone.

    What Batch puts around them, the request's id included, is added where the answer is made.
    """
    return AwsFailure("ClientException", message)


def check_name(name: str, field: str) -> None:
    """Up to 128 of [A-Za-z0-9_-]."""
    if not _NAME.fullmatch(name):
        raise refusal(
            f"{field} can be up to 128 letters (uppercase and lowercase), numbers, hyphens, and "
            f"underscores, not {name[:140]!r}"
        )


def check_job_name(name: str) -> None:
    """As other names, beginning with a letter or a number."""
    if not _JOB_NAME.fullmatch(name):
        # Seen in opensupplyhub/open-apparel-registry#2007.
        raise refusal("Job name should match valid pattern")


def check_tags(tags: Mapping[str, str]) -> None:
    """At most 50 tags, of the characters that tags may have; `aws:` is AWS's own.

    Source: "Tag naming limits and requirements" in the AWS General Reference: letters, spaces and
    numbers of UTF-8, and `_ . : / = + - @`.
    """
    if len(tags) > TAGS:
        raise refusal(f"A resource can have up to {TAGS} tags, not {len(tags)}")
    for key, value in tags.items():
        if key.lower().startswith("aws:"):
            raise refusal(f"Tag keys cannot begin with aws:, as {key!r} does")
        for text in (key, value):
            if not _taggable(text):
                raise refusal(f"Tag {key!r} has characters that tags can't have: {text!r}")


def _taggable(text: str) -> bool:
    """Whether tags may have these characters. Nearly all that are seen are plain ones."""
    return _TAG.fullmatch(text) is not None or all(
        unicodedata.category(each)[0] in "LNZ" or each in "_.:/=+-@" for each in text
    )


def check_share(identifier: str) -> None:
    """Up to 255 letters and numbers, and an asterisk behind them. Source: shareIdentifier."""
    if not _SHARE.fullmatch(identifier):
        raise refusal(
            f"shareIdentifier {identifier[:300]!r} must be alphanumeric, up to 255 characters, "
            "and can be followed by an asterisk"
        )


def check_size(request: Any, limit: int, what: str) -> None:
    """A payload limit, of the JSON as it is sent. The words: ASFHyP3/hyp3#3041."""
    size = len(json.dumps(request, separators=(",", ":"), default=str))
    if size > limit:
        most, rounded_up = limit // 1024, -(-size // 1024)
        raise refusal(f"{what} size must be less than {most} KiB, got {rounded_up} KiB")


def check_retry(strategy: Mapping[str, Any] | None) -> None:
    """Attempts 1 to 10; up to 5 exit rules, and only together with attempts."""
    if not strategy:
        return
    attempts = strategy.get("attempts")
    rules = strategy.get("evaluateOnExit") or []
    if attempts is not None and attempts not in ATTEMPTS:
        raise refusal(f"Number of attempts must be between 1 and 10, not {attempts}")
    if rules and attempts is None:
        raise refusal("attempts must be specified when evaluateOnExit is specified")
    if len(rules) > EXIT_RULES:
        raise refusal(f"evaluateOnExit can have up to {EXIT_RULES} rules, not {len(rules)}")
    for rule in rules:
        if not CONDITIONS.keys() & rule.keys():
            raise refusal("An evaluateOnExit rule needs onStatusReason, onReason or onExitCode")
        for name in CONDITIONS.keys() & rule.keys():
            _check_condition(name, rule[name])


def _check_condition(name: str, text: str) -> None:
    if len(text) > CONDITION_CHARACTERS:
        raise refusal(f"{name} can contain up to {CONDITION_CHARACTERS} characters")
    if not CONDITIONS[name].fullmatch(text):
        raise refusal(f"{name} does not match the valid pattern {CONDITIONS[name].pattern}")


def check_timeout(timeout: Mapping[str, Any] | None) -> None:
    """At least 60 seconds."""
    seconds = (timeout or {}).get("attemptDurationSeconds")
    if seconds is not None and seconds < TIMEOUT_SECONDS:
        raise refusal(f"Timeout must be at least {TIMEOUT_SECONDS} seconds, not {seconds}")


def encode_token(position: str | int) -> str:
    """A page's end as an opaque token."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def decode_token(request: Mapping[str, Any], kind: type[Position]) -> Position | None:
    """What `encode_token` was given, None without a token; ClientException for anything else."""
    token = request.get("nextToken")
    if not token:
        return None
    try:
        position = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, binascii.Error, RecursionError):
        position = None
    if type(position) is not kind:
        raise refusal("Invalid nextToken")
    return position


def page(
    items: Iterable[tuple[str, Item]], request: Mapping[str, Any], *, largest: int = PAGE
) -> tuple[Sequence[Item], str | None]:
    """A page of things by key, in the keys' order, and the token of the next one."""
    size = page_size(request, largest=largest)
    after = decode_token(request, str) or ""
    left = sorted((item for item in items if item[0] > after), key=lambda item: item[0])
    shown = left[:size]
    token = encode_token(shown[-1][0]) if len(left) > size else None
    return [thing for _, thing in shown], token


def page_size(request: Mapping[str, Any], *, largest: int) -> int:
    """How many results fit on a page; ClientException when fewer than one is asked for."""
    size: int = request.get("maxResults", largest)
    if size < 1:
        raise refusal(f"MaxResults must be at least 1, not {size}")
    return min(size, largest)


def answer(member: str, shown: Sequence[Any], token: str | None) -> dict[str, Any]:
    """A page as AWS answers it: the token only where something follows."""
    return {member: list(shown)} | ({"nextToken": token} if token else {})
