"""What the status says of a run: what finds it again, and what else AWS has had (pure)."""

from typing import Any

from awsbatch_operator.api.metadata import Resource, Shape
from awsbatch_operator.kinds.batchjob.inline import shown_definition
from awsbatch_operator.kinds.batchjob.observed import Observed
from awsbatch_operator.kinds.batchjob.run_causes import Cause
from awsbatch_operator.kinds.batchjob.submission import Submission
from awsbatch_operator.kinds.batchjob.wishes import history

OTHERS_KEPT = 10
INDEXES_TOLD = 200  # characters


def run_fields(observed: Observed) -> dict[str, Any]:
    """All that finds the job again, should the annotations be taken away."""
    detail, submission = observed.detail, observed.submission
    definition = str(detail.get("jobDefinition") or submission.definition)
    fields: dict[str, Any] = {
        **_submission_fields(submission),
        "jobId": observed.job_id,
        "jobQueueArn": str(detail.get("jobQueue") or submission.queue),
        "jobDefinitionArn": definition,
    }
    revision, of_job = definition.rpartition(":")[2], shown_definition(definition)
    if of_job is not None:
        fields["jobDefinition"] = of_job
    elif submission.definition_name and revision.isdecimal():
        fields["jobDefinition"] = {
            "name": submission.definition_name,
            "revision": int(revision),
            "generation": submission.definition_generation,
        }
    return fields


def next_fields(resource: Resource, observed: Observed) -> dict[str, Any]:
    """The status of a run of which no job is known yet: what finds it, and the runs before it."""
    submission = observed.submission
    return {
        **_submission_fields(submission),
        "jobQueueArn": submission.queue,
        "jobDefinitionArn": submission.definition,
        **history_fields(resource.status, observed),
    }


def _submission_fields(submission: Submission) -> dict[str, Any]:
    """What the record says of the run, should that be taken away."""
    fields: dict[str, Any] = {
        "run": submission.run,
        "runGeneration": submission.generation,
        "runCause": "" if submission.cause is None else submission.cause.value,
        "runIndexes": submission.indexes,
        "requestHash": submission.request_hash,
        "jobName": submission.job_name,
    }
    return {name: value for name, value in fields.items() if value}


def history_fields(before: Shape, observed: Observed) -> dict[str, Any]:
    """The runs before this one. A job that runs once has no such field."""
    told = history(before.get("history", ()), observed.submission.before)
    return {"history": told} if told else {}


def others(before: Shape, observed: Observed) -> dict[str, Any]:
    """The jobs beside the one that counts, newest last: their trace stays after the events."""
    known = list(before.get("otherJobIds", ()))
    known += [job_id for sweep in observed.sweeps for job_id in (*sweep.alive, *sweep.over)]
    known = [job_id for job_id in dict.fromkeys(known) if job_id != observed.job_id]
    return {"otherJobIds": known[-OTHERS_KEPT:]} if known else {}


def submitted_words(submission: Submission) -> str:
    """What is told of a submission: with which revision, and why there is another run."""
    revision = submission.definition.rpartition("/")[2]
    origin = (
        f", from generation {submission.definition_generation} of "
        f"JobDefinition {submission.definition_name}"
        if submission.definition_name
        else ""
    )
    why = "" if submission.cause is None else f" {_why(submission)}"
    return f"Submitted as {submission.job_name} with {revision}{origin}.{why}"


def _why(submission: Submission) -> str:
    """Why there is another run, and how the one before it ended."""
    before = submission.before
    ended = f"run {before.run}: {before.result}" if before else "nothing came of the one before"
    match submission.cause:
        case Cause.LOST:
            where = "in the queue of spec.fallback" if submission.in_fallback else "once more"
            return f"It is run {submission.run}, {where} ({ended})."
        case Cause.RETRIED:
            words = f"of the indexes {submission.indexes[:INDEXES_TOLD]} alone"
            return f"It is run {submission.run}, {words} ({ended})."
        case Cause.RESUMED:
            return f"It is run {submission.run}, after the job was held."
        case Cause.DEPENDENCY:
            why = "since AWS failed the one before when a job that it depends on was stopped"
            return f"It is run {submission.run}, {why}."
        case _:
            return f"It is run {submission.run}, since the spec has changed ({ended})."
