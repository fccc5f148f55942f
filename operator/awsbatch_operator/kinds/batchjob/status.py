"""The status of a BatchJob (pure). It is written rarely: a write costs etcd and every watcher.

A simple job's life is three status writes: submitted, RUNNING and the end. Another state is shown
only after a minute in it.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from awsbatch_operator.api import job_reasons
from awsbatch_operator.api.conditions import Situation, Verdict
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import RecordError, Resource, Shape
from awsbatch_operator.kinds.batchjob import verdicts, waiting
from awsbatch_operator.kinds.batchjob.actions import Action
from awsbatch_operator.kinds.batchjob.array_status import (
    in_progress,
    shape_fields,
)
from awsbatch_operator.kinds.batchjob.aws_verdict import verdict, working
from awsbatch_operator.kinds.batchjob.containers import container_of, hosts_of
from awsbatch_operator.kinds.batchjob.desired import Desired
from awsbatch_operator.kinds.batchjob.end_message import told_attempts
from awsbatch_operator.kinds.batchjob.failure_causes import Failure
from awsbatch_operator.kinds.batchjob.log_place import log_place
from awsbatch_operator.kinds.batchjob.observed import (
    REASONS_KEPT,
    TERMINAL,
    Knowledge,
    Observed,
    Said,
)
from awsbatch_operator.kinds.batchjob.plan import QUIET_SECONDS
from awsbatch_operator.kinds.batchjob.record import end_condition, submission_of
from awsbatch_operator.kinds.batchjob.request import request_hash
from awsbatch_operator.kinds.batchjob.run_status import (
    history_fields,
    next_fields,
    others,
    run_fields,
)
from awsbatch_operator.kinds.batchjob.submission import Submission
from awsbatch_operator.kinds.batchjob.unsubmitted import (
    kept_before,
    with_dependency,
    without_submission,
)
from awsbatch_operator.kinds.batchjob.wishes import Shown, Wishes, shown_of, wishes_of
from awsbatch_operator.kinds.contract import KindStatus, Seen

ATTEMPTS_KEPT = 10  # AWS allows no more


def job_status(resource: Resource, seen: Seen[Desired, Observed, Action]) -> KindStatus:
    """The kind's fields and its verdict."""
    desired = seen.desired if isinstance(seen.desired, Desired) else None
    wishes = wishes_of(resource) if desired is None else desired.wishes
    shown = shown_of(resource)
    unsent = None if wishes.suspend else without_submission(resource, seen)
    if unsent is not None:
        return unsent
    before = kept_before(resource)
    observed = seen.observed
    ended = end_condition(resource)
    if observed is None:
        return _of_nothing(resource, seen, wishes, shown)
    if ended is not None and verdicts.stands(observed, shown):
        fields = before | others(before, observed)
        said = _concluded(resource, ended)
        next_one = verdicts.of_the_next(wishes, observed, shown, seen.now)
        return KindStatus(
            fields, said if next_one is None else replace(next_one, ran=said.ran, result=said)
        )
    if observed.knowledge is not Knowledge.FOUND:
        return _of_the_unseen(resource, observed, seen.now, wishes, shown)
    if _not_worth_a_write(resource, observed, seen.now):
        return KindStatus(before, _verdict_before(resource, observed))
    fields = run_fields(observed) | others(before, observed)
    fields |= _state_fields(before, observed, seen.now) | history_fields(before, observed)
    fields |= shape_fields(observed.children, seen.now)
    queue_deleted = desired is not None and desired.queue_deleted
    alone = verdict(observed, queue_deleted=queue_deleted)
    if alone.situation is Situation.FAILED:
        alone = with_dependency(alone, seen.desired)
    judged, failure = verdicts.of_a_job(wishes, observed, shown, seen.now, alone)
    if failure:
        fields["failure"] = failure
    ran = generation_that_ran(resource, observed.submission)
    return KindStatus(fields, replace(judged, ran=ran), anew=True)


def _of_the_unseen(
    resource: Resource, observed: Observed, now: Instant, wishes: Wishes, shown: Shown
) -> KindStatus:
    """AWS does not show the run now.

    A first run is not named before a job of it is known: from then on, the API server lets nobody
    correct what was mistyped.
    """
    judged = verdicts.unseen(wishes, observed, shown, now)
    late = judged is not None and judged.reason == job_reasons.DEADLINE_EXCEEDED.name
    fields = kept_before(resource)
    if not shown.is_of(observed.submission) and (shown.run or late):
        fields = next_fields(resource, observed)
    if late:
        fields["failure"] = Failure.TIMED_OUT.value
    return KindStatus(fields, judged or _verdict_before(resource, observed))


