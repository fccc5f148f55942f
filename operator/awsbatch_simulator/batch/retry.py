"""Whether a failed attempt is followed by another one. Source: RetryStrategy, EvaluateOnExit."""

from collections.abc import Mapping, Sequence
from typing import Any


def retries(
    *,
    attempt: int,
    allowed: int,
    rules: Sequence[Mapping[str, Any]],
    status_reason: str,
    reason: str,
    exit_code: int | None,
) -> bool:
    """Whether Batch tries again: attempts are left, and the first rule that matches says RETRY.

    Without a rule that matches, the job is retried.
    """
    if attempt >= allowed:
        return False
    for rule in rules:
        met = (
            _meets(rule.get("onStatusReason"), status_reason)
            and _meets(rule.get("onReason"), reason)
            and _meets(rule.get("onExitCode"), "" if exit_code is None else str(exit_code))
        )
        if met:
            return bool(rule["action"].upper() == "RETRY")
    return True


def _meets(pattern: str | None, text: str) -> bool:
    """The pattern matches whole, or as a beginning when it ends with an asterisk."""
    if pattern is None:
        return True
    if pattern.endswith("*"):
        return text.startswith(pattern[:-1])
    return text == pattern
