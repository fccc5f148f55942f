"""Turns whatever botocore raised into an AwsError, with nothing secret in its message."""

import re
from dataclasses import dataclass, replace
from typing import Any

import structlog
from botocore.exceptions import ClientError

from awsbatch_operator.api.instant import Clock
from awsbatch_operator.api.repeats import Repeats
from awsbatch_operator.api.scope import Scope
from awsbatch_operator.api.words import without_request_ids, without_sessions
from awsbatch_operator.aws.calls import Call
from awsbatch_operator.aws.error_table import (
    NOT_IMPLEMENTED,
    SERVER_ERROR,
    answered_kind,
    broken_row,
)
from awsbatch_operator.aws.errors import AwsError, ErrorKind, Obstacle
from awsbatch_operator.telemetry.logs import whom
from awsbatch_operator.telemetry.secrets import CUT, masked

MESSAGE_LIMIT = 1000  # characters of AWS's own words that are kept
LOOKED_AT = 16_384  # characters of them in which what differs with each answer is looked for
TOLD_AGAIN_SECONDS = 3600.0  # until a refusal that is still the same is logged again

# What only a person can mend, and what AWS's support is asked about; the rest is everyday.
_WORTH_A_LINE = frozenset({ErrorKind.DENIED, ErrorKind.INVALID, ErrorKind.UNKNOWN})
_NOTHING_DONE = frozenset({ErrorKind.THROTTLED, ErrorKind.CAPACITY})
_MISSING_ACTION = re.compile(
    r"not authorized to perform:? ([A-Za-z0-9-]+:[A-Za-z0-9*]+)", re.IGNORECASE
)
# EC2 may put what it denies, and why, into a code that only AWS reads. It is left out, since it is
# another each time, and never decoded here: it shows the whole request and all policies about it.
_ENCODED = "Encoded authorization failure message"
_DECODE = (
    "AWS has encoded what exactly is missing, which need not be the action of the call itself (it "
    "may be iam:PassRole). The code is in CloudTrail's event of this call, and "
    "'aws sts decode-authorization-message' reads it."
)
_FETCHES_CREDENTIALS = "AssumeRole"  # and AssumeRoleWithWebIdentity: botocore's own, in between
_CALLER = re.compile(r"User: (arn:[^\s]+)")
# What else differs each time although the trouble is the same: when a request was signed
# ("Signature expired: 20260102T030405Z is now earlier than …"), and where Python keeps an object
# ("<… object at 0x7f…>").
_DIFFERS = re.compile(r"\b[0-9]{8}T[0-9]{6}Z\b|(?<=\bobject at )0x[0-9a-f]+")


_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """The call that failed: what it was, who made it, and how far it came."""

    service: str
    operation: str
    action: str  # the IAM action of the call itself
    identity: str
    sent: bool  # whether it was handed to the network

    @classmethod
    def of(cls, call: Call, identity: object, *, sent: bool) -> "Attempt":
        """The attempt of a call; of one that only reads it is no matter whether it was sent."""
        return cls(
            service=call.service,
            operation=call.operation,
            action=call.action,
            identity=str(identity),
            sent=sent and call.mutating,
        )


def is_yes(error: Exception) -> bool:
    """Whether EC2 says that it would have done what it was asked to try (DryRun).

    EC2 API reference, "DryRun": the answer is always an error, and this is the one that means yes.
    """
    return isinstance(error, ClientError) and _code(error) == "DryRunOperation"


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
        answered=False,
    )


def _really_made(error: ClientError, attempt: Attempt) -> Attempt:
    """Botocore fetches a pod's credentials with a call of its own, before the one that it signs.

    What AWS answers to that is no answer to ours, which was not sent.
    """
    made = str(error.operation_name)
    if made == attempt.operation or not made.startswith(_FETCHES_CREDENTIALS):
        return attempt
    return replace(attempt, service="sts", operation=made, action=f"sts:{made}", sent=False)


