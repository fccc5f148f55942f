"""What an AWSAccount wants: that its role can be assumed."""

from dataclasses import dataclass

from awsbatch_operator.api.metadata import Resource


@dataclass(frozen=True, slots=True)
class Desired:
    """`held`: our finalizer is there, so that the account outlives what lives in it."""

    role_arn: str | None
    held: bool


def desired_account(resource: Resource) -> Desired:
    """From the spec."""
    return Desired(role_arn=resource.spec.get("roleArn"), held=resource.held)
