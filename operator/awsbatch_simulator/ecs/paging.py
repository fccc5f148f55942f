"""Lists of ARNs, by page."""

from collections.abc import Iterable
from typing import Any

from awsbatch_simulator.errors import AwsFailure

PAGE = 100


def page(member: str, arns: Iterable[str], request: dict[str, Any]) -> dict[str, Any]:
    """One page of ARNs in their own order; the token is the last one shown."""
    size = request.get("maxResults") or PAGE
    if not 1 <= size <= PAGE:
        raise AwsFailure("InvalidParameterException", "maxResults must be between 1 and 100.")
    after = request.get("nextToken") or ""
    if after and not after.startswith("arn:aws:ecs:"):
        raise AwsFailure("InvalidParameterException", "Invalid token.")
    left = sorted(arn for arn in arns if arn > after)
    answer: dict[str, Any] = {member: left[:size]}
    if len(left) > size:
        answer["nextToken"] = left[size - 1]
    return answer
