"""Whether and what to submit: the first run, the same run once more, or a new one (pure).

What makes a new one follow is in runs.py.

The one thing that must never happen is a second SubmitJob for a run whose first one AWS accepted.
So a submission needs a recorded intent, and a repeat needs proof that the first did nothing: either
this process saw AWS refuse it, or AWS's listing, after settling, does not know it.
"""

from dataclasses import replace

from awsbatch_operator.api import job_reasons
from awsbatch_operator.api.findings import Finding
from awsbatch_operator.api.instant import Instant
from awsbatch_operator.api.names import job_name
from awsbatch_operator.api.plans import Plan, Step
from awsbatch_operator.kinds.batchjob import runs
from awsbatch_operator.kinds.batchjob.actions import SUBMIT_LANE, Action, Submit
from awsbatch_operator.kinds.batchjob.desired import Desired
from awsbatch_operator.kinds.batchjob.fields import fields_of
from awsbatch_operator.kinds.batchjob.request import (
    job_tags,
    overrides_too_long,
    submit_request,
    too_long,
)
from awsbatch_operator.kinds.batchjob.run_causes import Cause
from awsbatch_operator.kinds.batchjob.run_status import submitted_words
from awsbatch_operator.kinds.batchjob.submission import (
    EARLIER_KEPT,
    Submission,
)
from awsbatch_operator.kinds.batchjob.targets import (
    is_of_definition,
    leads_to,
    no_revision,
    waits_for_jobs,
    waits_for_targets,
)
from awsbatch_operator.kinds.batchjob.wishes import history

MINUTE, DAY = 60.0, 86_400.0
# AWS keeps a finished job for at least seven days (user guide, "Job states"); a day of margin.
TRACEABLE_SECONDS = 6 * DAY


def first_run(desired: Desired, now: Instant) -> Plan[Action]:
    """The first run, once the definition had the time to be changed along with the job.

    `kubectl apply -k` makes a BatchJob before it updates the JobDefinition of the same commit.
    """
    if desired.wishes.suspend and not desired.was_recorded:
        return Plan()  # held from the start
    if desired.missing_revision:
        return Plan(findings=(no_revision(desired),))
    left = desired.grace_left(now)
    if left > 0:
        return Plan(findings=(too_early(left),))
    first = _made_of(desired, max(desired.shown.run, 1), now)
    if desired.was_recorded:
        return _recorded_again(desired, first)
    return waits_for_jobs(desired) or _submit(desired, first)


def too_early(seconds: float) -> Finding:
    """The definition by name may still be changed by the `kubectl apply` that made the job."""
    return Finding(
        job_reasons.JOB_SUBMITTING,
        "The job is about to be submitted with the newest revision of its definition.",
        look_again_seconds=seconds,
    )


def _recorded_again(desired: Desired, first: Submission) -> Plan[Action]:
    """Somebody has taken the record away before any status named a job (`kubectl replace`).

    A process that died after SubmitJob leaves nothing else behind. So the run is written down anew,
    as one whose outcome is unknown: it is looked for by its name, which is always the same, before
    anything is sent.
    """
    made = fields_of(desired, first)
    first = first if isinstance(made, Finding) else made[1]  # it may be packed
    finding = Finding(
        job_reasons.SUBMISSION_SETTLING,
        "The record of a submission was taken away, so the job may exist. It is looked for in "
        "AWS's listing before anything is sent.",
        look_again_seconds=1.0,
    )
    return Plan(record=first.annotation(), findings=(finding,), look_again_seconds=1.0)


def _made_of(desired: Desired, run: int, now: Instant) -> Submission:
    """The intent of a run that has not been tried."""
    owner = desired.owner
    return Submission(
        uid=owner.uid,
        run=run,
        job_name=job_name(owner.key, owner.uid, run),
        queue=desired.queue,
        definition=desired.definition,
        account_id=desired.account_id,
        region=desired.region,
        request_hash=desired.request_hash,
        time=now,
        generation=desired.generation,
        definition_name=desired.definition_name,
        definition_generation=desired.definition_generation,
        needs=desired.dependencies.needs,
    )


def _submit(desired: Desired, submission: Submission) -> Plan[Action]:
    """The one place where a submission begins."""
    unfit = desired.unfit.get(submission.queue)
    if unfit is not None:
        return Plan(findings=(unfit,))
    owner = desired.owner
    made = fields_of(desired, submission)
    if isinstance(made, Finding):
        return Plan(findings=(made,))
    fields, submission = made
    request = submit_request(
        fields=fields,
        job_name=submission.job_name,
        queue=submission.queue,
        definition=submission.definition,
        tags=job_tags(owner, submission.run, desired.tags),
    )
    long = too_long(request) or overrides_too_long(request)
    if long is not None:
        return Plan(findings=(long,))
    step: Step[Action] = Step(
        Submit(owner.key, submission, request),
        record=submission.annotation(),
        lane=SUBMIT_LANE,
        note=Finding(job_reasons.JOB_SUBMITTED, submitted_words(submission)),
    )
    return Plan(steps=(step,))


def after_refusal(desired: Desired, record: Submission, now: Instant) -> Plan[Action]:
    """AWS did nothing: the same run again. Its revision may have been deregistered meanwhile."""
    never_sent = record.attempt == 1
    if not leads_to(desired, record):
        return _closed_by_another(desired, record, now, never_sent=never_sent)
    desired = _going_on(desired)
    waits = waits_for_targets(desired, record, newest=True)
    if waits is not None:
        return waits
    renewed = replace(
        record,
        # What was refused must not become too old to be traced; and no time has passed before the
        # first call that AWS may have taken.
        time=now if now.since(record.time) > _renewed_after(desired, record) else record.time,
        definition=desired.definition,
        definition_name=desired.definition_name,
        definition_generation=desired.definition_generation,
    )
    return _submit(desired, renewed)


