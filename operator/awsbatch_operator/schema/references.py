"""References: an object of ours by name, or an AWS object by ARN."""

from typing import Any, ClassVar

from pydantic import Field

from awsbatch_operator.schema.fields import Fields, ruled
from awsbatch_operator.schema.forms import DEFINITION_NAME, NAME, batch_arn
from awsbatch_operator.schema.rules import Rule, exactly_one


class AccountRef(Fields):
    """An AWSAccount."""

    name: str = Field(
        description="Name of the AWSAccount, which is cluster-scoped.",
        max_length=253,
        json_schema_extra=ruled(NAME),
    )


class AmiRef(Fields):
    """An ExtendedAMI."""

    name: str = Field(
        description="Name of the ExtendedAMI in the same namespace.",
        max_length=253,
        json_schema_extra=ruled(NAME),
    )


_ONE_OF_NAME_AND_ARN = exactly_one(
    "ref-name-or-arn",
    ("name", "arn"),
    (
        "A reference names either an object of this namespace or an AWS object by its ARN, because "
        "both at once could contradict each other. Set exactly one of name and arn."
    ),
)


def _name_like(form: Rule) -> Any:
    return Field(
        None,
        description="Name of the object in the same namespace.",
        max_length=253,
        json_schema_extra=ruled(form),
    )


_REVISION_OF_NAME = Rule(
    id="ref-revision-of-name",
    cel="!has(self.revision) || has(self.name)",
    message=(
        "An ARN names its revision itself, at its end. Remove revision, or name a JobDefinition."
    ),
    field=".revision",
)


class NameOrArn(Fields):
    """An object of the same namespace by name, or an AWS object made elsewhere by ARN."""

    RULES: ClassVar[tuple[Rule, ...]] = (_ONE_OF_NAME_AND_ARN,)

    name: str | None = _name_like(NAME)
    arn: str | None = Field(
        None,
        description="ARN of an AWS object that is not managed here.",
        min_length=20,
        max_length=2048,
    )


def _arn_of(resource: str, kind: str, example: str) -> Any:
    return Field(
        None,
        description=f"ARN of a {resource} in AWS that no object here manages.",
        max_length=2048,
        json_schema_extra=ruled(batch_arn(resource, kind, example)),
    )


class ComputeEnvironmentRef(NameOrArn):
    """A ComputeEnvironment, or a compute environment in AWS."""

    arn: str | None = _arn_of("compute-environment", "ComputeEnvironment", "spot")


class SchedulingPolicyRef(NameOrArn):
    """A SchedulingPolicy, or a scheduling policy in AWS."""

    arn: str | None = _arn_of("scheduling-policy", "SchedulingPolicy", "fair")


class JobQueueRef(NameOrArn):
    """A JobQueue, or a job queue in AWS."""

    arn: str | None = _arn_of("job-queue", "JobQueue", "main")


class JobDefinitionRef(NameOrArn):
    """A JobDefinition, or a job definition in AWS."""

    RULES: ClassVar[tuple[Rule, ...]] = (_ONE_OF_NAME_AND_ARN, _REVISION_OF_NAME)

    name: str | None = _name_like(DEFINITION_NAME)
    arn: str | None = _arn_of("job-definition", "JobDefinition", "simulate:7")
    revision: int | None = Field(
        None,
        description=(
            "Revision of the JobDefinition that name leads to. Unset: its newest at submission."
        ),
        ge=1,
        le=2**31 - 1,
    )
