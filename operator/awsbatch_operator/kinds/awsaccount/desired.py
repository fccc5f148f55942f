"""What an AWSAccount wants: that its role can be assumed."""

from dataclasses import dataclass

from awsbatch_operator.api.metadata import Resource


@dataclass(frozen=True, slots=True)
class Desired:
    """`role_arn` None means the operator's own identity."""

    role_arn: str | None


def desired_account(resource: Resource) -> Desired:
    """From the spec."""
    return Desired(role_arn=resource.spec.get("roleArn"))
