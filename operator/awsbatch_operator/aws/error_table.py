"""From what AWS or the connection said to an ErrorKind: tables, read from top to bottom.

Batch declares only ClientException and ServerException for nearly everything, so the meaning is in
the message. NOT_FOUND and ALREADY_EXISTS come from codes and messages that are known to mean that,
never from an HTTP status: a wrong endpoint also answers 404, and "gone" makes us let go of things.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from awsbatch_operator.aws.errors import ErrorKind, Obstacle

SERVER_ERROR = 500
NOT_IMPLEMENTED = 501  # RFC 9110: the server cannot do such a thing, so it has not begun to
TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True)
class Answered:
    """A row for an error that AWS answered. Empty columns match anything."""

    kind: ErrorKind
    codes: tuple[str, ...] = ()  # globs
    text: str = ""  # must occur in the message, compared in lower case
    service: str = ""
    operations: tuple[str, ...] = ()  # globs

    def matches(self, *, service: str, operation: str, code: str, message: str) -> bool:
        """Whether this row is about that answer."""
        return (
            (not self.service or self.service == service)
            and _any(self.operations, operation)
            and _any(self.codes, code)
            and self.text in message.lower()
        )


@dataclass(frozen=True, slots=True)
class Broken:
    """A row for a call without an answer that could be read."""

    kind: ErrorKind
    error: type[Exception]
    may_be_done: bool  # whether the request may have reached AWS
    text: str = ""
    obstacle: Obstacle | None = None  # what kept it from being asked at all


def _batch(kind: ErrorKind, text: str, *operations: str) -> Answered:
    """A row for Batch's one error of the caller."""
    return Answered(
        kind, codes=("ClientException",), text=text, service="batch", operations=operations
    )


