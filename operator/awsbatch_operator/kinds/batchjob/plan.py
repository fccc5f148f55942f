"""What to do about a BatchJob next: pure decisions over Desired and Observed."""

from dataclasses import replace
from typing import assert_never

from awsbatch_operator.api import job_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.metadata import SUBMISSION
from awsbatch_operator.api.plans import Plan
from awsbatch_operator.api.words import sentence
from awsbatch_operator.kinds.batchjob import runs, waiting
from awsbatch_operator.kinds.batchjob.actions import Action
from awsbatch_operator.kinds.batchjob.changing import Sendable, as_it_is, before_the_end
from awsbatch_operator.kinds.batchjob.children import Children
from awsbatch_operator.kinds.batchjob.desired import Desired, FollowingJob
from awsbatch_operator.kinds.batchjob.endings import ending, with_stop
from awsbatch_operator.kinds.batchjob.observed import Knowledge, Observed, is_not_shown_yet
from awsbatch_operator.kinds.batchjob.run_causes import Stop
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
    next_run,
    when_unknown,
)
from awsbatch_operator.kinds.batchjob.unknown import SOON_SECONDS, elsewhere, settling
from awsbatch_operator.kinds.batchjob.wishes import Wishes

LOGS_LOOK_SECONDS = 1.0
HELD_LOOK_SECONDS = 300.0  # between looks for further jobs of a run that may not be ended now
QUIET_SECONDS = 60.0  # a state other than RUNNING is shown after a minute in it


def plan_job(
    desired: Desired, observed: Observed | None, now: Instant, sendable: Sendable = as_it_is
) -> Plan[Action]:
    """The next steps towards a job that runs once, or as often as its spec says.

    `sendable` is the way that every submission goes before it is sent.
    """
    if observed is None:
        return sendable(first_run(desired, now))
    if observed.knowledge is Knowledge.ELSEWHERE:
        return Plan(findings=(elsewhere(observed.submission),))
    record = after_looks(observed, now)
    first = before_the_end(desired, observed, record, now, sendable)
    record = with_stop(desired.wishes, observed, record, now, may_run=first is None)
    plan = sendable(_next(desired, observed, record, now))
    if first is not None:
        looks = (plan.look_again_seconds, first.look_again_seconds)
        plan = replace(
            plan,
            steps=(*plan.steps, *first.steps),
            findings=(*plan.findings, *first.findings),
            look_again_seconds=min((each for each in looks if each is not None), default=None),
        )
    return with_ledger(plan, observed, record, now)


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
    stale = observed.lost or observed.set_free or record != observed.submission
    later = looks_for_strays(record, observed, now)
    if not (observed.sweeps or stale or plan.record) and later is None:
        return plan  # the ledger asks for nothing, as of nearly all jobs
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
        case Knowledge.REFUSED | Knowledge.ABSENT | Knowledge.UNTRACEABLE:
            return _unsent(desired, observed, record, now)
        case Knowledge.SETTLING:
            return settling(observed, now)
        case Knowledge.FOUND | Knowledge.CONCLUDED | Knowledge.FORGOTTEN:
            return _sent(desired, observed, record, now)
        case Knowledge.ELSEWHERE:
            return Plan(findings=(elsewhere(record),))
        case never:
            assert_never(never)


def _unsent(desired: Desired, observed: Observed, record: Submission, now: Instant) -> Plan[Action]:
    """AWS has no job of the run: it is sent, unless it is held, or the time for it is over."""
    shown = desired.shown
    if shown.is_of(record) and shown.result:  # closed: it is only looked for
        end = runs.shown_end(record, shown)
        following = runs.what_follows(desired.wishes, record, end, now)
        again = following.fate is runs.Fate.AGAIN
        return next_run(desired, record, end, following, now) if again else Plan()
    if record.stop is Stop.DEADLINE:
        return Plan()
    known_absent = record.stop is Stop.HELD
    if known_absent and not desired.wishes.suspend:
        record = replace(record, stop=None)
    match observed.knowledge:
        case Knowledge.UNTRACEABLE if desired.wishes.suspend:
            return Plan(findings=(untraceable(record),))
        case Knowledge.UNTRACEABLE:
            return when_unknown(desired, record, now, untraceable(record))
        case _ if desired.wishes.suspend:
            return _until_late(Plan(), desired.wishes, record, now)
        case Knowledge.REFUSED:
            return _until_late(after_refusal(desired, record, now), desired.wishes, record, now)
        case _:
            plan = after_absence(desired, record, now, known_absent=known_absent)
            return _until_late(plan, desired.wishes, record, now)


