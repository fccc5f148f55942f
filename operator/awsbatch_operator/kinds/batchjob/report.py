"""The status of a BatchJob, as the API has it."""

from typing import Annotated

from pydantic import Field

from awsbatch_operator.schema.fields import LIST_ATOMIC, Count, Fields, Line, Paragraph, Short, Time
from awsbatch_operator.schema.status import AwsStatus

ExitCode = Annotated[int, Field(ge=-(2**31), le=2**31 - 1)]
# The most that ranges of 10,000 indexes take: pairs of neighbours, each with a gap behind it.
Indexes = Annotated[str, Field(max_length=32768)]


class StatusReason(Fields):
    """One thing that AWS said about the job."""

    time: Time = Field(description="When it was seen.")
    aws_status: Short | None = Field(None, description="AWS's status then.")
    reason: Line = Field(description="What AWS said.")


class Attempt(Fields):
    """One attempt of the current run."""

    started_time: Time | None = Field(None, description="When it started.")
    stopped_time: Time | None = Field(None, description="When it ended.")
    exit_code: ExitCode | None = Field(None, description="Exit code of the container.")
    reason: Line | None = Field(None, description="Why it ended, as AWS says.")
    log_stream_name: Line | None = Field(None, description="Log stream with its output.")
    container_instance_arn: Line | None = Field(None, description="ECS instance that it ran on.")


class JobLogs(Fields):
    """Where the output is, and its last lines."""

    group: Line | None = Field(None, description="Log group in CloudWatch Logs.")
    stream: Line | None = Field(None, description="Log stream of the last attempt.")
    region: Short | None = Field(
        None, description="Region of the log group, where it is not the job's own."
    )
    driver: Short | None = Field(
        None, description="Log driver, where the output does not go to CloudWatch Logs."
    )
    destination: Line | None = Field(
        None, description="Where that driver writes: its main option, or what it does without one."
    )
    last_lines: list[Annotated[str, Field(max_length=2048)]] | None = Field(
        None,
        description="Last lines of output, with what looks like a secret masked.",
        max_length=20,
        json_schema_extra=dict(LIST_ATOMIC),
    )


class Placement(Fields):
    """Where the job ran."""

    instance_id: Short | None = Field(None, description="EC2 instance.")
    instance_type: Short | None = Field(None, description="Type of the instance.")
    availability_zone: Short | None = Field(None, description="Its Availability Zone.")
    market: Short | None = Field(None, description="OnDemand, Spot or SpotBlock.")


class ArrayProgress(Fields):
    """How many jobs of an array are in which state."""

    size: Count = Field(
        description="Jobs in the array; with packing its tasks, here and in all counts below."
    )
    tasks_per_job: Count | None = Field(
        None, description="With packing: tasks that each job in AWS does, the last one maybe fewer."
    )
    progress: Short | None = Field(None, description="Finished jobs of all, such as 17/100.")
    time: Time | None = Field(
        None, description="When these counts were seen; newer ones come within 15 minutes."
    )
    submitted: Count | None = Field(None, description="Jobs in SUBMITTED.")
    pending: Count | None = Field(None, description="Jobs in PENDING.")
    runnable: Count | None = Field(None, description="Jobs in RUNNABLE.")
    starting: Count | None = Field(None, description="Jobs in STARTING.")
    running: Count | None = Field(None, description="Jobs in RUNNING.")
    succeeded: Count | None = Field(None, description="Jobs that succeeded.")
    failed: Count | None = Field(None, description="Jobs that failed.")
    failed_indexes: Indexes | None = Field(
        None, description="Indexes of failed jobs, such as 1,3-5."
    )


class Nodes(Fields):
    """The nodes of a multi-node parallel job."""

    count: Count | None = Field(None, description="Number of nodes.")
    main_node: Count | None = Field(None, description="Index of the main node.")
    failed: Indexes | None = Field(None, description="Indexes of failed nodes, such as 2.")


