"""From an error of AWS to a finding: who has to do something about it, and when to look again."""

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding, Reason
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.api.words import joined, sentence
from awsbatch_operator.aws.errors import AwsError, ErrorKind, Obstacle

_REASONS: dict[ErrorKind, Reason] = {
    # Creating by a name that exists, or acting on what is not there, means that the world changed
    # since we looked, or that AWS does not show yet what it has: looking again tells.
    ErrorKind.NOT_FOUND: catalogue.AWS_BUSY,
    ErrorKind.ALREADY_EXISTS: catalogue.AWS_BUSY,
    ErrorKind.CONFLICT: catalogue.AWS_BUSY,
    ErrorKind.CAPACITY: catalogue.AWS_BUSY,
    ErrorKind.THROTTLED: catalogue.THROTTLED,
    ErrorKind.TRANSIENT: catalogue.AWS_UNAVAILABLE,
    ErrorKind.DENIED: catalogue.PERMISSION_DENIED,
    ErrorKind.INVALID: catalogue.INVALID_REQUEST,
    ErrorKind.UNKNOWN: catalogue.AWS_ERROR,
}

_REFUSED = (_REASONS[ErrorKind.INVALID], _REASONS[ErrorKind.NOT_FOUND])

# What never came to AWS: the reason, and what is the case.
_OBSTACLES: dict[Obstacle, tuple[Reason, str]] = {
    Obstacle.CREDENTIALS: (catalogue.NO_CREDENTIALS, "The operator has no AWS credentials"),
    Obstacle.REGION: (catalogue.IDENTITY_UNKNOWN, "There is no AWS region to ask in"),
    Obstacle.ROUTE: (catalogue.UNREACHABLE, "The operator has no connection to AWS"),
    Obstacle.TRUST: (catalogue.NOT_TRUSTED, "The operator does not trust what answers for AWS"),
}
# AWS's codes for a signature that it does not accept: granting anything is no cure.
_CREDENTIAL_CODES = (
    *("UnrecognizedClient", "InvalidClientTokenId", "InvalidAccessKeyId", "InvalidIdentityToken"),
    *("SignatureDoesNotMatch", "InvalidSignature", "IncompleteSignature", "AuthFailure"),
    "MissingAuthenticationToken",
)
_AT_ONCE = (
    "It is tried again by itself, and at once when the annotation awsbatch.dev/reconcile-at of "
    "the AWSAccount gets a new value."
)
# Whoever is not let into a role is told the same as whoever may not assume any.
_ROLE_REMEDIES: dict[str, str] = {
    "AssumeRole": (
        "Correct spec.roleArn of the AWSAccount if there is no such role; let the role's trust "
        "policy name this identity; where it asks for an external id, set the same one in "
        "spec.externalId; and grant the identity sts:AssumeRole (deploy/iam). " + _AT_ONCE
    ),
    "AssumeRoleWithWebIdentity": (
        "Correct the role that the operator's ServiceAccount names (annotation "
        "eks.amazonaws.com/role-arn), or let the trust policy of that role name the cluster's "
        "OIDC provider and this ServiceAccount. It is tried again by itself."
    ),
}


def finding(error: AwsError) -> Finding:
    """What an error means for the object whose turn it ended."""
    if error.outcome_unknown:
        return Finding(
            catalogue.OUTCOME_UNKNOWN,
            joined(
                f"The answer to {error.operation} was lost, so AWS may or may not have done it.",
                f"AWS said: {error.message}" if error.message else "",
            ),
        )
    if error.obstacle is not None:
        return _kept_back(error, error.obstacle)
    reason = _REASONS[error.kind]
    if error.kind is ErrorKind.DENIED:
        if error.code.startswith(_CREDENTIAL_CODES):
            words = f"AWS does not accept the credentials of {_identity(error)}: {error.message}"
            return Finding(catalogue.CREDENTIALS_REFUSED, sentence(words))
        # A role that was made a moment ago cannot be assumed yet: that passes within seconds, and
        # what was denied only lately is tried again soon (patience.py).
        return Finding(reason, _denied(error), _ROLE_REMEDIES.get(error.operation, ""))
    return Finding(reason, sentence(f"{error.operation}: {error.message}"))


def is_refusal(error: AwsError) -> bool:
    """Whether AWS refused the request for what it says or names: it did nothing."""
    kinds = {ErrorKind.INVALID, ErrorKind.NOT_FOUND}
    return error.kind in kinds and not error.outcome_unknown and error.obstacle is None


def doubt(error: AwsError) -> Finding:
    """A refusal that may be about what the spec refers to, not about the spec."""
    words = sentence(f"{error.operation}: {error.message}")
    return Finding(
        catalogue.CHECKING_REFERENCES,
        f"{words} It may be about an object that the spec refers to, so those are looked at again "
        "in AWS; then the call is made once more.",
    )


def is_told(resource: Resource) -> bool:
    """Whether the status says for this generation that AWS refuses, or that it is in doubt."""
    told = {catalogue.CHECKING_REFERENCES.name, *(reason.name for reason in _REFUSED)}
    return any(
        each["status"] == "True"
        and each["reason"] in told
        and each.get("observedGeneration") == resource.generation
        for each in resource.status.get("conditions", ())
    )


def _kept_back(error: AwsError, obstacle: Obstacle) -> Finding:
    """AWS was not asked, so it has refused nothing."""
    reason, case = _OBSTACLES[obstacle]
    call = f"{error.service}:{error.operation}"
    remedy = _REGION_REMEDY if obstacle is Obstacle.REGION else ""
    said = _NONE_FOUND if error.code == _NONE else error.message
    return Finding(reason, sentence(f"{case} ({call} was not sent): {said}"), remedy)


_NONE = "NoCredentialsError"  # botocore's, when nothing that it knows has any
# In the order in which botocore looks; a test compares.
_NONE_FOUND = (
    "none were found. They are looked for in the environment (AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY), in a web identity token (AWS_WEB_IDENTITY_TOKEN_FILE and "
    "AWS_ROLE_ARN, which IAM roles for service accounts set), in the files ~/.aws/credentials and "
    "~/.aws/config (or AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE), at the address in "
    "AWS_CONTAINER_CREDENTIALS_FULL_URI (which EKS Pod Identity sets), and at the metadata service "
    "of the node"
)


_REGION_REMEDY = (
    "Set spec.region of the AWSAccount, or the operator's --region or AWS_REGION; an object with a "
    "spec.region of its own is deleted and created again with another one."
)


def _denied(error: AwsError) -> str:
    action = error.action or f"{error.service}:{error.operation}"
    return sentence(f"AWS refuses {action} to {_identity(error)}: {error.message}")


def _identity(error: AwsError) -> str:
    return error.identity or "the operator's own identity"


def denied(error: AwsError) -> bool:
    """Whether AWS was asked and has denied it: somebody may grant it without telling us."""
    return error.kind is ErrorKind.DENIED and error.obstacle is None


def passes(error: AwsError) -> bool:
    """Whether the same call may succeed without anybody doing something about it."""
    return error.obstacle is None and backs_off(error)


def backs_off(error: AwsError) -> bool:
    """Whether it passes by itself, and repeating fast would do harm: the engine's backoff decides.

    What only a person can mend is repeated slowly instead, as its finding says.
    """
    return error.outcome_unknown or error.kind not in {ErrorKind.DENIED, ErrorKind.INVALID}
