"""The ComputeEnvironment resource."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from awsbatch_operator.kinds.computeenvironment.capacity_rules import SPEC as CAPACITY_RULES
from awsbatch_operator.kinds.computeenvironment.capacity_spec import Capacity
from awsbatch_operator.kinds.computeenvironment.capacity_status import CapacityStatus
from awsbatch_operator.kinds.computeenvironment.noops import LATEST_IMAGE
from awsbatch_operator.schema.common import (
    AWS_NAME_RULE,
    INFRASTRUCTURE_NOT_YET,
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
    NotYet,
    PassThrough,
)
from awsbatch_operator.schema.fields import LIST_ATOMIC, Count, Fields, Line, Paragraph, Short
from awsbatch_operator.schema.status import NamedStatus
from awsbatch_operator.schema.tables.environment_rules import SPEC as ENVIRONMENT_RULES

MEMBERS = PassThrough(
    operation="CreateComputeEnvironment",
    omit={
        "computeEnvironmentName": "awsName stands in its place",
        "tags": "ours has bounds of its own",
        "context": "reserved by AWS",
    },
    add={"updatePolicy": "UpdatePolicy"},
)


NOT_YET = (
    *INFRASTRUCTURE_NOT_YET,
    NotYet(
        path=f"computeResources.{LATEST_IMAGE}",
        honoured=(False,),
        remedy=(
            "Infrastructure updates are not supported yet: remove "
            f"computeResources.{LATEST_IMAGE}, or set it to false."
        ),
    ),
    NotYet(
        path="capacity.pools[].image.amiRef",
        remedy=(
            "There is no ExtendedAMI yet: remove capacity.pools[].image.amiRef, and name the image "
            "by amiId or ssmParameter, or leave it to the operator."
        ),
    ),
)


class ComputeEnvironmentSpec(Infrastructure):
    """What is wanted: AWS's members are in `aws`."""

    capacity: Capacity | None = Field(
        None,
        description=(
            "Instances that the operator launches for waiting jobs; of an UNMANAGED environment."
        ),
    )

    @property
    def managed(self) -> bool:
        """Whether AWS Batch runs the instances."""
        return self.aws.get("type") == "MANAGED"

    @property
    def enabled(self) -> bool:
        """Whether jobs may start there; AWS's default is ENABLED."""
        return bool(self.aws.get("state", "ENABLED") == "ENABLED")

    @property
    def compute_resources(self) -> Mapping[str, Any]:
        """AWS's computeResources, empty for an UNMANAGED environment."""
        resources: Mapping[str, Any] = self.aws.get("computeResources", {})
        return resources


class VCpus(Fields):
    """vCPUs as AWS has them."""

    min: Count | None = Field(None, description="vCPUs kept running even without jobs.")
    desired: Count | None = Field(None, description="vCPUs that AWS Batch wants now.")
    max: Count | None = Field(None, description="vCPUs that the environment may grow to.")


class ChangePlan(Fields):
    """The change that is about to be made in AWS, or waits for a person."""

    action: Short = Field(description="None, Scaling, Infrastructure or Replacement.")
    fields: list[Annotated[str, Field(max_length=256)]] | None = Field(
        None,
        description="Fields that differ.",
        max_length=100,
        json_schema_extra=dict(LIST_ATOMIC),
    )
    reason: Paragraph | None = Field(None, description="Why this kind of change.")


class ComputeEnvironmentStatus(NamedStatus):
    """What AWS reports."""

    state: Short | None = Field(None, description="ENABLED or DISABLED, as AWS has it.")
    aws_status: Short | None = Field(None, description="AWS's status, such as VALID.")
    status_reason: Paragraph | None = Field(None, description="What AWS says about its status.")
    ecs_cluster_arn: Line | None = Field(None, description="ECS cluster that runs the jobs.")
    vcpus: VCpus | None = Field(None, alias="vCPUs", description="vCPUs as AWS has them.")
    plan: ChangePlan | None = Field(None, description="What changes in AWS, before it does.")
    capacity: CapacityStatus | None = Field(
        None, description="What was launched for waiting jobs, in an UNMANAGED environment."
    )


RESOURCE = CustomResource(
    kind="ComputeEnvironment",
    plural="computeenvironments",
    short_name="awsce",
    summary="An AWS Batch compute environment: what jobs run on.",
    spec=ComputeEnvironmentSpec,
    status=ComputeEnvironmentStatus,
    passthrough=MEMBERS,
    rules=(*SCOPE_RULES, AWS_NAME_RULE, *ENVIRONMENT_RULES, *CAPACITY_RULES),
    not_yet=NOT_YET,
    selectable=(".spec.type", ".spec.state", ".status.awsStatus"),
    columns=(
        Column(name="Type", path=".spec.type", description="MANAGED or UNMANAGED."),
        Column(name="Status", path=".status.awsStatus", description="Status in AWS."),
        Column(name="State", path=".status.state", description="ENABLED or DISABLED."),
        Column(
            name="vCPUs",
            path=".status.vCPUs.desired",
            type="integer",
            description="vCPUs that AWS Batch wants now.",
        ),
        Column(
            name="Max",
            path=".status.vCPUs.max",
            type="integer",
            description="vCPUs that it may grow to.",
        ),
        READY,
        REASON,
        AGE,
        Column(
            name="Wanted",
            path=".status.capacity.wanted",
            wide=True,
            description="Instances that are wanted for waiting jobs.",
        ),
        AWS_NAME,
        ARN,
    ),
)
