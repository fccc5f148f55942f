"""Client tokens of operations that answer a repeated request as the first one.

Source: "Ensuring idempotency in Amazon EC2 API requests" in the EC2 Developer Guide.
"""

import json
from collections.abc import Callable
from typing import Any

from awsbatch_simulator.ec2.store import Answered
from awsbatch_simulator.errors import AwsFailure
from awsbatch_simulator.region import Region

Fields = dict[str, Any]


def check(token: str, *, most: int) -> None:
    """Raise AwsFailure for what no client token can be."""
    if len(token) > most or not token.isascii():
        raise AwsFailure("InvalidParameterValue", f"ClientToken: up to {most} ASCII characters")


def canonical(request: Fields, *without: str) -> str:
    """A request as text that is the same for the same parameters."""
    kept = {name: value for name, value in request.items() if name not in without}
    return json.dumps(kept, sort_keys=True, default=str)


def mismatch() -> AwsFailure:
    """A token that came before, with other parameters."""
    return AwsFailure(
        "IdempotentParameterMismatch",
        "Arguments on this idempotent request are inconsistent with arguments used in previous "
        "request(s).",
    )


def check_same(region: Region, operation: str, request: Fields) -> None:
    """Raise AwsFailure for a token that came before with other parameters."""
    before = region.ec2.answered.get((operation, request.get("ClientToken") or ""))
    if before is not None and before.parameters != canonical(request, "DryRun"):
        raise mismatch()


def keep(region: Region, operation: str, request: Fields) -> None:
    """From now on the request's token, if it has one, means this request."""
    if token := request.get("ClientToken"):
        region.ec2.answered[operation, token] = Answered(canonical(request, "DryRun"), {})


def per_token(
    region: Region, operation: str, request: Fields, make: Callable[[], Fields], *, most: int = 128
) -> Fields:
    """With a client token, the same request brings the same answer and does nothing more."""
    token = request.get("ClientToken") or ""
    check(token, most=most)
    if not token:
        return make()
    parameters = canonical(request)
    before = region.ec2.answered.get((operation, token))
    if before is not None and before.parameters != parameters:
        raise mismatch()
    if before is None:
        before = region.ec2.answered[operation, token] = Answered(parameters, make())
    return before.answer
