"""From an error of AWS to a finding: who has to do something about it, and when to look again."""

from awsbatch_operator.api import catalogue
from awsbatch_operator.api.findings import Finding, Reason
from awsbatch_operator.api.metadata import Resource
from awsbatch_operator.api.words import joined, sentence
from awsbatch_operator.aws.errors import AwsError, ErrorKind

_REASONS: dict[ErrorKind, Reason] = {
    # Creating by a name that exists, or acting on what is not there, means that the world changed
    # since we looked, or that AWS does not show yet what it has: looking again tells.
    ErrorKind.NOT_FOUND: catalogue.AWS_BUSY,
    ErrorKind.ALREADY_EXISTS: catalogue.AWS_BUSY,
    ErrorKind.CONFLICT: catalogue.AWS_BUSY,
    ErrorKind.THROTTLED: catalogue.THROTTLED,
    ErrorKind.TRANSIENT: catalogue.AWS_UNAVAILABLE,
    ErrorKind.DENIED: catalogue.PERMISSION_DENIED,
    ErrorKind.INVALID: catalogue.INVALID_REQUEST,
    ErrorKind.UNKNOWN: catalogue.AWS_ERROR,
}

_REFUSED = (_REASONS[ErrorKind.INVALID], _REASONS[ErrorKind.NOT_FOUND])

ROLE_SECONDS = 30.0


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
    reason = _REASONS[error.kind]
    if error.kind is ErrorKind.DENIED:
        # A role that was made a moment ago cannot be assumed yet: that passes within seconds.
        again = ROLE_SECONDS if error.operation == "AssumeRole" else None
        return Finding(reason, _denied(error), look_again_seconds=again)
    return Finding(reason, sentence(f"{error.operation}: {error.message}"))


def is_refusal(error: AwsError) -> bool:
    """Whether AWS refused the request for what it says or names: it did nothing."""
    kinds = {ErrorKind.INVALID, ErrorKind.NOT_FOUND}
    return error.kind in kinds and not error.outcome_unknown


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


def _denied(error: AwsError) -> str:
    action = error.action or f"{error.service}:{error.operation}"
    identity = error.identity or "the operator's own identity"
    return sentence(f"AWS refuses {action} to {identity}: {error.message}")


def backs_off(error: AwsError) -> bool:
    """Whether it passes by itself, and repeating fast would do harm: the engine's backoff decides.

    What only a person can mend is repeated slowly instead, as its finding says.
    """
    return error.outcome_unknown or error.kind not in {ErrorKind.DENIED, ErrorKind.INVALID}
