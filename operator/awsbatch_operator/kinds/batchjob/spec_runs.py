"""The parts of a BatchJob's spec that are about further runs."""

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from awsbatch_operator.kinds.batchjob.rules import RETRY_RULES, VARIABLE
from awsbatch_operator.schema.fields import LIST_ATOMIC, Fields, ruled
from awsbatch_operator.schema.references import JobQueueRef
from awsbatch_operator.schema.rules import Rule


class FallbackFailure(StrEnum):
    """Failures that another run may not meet with; not those that a person has caused."""

    APPLICATION_EXIT = "ApplicationExit"
    OUT_OF_MEMORY = "OutOfMemory"
    IMAGE_PULL = "ImagePull"
    DISK_FULL = "DiskFull"
    TIMED_OUT = "TimedOut"
    HOST_LOST = "HostLost"
    INFRASTRUCTURE = "Infrastructure"


class RetryFailedIndexes(Fields):
    """A new run of an array, with just the indexes that failed."""

    RULES: ClassVar[tuple[Rule, ...]] = RETRY_RULES

    of_run: int = Field(
        description=(
            "Which run's failed indexes (status.run). It is retried once, when it has failed: at "
            "once, if this is set from the start."
        ),
        ge=1,
        le=2**31 - 1,
    )
    index_map_variable: str = Field(
        description=(
            "Environment variable of the new run with the indexes of the whole array, such as "
            "17,204,3001: the position in it is the new AWS_BATCH_JOB_ARRAY_INDEX. One index is "
            "run as a single job, which has none."
        ),
        max_length=128,
        json_schema_extra=ruled(VARIABLE),
    )


class Fallback(Fields):
    """Another queue for a job that is lost in its own."""

    job_queue_ref: JobQueueRef = Field(
        description="Queue to go on in: a JobQueue by name, or one in AWS by ARN."
    )
    when: list[FallbackFailure] = Field(
        description=(
            "Failures (status.failure) after which a new run begins, when the attempts of "
            "retryStrategy are used up."
        ),
        min_length=1,
        max_length=7,
        json_schema_extra=dict(LIST_ATOMIC),
    )
    after_failures: int | None = Field(
        None,
        description=(
            "Runs that are lost in this way before the other queue is used; it is used once. "
            "Default: 1."
        ),
        ge=1,
        le=10,
    )
