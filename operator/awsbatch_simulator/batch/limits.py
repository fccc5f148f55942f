"""Limits that AWS states in prose only, and paging.

Sources: the Batch API reference, each field's description, and the user guide's page "AWS Batch
service quotas".
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from awsbatch_simulator.errors import AwsFailure, client_exception

ENVIRONMENTS = 50
QUEUES = 50
ENVIRONMENTS_OF_A_QUEUE = 3
DEPENDENCIES = 20
ARRAY_SIZES = range(2, 10_001)
DESCRIBED_JOBS = 100
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
_JOB_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")

Item = TypeVar("Item")


def refusal(message: str) -> AwsFailure:
    """A ClientException in the words with which Batch opens most of them."""
    return client_exception(f"Error executing request, Exception : {message}")


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
        raise refusal(
            "Job name should match valid pattern: up to 128 letters, numbers, hyphens, and "
            f"underscores, the first one alphanumeric, not {name[:140]!r}"
        )


def check_tags(tags: Mapping[str, str]) -> None:
    """At most 50 tags; keys up to 128, values up to 256 characters; `aws:` is AWS's own."""
    if len(tags) > TAGS:
        raise refusal(f"A resource can have up to {TAGS} tags, not {len(tags)}")
    for key, value in tags.items():
        if not 1 <= len(key) <= 128 or len(value) > 256:  # noqa: PLR2004 - the limits of tags
            raise refusal(f"Tag {key[:140]!r} is too long: keys up to 128, values up to 256")
        if key.lower().startswith("aws:"):
            raise refusal(f"Tag keys cannot begin with aws:, as {key!r} does")


def check_size(request: Any, limit: int, what: str) -> None:
    """A payload limit, of the JSON as it is sent."""
    size = len(json.dumps(request, separators=(",", ":"), default=str))
    if size > limit:
        raise refusal(f"{what} is {size} bytes, more than the {limit} that are allowed")


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
        if rule["action"].upper() not in {"RETRY", "EXIT"}:
            raise refusal(f"evaluateOnExit action must be RETRY or EXIT, not {rule['action']!r}")
        if not {"onStatusReason", "onReason", "onExitCode"} & rule.keys():
            raise refusal("An evaluateOnExit rule needs onStatusReason, onReason or onExitCode")
        if not re.fullmatch(r"[0-9]*\*?", rule.get("onExitCode", "")):
            raise refusal("onExitCode can contain only numbers, and end with an asterisk")


def check_timeout(timeout: Mapping[str, Any] | None) -> None:
    """At least 60 seconds."""
    seconds = (timeout or {}).get("attemptDurationSeconds")
    if seconds is not None and seconds < TIMEOUT_SECONDS:
        raise refusal(f"Timeout must be at least {TIMEOUT_SECONDS} seconds, not {seconds}")


def encode_token(position: Any) -> str:
    """A page's end as an opaque token."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def decode_token(token: str) -> Any:
    """What `encode_token` was given; ClientException for anything else."""
    try:
        return json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, binascii.Error):
        raise refusal("Invalid nextToken") from None


def page(
    items: Iterable[tuple[str, Item]], request: Mapping[str, Any], *, largest: int = PAGE
) -> tuple[Sequence[Item], str | None]:
    """A page of things by key, in the keys' order, and the token of the next one."""
    size = page_size(request, largest=largest)
    after = decode_token(request["nextToken"]) if request.get("nextToken") else ""
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
