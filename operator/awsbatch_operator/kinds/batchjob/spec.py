"""The BatchJob resource: what is wanted. Its status is in `report.py`."""

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from awsbatch_operator.kinds.batchjob.report import BatchJobStatus
from awsbatch_operator.kinds.batchjob.rules import (
    DEPENDENCY_RULES,
    JOB_REF_RULE,
    OBJECT_RULES,
    SPEC_RULES,
)
from awsbatch_operator.kinds.batchjob.spec_runs import Fallback, RetryFailedIndexes
from awsbatch_operator.kinds.batchjob.spec_work import DEFINITION, ArrayValues, TaskPacking
from awsbatch_operator.schema.common import Scoped
from awsbatch_operator.schema.declare import (
    AGE,
    REASON,
    Column,
    CustomResource,
    PassThrough,
)
from awsbatch_operator.schema.fields import EPOCH_YEARS, LIST_ATOMIC, Fields, ruled
from awsbatch_operator.schema.forms import JOB_ID, NAME, REGION
from awsbatch_operator.schema.references import AccountRef, JobDefinitionRef, JobQueueRef
from awsbatch_operator.schema.rules import Rule

MEMBERS = PassThrough(
    operation="SubmitJob",
    omit={
        "jobName": "made from the object's name and uid, so that a run is found again",
        "jobQueue": "jobQueueRef stands in its place",
        "jobDefinition": "ours is the definition itself, and jobDefinitionRef refers to one",
        "dependsOn": "ours refers to BatchJobs",
        "tags": "ours has bounds of its own",
    },
)

LOG_LINES = 5


class RerunPolicy(StrEnum):
    """What a change of the spec means for a job that was submitted."""

    NEVER = "Never"
    ON_CHANGE = "OnChange"


class DependencyType(StrEnum):
    """How jobs of arrays depend on each other, in AWS's words."""

    N_TO_N = "N_TO_N"
    SEQUENTIAL = "SEQUENTIAL"


class JobRef(Fields):
    """A BatchJob of the same namespace, or a job in AWS."""

    RULES: ClassVar[tuple[Rule, ...]] = (JOB_REF_RULE,)

    name: str | None = Field(
        None,
        description="Name of a BatchJob in the same namespace.",
        max_length=253,
        json_schema_extra=ruled(NAME),
    )
    job_id: str | None = Field(
        None,
        description="Id of a job in AWS that no object here manages.",
        max_length=128,
        json_schema_extra=ruled(JOB_ID),
    )


class Dependency(Fields):
    """A job that must have succeeded first."""

    RULES: ClassVar[tuple[Rule, ...]] = DEPENDENCY_RULES

    job_ref: JobRef | None = Field(
        None, description="The other job. Unset only with SEQUENTIAL: the job before in the array."
    )
    type: DependencyType | None = Field(
        None,
        description=(
            "For array jobs. N_TO_N: each waits for the one with the same index. SEQUENTIAL: each "
            "waits for the one before it."
        ),
    )


class Logs(Fields):
    """What of the job's output is shown in status."""

    status_lines: int | None = Field(
        None,
        description="Last lines to show, at most 2 KiB. Default: 5. "
        "None when many jobs end at once: AWS lets few be read a second.",
        ge=0,
        le=20,
    )


