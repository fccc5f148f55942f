"""The JobDefinition resource."""

from pydantic import Field

from awsbatch_operator.schema.common import (
    AWS_NAME_RULE,
    SCOPE_RULES,
    Infrastructure,
)
from awsbatch_operator.schema.declare import (
    AGE,
    ARN,
    AWS_NAME,
    READY,
    REASON,
    Column,
    CustomResource,
    PassThrough,
)
from awsbatch_operator.schema.fields import LIST_ATOMIC, Count, Fields, Line, Short, Time
from awsbatch_operator.schema.status import NamedStatus
from awsbatch_operator.schema.tables.definition_rules import SPEC as DEFINITION_RULES

MEMBERS = PassThrough(
    operation="RegisterJobDefinition",
    omit={
        "jobDefinitionName": "awsName stands in its place",
        "tags": "ours has bounds of its own",
    },
)

KEEP_REVISIONS = 3


class JobDefinitionSpec(Infrastructure):
    """What is wanted: AWS's members are in `aws`."""

    keep_revisions: int | None = Field(
        None,
        description=(
            "Revisions to keep in AWS, the current one included. Default: 3. One that a BatchJob "
            "still uses is kept in any case."
        ),
        ge=1,
        le=100,
    )

    @property
    def kept(self) -> int:
        """Revisions to keep, the current one included."""
        return KEEP_REVISIONS if self.keep_revisions is None else self.keep_revisions


class Revision(Fields):
    """A revision that the operator registered, or took over, and AWS still has."""

    revision: Count = Field(description="Number of the revision.")
    arn: Line = Field(description="ARN of the revision.")
    content_hash: Short | None = Field(None, description="Hash of its content.")
    registered_time: Time | None = Field(None, description="When it was registered.")
    generation: Count | None = Field(
        None, description="Newest generation of this object that the revision is of."
    )


class JobDefinitionStatus(NamedStatus):
    """What is registered."""

    revision: Count | None = Field(None, description="Number of the current revision.")
    content_hash: Short | None = Field(None, description="Hash of its content.")
    revisions: list[Revision] | None = Field(
        None,
        description="Active revisions that the operator registered or took over, newest first.",
        max_length=200,
        json_schema_extra=dict(LIST_ATOMIC),
    )


RESOURCE = CustomResource(
    kind="JobDefinition",
    plural="jobdefinitions",
    short_name="awsjd",
    summary="An AWS Batch job definition: what jobs run, with how much, and how often they try.",
    spec=JobDefinitionSpec,
    status=JobDefinitionStatus,
    passthrough=MEMBERS,
    rules=(*SCOPE_RULES, AWS_NAME_RULE, *DEFINITION_RULES),
    columns=(
        Column(name="Type", path=".spec.type", description="container or multinode."),
        Column(
            name="Revision",
            path=".status.revision",
            type="integer",
            description="Current revision in AWS.",
        ),
        READY,
        REASON,
        AGE,
        Column(
            name="Image",
            path=".spec.containerProperties.image",
            wide=True,
            description="Image of a job with one container.",
        ),
        AWS_NAME,
        ARN,
    ),
)
