"""What to do about a BatchJob next: pure decisions over Desired and Observed."""

from dataclasses import replace
from typing import assert_never

from awsbatch_operator.api import catalogue, job_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import SUBMISSION
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.api.words import sentence
from awsbatch_operator.kinds.batchjob import waiting
from awsbatch_operator.kinds.batchjob.actions import Action
from awsbatch_operator.kinds.batchjob.desired import Desired, FollowingJob
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed, is_not_shown_yet
from awsbatch_operator.kinds.batchjob.strays import (
    after_looks,
    endings,
    looks_for_strays,
    told,
)
from awsbatch_operator.kinds.batchjob.submission import Submission
from awsbatch_operator.kinds.batchjob.submitting import (
    after_absence,
    after_refusal,
    first_run,
    when_unknown,
)

LOGS_LOOK_SECONDS = 1.0
SOON_SECONDS = 5.0
HELD_LOOK_SECONDS = 300.0  # between looks for further jobs of a run that may not be ended now
QUIET_SECONDS = 60.0  # a state other than RUNNING is shown after a minute in it


def plan_job(desired: Desired, observed: Observed | None, now: Instant) -> Plan[Action]:
    """The next steps towards a job that ran once."""
    if observed is None:
        return first_run(desired, now)
    if observed.knowledge is Knowledge.ELSEWHERE:
        return Plan(findings=(elsewhere(observed.submission),))
    record = after_looks(observed, now)
    return with_ledger(_next(desired, observed, record, now), observed, record, now)


def with_ledger(
    plan: Plan[Action],
    observed: Observed,
    record: Submission,
    now: Instant,
    *,
    may_end: bool = True,
) -> Plan[Action]:
    """The plan for the newest run, and what the looks for jobs that must not be ask for.

    Those are ended only if anything `may_end` now.
    """
    writes = any(SUBMISSION in step.record for step in plan.steps)
    stale = observed.lost or record != observed.submission
    later = looks_for_strays(record, observed, now)
    if observed.strays and not may_end:
        later = HELD_LOOK_SECONDS
    looks = (plan.look_again_seconds, later)
    return replace(
        plan,
        steps=(*(endings(observed) if may_end else ()), *plan.steps),
        findings=(*plan.findings, *told(observed)),
        record=record.annotation() if stale and not writes else {},
        look_again_seconds=min((look for look in looks if look is not None), default=None),
    )


def _next(desired: Desired, observed: Observed, record: Submission, now: Instant) -> Plan[Action]:
    match observed.knowledge:
        case Knowledge.REFUSED:
            return after_refusal(desired, record, now)
        case Knowledge.SETTLING:
            return settling(observed, now)
        case Knowledge.ABSENT:
            return after_absence(desired, record, now)
        case Knowledge.UNTRACEABLE:
            return when_unknown(desired, record, now, untraceable(record))
        case Knowledge.FOUND | Knowledge.CONCLUDED:
            return follow(desired, observed, now)
        case Knowledge.FORGOTTEN:
            return forgotten(observed, now)
        case Knowledge.ELSEWHERE:
            return Plan(findings=(elsewhere(record),))
        case never:
            assert_never(never)


def settling(observed: Observed, now: Instant) -> Plan[Action]:
    """Nothing is sent before AWS's listing can be trusted."""
    wait = observed.settled_at.since(now) if observed.settled_at else SOON_SECONDS
    at = f" at {observed.settled_at.rfc3339()}" if observed.settled_at else " soon"
    finding = Finding(
        job_reasons.SUBMISSION_SETTLING,
        "A SubmitJob call was about to be sent or its answer was lost, so the job may exist. "
        f"AWS's listing is looked through{at}; until then nothing is sent.",
        look_again_seconds=max(wait, 0.0),
    )
    return Plan(findings=(finding,))


def elsewhere(submission: Submission) -> Finding:
    """A run is looked for where it was submitted, or not at all."""
    return Finding(
        catalogue.SCOPE_CHANGED,
        f"Run {submission.run} was submitted in account {submission.account_id}, region "
        f"{submission.region}, and today's account or region is another one, where it is not "
        "looked for.",
    )


def follow(desired: Desired | FollowingJob, observed: Observed, now: Instant) -> Plan[Action]:
    """Nothing is to be done: when to look again, and what is worth saying of the job."""
    looks: list[float] = []
    findings = list(_never_run(desired, observed.submission))
    if observed.knowledge is Knowledge.FOUND and not observed.ended:
        rest = _quiet_rest(observed, now)
        looks += rest
        if observed.state == "RUNNABLE" and not rest:  # it is shown, so it is told as well
            words = waiting.words_of(observed.detail)
            findings += waiting.blocked(words, desired.codes_shown)
    elif observed.knowledge is Knowledge.FOUND:
        output = observed.output
        if output.lines is None:
            looks.append(
                LOGS_LOOK_SECONDS if output.due is None else max(output.due.since(now), 0.0)
            )
        elif output.trouble:
            message = f"The job's last log lines cannot be read: {output.trouble}"
            findings.append(Finding(job_reasons.LOGS_UNREADABLE, sentence(message)))
    return Plan(findings=tuple(findings), look_again_seconds=min(looks, default=None))


def _never_run(desired: Desired | FollowingJob, submission: Submission) -> tuple[Finding, ...]:
    """Whether an edit came too late: after the submission, and before the status showed it."""
    if submission.request_hash in {"", desired.request_hash}:
        return ()
    message = (
        f"Run {submission.run} was submitted as generation {submission.generation} of the spec "
        "says; what was changed since does not run."
    )
    return (Finding(job_reasons.CHANGE_NOT_RUN, message),)


def _quiet_rest(observed: Observed, now: Instant) -> list[float]:
    """Until the state has lasted long enough to be shown. Later the feed wakes the job."""
    if observed.state == "RUNNING" or observed.since is None:
        return []
    rest = QUIET_SECONDS - now.since(observed.since)
    return [rest] if rest > 0 else []


def forgotten(observed: Observed, now: Instant) -> Plan[Action]:
    """DescribeJobs does not know the job: not yet, or not any more."""
    if is_not_shown_yet(observed, now):
        return Plan(look_again_seconds=SOON_SECONDS)
    submission = observed.submission
    finding = Finding(
        job_reasons.JOB_NOT_FOUND,
        f"AWS does not know the job of run {submission.run} (name {submission.job_name}) any "
        "more, and its end was not seen. It is not submitted again.",
    )
    return Plan(findings=(finding,))


def untraceable(submission: Submission) -> Finding:
    """Nobody can look for a run whose queue AWS does not have any more."""
    return Finding(
        job_reasons.SUBMISSION_UNKNOWN,
        f"Run {submission.run} was about to be submitted at {submission.time.rfc3339()}, and its "
        f"queue {submission.queue} is gone from AWS with all of its jobs, so nobody can tell "
        "whether it ran.",
    )