def _of_nothing(
    resource: Resource, seen: Seen[Desired, Observed, Action], wishes: Wishes, shown: Shown
) -> KindStatus:
    """Nothing is recorded, or a gate has ended the turn before anything was looked at."""
    fields, ended = kept_before(resource), end_condition(resource)
    if ended is not None:
        return KindStatus(fields, _concluded(resource, ended))
    if wishes.suspend and not shown.run:
        return KindStatus(fields, verdicts.HELD_FROM_THE_START)
    return KindStatus(
        fields, _verdict_before(resource, None), quiet=_waits_for_its_definition(seen)
    )


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


def _verdict_before(resource: Resource, observed: Observed | None) -> Verdict:
    shown = str(resource.status.get("awsStatus", ""))
    same = observed is None or resource.status.get("run") == observed.submission.run
    if shown and shown not in TERMINAL and same:
        words = waiting.words_of(resource.status)
        return in_progress(resource.status.get("array") or {}, words) or working(shown, words)
    return Verdict(Situation.WORKING, "Submitting", "The job is about to be submitted.")


def _not_worth_a_write(resource: Resource, observed: Observed, now: Instant) -> bool:
    shown = resource.status
    if others(shown, observed).get("otherJobIds") != shown.get("otherJobIds"):
        return False
    if observed.ended and not resource.deleting:
        return observed.output.lines is None  # the end is written once, with its log lines
    if shown.get("jobId") != observed.job_id or "awsStatus" not in shown:
        return False
    if shown.get("run") != observed.submission.run or observed.ended:
        return False
    if observed.state == "RUNNING":
        return False
    if observed.children is not None and any(observed.children.counts.values()):
        due = observed.children.due
        return due is None or now < due or not observed.children.differs
    lasted = now.since(observed.since) if observed.since else 0.0
    return lasted < QUIET_SECONDS


def _state_fields(before: Shape, observed: Observed, now: Instant) -> dict[str, Any]:
    detail, attempts = observed.detail, told_attempts(observed)
    same_run = before.get("run") == observed.submission.run
    fields: dict[str, Any] = {"awsStatus": observed.state}
    words = observed.words
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
    if observed.children is not None and observed.children.started is not None:
        fields.setdefault("startedTime", observed.children.started.rfc3339())
    if attempts:
        name = str(observed.container.get("name", ""))
        fields["attempts"] = [_attempt(each, name) for each in attempts[-ATTEMPTS_KEPT:]]
        fields["attemptCount"] = len(attempts)
    placement = _placement(before, observed, fields.get("startedTime"))
    if placement:
        fields["placement"] = dict(placement)
    return fields | _end_fields(observed)


def _placement(before: Shape, observed: Observed, started: str | None) -> Shape:
    """Where this attempt runs or ran. While it runs, it is told with the write that says so.

    At the end the instance may be gone, and with it whoever could say what it was.
    """
    same = before.get("jobId") == observed.job_id and before.get("startedTime") == started
    shown = before.get("placement") or {} if same else {}
    if observed.state == "RUNNING" and same and before.get("awsStatus") == "RUNNING":
        return dict(shown)
    return observed.placement or shown


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
    words = observed.words
    heard = observed.said or ((Said(now, observed.state, words),) if words else ())
    known = {entry["reason"]: entry["time"] for entry in said}
    newest = said[-1]["time"] if said else ""  # texts of one form, which sort as the times do
    for each in heard:
        time = each.time.rfc3339()
        if each.words in known and (time < newest or time == known[each.words]):
            continue  # it stands there
        if not said or said[-1]["reason"] != each.words:
            said.append({"time": time, "awsStatus": each.state, "reason": each.words})
    return said[-REASONS_KEPT:]


def _attempt(attempt: Shape, name: str) -> dict[str, Any]:
    """An attempt; of several containers that of the name, whose end is told of the job."""
    container = container_of(attempt, name)
    made: dict[str, Any] = {}
    for field_name, key in (("startedTime", "startedAt"), ("stoppedTime", "stoppedAt")):
        if attempt.get(key):
            made[field_name] = Instant.from_milliseconds(attempt[key]).rfc3339()
    if container.get("exitCode") is not None:
        made["exitCode"] = container["exitCode"]
    reason = container.get("reason") or attempt.get("statusReason")
    if reason:
        made["reason"] = str(reason)[:256]
    host = next(hosts_of(attempt), None) if "taskProperties" in attempt else None
    for field_name, value in (
        ("logStreamName", container.get("logStreamName")),
        ("containerInstanceArn", container.get("containerInstanceArn") or host),
    ):
        if value:
            made[field_name] = str(value)[:1024]
    return made