def _going_on(desired: Desired) -> Desired:
    """What goes on, or is recorded, has the same objects behind it: none is waited for anew."""
    return replace(desired, dependencies=desired.dependencies.again())


def _renewed_after(desired: Desired, record: Submission) -> float:
    """Once a day; the first submission of a job with a deadline more often."""
    first = record.attempt == 1 and record.begun is None
    return MINUTE if first and desired.wishes.deadline_seconds is not None else DAY


def after_absence(
    desired: Desired, record: Submission, now: Instant, *, known_absent: bool = False
) -> Plan[Action]:
    """AWS has no trace of the attempt: the same run once more, as recorded.

    `known_absent`: that was seen before AWS could have forgotten it.
    """
    finding = None if known_absent else too_old(record, now)
    if finding is not None:
        return when_unknown(desired, record, now, finding)
    if not leads_to(desired, record):
        return _closed_by_another(desired, record, now, never_sent=False)
    desired = _going_on(desired)
    waits = waits_for_targets(desired, record, newest=False)
    return waits or _submit(desired, record.repeated(now))


def too_old(record: Submission, now: Instant) -> Finding | None:
    """Whether AWS may have had the job of a run that it does not list, and forgotten it since."""
    if now.since(record.time) <= TRACEABLE_SECONDS:
        return None
    return Finding(
        job_reasons.SUBMISSION_UNKNOWN,
        f"Run {record.run} was about to be submitted at {record.time.rfc3339()}, and "
        "AWS forgets finished jobs after seven days, so nobody can tell whether it ran.",
    )


def when_unknown(
    desired: Desired, record: Submission, now: Instant, finding: Finding
) -> Plan[Action]:
    """Nobody can tell whether the run ran. Only another request begins another run."""
    if desired.request_hash == record.request_hash:
        return Plan(findings=(finding,))
    return _closed_by_another(desired, record, now, never_sent=False)


def _closed_by_another(
    desired: Desired, record: Submission, now: Instant, *, never_sent: bool
) -> Plan[Action]:
    """The absent attempt is closed; it stays in the record while AWS may still hold it.

    What the spec says may be the same, and its targets others: then it is about the same indexes.
    """
    same = record.cause is not None and record.request_hash == desired.request_hash
    of = record if same else replace(record, indexes="", losses=0, in_fallback=False)
    waits = waits_for_targets(desired, of, newest=True)
    if waits is not None:
        return waits
    made = replace(
        _made_of(desired, record.run + 1, now),
        queue=desired.fallback_queue if of.in_fallback else desired.queue,
        cause=record.cause if same else Cause.CHANGED,
        indexes=of.indexes,
        losses=of.losses,
        in_fallback=of.in_fallback,
        begun=None if never_sent and record.begun is None else record.first_sent,
        before=record.before,
    )
    return _begin(desired, record, made, is_over=never_sent)


def next_run(
    desired: Desired,
    record: Submission,
    end: runs.End,
    following: runs.Next,
    now: Instant,
) -> Plan[Action]:
    """The run that follows one that has ended, with what is known of that end in its record.

    What took the place of the former result by an edit begins a new time for the deadline.
    """
    if runs.goes_on(desired.wishes, record, end, following):
        desired = _going_on(desired)
    # The record may have been edited: of it only a revision of what the spec names is used.
    newest = runs.takes_the_newest(following) or not is_of_definition(desired, record)
    waits = waits_for_targets(desired, record, newest=newest, following=following)
    if waits is not None:
        return waits
    lost, waits_on = following.cause is Cause.LOST, following.cause is Cause.DEPENDENCY
    made = replace(
        _made_of(desired, record.run + 1, now),
        cause=following.cause,
        begun=None if end.stands else record.first_sent,
        indexes=following.indexes,
        in_fallback=following.in_fallback,
        losses=record.losses + lost if lost or waits_on else 0,
        before=end.recorded(record),
    )
    if not newest:
        made = replace(
            made,
            definition=record.definition,
            definition_name=record.definition_name,
            definition_generation=record.definition_generation,
        )
    if following.in_fallback:
        made = replace(made, queue=desired.fallback_queue)
    is_over = end.seen and record.sweep_due is None
    return _begin(desired, record, made, is_over=is_over)


def _begin(
    desired: Desired, record: Submission, made: Submission, *, is_over: bool
) -> Plan[Action]:
    """The new run's submission; the one before stays in the record unless it `is_over`."""
    if len(record.earlier) >= EARLIER_KEPT and not is_over:
        finding = Finding(
            job_reasons.SUBMISSION_SETTLING,
            f"Jobs of {len(record.earlier)} earlier runs are still being looked for in AWS; the "
            "next run begins when one of those is known to be over.",
        )
        return Plan(findings=(finding,))
    plan = _submit(desired, record.followed_by(made, is_over=is_over))
    lost = record.before if made.before != record.before else None
    if not plan.steps or lost is None or lost.run in desired.shown.told:
        return plan
    # The new record has no place for this end: it must stand in the status before.
    return replace(plan, announce={"history": history(desired.shown.history, lost)})
