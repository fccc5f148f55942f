"""The status of a BatchJob (pure). It is written rarely: a write costs etcd and every watcher.

A simple job's life is three status writes: submitted, RUNNING and the end. Another state is shown
only after a minute in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from awsbatch_operator.api import job_reasons
from awsbatch_operator.api.conditions import Situation, Verdict
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import RecordError, Resource, Shape
from awsbatch_operator.api.words import joined
from awsbatch_operator.kinds import statuses
from awsbatch_operator.kinds.batchjob import waiting
from awsbatch_operator.kinds.batchjob.actions import Action
from awsbatch_operator.kinds.batchjob.desired import Desired
from awsbatch_operator.kinds.batchjob.failure import diagnose
from awsbatch_operator.kinds.batchjob.log_place import AWSLOGS, log_place
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed
from awsbatch_operator.kinds.batchjob.plan import QUIET_SECONDS
from awsbatch_operator.kinds.batchjob.record import end_condition, submission_of
from awsbatch_operator.kinds.batchjob.request import request_hash
from awsbatch_operator.kinds.batchjob.submission import Submission
from awsbatch_operator.kinds.contract import KindStatus, Seen

REASONS_KEPT = 20
OTHERS_KEPT = 10
ATTEMPTS_KEPT = 10  # AWS allows no more
# Characters of AWS's words in the message of an end: it has to hold the remedy as well, at its end.
WORDS_TOLD = 700
REASON_TOLD = 400

_WAITING: Mapping[str, str] = {
    "SUBMITTED": "AWS Batch has taken the job and will look at it shortly.",
    "PENDING": "The job waits for the jobs it depends on.",
    "RUNNABLE": "The job waits for room in the compute environments of its queue.",
    "STARTING": "The job has its place; the image is being pulled and the container started.",
    "RUNNING": "The job's container runs.",
}


def job_status(resource: Resource, seen: Seen[Desired, Observed, Action]) -> KindStatus:
    """The kind's fields and its verdict."""
    before = statuses.kept_fields(resource)
    observed = seen.observed
    ended = end_condition(resource)
    if ended is not None and (observed is None or observed.knowledge is Knowledge.CONCLUDED):
        fields = before if observed is None else before | _others(before, observed)
        return KindStatus(fields, _concluded(resource, ended))
    if observed is None or observed.knowledge is not Knowledge.FOUND:
        quiet = observed is None and _waits_for_its_definition(seen)
        return KindStatus(before, _verdict_before(resource), quiet=quiet)
    if _not_worth_a_write(resource, observed, seen.now):
        return KindStatus(before, _verdict_before(resource))
    fields = _run_fields(observed) | _others(before, observed)
    queue_deleted = isinstance(seen.desired, Desired) and seen.desired.queue_deleted
    judged = verdict(observed, queue_deleted=queue_deleted)
    fields |= _state_fields(before, observed, seen.now)
    if judged.situation is Situation.FAILED:
        fields["failure"] = judged.reason
    ran = generation_that_ran(resource, observed.submission)
    return KindStatus(fields, replace(judged, ran=ran), anew=True)


def _waits_for_its_definition(seen: Seen[Desired, Observed, Action]) -> bool:
    """Whether the first run is held back for a moment: not worth one more write for each job."""
    reasons = {finding.reason for finding in seen.findings}
    return reasons == {job_reasons.JOB_SUBMITTING}


def generation_that_ran(resource: Resource, submission: Submission) -> int:
    """The newest generation of the object whose request is the one that was submitted.

    An edit that does not change the request leaves a result valid for the new generation. One that
    does (it came between the submission and the status that shows it) has not run.
    """
    if submission.request_hash:
        same = submission.request_hash == request_hash(resource)
    else:  # made up from the status, or recorded by nobody: what it shows is all that is known
        same = submission.generation in {0, resource.generation}
    if same:
        return resource.generation
    return submission.generation or max(resource.generation - 1, 0)


def _concluded(resource: Resource, ended: Shape) -> Verdict:
    """The result as it stands, for the generation that it is of."""
    situation = Situation(str(ended["type"]))
    try:
        submission = submission_of(resource)
    except RecordError:
        submission = None
    if submission is None:
        ran = int(ended.get("observedGeneration", resource.generation))
    else:
        ran = generation_that_ran(resource, submission)
    return Verdict(situation, ended["reason"], ended["message"], ran=ran)


def verdict(observed: Observed, *, queue_deleted: bool = False) -> Verdict:
    """Complete, Failed, or on its way. `queue_deleted`: its JobQueue is being deleted."""
    match observed.state:
        case "SUCCEEDED":
            message = _success_message(observed) + _without_lines(observed)
            return Verdict(Situation.COMPLETE, "Succeeded", message)
        case "FAILED":
            cause = diagnose(observed, queue_deleted=queue_deleted)
            told = _failure_message(observed) + _without_lines(observed)
            return Verdict(Situation.FAILED, cause.failure.value, joined(told, cause.remedy))
        case state:
            return working(state, waiting.words_of(observed.detail))


def working(state: str, words: str = "") -> Verdict:
    """On its way, with AWS's word as the reason, and AWS's words about it if it has any."""
    message = _WAITING.get(state, f"AWS says {state}.")
    if words:
        message = joined(message, f"AWS says: {words}", waiting.remedy_for(words))
    return Verdict(Situation.WORKING, state.capitalize() or "Pending", message)


def _verdict_before(resource: Resource) -> Verdict:
    shown = str(resource.status.get("awsStatus", ""))
    if shown:
        return working(shown, waiting.words_of(resource.status))
    return Verdict(Situation.WORKING, "Submitting", "The job is about to be submitted.")