ANSWERED: tuple[Answered, ...] = (
    # Rates. All of these are refused before anything is done.
    Answered(ErrorKind.THROTTLED, codes=("TooManyRequests*", "Throttl*", "RequestThrottled*")),
    Answered(ErrorKind.THROTTLED, codes=("RequestLimitExceeded", "SlowDown", "EC2ThrottledEx*")),
    Answered(ErrorKind.THROTTLED, codes=("PriorRequestNotComplete", "BandwidthLimitExceeded")),
    # Credentials that ran out are fetched anew for the next call.
    Answered(ErrorKind.TRANSIENT, codes=("ExpiredToken*", "RequestExpired")),
    Answered(ErrorKind.TRANSIENT, codes=("IDPCommunicationError",), service="sts"),
    # Permissions and credentials.
    Answered(ErrorKind.DENIED, codes=("AccessDenied*", "UnauthorizedOperation", "NotAuthorized*")),
    Answered(ErrorKind.DENIED, codes=("UnauthorizedAccess*", "AuthFailure*", "OptInRequired")),
    Answered(ErrorKind.DENIED, codes=("UnrecognizedClient*", "InvalidClientTokenId")),
    Answered(ErrorKind.DENIED, codes=("SignatureDoesNotMatch", "InvalidSignature*")),
    Answered(ErrorKind.DENIED, codes=("IncompleteSignature*", "MissingAuthenticationToken*")),
    Answered(ErrorKind.DENIED, codes=("InvalidAccessKeyId", "InvalidIdentityToken*")),
    Answered(ErrorKind.DENIED, codes=("RegionDisabled*",)),
    # SQS (API reference, "Common errors"): its codes are those of its older protocol.
    Answered(ErrorKind.DENIED, service="sqs", codes=("*KmsAccessDenied*", "*KMS.AccessDenied*")),
    Answered(ErrorKind.THROTTLED, service="sqs", codes=("*OverLimit", "*KmsThrottled*")),
    Answered(ErrorKind.NOT_FOUND, service="sqs", codes=("*NonExistentQueue", "QueueDoesNotExist")),
    Answered(ErrorKind.DENIED, text="is not authorized to perform"),
    # Batch, where the message is the meaning. Seen in the wild: "found existing JobQueue
    # relationship" (hashicorp/terraform-provider-aws#2044), "resource is being modified"
    # (astronomer/astronomer-providers#413), "Object already exists", "does not exist" and "JobQueue
    # … not found". The other texts are words of AWS's documentation. What AWS says in yet other
    # words is INVALID, and shown as it is.
    _batch(ErrorKind.CONFLICT, "found existing jobqueue relationship"),
    _batch(ErrorKind.CONFLICT, "resource is being modified"),
    _batch(ErrorKind.CONFLICT, "cannot delete"),
    _batch(ErrorKind.CONFLICT, "must be disabled", "Delete*"),
    _batch(ErrorKind.CONFLICT, "in use", "Delete*"),
    _batch(ErrorKind.CONFLICT, "valid state", "CreateJobQueue", "UpdateJobQueue"),
    _batch(ErrorKind.ALREADY_EXISTS, "already exists", "Create*"),
    # What these do not find is something that the request refers to.
    _batch(ErrorKind.INVALID, "", "Create*", "Register*", "Submit*"),
    *(
        _batch(ErrorKind.INVALID, text, "UpdateJobQueue")
        for text in (":compute-environment/", "computeenvironment", ":scheduling-policy/")
    ),
    _batch(ErrorKind.NOT_FOUND, "does not exist"),
    _batch(ErrorKind.NOT_FOUND, "doesn't exist"),
    _batch(ErrorKind.NOT_FOUND, "not found"),
    _batch(ErrorKind.INVALID, ""),
    # EC2 (API reference, "Error codes"; what Karpenter counts as want of capacity). Which of them
    # it is, and for which offer, the code says; nothing was launched.
    *(
        Answered(ErrorKind.CAPACITY, service="ec2", codes=codes)
        for codes in (
            ("Insufficient*Capacity", "InsufficientCapacityOnHost", "UnfulfillableCapacity"),
            ("InsufficientFreeAddressesInSubnet", "ReservationCapacityExceeded"),
            ("InstanceLimitExceeded", "VcpuLimitExceeded", "MaxSpot*", "MaxFleetCountExceeded"),
            ("SpotMaxPriceTooLow", "*PriceTooLow", "CapacityReservationLimit*"),
        )
    ),
    # The client token stands for another request, or for instances that are gone.
    Answered(ErrorKind.INVALID, service="ec2", codes=("Idempotent*",)),
    # What these do not find is something that the request refers to.
    Answered(
        ErrorKind.INVALID,
        service="ec2",
        codes=("*NotFound*",),
        operations=("RunInstances", "Create[!T]*"),
    ),
    Answered(ErrorKind.NOT_FOUND, service="ec2", codes=("*.NotFound*",)),
    Answered(
        ErrorKind.NOT_FOUND,
        service="ec2",
        codes=("InvalidPlacementGroup.Unknown",),
        operations=("DeletePlacementGroup",),
    ),
    Answered(ErrorKind.CONFLICT, service="ec2", codes=("Incorrect*State", "*InUse")),
    Answered(ErrorKind.TRANSIENT, service="ec2", codes=("Unavailable",)),
    # ECS has one code for all that is wrong with a request.
    Answered(
        ErrorKind.NOT_FOUND,
        service="ecs",
        codes=("InvalidParameterException",),
        text="container instance not found",
        operations=("Deregister*", "Update*"),
    ),
    # The other services, whose codes say what they mean.
    Answered(ErrorKind.NOT_FOUND, codes=("ResourceNotFoundException", "NoSuchEntity")),
    Answered(ErrorKind.NOT_FOUND, codes=("*.NotFound", "ParameterNotFound")),
    Answered(ErrorKind.NOT_FOUND, codes=("ClusterNotFoundException",)),
    Answered(ErrorKind.ALREADY_EXISTS, codes=("*AlreadyExists*", "*.Duplicate")),
    Answered(ErrorKind.CONFLICT, codes=("OperationAbortedException", "Conflict*")),
    Answered(ErrorKind.CONFLICT, codes=("ResourceInUse*", "DependencyViolation", "DeleteConflict")),
    Answered(ErrorKind.CONFLICT, codes=("ConcurrentModification*", "IncorrectState")),
    Answered(ErrorKind.TRANSIENT, codes=("ServerException", "ServiceUnavailable*", "Internal*")),
    Answered(ErrorKind.INVALID, codes=("Validation*", "InvalidParameter*", "Malformed*")),
    Answered(ErrorKind.INVALID, codes=("LimitExceeded*", "UnsupportedOperation", "Missing*")),
)

