"""The ComputeEnvironment resource."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from awsbatch_operator.kinds.computeenvironment.capacity_rules import SPEC as CAPACITY_RULES
from awsbatch_operator.kinds.computeenvironment.capacity_spec import Capacity
from awsbatch_operator.kinds.computeenvironment.capacity_status import CapacityStatus
from awsbatch_operator.kinds.computeenvironment.noops import LATEST_IMAGE
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
from awsbatch_operator.schema.fields import (
    EPOCH_YEARS,
    LIST_ATOMIC,
    Count,
    Fields,
    Line,
    Paragraph,
    Short,
)
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


class ImageUpdates(StrEnum):
    """What happens when AWS Batch announces a newer machine image of its own."""

    MANUAL = "Manual"
    TRACK = "Track"


class TemplateVersions(StrEnum):
    """What `$Latest` and `$Default` of a launch template mean as time goes on."""

    PIN = "Pin"
    TRACK = "Track"


class ReplacementPolicy(Fields):
    """How a change is made that AWS cannot make of an environment that exists."""

    policy: Literal["BlueGreen", "Refuse"] | None = Field(
        None,
        description=(
            "BlueGreen (default): a new environment is made beside the old one, takes its place in "
            "its queues, and the old one is removed once no job runs in it. Refuse: the object is "
            "Stalled and names the fields."
        ),
    )
    foreign_queues: Literal["Block", "Swap"] | None = Field(
        None,
        description=(
            "Job queues that use the environment and that no JobQueue of this operator keeps. "
            "Block (default): nothing is begun as long as there are any. Swap: the operator puts "
            "the new environment in the place of the old one, for which its role needs the "
            "policy deploy/iam/foreign-queues-policy.json."
        ),
    )
    drain_timeout_seconds: int | None = Field(
        None,
        description=(
            "How long jobs in the old environment are waited for; then it is deleted, which ends "
            "them. The same goes for jobs that still run in an environment which is in no queue "
            "any more and whose object is deleted, or which is INVALID and made anew. 0 (default): "
            "as long as they take."
        ),
        ge=0,
        le=EPOCH_YEARS,
    )


class ComputeEnvironmentSpec(Infrastructure):
    """What is wanted: AWS's members are in `aws`."""

    image_updates: ImageUpdates | None = Field(
        None,
        description=(
            "When AWS Batch announces a newer image of its own. Manual (default): it is only told. "
            "Track: the instances are exchanged, as updatePolicy says, once for each announcement; "
            "with driftPolicy Report as well."
        ),
    )
    launch_template_versions: TemplateVersions | None = Field(
        None,
        description=(
            "What $Latest and $Default of a launch template mean. Pin (default): the version that "
            "they led to first. Track: a newer one is taken over, as any change of the template; "
            "with driftPolicy Report as well, unless somebody has changed the template in AWS."
        ),
    )

    capacity: Capacity | None = Field(
        None,
        description=(
            "Instances that the operator launches for waiting jobs; of an UNMANAGED environment."
        ),
    )
    replacement: ReplacementPolicy | None = Field(
        None,
        description="What happens when AWS can change the environment only by making another one.",
    )

    @property
    def tracks_images(self) -> bool:
        """Whether a newer image of AWS's is taken over; its own imperative says the same."""
        told = bool(self.compute_resources.get(LATEST_IMAGE))
        return told or self.image_updates is ImageUpdates.TRACK

    @property
    def tracks_templates(self) -> bool:
        """Whether a newer version behind `$Latest` or `$Default` is taken over."""
        return self.launch_template_versions is TemplateVersions.TRACK

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


class ReplacementStatus(Fields):
    """How far a new environment has come in the place of an old one."""

    step: Short = Field(
        description=(
            "Creating, Withdrawing (the new one is removed again), Swapping, Draining or Deleting."
        )
    )
    from_: Short = Field(alias="from", description="AWS name of the old environment.")
    to: Short = Field(description="AWS name of the new environment.")
    queues: list[Annotated[str, Field(max_length=256)]] | None = Field(
        None,
        description="Job queues in AWS that have the old environment still.",
        max_length=100,
        json_schema_extra=dict(LIST_ATOMIC),
    )
    running_jobs: Count | None = Field(
        None, description="Tasks of jobs that still run in the old environment."
    )


class ComputeEnvironmentStatus(NamedStatus):
    """What AWS reports."""

    state: Short | None = Field(None, description="ENABLED or DISABLED, as AWS has it.")
    aws_status: Short | None = Field(None, description="AWS's status, such as VALID.")
    status_reason: Paragraph | None = Field(None, description="What AWS says about its status.")
    ecs_cluster_arn: Line | None = Field(None, description="ECS cluster that runs the jobs.")
    vcpus: VCpus | None = Field(None, alias="vCPUs", description="vCPUs as AWS has them.")
    plan: ChangePlan | None = Field(None, description="What changes in AWS, before it does.")
    replacement: ReplacementStatus | None = Field(
        None, description="A replacement that is under way."
    )
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