def _not_worth_a_write(resource: Resource, observed: Observed, now: Instant) -> bool:
    shown = resource.status
    if _others(shown, observed).get("otherJobIds") != shown.get("otherJobIds"):
        return False
    if observed.ended and not resource.deleting:
        return observed.output.lines is None  # the end is written once, with its log lines
    if shown.get("jobId") != observed.job_id or "awsStatus" not in shown:
        return False
    if shown.get("run") != observed.submission.run or observed.ended:
        return False
    if observed.state == "RUNNING":
        return False
    lasted = now.since(observed.since) if observed.since else 0.0
    return lasted < QUIET_SECONDS


def _run_fields(observed: Observed) -> dict[str, Any]:
    """All that finds the job again, should the annotations be taken away."""
    detail, submission = observed.detail, observed.submission
    definition = str(detail.get("jobDefinition") or submission.definition)
    fields: dict[str, Any] = {
        "run": submission.run,
        "runGeneration": submission.generation or None,
        "jobId": observed.job_id,
        "jobName": submission.job_name,
        "jobQueueArn": str(detail.get("jobQueue") or submission.queue),
        "jobDefinitionArn": definition,
    }
    revision = definition.rpartition(":")[2]
    if submission.definition_name and revision.isdecimal():
        fields["jobDefinition"] = {
            "name": submission.definition_name,
            "revision": int(revision),
            "generation": submission.definition_generation,
        }
    return fields


def _others(before: Shape, observed: Observed) -> dict[str, Any]:
    """The jobs beside the one that counts, newest last: their trace stays after the events."""
    known = list(before.get("otherJobIds", ()))
    known += [job_id for sweep in observed.sweeps for job_id in (*sweep.alive, *sweep.over)]
    known = [job_id for job_id in dict.fromkeys(known) if job_id != observed.job_id]
    return {"otherJobIds": known[-OTHERS_KEPT:]} if known else {}


def _state_fields(before: Shape, observed: Observed, now: Instant) -> dict[str, Any]:
    detail = observed.detail
    same_run = before.get("run") == observed.submission.run
    fields: dict[str, Any] = {"awsStatus": observed.state}
    words = waiting.words_of(detail)
    if words:
        fields["statusReason"] = words
    said = _reasons(before.get("statusReasons", ()) if same_run else (), observed, now)
    if said:
        fields["statusReasons"] = said
    for name, key in (
        ("submittedTime", "createdAt"),
        ("startedTime", "startedAt"),
        ("completionTime", "stoppedAt"),
    ):
        if detail.get(key) and (name != "completionTime" or observed.ended):
            fields[name] = Instant.from_milliseconds(detail[key]).rfc3339()
    if detail.get("attempts"):
        fields["attempts"] = [_attempt(attempt) for attempt in detail["attempts"][-ATTEMPTS_KEPT:]]
        fields["attemptCount"] = len(detail["attempts"])
    return fields | _end_fields(observed)


def _end_fields(observed: Observed) -> dict[str, Any]:
    if not observed.ended:
        return {}
    fields: dict[str, Any] = {}
    if observed.container.get("exitCode") is not None:
        fields["exitCode"] = observed.container["exitCode"]
    place = log_place(observed, observed.submission.region).shown()
    if place:
        fields["logs"] = place
        if observed.output.lines:
            fields["logs"]["lastLines"] = list(observed.output.lines)
    return fields


def _reasons(before: Sequence[Shape], observed: Observed, now: Instant) -> list[dict[str, Any]]:
    """All that AWS ever said, newest last: it overwrites its own words on termination."""
    said = [dict(entry) for entry in before]
    words = waiting.words_of(observed.detail)
    if words and (not said or said[-1]["reason"] != words):
        said.append({"time": now.rfc3339(), "awsStatus": observed.state, "reason": words})
    return said[-REASONS_KEPT:]


def _attempt(attempt: Shape) -> dict[str, Any]:
    container = attempt.get("container") or {}
    made: dict[str, Any] = {}
    for name, key in (("startedTime", "startedAt"), ("stoppedTime", "stoppedAt")):
        if attempt.get(key):
            made[name] = Instant.from_milliseconds(attempt[key]).rfc3339()
    if container.get("exitCode") is not None:
        made["exitCode"] = container["exitCode"]
    reason = container.get("reason") or attempt.get("statusReason")
    if reason:
        made["reason"] = str(reason)[:256]
    for name in ("logStreamName", "containerInstanceArn"):
        if container.get(name):
            made[name] = str(container[name])[:1024]
    return made


def _success_message(observed: Observed) -> str:
    return f"The job ended with exit code {observed.container.get('exitCode', 0)}{_took(observed)}."


def _failure_message(observed: Observed) -> str:
    container, detail = observed.container, observed.detail
    words = waiting.words_of(detail)[:WORDS_TOLD]
    parts = [f"AWS says: {words}" if words else ""]
    if container.get("reason"):
        parts.append(f"The container: {str(container['reason'])[:REASON_TOLD]}")
    if container.get("exitCode") is not None:
        parts.append(f"Exit code {container['exitCode']}{_took(observed)}.")
    attempts = len(detail.get("attempts") or ())
    if attempts > 1:
        parts.append(f"It was tried {attempts} times.")
    return joined(*parts) or "The job failed before it started."


def _without_lines(observed: Observed) -> str:
    place = log_place(observed)
    if place.driver != AWSLOGS:
        return f" Its output went to the log driver {place.driver} ({place.destination})."
    if not observed.output.skipped:
        return ""
    return " Many jobs ended at once, so its last lines were not read; they are in its log stream."


def _took(observed: Observed) -> str:
    started, stopped = observed.detail.get("startedAt"), observed.detail.get("stoppedAt")
    if not (started and stopped):
        return ""
    return f" after {max(stopped - started, 0) / 1000:.0f} s"
