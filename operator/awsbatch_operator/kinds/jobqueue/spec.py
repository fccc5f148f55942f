"""The JobQueue resource."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

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
from awsbatch_operator.schema.fields import EPOCH_YEARS, Count, Fields, Paragraph, Short
from awsbatch_operator.schema.references import SchedulingPolicyRef
from awsbatch_operator.schema.rules import Rule
from awsbatch_operator.schema.status import NamedStatus

MEMBERS = PassThrough(
    operation="CreateJobQueue",
    omit={
        "jobQueueName": "awsName stands in its place",
        "schedulingPolicyArn": "schedulingPolicyRef stands in its place",
        "serviceEnvironmentOrder": "queues of SageMaker jobs are not managed here",
        "tags": "ours has bounds of its own",
    },
    required=("computeEnvironmentOrder",),
)


class DrainPolicy(StrEnum):
    """What becomes of the jobs in a queue that is deleted."""

    WAIT = "Wait"
    TERMINATE = "Terminate"


class Drain(Fields):
    """How a queue is emptied when it is deleted."""

    policy: DrainPolicy | None = Field(
        None, description="Wait (default) for the jobs, or Terminate them."
    )
    timeout_seconds: int | None = Field(
        None,
        description="Seconds to wait; then they are terminated. 0 (default): as long as they take.",
        ge=0,
        le=EPOCH_YEARS,
    )


class JobQueueSpec(Infrastructure):
    """What is wanted: AWS's members are in `aws`."""

    scheduling_policy_ref: SchedulingPolicyRef | None = Field(
        None,
        description=(
            "Scheduling policy: a SchedulingPolicy by name, or one in AWS by ARN. Unset: first in, "
            "first out. AWS lets it be replaced, never added or removed."
        ),
    )
    drain: Drain | None = Field(None, description="How the queue is emptied when it is deleted.")
    max_in_flight: int | None = Field(
        None,
        description=(
            "BatchJobs of this queue that may be submitted and not finished at a time; further "
            "ones are held back. Unset: no limit."
        ),
        ge=1,
        le=1_000_000,
    )

    @property
    def enabled(self) -> bool:
        """Whether the queue takes jobs; AWS's default is ENABLED."""
        return bool(self.aws.get("state", "ENABLED") == "ENABLED")

    @property
    def environments(self) -> tuple[Mapping[str, Any], ...]:
        """The entries {order, computeEnvironmentRef}, in their order."""
        entries = self.aws.get("computeEnvironmentOrder", ())
        return tuple(sorted(entries, key=lambda entry: entry["order"]))


class QueueJobs(Fields):
    """Jobs in the queue."""

    runnable: Count | None = Field(None, description="Jobs that wait for capacity.")
    running: Count | None = Field(None, description="Jobs that run.")


class JobQueueStatus(NamedStatus):
    """What AWS reports."""

    state: Short | None = Field(None, description="ENABLED or DISABLED, as AWS has it.")
    aws_status: Short | None = Field(None, description="AWS's status, such as VALID.")
    status_reason: Paragraph | None = Field(None, description="What AWS says about its status.")
    jobs: QueueJobs | None = Field(
        None, description="Jobs in the queue, counted while it is emptied for deletion."
    )


SPEC_RULES = (
    # Where a spec leaves it open it is AWS's, and what AWS describes may be applied; the planner
    # tells where a kind that is named later is not the queue's.
    Rule(
        id="jobQueueType-immutable",
        cel="""!has(self.jobQueueType) || !has(oldSelf.jobQueueType)
            || self.jobQueueType == oldSelf.jobQueueType""",
        message="AWS cannot change the kind of a queue. Create another JobQueue.",
        field=".jobQueueType",
    ),
    Rule(
        id="policy-stays",
        cel="has(self.schedulingPolicyRef) == has(oldSelf.schedulingPolicyRef)",
        message=(
            "AWS can replace the scheduling policy of a queue, but neither add nor remove one. "
            "Keep schedulingPolicyRef as it was, or create another JobQueue."
        ),
        field=".schedulingPolicyRef",
    ),
    Rule(
        id="orders-differ",
        cel="""self.computeEnvironmentOrder.all(a,
            self.computeEnvironmentOrder.exists_one(b, a.order == b.order))""",
        message=(
            "The environments of a queue are tried one after the other. Give each of "
            "computeEnvironmentOrder an order of its own."
        ),
        field=".computeEnvironmentOrder",
    ),
    Rule(
        id="environments-differ",
        cel="""self.computeEnvironmentOrder.all(a, self.computeEnvironmentOrder.exists_one(b,
            a.computeEnvironmentRef == b.computeEnvironmentRef))""",
        message=(
            "An environment can be in a queue only once. Remove the repeated entry of "
            "computeEnvironmentOrder."
        ),
        field=".computeEnvironmentOrder",
    ),
)

RESOURCE = CustomResource(
    kind="JobQueue",
    plural="jobqueues",
    short_name="awsjq",
    summary="An AWS Batch job queue: where jobs wait for a compute environment.",
    spec=JobQueueSpec,
    status=JobQueueStatus,
    passthrough=MEMBERS,
    rules=(*SCOPE_RULES, AWS_NAME_RULE, *SPEC_RULES),
    selectable=(".spec.state", ".status.awsStatus", ".spec.schedulingPolicyRef.name"),
    columns=(
        Column(
            name="Priority",
            path=".spec.priority",
            type="integer",
            description="Among queues with the same environment, higher ones go first.",
        ),
        Column(name="Status", path=".status.awsStatus", description="Status in AWS."),
        Column(name="State", path=".status.state", description="ENABLED or DISABLED."),
        READY,
        REASON,
        AGE,
        # Counted while a queue drains; empty columns would only raise questions.
        Column(
            name="Runnable",
            path=".status.jobs.runnable",
            type="integer",
            wide=True,
            description="Jobs that wait, while the queue drains.",
        ),
        Column(
            name="Running",
            path=".status.jobs.running",
            type="integer",
            wide=True,
            description="Jobs that run, while the queue drains.",
        ),
        AWS_NAME,
        ARN,
    ),
)