def malformed(attempt: Attempt, why: str) -> AwsError:
    """The error for an answer that AWS never gives, such as one without what it always sends.

    Something else than AWS answered (a proxy, a wrong endpoint). Taking it for an empty answer
    would make us believe that things are gone.
    """
    message = (
        f"{why}, so it is not AWS's. Check the operator's endpoint settings "
        "(AWS_ENDPOINT_URL) and any proxy in between."
    )
    return _made(ErrorKind.UNKNOWN, attempt, message=message, outcome_unknown=attempt.sent)


def check_account(scope: Scope, call: Call) -> None:
    """A role belongs to an account: acting in another one's name would be a mistake of ours.

    Raises AwsError.
    """
    if scope.role_arn is None:
        return
    owner = "".join(scope.role_arn.split(":")[4:5])  # arn:<partition>:iam::<account>:role/…
    if owner != scope.account_id:
        message = (
            f"The role {scope.role_arn} belongs to account {owner}, but the object lives in "
            f"account {scope.account_id}. Set the role back, or create the object anew."
        )
        attempt = Attempt.of(call, scope.role_arn, sent=False)
        raise _made(ErrorKind.INVALID, attempt, message=message)


class FailureLog:
    """Logs what AWS said, with the id of the request, which is shown nowhere else."""

    def __init__(self, clock: Clock) -> None:
        self._told = Repeats(clock, seconds=TOLD_AGAIN_SECONDS)

    def log(self, error: AwsError, *, account: str, region: str) -> None:
        """A line; at debug where the same was said a while ago about the same object.

        What a person must mend is tried again for days, an account twice a minute.
        """
        said = (whom(), account, region, error.operation, error.code, error.message)
        worth = error.kind in _WORTH_A_LINE and self._told.is_news(said)
        told = _log.info if worth else _log.debug
        told(
            "call to AWS failed",
            call=f"{error.service}:{error.operation}",
            account=account,
            region=region,
            error=error.kind.value,
            code=error.code,
            said=error.message,
            request_id=error.request_id,
        )


def words(message: str) -> str:
    """The message in one line, its secrets masked, cut to MESSAGE_LIMIT.

    Without what differs with each answer, since what is shown is written when it differs.
    """
    steady = _DIFFERS.sub(CUT, without_sessions(without_request_ids(message[:LOOKED_AT])))
    return " ".join(masked(steady, limit=MESSAGE_LIMIT - len(CUT)).split())


def _answered(error: ClientError, attempt: Attempt) -> AwsError:
    details: dict[str, Any] = error.response.get("Error", {})
    code = _code(error)
    said = str(details.get("Message") or error)
    message = words(said)
    if _ENCODED in said[:LOOKED_AT] and not _MISSING_ACTION.search(message):
        message = f"{message} {_DECODE}"
    metadata: dict[str, Any] = error.response.get("ResponseMetadata", {})
    status = int(metadata.get("HTTPStatusCode", 0))
    kind = answered_kind(
        service=attempt.service,
        operation=attempt.operation,
        code=code,
        message=message,
        status=status,
    )
    # Throttling is refused before anything is done, also where a service answers it with a 503; and
    # where EC2 has no capacity, which it answers with a 500, it has launched nothing.
    server_fault = status != NOT_IMPLEMENTED and (status >= SERVER_ERROR or not status)
    # What no row knows may be a proxy's word, said after the request had gone on to AWS.
    doubtful = server_fault or kind is ErrorKind.UNKNOWN
    unknown = attempt.sent and doubtful and kind not in _NOTHING_DONE
    return _made(
        kind,
        attempt,
        code=code,
        message=message,
        outcome_unknown=unknown,
        request_id=str(metadata.get("RequestId") or ""),
    )


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _made(
    kind: ErrorKind,
    attempt: Attempt,
    *,
    message: str,
    code: str = "",
    outcome_unknown: bool = False,
    request_id: str = "",
    obstacle: Obstacle | None = None,
    answered: bool = True,
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
        request_id=request_id,
        obstacle=obstacle,
        answered=answered,
    )