def _sent(desired: Desired, observed: Observed, record: Submission, now: Instant) -> Plan[Action]:
    """AWS has the job, or has had it."""
    end = runs.end_of(observed, desired.shown, now)
    if end is None and observed.knowledge is Knowledge.FORGOTTEN:
        return forgotten(observed, now)
    if end is None:
        return under_way(desired, observed, record, now)
    following = runs.what_follows(desired.wishes, record, end, now)
    match following.fate:
        case runs.Fate.AGAIN:
            plan = next_run(desired, record, end, following, now)
            return _until_late(plan, desired.wishes, record, now)
        case runs.Fate.TOLD_FIRST:
            plan = follow(desired, observed, now)
            looks = (plan.look_again_seconds, LOGS_LOOK_SECONDS)
            return replace(plan, look_again_seconds=min(each for each in looks if each is not None))
        case runs.Fate.HELD:
            return _until_late(follow(desired, observed, now), desired.wishes, record, now)
        case runs.Fate.STANDS if observed.knowledge is Knowledge.FORGOTTEN:
            return forgotten(observed, now)
        case runs.Fate.STANDS | runs.Fate.LATE:
            plan = follow(desired, observed, now)
            because = () if following.because is None else (following.because,)
            return replace(plan, findings=(*plan.findings, *because))
        case never:
            assert_never(never)


def _until_late(
    plan: Plan[Action], wishes: Wishes, record: Submission, now: Instant
) -> Plan[Action]:
    """With a look when all runs together will have had their time."""
    deadline = wishes.deadline(record)
    if deadline is None or deadline <= now:
        return plan
    left, look = deadline.since(now), plan.look_again_seconds
    return replace(plan, look_again_seconds=left if look is None else min(left, look))


def under_way(
    desired: Desired | FollowingJob, observed: Observed, record: Submission, now: Instant
) -> Plan[Action]:
    """The job is followed, or ended if its record says so."""
    if record.stop is not None and observed.knowledge is Knowledge.FOUND and not observed.ended:
        plan = ending(observed, record)
    else:
        plan = follow(desired, observed, now)
    return _until_late(plan, desired.wishes, record, now)


def follow(desired: Desired | FollowingJob, observed: Observed, now: Instant) -> Plan[Action]:
    """Nothing is to be done: when to look again, and what is worth saying of the job."""
    looks: list[float] = []
    findings = list(_never_run(desired, observed.submission))
    if observed.knowledge is Knowledge.FOUND and not observed.ended:
        rest = _quiet_rest(observed, now)
        looks += rest
        blocked = observed.children is not None and bool(observed.children.blocked)
        if (observed.state == "RUNNABLE" or blocked) and not rest:
            # It is shown, so it is told as well.
            findings += waiting.blocked(observed.words, desired.codes_shown)
        if observed.children is not None:
            looks += _looks_at_children(observed.children, now)
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
    """Whether an edit came too late: after the submission, and before the status showed it.

    So does one that was still to run when rerunPolicy was set back to Never.
    """
    if desired.wishes.on_change or not desired.wishes.changed(submission):
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
    children = observed.children
    if children is not None and any(children.counts.values()):
        return _array_rest(children, now)
    rest = QUIET_SECONDS - now.since(observed.since)
    return [rest] if rest > 0 else []


def _looks_at_children(children: Children, now: Instant) -> list[float]:
    """When to look again whatever is written now: at the counts, and at why nothing starts."""
    left = children.due.since(now) if children.due else 0.0
    looks = [max(left, children.again)] if children.again else []
    if children.look is not None:
        looks.append(max(children.look.since(now), 0.0))
    return looks


def _array_rest(children: Children, now: Instant) -> list[float]:
    """Until its counts are worth a write. The feed does not wake it for each child that ends."""
    if children.due is None:
        return []
    rest = children.due.since(now)
    if rest > 0:
        return [rest]
    return [] if children.differs else [children.again]


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