_STATUS: Mapping[int, ErrorKind] = {
    401: ErrorKind.DENIED,
    403: ErrorKind.DENIED,
    409: ErrorKind.CONFLICT,
    TOO_MANY_REQUESTS: ErrorKind.THROTTLED,
    NOT_IMPLEMENTED: ErrorKind.INVALID,
}


# A connection that could not be opened has carried nothing. Everything after that may have been
# read by AWS, whatever we saw of it.
def _kept_back(
    kind: ErrorKind, obstacle: Obstacle, *errors: type[Exception], text: str = ""
) -> tuple[Broken, ...]:
    """Rows for what happens before anything is sent."""
    return tuple(
        Broken(kind, error, may_be_done=False, text=text, obstacle=obstacle) for error in errors
    )


BROKEN: tuple[Broken, ...] = (
    *_kept_back(
        ErrorKind.TRANSIENT,
        Obstacle.ROUTE,
        boto.ConnectTimeoutError,
        boto.ProxyConnectionError,
        boto.EndpointConnectionError,
    ),
    # A person must mend the trust; nothing goes over a connection that was not agreed.
    *_kept_back(ErrorKind.DENIED, Obstacle.TRUST, boto.SSLError, text="certificate verify failed"),
    Broken(ErrorKind.TRANSIENT, boto.SSLError, may_be_done=True),
    Broken(ErrorKind.TRANSIENT, boto.ReadTimeoutError, may_be_done=True),
    Broken(ErrorKind.TRANSIENT, boto.ConnectionClosedError, may_be_done=True),
    Broken(ErrorKind.TRANSIENT, boto.ResponseStreamingError, may_be_done=True),
    Broken(ErrorKind.TRANSIENT, boto.IncompleteReadError, may_be_done=True),
    Broken(ErrorKind.TRANSIENT, boto.HTTPClientError, may_be_done=True),
    Broken(ErrorKind.UNKNOWN, ResponseParserError, may_be_done=True),
    # What provides credentials on the machine may only be slow to start.
    *_kept_back(ErrorKind.TRANSIENT, Obstacle.CREDENTIALS, boto.MetadataRetrievalError),
    *_kept_back(
        ErrorKind.DENIED,
        Obstacle.CREDENTIALS,
        boto.NoCredentialsError,
        boto.PartialCredentialsError,
        boto.CredentialRetrievalError,
        boto.UnknownCredentialError,
        boto.NoAuthTokenError,
        boto.TokenRetrievalError,
        boto.UnknownTokenProviderError,
        boto.SSOError,
        boto.LoginError,
        boto.RefreshWithMFAUnsupportedError,
        boto.ProfileNotFound,
        boto.ConfigNotFound,
        boto.ConfigParseError,
        boto.InvalidConfigError,
        boto.InvalidIMDSEndpointError,
        boto.InvalidIMDSEndpointModeError,
    ),
    *_kept_back(
        ErrorKind.INVALID,
        Obstacle.REGION,
        boto.NoRegionError,
        boto.InvalidRegionError,
        boto.UnknownRegionError,
        boto.UnknownEndpointError,
        boto.EndpointProviderError,
    ),
    Broken(ErrorKind.INVALID, boto.ParamValidationError, may_be_done=False),
    Broken(ErrorKind.UNKNOWN, boto.BotoCoreError, may_be_done=True),
)


def answered_kind(
    *, service: str, operation: str, code: str, message: str, status: int
) -> ErrorKind:
    """The kind of an error that AWS answered."""
    for row in ANSWERED:
        if row.matches(service=service, operation=operation, code=code, message=message):
            return row.kind
    if status in _STATUS:
        return _STATUS[status]
    if status >= SERVER_ERROR:
        return ErrorKind.TRANSIENT
    return ErrorKind.UNKNOWN if code.isdigit() or not code else ErrorKind.INVALID


def broken_row(error: Exception) -> Broken:
    """The row for an error without an answer."""
    words = str(error).lower()
    for row in BROKEN:
        if isinstance(error, row.error) and row.text in words:
            return row
    return Broken(ErrorKind.UNKNOWN, type(error), may_be_done=True)


def _any(globs: tuple[str, ...], value: str) -> bool:
    return not globs or any(fnmatchcase(value, glob) for glob in globs)