class BatchJobSpec(Scoped):
    """What is wanted: SubmitJob's members are in `aws`."""

    account_ref: AccountRef | None = Field(
        None,
        description=(
            "AWSAccount to act in. Unset: the AWSAccount named default if there is one, else the "
            "operator's own identity. Immutable once the job is submitted."
        ),
    )
    region: str | None = Field(
        None,
        description=(
            "AWS region, such as eu-central-1. Unset: the account's, else the operator's. "
            "Immutable once the job is submitted."
        ),
        max_length=32,
        json_schema_extra=ruled(REGION),
    )
    job_queue_ref: JobQueueRef = Field(
        description="Queue to submit to: a JobQueue by name, or one in AWS by ARN."
    )
    job_definition_ref: JobDefinitionRef | None = Field(
        None,
        description=(
            "What to run: a JobDefinition by name, in the given revision or else in its newest, "
            "which is pinned when the run is submitted, two seconds after this object was made; "
            "or one in AWS by ARN. Exactly one of jobDefinitionRef and jobDefinition."
        ),
    )
    array_values: ArrayValues | None = Field(
        None,
        description=(
            "Runs the job once for each value, as an array, in the place of arrayProperties."
        ),
    )
    packing: TaskPacking | None = Field(
        None,
        description=(
            "Puts several jobs of the array into each job in AWS: for tasks of seconds, which AWS "
            "Batch is slow to start. Counts and failed indexes in status are those of the tasks. "
            "Needs a command, and an image with /bin/sh and without an ENTRYPOINT of another kind."
        ),
    )
    depends_on: list[Dependency] | None = Field(
        None,
        description="Jobs that must have succeeded before this one starts. At most 20.",
        max_length=20,
        json_schema_extra=dict(LIST_ATOMIC),
    )
    suspend: bool | None = Field(
        None,
        description=(
            "Whether the job is held: not submitted, or ended in AWS if it was. Resuming is a new "
            "run, from the beginning. A job that has ended is not held. Default: false."
        ),
    )
    active_deadline_seconds: int | None = Field(
        None,
        description=(
            "Seconds that the whole job may take since its first submission, all its runs "
            "together, waiting and held times included; then it is terminated, and Failed. A run "
            "that a change begins after the job had ended has that time anew."
        ),
        ge=60,
        le=EPOCH_YEARS,
    )
    ttl_seconds_after_finished: int | None = Field(
        None,
        description=(
            "Seconds after its end after which a finished BatchJob is deleted. Unset: never. Not "
            "applied to what Argo CD or Flux track, unless the annotation "
            'awsbatch.dev/ttl-with-gitops is "true".'
        ),
        ge=0,
        le=EPOCH_YEARS,
    )
    rerun_policy: RerunPolicy | None = Field(
        None,
        description=(
            "Never (default): what was submitted cannot be changed. OnChange: a change of what is "
            "submitted ends the run, if it has not ended, and begins a new one. A new revision of "
            "the definition is no such change."
        ),
    )
    retry_failed_indexes: RetryFailedIndexes | None = Field(
        None, description="A new run of an array, with just the indexes that failed."
    )
    fallback: Fallback | None = Field(
        None, description="Another queue for a job that is lost in its own, such as to Spot."
    )
    logs: Logs | None = Field(None, description="What of the job's output is shown in status.")

    @property
    def log_lines(self) -> int:
        """Lines of output to show in status."""
        lines = self.logs.status_lines if self.logs else None
        return LOG_LINES if lines is None else lines


RESOURCE = CustomResource(
    kind="BatchJob",
    plural="batchjobs",
    short_name="awsjob",
    summary="A job in AWS Batch: submitted exactly once, and followed to its end.",
    spec=BatchJobSpec,
    status=BatchJobStatus,
    passthrough=MEMBERS,
    inlined=(DEFINITION,),
    rules=SPEC_RULES,
    object_rules=OBJECT_RULES,
    selectable=(
        ".spec.jobQueueRef.name",
        ".spec.jobDefinitionRef.name",
        ".status.awsStatus",
        ".status.failure",
        ".status.jobId",
    ),
    columns=(
        Column(name="Status", path=".status.awsStatus", description="Status in AWS."),
        REASON,
        Column(name="Queue", path=".spec.jobQueueRef.name", description="JobQueue."),
        Column(
            name="Attempts",
            path=".status.attemptCount",
            type="integer",
            description="Attempts so far, as AWS lists them.",
        ),
        Column(
            name="Progress",
            path=".status.array.progress",
            description="Finished jobs of an array.",
        ),
        Column(
            name="Started",
            path=".status.startedTime",
            type="date",
            description="Since the job started.",
        ),
        Column(
            name="Completed",
            path=".status.completionTime",
            type="date",
            description="Since the job ended.",
        ),
        AGE,
        Column(name="Job ID", path=".status.jobId", wide=True, description="Id in AWS."),
        Column(
            name="Exit Code",
            path=".status.exitCode",
            type="integer",
            wide=True,
            description="Exit code of the last attempt.",
        ),
        Column(
            name="Definition",
            path=".status.jobDefinitionArn",
            wide=True,
            description="Revision that the run uses.",
        ),
        Column(name="Account", path=".status.accountId", wide=True, description="AWS account."),
    ),
)
