"""What went wrong in AWS, in nine kinds, and whether AWS may have done it all the same.

    AwsError
      .kind             what to do about it (ErrorKind)
      .outcome_unknown  AWS may have carried the call out: look it up, never just repeat it

How a code, a message, an HTTP status or a broken connection becomes a kind is data, in
`error_table.py`.
"""

from enum import Enum


class ErrorKind(Enum):
    """What a caller does about an error is decided by nothing else."""

    NOT_FOUND = "NotFound"  # the thing that the call was about does not exist
    ALREADY_EXISTS = "AlreadyExists"  # something of that name exists
    CONFLICT = "Conflict"  # not now: it is in use or being changed; look again soon
    THROTTLED = "Throttled"  # refused because of the rate; AWS did nothing
    TRANSIENT = "Transient"  # no answer, or AWS's own fault; it passes by itself
    DENIED = "Denied"  # permissions or credentials: a person must act
    CAPACITY = "Capacity"  # EC2 has none of it now, or a quota or a price limit stands in the way
    INVALID = "Invalid"  # the request, a quota, or something it names: a person must act
    UNKNOWN = "Unknown"  # nothing that we know; treated like TRANSIENT, but slowly


class Obstacle(Enum):
    """What kept a call from AWS, which was never asked. Each is mended in another place."""

    CREDENTIALS = "Credentials"  # there are none to sign with, or they cannot be fetched
    REGION = "Region"  # nobody says where, or there is no such region
    ROUTE = "Route"  # no connection could be opened
    TRUST = "Trust"  # whoever answered has no certificate that we trust


class AwsError(Exception):
    """A call to AWS that did not succeed.

    `identity` is who called (a role's ARN, or words for the operator's own identity); `action` is
    the IAM action that is missing, if the kind is DENIED. The message is AWS's own, without
    anything secret, and without what differs with each answer: for the same refusal it is the same;
    with an `obstacle`, it is botocore's. The code is AWS's, too; where nobody `answered`, it is the
    name of botocore's error. `request_id` is for the log, where whoever asks AWS's support looks
    for it.
    """

    def __init__(
        self,
        kind: ErrorKind,
        *,
        operation: str,
        message: str,
        service: str = "batch",
        code: str = "",
        identity: str = "",
        action: str = "",
        outcome_unknown: bool = False,
        request_id: str = "",
        obstacle: Obstacle | None = None,
        answered: bool = True,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.service = service
        self.operation = operation
        self.code = code
        self.message = message
        self.identity = identity
        self.action = action
        self.outcome_unknown = outcome_unknown
        self.request_id = request_id
        self.obstacle = obstacle
        self.answered = answered

    @property
    def cause(self) -> str:
        """One word for it: AWS's code, or what kept the call from AWS, or that nobody answered."""
        if self.obstacle is not None:
            return self.obstacle.value
        return self.code if self.code and self.answered else "NoAnswer"

    def saying(self, message: str) -> "AwsError":
        """The same error with other words."""
        return AwsError(
            self.kind,
            operation=self.operation,
            message=message,
            service=self.service,
            code=self.code,
            identity=self.identity,
            action=self.action,
            outcome_unknown=self.outcome_unknown,
            request_id=self.request_id,
            obstacle=self.obstacle,
            answered=self.answered,
        )

    def __str__(self) -> str:
        code = f" ({self.code})" if self.code else ""
        return f"{self.operation}: {self.message}{code}"

    def __repr__(self) -> str:
        return (
            f"AwsError({self.kind.name}, operation={self.operation!r}, code={self.code!r}, "
            f"message={self.message!r}, outcome_unknown={self.outcome_unknown})"
        )
