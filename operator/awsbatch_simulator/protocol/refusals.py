"""How each service says no, for the reasons that do not depend on what was asked of it.

Batch models only ClientException and ServerException; throttling and authentication come from the
layers before it, with codes and statuses of their own. EC2, STS and IAM have theirs.
"""

from dataclasses import dataclass

from awsbatch_simulator.errors import AwsFailure

BAD_KEY = "The security token included in the request is invalid."
EXPIRED = "The security token included in the request is expired"
UNSIGNED = "Missing Authentication Token"
UNREADABLE = "SerializationException"
BATCH_UNREADABLE = "An error occurred during JSON parsing"


@dataclass(frozen=True, slots=True)
class Refusals:
    """A service's codes with their HTTP statuses."""

    throttled: tuple[str, int, str]
    denied: tuple[str, int]
    invalid: tuple[str, int]
    bad_key: tuple[str, int, str]
    expired: tuple[str, int]
    unsigned: tuple[str, int]
    denial_begins: str = ""

    def throttling(self) -> AwsFailure:
        """Too many requests: nothing was done."""
        code, status, message = self.throttled
        return AwsFailure(code, message, status)

    def denial(
        self, principal: str, action: str, resource: str = "*", *, explicit: bool = False
    ) -> AwsFailure:
        """The principal may not do this: no policy allows it, or one denies it."""
        code, status = self.denied
        why = f"because no identity-based policy allows the {action} action"
        if explicit:
            why = "with an explicit deny in an identity-based policy"
        message = (
            f"{self.denial_begins}User: {principal} is not authorized to perform: {action} "
            f"on resource: {resource} {why}"
        )
        return AwsFailure(code, message, status)

    def invalidity(self, message: str) -> AwsFailure:
        """The parameters do not fit the model."""
        code, status = self.invalid
        return AwsFailure(code, message, status)

    def unknown_key(self) -> AwsFailure:
        """An access key id that this sandbox never issued, or a wrong session token."""
        code, status, message = self.bad_key
        return AwsFailure(code, message, status)

    def expired_token(self) -> AwsFailure:
        """Temporary credentials after their end."""
        return AwsFailure(self.expired[0], EXPIRED, self.expired[1])

    def missing_signature(self) -> AwsFailure:
        """No Authorization header."""
        return AwsFailure(self.unsigned[0], UNSIGNED, self.unsigned[1])


def _json(invalid: str) -> Refusals:
    return Refusals(
        throttled=("ThrottlingException", 400, "Rate exceeded"),
        denied=("AccessDeniedException", 400),
        invalid=(invalid, 400),
        bad_key=("UnrecognizedClientException", 400, BAD_KEY),
        expired=("ExpiredTokenException", 400),
        unsigned=("MissingAuthenticationTokenException", 400),
    )


def _rest(invalid: str) -> Refusals:
    return Refusals(
        throttled=("TooManyRequestsException", 429, "Too Many Requests"),
        denied=("AccessDeniedException", 403),
        invalid=(invalid, 400),
        bad_key=("UnrecognizedClientException", 403, BAD_KEY),
        expired=("ExpiredTokenException", 403),
        unsigned=("MissingAuthenticationTokenException", 403),
    )


def _query() -> Refusals:
    return Refusals(
        throttled=("Throttling", 400, "Rate exceeded"),
        denied=("AccessDenied", 403),
        invalid=("ValidationError", 400),
        bad_key=("InvalidClientTokenId", 403, BAD_KEY),
        expired=("ExpiredToken", 403),
        unsigned=("MissingAuthenticationToken", 403),
    )


def _ec2() -> Refusals:
    return Refusals(
        throttled=("RequestLimitExceeded", 503, "Request limit exceeded."),
        denied=("UnauthorizedOperation", 403),
        invalid=("InvalidParameterValue", 400),
        bad_key=(
            "AuthFailure",
            401,
            "AWS was not able to validate the provided access credentials",
        ),
        expired=("RequestExpired", 400),
        unsigned=("AuthFailure", 401),
        denial_begins="You are not authorized to perform this operation. ",
    )


def worded(service: str, failure: AwsFailure, request_id: str) -> AwsFailure:
    """A failure as the service says it.

    Batch puts a frame around what it says of the caller's mistakes, with the id that the answer's
    header has, too: seen in kestra-io/plugin-aws#504, pegasus-isi/pegasus#2086 and
    ASFHyP3/hyp3#3041. A body that it cannot read it refuses without one
    (JuliaCloud/AWS.jl#313).
    """
    if service != "batch":
        return failure
    if failure.code == UNREADABLE:
        return AwsFailure("ClientException", BATCH_UNREADABLE)
    if failure.code != "ClientException":
        return failure
    framed = f"Error executing request, Exception : {failure.message}, RequestId: {request_id}"
    return AwsFailure(failure.code, framed, failure.status)


def refusals(service: str, protocol: str) -> Refusals:
    """The codes of a service (botocore's name) that speaks a protocol."""
    match service, protocol:
        case "batch", _:
            return _rest("ClientException")
        case (("ecs" | "logs" | "pricing"), _):
            return _json("InvalidParameterException")
        case "service-quotas", _:
            return _json("IllegalArgumentException")
        case _, "ec2":
            return _ec2()
        case _, "query":
            return _query()
        case _, "json":
            return _json("ValidationException")
        case _:
            return _rest("ValidationException")
