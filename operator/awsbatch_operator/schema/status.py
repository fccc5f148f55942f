"""What the statuses of several kinds share, written down once."""

from typing import Any

from pydantic import Field

from awsbatch_operator.schema.fields import INT64, Fields, Line, Short, Time


class Condition(Fields):
    """One aspect of the object's state, as metav1.Condition."""

    type: str = Field(description="Name of the aspect, such as Ready.", min_length=1, max_length=64)
    status: str = Field(
        description="True, False or Unknown.",
        max_length=7,
        json_schema_extra={"enum": ["True", "False", "Unknown"]},
    )
    observed_generation: int = Field(
        description="metadata.generation that this was found for.", ge=0, le=INT64
    )
    last_transition_time: Time = Field(description="When the status last changed.")
    reason: str = Field(
        description="One word for why, listed in the documentation.",
        min_length=1,
        max_length=128,
        pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
    )
    message: str = Field(
        description="What is so, why, and how to mend it where it is wrong.", max_length=32768
    )


CONDITIONS: Any = Field(
    default_factory=list,
    description="How the object stands; one entry for each aspect.",
    max_length=16,
    json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]},
)


class Status(Fields):
    """What every kind reports."""

    observed_generation: int = Field(
        -1,
        description="metadata.generation that the rest was found for; -1 until it was looked at.",
        ge=-1,
        le=INT64,
        json_schema_extra={"default": -1},
    )
    installation: Line | None = Field(
        None,
        description=(
            "Which installation of the operator serves the object: namespace/name of its Lease. "
            "The annotation awsbatch.dev/installation counts first."
        ),
    )
    conditions: list[Condition] = CONDITIONS

    def body(self) -> dict[str, Any]:
        """The status as it is written, without what is unset."""
        return self.model_dump(by_alias=True, exclude_none=True, mode="json")


class AwsStatus(Status):
    """What every kind with an AWS object reports."""

    arn: Line | None = Field(None, description="ARN of the AWS object.")
    account_id: Short | None = Field(None, description="AWS account that the object is in.")
    region: Short | None = Field(None, description="AWS region that the object is in.")
    deletion_policy: Short | None = Field(
        None, description="What deletion of this object will mean: Delete or Retain."
    )


class NamedStatus(AwsStatus):
    """What every kind with a lasting AWS object reports."""

    aws_name: Short | None = Field(None, description="Name of the AWS object.")
    reached_generation: int | None = Field(
        None,
        description=(
            "Set while the object is not Ready: metadata.generation that AWS was as specified for "
            "before. What differs from it was changed elsewhere."
        ),
        ge=0,
        le=INT64,
    )
