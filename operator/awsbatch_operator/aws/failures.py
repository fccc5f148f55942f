"""Turns whatever botocore raised into an AwsError, with nothing secret in its message."""

import re
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from awsbatch_operator.aws.error_table import SERVER_ERROR, answered_kind, broken_row
from awsbatch_operator.aws.errors import AwsError, ErrorKind, Obstacle
from awsbatch_operator.telemetry.secrets import CUT, masked

MESSAGE_LIMIT = 1000  # characters of AWS's own words that are kept

_MISSING_ACTION = re.compile(
    r"not authorized to perform:? ([A-Za-z0-9-]+:[A-Za-z0-9*]+)", re.IGNORECASE
)
_FETCHES_CREDENTIALS = "AssumeRole"  # and AssumeRoleWithWebIdentity: botocore's own, in between
_CALLER = re.compile(r"User: (arn:[^\s]+)")


@dataclass(frozen=True, slots=True)
class Attempt:
    """The call that failed: what it was, who made it, and how far it came."""

    service: str
    operation: str
    action: str  # the IAM action of the call itself
    identity: str
    sent: bool  # whether it was handed to the network


def translate(error: Exception, attempt: Attempt) -> AwsError:
    """The AwsError for what a client raised."""
    if isinstance(error, ClientError):
        return _answered(error, _really_made(error, attempt))
    row = broken_row(error)
    return _made(
        row.kind,
        attempt,
        code=type(error).__name__,
        message=words(str(error)) or "no details",
        outcome_unknown=attempt.sent and row.may_be_done,
        obstacle=row.obstacle,
    )


def _really_made(error: ClientError, attempt: Attempt) -> Attempt:
    """Botocore fetches a pod's credentials with a call of its own, before the one that it signs.

    What AWS answers to that is no answer to ours, which was not sent.
    """
    made = str(error.operation_name)
    if made == attempt.operation or not made.startswith(_FETCHES_CREDENTIALS):
        return attempt
    return replace(attempt, service="sts", operation=made, action=f"sts:{made}", sent=False)


def malformed(attempt: Attempt, member: str) -> AwsError:
    """The error for an answer without a member that AWS always sends.

    Something else than AWS answered (a proxy, a wrong endpoint). Taking it for an empty answer
    would make us believe that things are gone.
    """
    message = (
        f"The answer has no {member!r}, so it is not AWS's. Check the operator's endpoint settings "
        "(AWS_ENDPOINT_URL) and any proxy in between."
    )
    return _made(ErrorKind.UNKNOWN, attempt, message=message, outcome_unknown=attempt.sent)


def wrong_account(attempt: Attempt, message: str) -> AwsError:
    """The error for a call that would go to another account than the object's."""
    return _made(ErrorKind.INVALID, attempt, message=message)


def words(message: str) -> str:
    """The message in one line, its secrets masked, cut to MESSAGE_LIMIT."""
    return " ".join(masked(message, limit=MESSAGE_LIMIT - len(CUT)).split())


def _answered(error: ClientError, attempt: Attempt) -> AwsError:
    details: dict[str, Any] = error.response.get("Error", {})
    code = str(details.get("Code", ""))
    message = words(str(details.get("Message") or error))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    kind = answered_kind(
        service=attempt.service,
        operation=attempt.operation,
        code=code,
        message=message,
        status=status,
    )
    # Throttling is refused before anything is done, also where a service answers it with a 503.
    server_fault = status >= SERVER_ERROR or not status
    # What no row knows may be a proxy's word, said after the request had gone on to AWS.
    doubtful = server_fault or kind is ErrorKind.UNKNOWN
    unknown = attempt.sent and doubtful and kind is not ErrorKind.THROTTLED
    return _made(kind, attempt, code=code, message=message, outcome_unknown=unknown)


def _made(
    kind: ErrorKind,
    attempt: Attempt,
    *,
    message: str,
    code: str = "",
    outcome_unknown: bool = False,
    obstacle: Obstacle | None = None,
) -> AwsError:
    action, identity = "", attempt.identity
    if kind is ErrorKind.DENIED:
        named, caller = _MISSING_ACTION.search(message), _CALLER.search(message)
        action = named.group(1) if named else attempt.action
        identity = caller.group(1) if caller else identity
    return AwsError(
        kind,
        service=attempt.service,
        operation=attempt.operation,
        code=code,
        message=message,
        identity=identity,
        action=action,
        outcome_unknown=outcome_unknown,
        obstacle=obstacle,
    )