class Run(Fields):
    """A run before the current one."""

    run: Count = Field(description="Number of the run.")
    job_id: Short | None = Field(None, description="Id of the job in AWS.")
    result: Short | None = Field(None, description="How it ended.")
    completion_time: Time | None = Field(None, description="When it ended.")


class UsedDefinition(Fields):
    """Which definition a run was submitted with."""

    name: Line | None = Field(
        None,
        description="Name of the JobDefinition; of a definition in the job, its name in AWS.",
    )
    revision: Count | None = Field(None, description="Revision in AWS.")
    generation: Count | None = Field(
        None,
        description="Generation of the object that the revision is of; none if it is in the job.",
    )


class BatchJobStatus(AwsStatus):
    """How the job stands; all but `history` and `result` is about the current run."""

    result: Short | None = Field(
        None,
        description=(
            "How the job ended, in one word for tools that compare single values: Succeeded when "
            "the condition Complete is True, Failed when Failed is. Unset before, and while "
            "another run follows one that has failed."
        ),
    )
    run: Count | None = Field(None, description="Number of the current run, from 1.")
    run_generation: Count | None = Field(
        None, description="metadata.generation that the run was submitted for."
    )
    run_cause: Short | None = Field(
        None,
        description=(
            "Why the run began after another: Changed, Resumed, Retried, Lost or DependencyStopped."
        ),
    )
    run_indexes: Annotated[str, Field(max_length=65_536)] | None = Field(
        None,
        description="Indexes of the whole array that the run is of, such as 17,204. Unset: all.",
    )
    request_hash: Short | None = Field(
        None, description="Hash of what the spec said of the run when it was submitted."
    )
    job_id: Short | None = Field(None, description="Id of the job in AWS.")
    other_job_ids: list[Short] | None = Field(
        None,
        description=(
            "Further jobs in AWS that came of a submission whose outcome was unknown, newest last, "
            "at most 10. They were ended where they had not ended by themselves."
        ),
        max_length=10,
        json_schema_extra=dict(LIST_ATOMIC),
    )
    job_name: Short | None = Field(None, description="Name of the job in AWS.")
    job_queue_arn: Line | None = Field(None, description="Queue that it was submitted to.")
    job_definition_arn: Line | None = Field(None, description="Revision that it uses.")
    job_definition: UsedDefinition | None = Field(
        None, description="What runs, unless it was named by ARN."
    )
    aws_status: Short | None = Field(None, description="AWS's status, such as RUNNING.")
    status_reason: Paragraph | None = Field(None, description="What AWS says about its status.")
    status_reasons: list[StatusReason] | None = Field(
        None,
        description="What AWS ever said, newest last, at most 20.",
        max_length=20,
        json_schema_extra=dict(LIST_ATOMIC),
    )
    submitted_time: Time | None = Field(None, description="When it was submitted.")
    started_time: Time | None = Field(
        None,
        description=(
            "When its last attempt started; of an array, when the first of its jobs did, "
            "as far as that was seen."
        ),
    )
    completion_time: Time | None = Field(None, description="When it ended.")
    exit_code: ExitCode | None = Field(None, description="Exit code of the last attempt.")
    failure: Short | None = Field(None, description="Kind of failure, such as OutOfMemory.")
    attempt_count: Count | None = Field(None, description="Attempts so far, as AWS lists them.")
    attempts: list[Attempt] | None = Field(
        None,
        description="Attempts, oldest first.",
        max_length=20,
        json_schema_extra=dict(LIST_ATOMIC),
    )
    logs: JobLogs | None = Field(None, description="Where the output is, and its last lines.")
    placement: Placement | None = Field(None, description="Where the last attempt ran.")
    array: ArrayProgress | None = Field(None, description="Progress of an array.")
    nodes: Nodes | None = Field(None, description="Nodes of a multi-node parallel job.")
    history: list[Run] | None = Field(
        None,
        description="Earlier runs, newest last, at most 10.",
        max_length=10,
        json_schema_extra=dict(LIST_ATOMIC),
    )
